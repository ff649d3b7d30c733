"""The pictures of the editor's page, taken anew in a browser: a photo whose mouth is pulled wider, and opened.

    python docs/editor_pictures.py

Writes editor.jpg (1280 x 800) and editor-phone.jpg (390 x 844) beside this file. Needs Chromium and Playwright.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
# The middle of the mouth in the page, and the right one of its handles once it is chosen
_MOUTH = """() => {
  const { data, side } = editor.mask, { mouth } = editor.about.groups;
  const places = [...data.keys()].filter((i) => mouth.includes(data[i]));
  const mean = (part) => places.reduce((sum, i) => sum + part(i), 0) / places.length;
  return editor.view.place(mean((i) => i % side), mean((i) => Math.floor(i / side)));
}"""
_HANDLE = "() => editor.view.place(...editor.tools.selection.handles().find(({ u, v }) => u === 1 && v === 0).at)"


def main() -> None:
    """Start the editor, use it at both widths, keep what is to be seen."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    words = [sys.executable, "-m", "maskgan_cli", "edit", "--no-browser", "--port", "0"]
    with tempfile.TemporaryDirectory() as cache:
        server = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env={**os.environ, "MASKGAN_CACHE": cache})
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        try:
            with sync_playwright() as driver:
                browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                for name, width, height, edit in (
                    ("editor", 1280, 800, pull_a_mouth),
                    ("editor-phone", 390, 844, open_a_mouth),
                ):
                    page = browser.new_page(viewport={"width": width, "height": height})
                    page.set_default_timeout(0)
                    page.goto(url)
                    edit(page)
                    page.evaluate("editor.live.settled()")
                    page.wait_for_timeout(300)
                    Image.open(io.BytesIO(page.screenshot())).save(HERE / f"{name}.jpg", quality=90)
                    page.close()
                browser.close()
        finally:
            server.terminate()
            server.wait()


def pull_a_mouth(page: Any) -> None:
    """The photo's mouth, wider by its handle."""
    begin(page, "astronaut")
    page.keyboard.press("v")
    spot = page.evaluate(_MOUTH)
    page.mouse.click(spot["x"], spot["y"])
    spot = page.evaluate(_HANDLE)
    page.mouse.move(spot["x"], spot["y"])
    page.mouse.down()
    page.mouse.move(spot["x"] + 9, spot["y"], steps=4)
    page.mouse.up()


def open_a_mouth(page: Any) -> None:
    """The photo, its mouth opened and its brows raised by sliders."""
    begin(page, "astronaut")
    for name, amount in (("open-mouth", 0.2), ("raise-brows", 0.6)):
        page.evaluate(
            """([name, amount]) => {
              const input = document.querySelector(`[data-slider=${name}]`);
              input.value = amount;
              input.dispatchEvent(new Event("change", { bubbles: true }));
            }""",
            [name, amount],
        )
        while page.evaluate("editor.panels.sliders.running"):
            page.wait_for_timeout(50)


def begin(page: Any, face: str) -> None:
    """Open one of the examples."""
    page.click(f"#examples button[data-name={face}]")
    page.wait_for_selector("#welcome", state="hidden")
    page.evaluate("editor.live.settled()")


if __name__ == "__main__":
    main()
