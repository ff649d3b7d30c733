"""The editor's speed and memory, measured in a browser.

First the start of the program with a photo, until its picture is shown. Then photos of 12 and 25 megapixels, each from
the choice of the file until the face is shown. Then four sliders, each pushed five times while the others keep their
values, and strokes that extend parts of the face, of which ten are undone after every ten. Each push and stroke is
timed until its preview and its full picture are shown; the face has 512 pixels a side. The browser renders in software
on the same cores.

    python benchmarks/editor.py [STROKES] [--weights W]

Prints JSON: those times; the median and the 95th percentile of the time from a stroke's end to its preview and to its
full picture, by the clock; the server's processor time until the first picture, a slider step and a stroke, which a
busy machine changes little; its memory and the page's (scripts' heap and buffers) after each tenth of the strokes; how
long it takes to undo them all, and whether that ends in the mask of the beginning.
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
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import CDPSession, Page, sync_playwright

from maskgan_cli.editor import example_faces
from maskgan_cli.labels import ID

NAMES = ("smile", "open-mouth", "raise-brows", "nose-width")
PARTS = tuple(ID[name] for name in ("skin", "nose", "l_eye", "r_eye", "l_brow", "r_brow", "u_lip", "l_lip", "hair"))
KEPT = 10  # strokes after which as many are undone

SLIDE = """async ([name, amount]) => {
  const { sliders } = editor.panels, since = performance.now(), first = editor.live.previews;
  editor.composition.set(name, amount);
  sliders.compose(`${name} ${amount}`);
  while (editor.live.previews === first) await new Promise((again) => setTimeout(again, 2));
  const preview = performance.now() - since;
  while (sliders.running) await new Promise((again) => setTimeout(again, 2));
  await editor.live.settled();
  return [preview, performance.now() - since];
}"""
# A stroke that extends a part: from a pixel at the part's border outwards
STROKE = """async ([value, share, angle]) => {
  const { data, side } = editor.mask, inside = (i) => data[i] === value;
  const near = (i) => [1, -1, side, -side].every((step) => inside(i + step));
  const border = [...data.keys()].filter((i) => inside(i) && !near(i));
  const start = border[Math.floor(share * border.length)] ?? 0, x = start % side, y = Math.floor(start / side);
  editor.tools.value = value;
  const stroke = editor.tools._newStroke(false), length = side / 50;
  stroke.to(x, y);
  stroke.to(x + length * Math.cos(angle), y + length * Math.sin(angle));
  const since = performance.now(), first = editor.live.previews;
  editor.commit("brush", { brush: true });
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


def page_memory(protocol: CDPSession) -> float:
    """What the page's scripts hold after a garbage collection, in MB: heap and buffers."""
    protocol.send("HeapProfiler.collectGarbage")
    used = protocol.send("Runtime.getHeapUsage")
    return round((used["usedSize"] + used.get("backingStorageSize", 0)) / 2**20, 1)


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
        folder = Path(cache)
        photos = {f"{size} MP": photo(folder / f"photo-{size}.jpg", size) for size in (3, 12, 25)}
        since = time.perf_counter()
        server = subprocess.Popen(
            [*words[:4], str(photos["3 MP"]), *words[4:]],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "MASKGAN_CACHE": cache},
        )
        assert server.stdout is not None
        try:
            with sync_playwright() as driver:
                browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                page = browser.new_page(viewport={"width": 1280, "height": 800})
                page.set_default_timeout(0)
                page.goto(server.stdout.readline().strip())
                shown(page, "")
                start, started, opened = time.perf_counter() - since, processor(server.pid) / 1000, {}
                for name in ("12 MP", "25 MP"):
                    session, since = page.evaluate("editor.session.id"), time.perf_counter()
                    page.set_input_files("#file", photos[name])
                    shown(page, session)
                    opened[name] = round(time.perf_counter() - since, 2)
                page.evaluate("editor.live.settled()")
                times = {
                    "start_to_first_picture_s": round(start, 2),
                    "start_processor_s": round(started, 2),
                    "open_s": opened,
                }
                print(json.dumps({**times, **measure(page, server.pid, given.strokes)}, indent=2))
                browser.close()
        finally:
            server.terminate()
            server.wait()


def photo(path: Path, megapixels: int) -> Path:
    """scikit-image's astronaut as a photo of a camera: 4 to 3, her face as large as in a portrait."""
    picture = Image.fromarray(example_faces.photo()[:384])
    width = round((megapixels * 1e6 * 4 / 3) ** 0.5)
    picture.resize((width, round(width * 3 / 4)), Image.Resampling.BICUBIC).save(path, quality=92)
    return path


def shown(page: Page, before: str) -> None:
    """Wait until the face of another session than ``before`` is on the screen."""
    ready = (
        f"editor?.session && editor.session.id !== '{before}' && editor.live.previews > 0 && editor.view.layers.photo"
    )
    while not page.evaluate(f"Boolean(globalThis.{ready})"):
        page.wait_for_timeout(10)


def measure(page: Page, server: int, strokes: int) -> dict[str, Any]:
    """Draw, and write down what it took."""
    rng, times, used, held, load = np.random.default_rng(0), [], [], [], os.getloadavg()[0]
    protocol = page.context.new_cdp_session(page)
    while not page.evaluate("editor.panels.sliders.ranged === editor.session.id"):  # it asks for the sliders' ranges
        page.wait_for_timeout(50)
    pushes = [page.evaluate(SLIDE, [name, float(rng.uniform(-0.8, 0.8))]) for name in NAMES]
    before = processor(server)
    pushes += [page.evaluate(SLIDE, [NAMES[k // 5], float(rng.uniform(-0.8, 0.8))]) for k in range(20)]
    pushed, slid = (processor(server) - before) / 20, np.array(pushes)[4:].T
    page.evaluate("editor.step(-editor.history.index)")
    page.evaluate("editor.live.settled()")
    before, warm = 0.0, min(10, strokes // 10)
    for number in range(strokes):
        if number == warm:
            before = processor(server)
        if number and number % KEPT == 0:
            page.evaluate(f"editor.step(-{KEPT})")
            page.evaluate("editor.live.settled()")
        part = int(rng.choice(PARTS))
        times.append(page.evaluate(STROKE, [part, float(rng.random()), float(rng.uniform(0, 6.28))]))
        if (number + 1) % max(1, strokes // 10) == 0:
            used.append(memory(server))
            held.append(page_memory(protocol))
    worked = processor(server) - before
    undone, same = page.evaluate(UNDO)
    preview, full = np.array(times[warm:]).T
    return {
        "network": page.evaluate("editor.about.size"),
        "side": page.evaluate("editor.mask.side"),
        "strokes": strokes,
        "cores": os.cpu_count() or 1,
        "load_at_the_start": round(load, 1),
        "slider_preview_ms": _summed_up(slid[0]),
        "slider_full_ms": _summed_up(slid[1]),
        "preview_ms": _summed_up(preview),
        "full_ms": _summed_up(full),
        "server_processor_ms_a_slider_step": round(pushed, 1),
        "server_processor_ms_a_stroke": round(worked / max(1, strokes - warm), 1),
        "server_mb": used,
        "page_mb": held,
        "undo_all_ms": round(undone, 1),
        "undone_to_the_beginning": same,
    }


def _summed_up(times: np.ndarray) -> dict[str, float]:
    return {"median": round(float(np.median(times)), 1), "p95": round(float(np.quantile(times, 0.95)), 1)}


if __name__ == "__main__":
    main()
