"""The editor's speed and memory: strokes with the mouse in a browser, each timed until its preview is shown.

    python benchmarks/editor.py [STROKES] [--weights W]

Prints JSON: the median and the 95th percentile of the time from a stroke's end to its preview and to its full
picture, and the server's memory after the first tenth of the strokes and after the last.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright


def memory(process: int) -> float:
    """Resident memory of a process in MB (Linux)."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("strokes", type=int, nargs="?", default=500)
    parser.add_argument("--weights", default=None)
    given = parser.parse_args()
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    words = [sys.executable, "-m", "maskgan_cli", "edit", "--no-browser", "--port", "0"]
    words += ["--weights", given.weights] if given.weights else []
    with tempfile.TemporaryDirectory() as cache:
        server = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env={**os.environ, "MASKGAN_CACHE": cache})
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        try:
            print(json.dumps(measure(url, server.pid, given.strokes, chromium), indent=2))
        finally:
            server.terminate()
            server.wait()


def measure(url: str, server: int, strokes: int, chromium: str) -> dict[str, float]:
    rng, previews, fulls, used = np.random.default_rng(0), [], [], []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(url)
        page.click("#examples button[data-name=rendered-0]")
        page.wait_for_selector("#welcome", state="hidden")
        page.evaluate("editor.live.settled()")
        for number in range(strokes):
            x, y = rng.uniform(90, 170, 2)
            times = page.evaluate(
                """async ([x, y, value]) => {
                  editor.tools.value = value;
                  editor.tools._newStroke(false).to(x, y);
                  const since = performance.now(), first = editor.live.previews;
                  editor.commit("brush");
                  while (editor.live.previews === first) await new Promise((again) => setTimeout(again, 2));
                  const preview = performance.now() - since;
                  await editor.live.settled();
                  return [preview, performance.now() - since];
                }""",
                [float(x), float(y), int(rng.integers(1, 14))],
            )
            previews.append(times[0])
            fulls.append(times[1])
            if number in (strokes // 10, strokes - 1):
                used.append(memory(server))
        size = page.evaluate("editor.about.size")
        browser.close()
    return {
        "network": size, "strokes": strokes, "cores": os.cpu_count() or 1,
        "preview_ms_median": round(float(np.median(previews)), 1),
        "preview_ms_p95": round(float(np.quantile(previews, 0.95)), 1),
        "full_ms_median": round(float(np.median(fulls)), 1),
        "server_mb_after_a_tenth": round(used[0], 1), "server_mb_at_the_end": round(used[-1], 1),
    }  # fmt: skip


if __name__ == "__main__":
    main()
