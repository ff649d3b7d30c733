"""Tests of sliders and toggles on the page with mouse, keyboard and touch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maskgan_cli.editing.masks.library import item
from maskgan_cli.editing.masks.shapes import wear
from maskgan_cli.editor import example_faces
from maskgan_cli.editor.serve import EditorServer
from maskgan_cli.labels import ID
from tests.editor.person import Fingers, Hold, begin, composed, mask, place, result, settled, slide, until

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}


def test_sliders_combine_and_are_restored_by_undo(page: Any, editor: EditorServer) -> None:
    begin(page, editor)
    before, models = mask(page), editor.models
    slide(page, "smile", 0.6)
    slide(page, "open-mouth", 0.8)
    assert page.input_value("[data-slider=smile]") == "0.6"
    assert page.inner_text(".slider:has([data-slider=smile]) .number") == "+0.60"
    assert "+0.60" in page.get_attribute("[data-slider=smile]", "aria-valuetext")
    both = models.directions.move(models.directions.move(before, "smile", 0.6), "open-mouth", 0.8)
    assert np.array_equal(mask(page), both)
    page.click("#undo")
    assert page.input_value("[data-slider=open-mouth]") == "0" and page.input_value("[data-slider=smile]") == "0.6"
    assert np.array_equal(mask(page), models.directions.move(before, "smile", 0.6))
    page.click("#redo")
    page.dblclick("[data-slider=smile]", position={"x": 3, "y": 8})
    composed(page)
    assert page.input_value("[data-slider=smile]") == "0" and page.input_value("[data-slider=open-mouth]") == "0.8"
    assert np.array_equal(mask(page), models.directions.move(before, "open-mouth", 0.8))
    page.click(".slider:has([data-slider=open-mouth]) .number")
    composed(page)
    assert np.array_equal(mask(page), before)
    page.reload()
    page.wait_for_selector("#undo:enabled")
    page.click("#undo")
    assert page.input_value("[data-slider=open-mouth]") == "0.8"  # undo outlives a reload, with the sliders' places


def test_a_slider_is_moved_with_keys(page: Any, editor: EditorServer) -> None:
    begin(page, editor)
    before = mask(page)
    page.focus("[data-slider=raise-brows]")
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    composed(page)
    assert page.input_value("[data-slider=raise-brows]") == "0.3"
    assert np.array_equal(mask(page), editor.models.directions.move(before, "raise-brows", 0.3))
    page.keyboard.press("Delete")
    composed(page)
    assert np.array_equal(mask(page), before)


@pytest.mark.parametrize("undo", ["click", "keys"])
def test_undo_right_after_a_key_reverts_that_key(undo: str, page: Any, editor: EditorServer) -> None:
    """The mask of the key is not finished yet: undo waits for it, and redo restores it."""
    begin(page, editor)
    before, directions = mask(page), editor.models.directions
    page.focus("[data-slider=smile]")
    hold = Hold(page, "**/compose*")
    page.keyboard.press("End")
    assert page.inner_text("#status") == "Painting …", "at once, before the mask is there"
    assert page.is_enabled("#undo")
    page.keyboard.press("Control+z")  # the first step of all
    hold.release()
    until(page, "editor.history.canRedo")
    assert page.input_value("[data-slider=smile]") == "0"
    assert np.array_equal(mask(page), before)
    slide(page, "smile", 0.6)
    page.focus("[data-slider=open-mouth]")
    hold.again()
    page.keyboard.press("End")
    if undo == "click":
        page.click("#undo")
    else:
        page.keyboard.press("Control+z")
    hold.release()
    until(page, "editor.history.canRedo")
    composed(page)
    assert page.input_value("[data-slider=open-mouth]") == "0" and page.input_value("[data-slider=smile]") == "0.6"
    assert np.array_equal(mask(page), directions.move(before, "smile", 0.6))
    assert page.evaluate("editor.history.index") == 1
    page.click("#redo")
    assert float(page.input_value("[data-slider=open-mouth]")) > 0.2
    settled(page)


def test_a_step_keeps_the_slider_values_of_its_mask(page: Any, editor: EditorServer) -> None:
    """Another slider is moved while a mask is computed: there are two steps with their own values."""
    begin(page, editor)
    hold = Hold(page, "**/compose*")
    for name in ("smile", "open-mouth"):
        page.focus(f"[data-slider={name}]")
        page.keyboard.press("End")
    hold.release()
    composed(page)
    assert page.evaluate("editor.history.index") == 2
    page.click("#undo")
    assert page.input_value("[data-slider=open-mouth]") == "0"
    assert float(page.input_value("[data-slider=smile]")) > 0.2


@pytest.mark.slow
def test_paint_resets_only_sliders_of_the_painted_region(page: Any, editor: EditorServer) -> None:
    begin(page, editor)
    slide(page, "open-mouth", 0.8)
    page.evaluate("editor.tools.choose('brush'); editor.tools.chooseClass(14)")
    page.mouse.click(*place(page, 40, 40))
    assert page.input_value("[data-slider=open-mouth]") == "0.8"
    slide(page, "open-mouth", 0)
    assert (mask(page) == ID["hat"]).sum() > 50  # the paint is still there
    slide(page, "open-mouth", 0.8)
    rows, columns = np.nonzero(mask(page) == ID["mouth"])
    page.mouse.click(*place(page, columns.mean(), rows.max()))
    assert page.input_value("[data-slider=open-mouth]") == "0"
    painted = mask(page)
    page.keyboard.press("Control+z")
    assert page.input_value("[data-slider=open-mouth]") == "0.8"
    page.keyboard.press("Control+Shift+z")
    assert np.array_equal(mask(page), painted)


def test_accessories_are_added_and_removed(page: Any, editor: EditorServer) -> None:
    begin(page, editor)
    before = mask(page)
    settled(page)
    plain = result(page)
    page.click("[data-item=glasses-round]")
    composed(page)
    settled(page)
    assert page.get_attribute("[data-item=glasses-round]", "aria-pressed") == "true"
    assert result(page) != plain and np.array_equal(mask(page), before), "they are drawn over the picture"
    slide(page, "smile", 0.5)
    page.click("[data-item=glasses-sun]")  # one pair at a time
    composed(page)
    assert page.get_attribute("[data-item=glasses-round]", "aria-pressed") == "false"
    page.click("[data-item=glasses-sun]")
    composed(page)
    assert np.array_equal(mask(page), editor.models.directions.move(before, "smile", 0.5))
    page.click("#undo")
    assert page.get_attribute("[data-item=glasses-sun]", "aria-pressed") == "true"
    settled(page)
    worn = result(page)
    page.reload()
    until(page, "globalThis.editor?.session && editor.live.done")
    assert page.get_attribute("[data-item=glasses-sun]", "aria-pressed") == "true" and result(page) == worn
    page.evaluate("editor.tools.choose('brush'); editor.tools.chooseClass(1)")
    page.mouse.click(*place(page, 128, 180))
    settled(page)
    assert page.get_attribute("[data-item=glasses-sun]", "aria-pressed") == "true", "paint leaves them on"
    page.keyboard.press("Control+s")
    until(page, "document.getElementById('command').textContent.includes('--add glasses-sun')")


@pytest.mark.slow
def test_glasses_can_be_removed_from_a_face_that_wears_them(page: Any, editor: EditorServer) -> None:
    begin(page, editor)
    assert page.is_hidden("[data-remove=glasses]")
    worn = wear(example_faces.rendered("rendered-0").labels, item("glasses-square"))
    page.evaluate("(mask) => editor.replace(Uint8Array.from(mask), 'worn')", worn.ravel().tolist())
    page.click("[data-remove=glasses]")
    composed(page)
    assert not (mask(page) == ID["eye_g"]).any()
    assert page.get_attribute("[data-remove=glasses]", "aria-pressed") == "true"
    page.click("[data-remove=glasses]")
    composed(page)
    assert np.array_equal(mask(page), worn)


@pytest.mark.slow
def test_a_face_without_a_mouth_has_no_smile_slider(page: Any, editor: EditorServer) -> None:
    begin(page, editor)
    until(page, "editor.panels.sliders.ranged")
    zeros = """[...document.querySelectorAll("[data-slider]")].every((input) =>
        Math.abs(Number(input.style.getPropertyValue("--zero")) + input.min / (input.max - input.min)) < 1e-6
        || input.closest("[hidden]"))"""
    assert page.evaluate(zeros), "the line at 0 is where the thumb stands at 0"
    page.evaluate("editor.panels.sliders.setRange('smile', null)")
    page.evaluate("editor.panels.sliders.setRange('open-mouth', [-0.5, 0.25])")
    assert page.is_hidden("[data-slider=smile]")
    slide(page, "open-mouth", 1)
    assert page.input_value("[data-slider=open-mouth]") == "0.25"


class TestFingers:
    @pytest.fixture
    def options(self) -> dict[str, Any]:
        return PHONE

    def test_a_finger_moves_sliders_or_scrolls(self, page: Any, editor: EditorServer) -> None:
        begin(page, editor)
        fingers, before = Fingers(page), mask(page)
        box = page.locator("[data-slider=smile]").bounding_box()
        x, y = box["x"] + 0.7 * box["width"], box["y"] + box["height"] / 2
        fingers.draw(*[(x, y - 8.0 * step) for step in range(9)])
        page.wait_for_timeout(300)
        composed(page)
        assert page.evaluate("document.getElementById('panels').scrollTop") > 20
        assert page.input_value("[data-slider=smile]") == "0"
        assert np.array_equal(mask(page), before) and page.evaluate("editor.history.index") == 0
        page.evaluate("document.getElementById('panels').scrollTop = 0")
        middle = box["x"] + box["width"] / 2
        fingers.draw(*[(middle + 6.0 * step, y) for step in range(10)])
        until(page, "editor.history.index === 1")
        composed(page)
        assert 0.2 < float(page.input_value("[data-slider=smile]")) < 0.7
        settled(page)
        assert not np.array_equal(mask(page), before)

    def test_touch_targets_are_large_enough(self, page: Any, editor: EditorServer) -> None:
        begin(page, editor)
        small = """() => [...document.querySelectorAll("#side :is(button, input), #tools button, header button")]
          .filter((one) => one.offsetParent).map((one) => [one.outerHTML, one.getBoundingClientRect()])
          .filter(([, { width, height }]) => height < 44 || width < 40).map(([text]) => text.slice(0, 90))"""
        for tab in ("shape", "paint", "others"):
            page.click(f"#tab-{tab}")
            assert page.evaluate(small) == []

    def test_all_tools_fit_beside_each_other(self, page: Any, editor: EditorServer) -> None:
        begin(page, editor)
        assert not page.is_visible("#tool-hand"), "two fingers move the picture"
        row = "(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth)(document.getElementById('tools'))"
        assert page.evaluate(row)


@pytest.mark.slow
def test_interpolation_towards_another_face_is_a_slider(page: Any, editor: EditorServer) -> None:
    begin(page, editor)
    page.click("#tab-others")
    page.select_option("#other-examples", "rendered-2")
    page.wait_for_selector("[data-slider=other-1]")
    slide(page, "other-1", 0.5)
    half = mask(page)
    page.click("#tab-shape")
    slide(page, "smile", 0.3)
    assert page.input_value("[data-slider=other-1]") == "0.5"
    slide(page, "smile", 0)
    assert np.array_equal(mask(page), half)
