"""Tests of touch and pen input: painting, and zooming without editing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maskgan_cli.editor.serve import EditorServer
from maskgan_cli.labels import ID
from tests.editor.person import Fingers, Spot, begin, mask, place, settled


@pytest.fixture
def options() -> dict[str, Any]:
    """Browser options of a phone."""
    return {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}


def pen(page: Any, kind: str, spot: Spot, pressure: float, **more: Any) -> None:
    """Send a pen event to the page."""
    page.evaluate(
        """([kind, init]) => editor.view.canvas.dispatchEvent(
          new PointerEvent(kind, { pointerId: 7, pointerType: "pen", bubbles: true, cancelable: true, ...init }))""",
        [kind, {"clientX": spot[0], "clientY": spot[1], "pressure": pressure, "buttons": 1, **more}],
    )


def test_a_finger_paints_and_two_fingers_zoom(page: Any, editor: EditorServer) -> None:
    begin(page, editor)
    fingers, before = Fingers(page), mask(page)
    page.evaluate("editor.tools.paintWith(13)")
    fingers.draw(place(page, 100, 60), place(page, 128, 70), place(page, 150, 60))
    painted = mask(page)
    changed = painted != before
    assert changed.sum() > 100 and set(np.unique(painted[changed])) == {ID["hair"]}
    assert page.evaluate("editor.history.index") == 1

    settled(page)
    middle = place(page, 128, 128)
    fingers.pinch(middle, [60.0, 90.0, 120.0], shift=(30.0, -20.0))
    settled(page)
    assert np.array_equal(mask(page), painted)  # the finger that came first painted nothing
    assert page.evaluate("editor.history.index") == 1
    assert page.evaluate("editor.view.zoom") == pytest.approx(2.0, rel=0.02)
    assert place(page, 128, 128) == pytest.approx((middle[0] + 30, middle[1] - 20), abs=2)
    assert page.evaluate("visualViewport.scale") == 1  # the picture zooms, not the page

    fingers.draw(place(page, 120, 140))
    assert not np.array_equal(mask(page), painted)  # and one finger paints again


def test_zooming_never_edits(page: Any, editor: EditorServer) -> None:
    begin(page, editor)
    fingers, before = Fingers(page), mask(page)
    for tool in ("fill", "polygon", "pipette", "lasso", "move", "eraser", "hand"):
        page.evaluate(f"editor.view.fit(); editor.tools.choose('{tool}')")
        fingers.pinch(place(page, 128, 100), [50.0, 100.0])
        assert np.array_equal(mask(page), before), tool
        assert page.evaluate("[editor.history.index, editor.tools.points.length, editor.tools.value]") == [0, 0, 12]
        assert page.evaluate("editor.view.zoom") > 1.8


def test_a_finger_fills_and_draws_a_polygon(page: Any, editor: EditorServer) -> None:
    begin(page, editor)
    fingers, before = Fingers(page), mask(page)
    rows, columns = np.nonzero(before == ID["nose"])
    page.click("#tool-fill")
    fingers.draw(place(page, columns.mean(), rows.mean()))
    filled = mask(page)
    assert set(np.unique(filled[before == ID["nose"]])) == {ID["l_lip"]}
    page.click("#tool-polygon")
    corners = [place(page, *corner) for corner in ((100, 40), (160, 40), (160, 90), (100, 90), (101, 42))]
    for corner in corners:  # the last one closes it: a finger is broad
        fingers.draw(corner)
    drawn = mask(page)
    assert (drawn[41:89, 101:159] == ID["l_lip"]).all()
    assert np.array_equal(drawn[91:], filled[91:])


def test_a_finger_moves_the_nearest_handle(page: Any, editor: EditorServer) -> None:
    begin(page, editor)
    fingers, mouth = Fingers(page), [ID[name] for name in ("mouth", "u_lip", "l_lip")]

    def extent() -> tuple[float, float]:
        rows, columns = np.nonzero(np.isin(mask(page), mouth))
        return float(np.ptp(columns)), float(np.ptp(rows))

    page.click("#tool-move")
    rows, columns = np.nonzero(mask(page) == ID["l_lip"])
    fingers.draw(place(page, columns.mean(), rows.mean()))
    (width, height), at = extent(), "editor.tools.selection.handles().find(({ u, v }) => u === 1 && v === 0).at"
    x, y = page.evaluate(at)
    fingers.draw(place(page, x + 1, y + 1), place(page, x + 6, y + 1), place(page, x + 9, y + 1))
    wider, as_high = extent()
    assert wider > width + 8 and as_high == height  # a whole mouth is a few millimetres of a telephone
    x, y = page.evaluate("[editor.tools.selection.pose.x, editor.tools.selection.pose.y]")
    fingers.draw(place(page, x, y), place(page, x, y - 6))
    assert extent() == pytest.approx((wider, as_high), abs=1)


def test_pen_pressure_eraser_and_palm_rejection(page: Any, editor: EditorServer) -> None:
    begin(page, editor)
    before, fingers = mask(page), Fingers(page)
    page.evaluate("editor.tools.paintWith(14); editor.panels.setSize(20)")

    def dab(x: float, pressure: float, **more: Any) -> None:
        pen(page, "pointerdown", place(page, x, 30), pressure, **more)
        pen(page, "pointerup", place(page, x, 30), 0.0, buttons=0)

    widths = []
    for x, pressure in ((60, 0.1), (110, 0.5), (170, 1.0)):
        dab(x, pressure)
        widths.append(int((mask(page)[30, x - 20 : x + 20] == ID["hat"]).sum()))
    assert widths == pytest.approx([9, 14, 20], abs=1.1)  # 0.4 + 0.6 * pressure of the brush
    dab(60, 1.0, button=5, buttons=32)  # its other end
    assert np.array_equal(mask(page)[:, :85], before[:, :85])

    pen(page, "pointerdown", place(page, 60, 200), 1.0)
    fingers.draw(place(page, 200, 220), place(page, 210, 225))
    pen(page, "pointermove", place(page, 80, 200), 1.0)
    pen(page, "pointerup", place(page, 80, 200), 0.0, buttons=0)
    painted = mask(page)
    assert (painted[200, 60:80] == ID["hat"]).all()
    assert np.array_equal(painted[:, 180:], before[:, 180:]) or (painted != before)[210:230, 190:].sum() == 0
    assert page.evaluate("editor.view.zoom") == 1
