"""Tests of the page: comparison with the photo, history, strength and feather, locked classes, smart select."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from maskgan_cli.editor import example_faces
from maskgan_cli.editor.fade import faded
from maskgan_cli.editor.serve import EditorServer
from maskgan_cli.editor.session_photos import patches_of
from maskgan_cli.files import read_image
from maskgan_cli.labels import ID
from tests.editor.person import Fingers, begin, composed, mask, place, result, settled, slide, until

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def shot(page: Any) -> np.ndarray:
    """The canvas on the screen, without the focus outline."""
    page.wait_for_timeout(120)
    return pixels(page.locator("#canvas").screenshot())[4:-4, 4:-4]


def test_holding_a_key_or_the_button_shows_the_photo(page: Any, editor: EditorServer) -> None:
    begin(page, editor)
    page.click("#view-result")
    page.focus("#canvas")
    before = shot(page)
    page.evaluate("editor.mask.data.fill(13, 256 * 90, 256 * 150); editor.commit('brush')")
    settled(page)
    after = shot(page)
    assert np.abs(before - after).max() > 60
    page.keyboard.down("c")
    assert page.get_attribute("#compare", "aria-pressed") == "true"
    assert np.abs(shot(page) - before).max() < 8
    page.keyboard.up("c")
    assert np.abs(shot(page) - after).max() < 8
    box = page.locator("#compare").bounding_box()
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.mouse.down()
    assert np.abs(shot(page) - before).max() < 8
    page.mouse.up()
    assert np.abs(shot(page) - after).max() < 8
    page.focus("#compare")
    page.keyboard.down("Enter")
    assert np.abs(shot(page) - before).max() < 8
    page.keyboard.up("Enter")
    assert np.abs(shot(page) - after).max() < 8


def test_both_pictures_share_the_zoom(page: Any, editor: EditorServer) -> None:
    begin(page, editor)
    page.click("#view-split")
    page.evaluate("editor.view.zoomAt(2.5, ...Object.values(editor.view.place(100, 120)))")
    one, other = page.evaluate(
        """editor.view.panes().map((pane) => {
          const { scale, left, top } = editor.view.frame(pane);
          return [scale, left - pane.left, top - pane.top];
        })"""
    )
    assert one == pytest.approx(other)


@pytest.mark.slow
def test_both_uses_the_space_of_a_photo(page: Any, editor: EditorServer) -> None:
    begin(page, editor, "astronaut")
    until(page, "editor.view.whole")
    page.evaluate("document.getElementById('close-hint').click()")
    page.click("#view-split")
    picture, ground = shot(page), np.array([25, 28, 36] if dark(page) else [223, 227, 234])
    empty = (np.abs(picture - ground).max(-1) <= 2).mean(1)
    assert (empty > 0.9).sum() < 60  # rows of the canvas that show nothing: 190 of 660 before


def dark(page: Any) -> bool:
    return bool(page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches"))


def test_steps_have_names_and_can_be_clicked(page: Any, editor: EditorServer) -> None:
    begin(page, editor)
    slide(page, "smile", 0.6)
    page.click("[data-item=hat-beanie]")
    composed(page)
    page.keyboard.press("b")
    page.keyboard.press("1")
    page.mouse.click(*place(page, 40, 200))
    page.click("#tab-history")
    names = page.locator("#history-list button").all_inner_texts()
    assert names == ["Begin", "Smile +0.60", "Beanie on", "Brush: skin"]
    page.click("[data-step='1']")
    assert page.evaluate("editor.history.index") == 1 and page.evaluate("editor.composition.items") == []
    assert page.get_attribute("[data-step='1']", "aria-current") == "step"
    page.click("[data-step='3']")
    assert page.evaluate("editor.composition.items") == ["hat-beanie"]


def fade_of(page: Any) -> np.ndarray:
    side = page.evaluate("editor.mask.side")
    return np.array(page.evaluate("[...editor.compare.fade]"), np.uint8).reshape(side, side)


@pytest.mark.slow
def test_strength_and_feather_of_the_last_edit(page: Any, editor: EditorServer, tmp_path: Path) -> None:
    begin(page, editor)
    session = editor.store.get(page.evaluate("editor.session.id"))
    page.evaluate("for (let y = 150; y < 170; y++) editor.mask.data.fill(10, 256 * y + 90, 256 * y + 160)")
    page.evaluate("editor.commit('brush')")
    settled(page)
    whole, photo = pixels(result(page)), session.face.picture
    page.click("#tab-history")
    for value in ("40", "100"):
        page.evaluate(
            """(value) => {
              const input = document.getElementById("strength");
              input.value = value;
              for (const kind of ["input", "change"]) input.dispatchEvent(new Event(kind));
            }""",
            value,
        )
        settled(page)
        if value == "40":
            part = pixels(result(page))
            assert np.array_equal(part, faded(photo, whole.astype(np.uint8), fade_of(page)))
            inside = (slice(155, 165), slice(100, 150))
            assert np.abs(part[inside] - (photo[inside] + 0.4 * (whole[inside] - photo[inside]))).max() <= 1
            saved = editor.store.root / session.id
            assert read_image(saved / "fade.png").shape == (256, 256, 3)
            page.reload()
            page.wait_for_selector("#undo:enabled")
            settled(page)
            assert np.array_equal(pixels(result(page)), part)
            page.click("#tab-history")
            assert page.input_value("#strength") == "40"
    assert np.array_equal(pixels(result(page)), whole) and not (saved / "fade.png").exists()
    page.evaluate("editor.history.amend({ fade: { strength: 1, feather: 0.2 } }); editor.live.changed()")
    settled(page)
    soft = pixels(result(page))
    middle, rim = np.abs(soft - whole)[160, 125].max(), np.abs(soft - whole)[149:152, 90:160].max()
    assert middle < np.abs(photo.astype(int) - whole)[160, 125].max() and rim > 4
    assert page.evaluate("editor.undo() || editor.compare.fade") is None


@pytest.mark.slow
def test_locked_classes_do_not_change_and_hidden_ones_are_not_drawn(page: Any, editor: EditorServer) -> None:
    begin(page, editor)
    before = mask(page)
    page.keyboard.press("b")
    page.keyboard.press("1")
    page.keyboard.press("3")  # hair
    page.keyboard.press("k")
    assert page.get_attribute("#lock-class", "aria-pressed") == "true"
    page.keyboard.press("2")
    page.evaluate("editor.panels.setSize(120)")
    page.mouse.click(*place(page, 128, 60))
    painted = mask(page)
    assert np.array_equal(painted[before == ID["hair"]], before[before == ID["hair"]])
    assert (painted != before).sum() > 500
    page.click("#view-mask")
    shown = shot(page)
    page.click("#class-list [data-id='2']")
    page.click("#hide-class")
    assert np.abs(shot(page) - shown).max() > 50
    page.keyboard.press("j")
    assert np.abs(shot(page) - shown).max() < 8


@pytest.mark.slow
def test_smart_select_keeps_paint_inside(page: Any, editor: EditorServer) -> None:
    begin(page, editor)
    before = mask(page)
    page.keyboard.press("s")
    rows, columns = np.nonzero(before == ID["nose"])
    nose = place(page, columns.mean(), rows.mean())
    page.mouse.click(*nose)
    until(page, "editor.area.pixels")
    page.keyboard.press("1")
    page.keyboard.press("1")
    page.keyboard.press("b")
    page.evaluate("editor.panels.setSize(100)")
    page.mouse.click(*nose)
    painted = mask(page)
    assert set(np.unique(before[painted != before])) == {ID["nose"]} and (painted == ID["u_lip"]).sum() > 300
    page.keyboard.press("Control+z")
    page.keyboard.press("s")
    page.click("#fill-area")
    assert np.array_equal(mask(page) == ID["u_lip"], np.isin(before, [ID["nose"], ID["u_lip"]]))
    page.keyboard.press("Control+z")
    page.focus("#canvas")
    page.keyboard.press("Escape")
    assert page.evaluate("editor.area.pixels") is None

    page.select_option("#select-by", "patch")
    page.mouse.click(*place(page, 60, 60))
    until(page, "editor.area.pixels")
    chosen = np.array(page.evaluate("[...editor.area.pixels]")).reshape(256, 256) == 1
    patches = np.frombuffer(patches_of(example_faces.rendered("rendered-0").picture), "<u2").reshape(256, 256)
    assert np.array_equal(chosen, patches == patches[60, 60]) and 20 < chosen.sum() < 4000


@pytest.mark.slow
def test_the_whole_photo_can_be_shown(page: Any, editor: EditorServer) -> None:
    begin(page, editor)
    assert page.is_hidden("#view-photo")
    page.click("#open")
    page.click("#examples [data-name=astronaut]")
    until(page, "editor.session.photo && editor.view.whole")
    page.evaluate("editor.mask.data.fill(14, 0, editor.mask.side * 60); editor.commit('brush')")
    page.click("#view-photo")
    until(page, "editor.view.whole.after")
    page.evaluate("document.getElementById('close-hint').click()")
    after = shot(page)
    page.focus("#canvas")
    page.keyboard.down("c")
    before = shot(page)
    page.keyboard.up("c")
    rows, columns = np.nonzero(np.abs(after - before).max(-1) > 20)
    square = np.array(page.evaluate("editor.session.square"))
    frame = page.evaluate("editor.view.frame(editor.view.panes()[0])")
    rows, columns = rows + 4, columns + 4
    left, top = square.min(0) * frame["scale"] + [frame["left"], frame["top"]]
    right, bottom = square.max(0) * frame["scale"] + [frame["left"], frame["top"]]
    assert len(rows) > 50
    assert left - 2 <= columns.min() and columns.max() <= right + 2 and top - 2 <= rows.min() and rows.max() <= bottom
    page.mouse.click(*page.evaluate("[innerWidth / 2, innerHeight / 2]"))
    assert page.evaluate("editor.history.index") == 1  # it is to look at, not to paint on


class TestFingers:
    @pytest.fixture
    def options(self) -> dict[str, Any]:
        return PHONE

    def test_a_finger_on_the_eye_compares(self, page: Any, editor: EditorServer) -> None:
        begin(page, editor)
        page.evaluate("editor.mask.data.fill(13, 256 * 90, 256 * 150); editor.commit('brush')")
        settled(page)
        box = page.locator("#compare").bounding_box()
        fingers, spot = Fingers(page), (box["x"] + 20, box["y"] + 20)
        after = shot(page)
        fingers.down(spot)
        assert page.evaluate("editor.view.comparing")
        assert np.abs(shot(page) - after).max() > 60
        fingers.up()
        assert not page.evaluate("editor.view.comparing")
