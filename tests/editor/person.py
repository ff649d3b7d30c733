"""User actions for tests of the page: open a face, wait for results, read pictures, find positions."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from maskgan_cli.editor.serve import EditorServer

Spot = tuple[float, float]


def begin(page: Any, editor: EditorServer, example: str = "rendered-0") -> None:
    """Open the page and an example."""
    page.goto(editor.url)
    page.click(f"#examples button[data-name={example}]")
    page.wait_for_selector("#welcome", state="hidden")
    settled(page)


def settled(page: Any) -> None:
    """Wait for the full picture of the newest mask."""
    page.evaluate("editor.live.settled()")


def until(page: Any, condition: str) -> None:
    """Wait for a condition. Playwright's `wait_for_function` needs eval, which the page's security policy forbids."""
    for _ in range(600):
        if page.evaluate(f"Boolean({condition})"):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never: {condition}")


def result(page: Any) -> bytes:
    """The bytes of the picture on the page."""
    return _bytes(page, "editor.result.arrayBuffer()")


def mask(page: Any) -> np.ndarray:
    """The label map in the page."""
    side = page.evaluate("editor.mask.side")
    return np.frombuffer(_bytes(page, "editor.mask.data"), np.uint8).reshape(side, side)


def fetched(page: Any, path: str) -> bytes:
    """A response of the server to the page."""
    return _bytes(page, f"fetch(`{path}`).then((answer) => answer.arrayBuffer())")


def _bytes(page: Any, what: str) -> bytes:
    """Bytes from the page, transferred as text, because a list of numbers takes seconds."""
    script = """async () => {
      let text = "";
      for (const byte of new Uint8Array(await WHAT)) text += String.fromCharCode(byte);
      return btoa(text);
    }"""
    return base64.b64decode(page.evaluate(script.replace("WHAT", what)))


def place(page: Any, x: float, y: float) -> tuple[float, float]:
    """The position of a pixel of the mask in the window."""
    found = page.evaluate("([x, y]) => editor.view.place(x, y)", [float(x), float(y)])
    return found["x"], found["y"]


def drop(page: Any, data: bytes, onto: str = "#canvas", name: str = "friend.png") -> None:
    """Drop a picture file on an element."""
    page.evaluate(
        """([data, onto, name]) => {
          const bag = new DataTransfer(), bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
          bag.items.add(new File([bytes], name));
          document.querySelector(onto).dispatchEvent(new DragEvent("drop", { dataTransfer: bag, bubbles: true }));
        }""",
        [base64.b64encode(data).decode(), onto, name],
    )


def composed(page: Any) -> None:
    """Wait until the mask shows all sliders and accessories."""
    until(page, "!editor.panels.sliders.running")


def slide(page: Any, name: str, amount: float) -> None:
    """Move a slider as a mouse does, with an intermediate value."""
    page.evaluate(
        """([name, amount]) => {
          const input = document.querySelector(`[data-slider=${name}]`);
          for (const [kind, value] of [["input", amount / 2], ["input", amount], ["change", amount]]) {
            input.value = value;
            input.dispatchEvent(new Event(kind, { bubbles: true }));
          }
        }""",
        [name, amount],
    )
    composed(page)


class Hold:
    """Holds requests of the page until they are released."""

    def __init__(self, page: Any, path: str) -> None:
        self._held: list[Any] | None = []
        page.route(path, self._came)

    def _came(self, route: Any) -> None:
        if self._held is None:
            route.continue_()
        else:
            self._held.append(route)

    def again(self) -> None:
        """Hold all further requests."""
        self._held = []

    def release(self) -> None:
        """Release all requests, also further ones."""
        held, self._held = self._held or [], None
        for route in held:
            route.continue_()


class Fingers:
    """Touches, sent with the browser's protocol. Lifting a finger waits until the page has handled it."""

    def __init__(self, page: Any) -> None:
        self._page, self._protocol, self._lifted = page, page.context.new_cdp_session(page), 0
        page.evaluate("""() => {
          globalThis.lifted = 0;
          for (const kind of ["pointerup", "pointercancel"]) {
            addEventListener(kind, ({ pointerType }) => { globalThis.lifted += pointerType === "touch"; });
          }
        }""")

    def _send(self, kind: str, *places: Spot) -> None:
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
        self._protocol.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def _lift(self, *left: Spot) -> None:
        """Lift a finger; ``left``: the place of the other one, if it stays."""
        self._send("touchEnd", *left)
        self._lifted += 1
        until(self._page, f"globalThis.lifted >= {self._lifted}")

    def down(self, spot: Spot) -> None:
        """Touch with one finger and hold."""
        self._send("touchStart", spot)

    def up(self) -> None:
        """Lift the finger."""
        self._lift()

    def draw(self, *places: Spot) -> None:
        """Move one finger along a path."""
        self._send("touchStart", places[0])
        for spot in places[1:]:
            self._send("touchMove", spot)
        self._lift()

    def pinch(self, middle: Spot, apart: list[float], *, shift: Spot = (0.0, 0.0)) -> None:
        """Pinch with two fingers, whose final distance is the last value of ``apart``, and move them."""

        def places(distance: float, done: float) -> list[Spot]:
            x, y = middle[0] + shift[0] * done, middle[1] + shift[1] * done
            return [(x - distance / 2, y), (x + distance / 2, y)]

        first = places(apart[0], 0.0)
        self._send("touchStart", first[0])
        self._send("touchStart", *first)
        for step, distance in enumerate(apart[1:], start=1):
            self._send("touchMove", *places(distance, step / (len(apart) - 1)))
        self._lift(places(apart[-1], 1.0)[0])  # one finger goes first
        self._lift()
