"""What the tests of the page do with it: open a face, wait, look, find places."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from maskgan_cli.editor.serve import Editor


def begin(page: Any, editor: Editor, example: str = "rendered-0") -> None:
    """Open the page and an example."""
    page.goto(editor.url)
    page.click(f"#examples button[data-name={example}]")
    page.wait_for_selector("#welcome", state="hidden")
    settled(page)


def settled(page: Any) -> None:
    """Wait for the full picture of the newest mask."""
    page.evaluate("editor.live.settled()")


def until(page: Any, condition: str) -> None:
    """Wait for something; the page's policy forbids Playwright's own way, which evaluates a string in it."""
    for _ in range(600):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never: {condition}")


def result(page: Any) -> bytes:
    """The bytes of the picture that is shown."""
    return _bytes(page, "editor.result.arrayBuffer()")


def mask(page: Any) -> np.ndarray:
    """The label map in the page."""
    side = page.evaluate("editor.mask.side")
    return np.frombuffer(_bytes(page, "editor.mask.data"), np.uint8).reshape(side, side)


def fetched(page: Any, path: str) -> bytes:
    """What the page gets from its server."""
    return _bytes(page, f"fetch(`{path}`).then((answer) => answer.arrayBuffer())")


def _bytes(page: Any, what: str) -> bytes:
    """Bytes out of the page: as text, for a list of numbers takes seconds."""
    script = """async () => {
      let text = "";
      for (const byte of new Uint8Array(await WHAT)) text += String.fromCharCode(byte);
      return btoa(text);
    }"""
    return base64.b64decode(page.evaluate(script.replace("WHAT", what)))


def place(page: Any, x: float, y: float) -> tuple[float, float]:
    """Where in the window a pixel of the mask is."""
    found = page.evaluate("([x, y]) => editor.view.place(x, y)", [float(x), float(y)])
    return found["x"], found["y"]
