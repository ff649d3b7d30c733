"""The editor's speed and memory: strokes in a browser, each timed until its preview and its full picture are shown.

    python benchmarks/editor.py [STROKES] [--weights W]

Prints JSON: the median and the 95th percentile of the time from a stroke's end to its preview and to its full picture,
by the clock; the server's processor time a stroke, which a busy machine does not change; its memory after each
tenth of the strokes; how long it takes to undo them all, and whether that ends in the mask of the beginning.
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
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright

STROKE = """async ([x, y, value]) => {
  editor.tools.value = value;
  editor.tools._newStroke(false).to(x, y);
  const since = performance.now(), first = editor.live.previews;
  editor.commit("brush");
  while (editor.live.previews === first) await new Promise((again) => setTimeout(again, 2));
  const preview = performance.now() - since;
  await editor.live.settled();
  return [preview, performance.now() - since];
}"""
UNDO = """async () => {
  const since = performance.now();
  while (editor.history.canUndo) editor.undo();
  const undone = performance.now() - since;
  await editor.live.settled();
  return [undone, editor.mask.equals(editor.original)];
}"""


def memory(process: int) -> float:
    """Resident memory of a process in MB (Linux)."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return round(pages * resource.getpagesize() / 2**20, 1)


def processor(process: int) -> float:
    """Processor time that a process has taken, in milliseconds (Linux)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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
            with sync_playwright() as driver:
                browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                page = browser.new_page(viewport={"width": 1280, "height": 800})
                page.set_default_timeout(0)
                page.goto(url)
                page.click("#examples button[data-name=rendered-0]")
                page.wait_for_selector("#welcome", state="hidden")
                page.evaluate("editor.live.settled()")
                print(json.dumps(measure(page, server.pid, given.strokes), indent=2))
                browser.close()
        finally:
            server.terminate()
            server.wait()


def measure(page: Page, server: int, strokes: int) -> dict[str, Any]:
    """Draw, and write down what it took."""
    rng, times, used, load = np.random.default_rng(0), [], [], os.getloadavg()[0]
    before, warm = 0.0, min(10, strokes // 10)
    for number in range(strokes):
        if number == warm:
            before = processor(server)
        x, y = rng.uniform(90, 170, 2)
        times.append(page.evaluate(STROKE, [float(x), float(y), int(rng.integers(1, 14))]))
        if (number + 1) % max(1, strokes // 10) == 0:
            used.append(memory(server))
    worked = processor(server) - before
    undone, same = page.evaluate(UNDO)
    preview, full = np.array(times[warm:]).T
    return {
        "network": page.evaluate("editor.about.size"), "side": page.evaluate("editor.mask.side"), "strokes": strokes,
        "cores": os.cpu_count() or 1, "load_at_the_start": round(load, 1),
        "preview_ms": _summed_up(preview), "full_ms": _summed_up(full),
        "server_processor_ms_a_stroke": round(worked / max(1, strokes - warm), 1),
        "server_mb": used, "undo_all_ms": round(undone, 1), "undone_to_the_beginning": same,
    }  # fmt: skip


def _summed_up(times: np.ndarray) -> dict[str, float]:
    return {"median": round(float(np.median(times)), 1), "p95": round(float(np.quantile(times, 0.95)), 1)}


if __name__ == "__main__":
    main()
