"""Tests of the page in a real browser."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from maskgan_cli.editor import example_faces
from maskgan_cli.editor.serve import EditorServer
from maskgan_cli.files import encode_image, read_label_map
from maskgan_cli.labels import ID
from tests.editor.person import begin, drop, fetched, mask, place, result, settled, until

_MOUTH = [ID["mouth"], ID["u_lip"], ID["l_lip"]]


def paint_mouth(page: Any) -> None:
    """Open the mouth: paint its inside with the mouse."""
    rows, columns = np.nonzero(np.isin(mask(page), _MOUTH))
    page.keyboard.press("1")
    page.keyboard.press("0")
    page.mouse.move(*place(page, columns.min(), rows.mean()))
    page.mouse.down()
    page.mouse.move(*place(page, columns.mean(), rows.max() + 6), steps=4)
    page.mouse.move(*place(page, columns.max(), rows.mean()), steps=4)
    page.mouse.up()
    settled(page)


def save(page: Any, what: str, path: Path) -> Path:
    """Download a file with the dialog."""
    page.keyboard.press("Control+s")
    with page.expect_download() as download:
        page.click(f"[data-download='{what}']")
    download.value.save_as(path)
    page.keyboard.press("Escape")
    return path


def test_paint_undo_redo_save_and_reload(page: Any, editor: EditorServer, tmp_path: Path) -> None:
    begin(page, editor)
    first, before = result(page), mask(page)
    paint_mouth(page)
    second, painted = result(page), mask(page)
    assert (before != painted).sum() > 50
    assert set(np.unique(painted[before != painted])) == {ID["mouth"]}
    one, other = (np.asarray(Image.open(io.BytesIO(data))) for data in (first, second))
    assert not np.array_equal(one, other)

    page.click("#undo")
    settled(page)
    assert np.array_equal(mask(page), before)
    assert result(page) == first
    page.keyboard.press("Control+Shift+z")
    settled(page)
    assert np.array_equal(mask(page), painted)
    assert result(page) == second

    assert np.array_equal(read_label_map(save(page, "mask.png", tmp_path / "mask.png")), painted)
    assert save(page, "result.png", tmp_path / "result.png").read_bytes() == second

    page.reload()
    page.wait_for_selector("#undo:enabled")
    settled(page)
    assert np.array_equal(mask(page), painted)
    assert result(page) == second
    page.click("#undo")
    settled(page)
    assert result(page) == first


def test_after_a_hundred_fast_strokes_the_last_result_is_shown(page: Any, editor: EditorServer) -> None:
    begin(page, editor)
    page.evaluate(
        """() => {
          for (let k = 0; k < 100; k++) {
            editor.mask.data.fill(k % 19, 256 * (100 + k), 256 * (100 + k) + 120);
            editor.commit("brush");
          }
        }"""
    )
    settled(page)
    assert page.evaluate("editor.history.steps.length") == 101
    session = page.evaluate("editor.session.id")
    assert result(page) == fetched(page, f"api/sessions/{session}/result.png")
    last = mask(page)
    assert np.array_equal(last, read_label_map(editor.store.root / session / "mask.png"))
    page.evaluate("for (let k = 0; k < 100; k++) editor.undo()")
    assert page.evaluate("[editor.history.index, editor.mask.equals(editor.original)]") == [0, True]
    page.evaluate("for (let k = 0; k < 100; k++) editor.redo()")
    assert np.array_equal(mask(page), last)
    settled(page)
    assert result(page) == fetched(page, f"api/sessions/{session}/result.png")


def test_the_first_session_exists_after_opening_a_second_photo(page: Any, editor: EditorServer) -> None:
    begin(page, editor)
    first, paths = page.evaluate("location.hash"), example_faces.rendered("rendered-2")
    page.evaluate("editor.mask.data.fill(13, 0, 2560); editor.commit('brush')")
    settled(page)
    painted = mask(page)
    drop(page, encode_image(paths.picture, ".png"), "#canvas")
    until(page, f"location.hash !== '{first}' && editor.ready && editor.history.steps.length === 1")
    settled(page)
    assert page.inner_text("#picture-name") == "friend.png" and page.is_disabled("#undo")
    shown = np.asarray(Image.open(io.BytesIO(result(page))))
    assert np.array_equal(shown, paths.picture)
    page.goto(editor.url + first)
    page.reload()
    page.wait_for_selector("#undo:enabled")
    assert np.array_equal(mask(page), painted)


def test_files_that_cannot_be_opened_give_one_line(page: Any, editor: EditorServer, failures: list[str]) -> None:
    begin(page, editor)
    session = page.evaluate("location.hash")
    tiny, blank = (encode_image(np.full((side, side, 3), 90, np.uint8), ".png") for side in (1, 300))
    wrong = {
        b"not a picture": "the picture: expected a picture (PNG, JPEG, WebP, BMP, TIFF or GIF), found a file that is "
        "no picture; save it as PNG or JPEG",
        tiny: "the picture: expected a photo with a face, found no face; choose another photo",
        blank: "the picture: expected a photo with a face, found no face; choose another photo",
        b"PK\x03\x04": "the session file: expected a saved session, found another file",
    }
    for data, line in wrong.items() | {(None, "the file: expected at most 40 MB, found 41 MB")}:
        if data is None:  # made in the page: on the way there it would take a gigabyte
            page.evaluate("editor.files.openFile(new File([new Uint8Array((40 << 20) + 1)], 'large.png'))")
        else:
            drop(page, data, "#canvas")
        page.wait_for_selector(".toast")
        assert page.inner_text(".toast").splitlines()[0].removesuffix("Turn the photo").strip() == line
        assert page.get_attribute(".toast", "role") == "alert"
        page.evaluate("document.querySelector('.toast').remove()")
    assert page.evaluate("location.hash") == session and page.evaluate("editor.ready")
    refused = [text for text in failures if "422" in text]
    assert len(refused) == 4
    for text in refused:  # the browser's own note of an answer that was no
        failures.remove(text)


def test_hair_of_another_face_a_hat_a_smile_and_reopening_the_session(
    page: Any, editor: EditorServer, tmp_path: Path
) -> None:
    begin(page, editor)
    before = mask(page)
    drop(page, encode_image(example_faces.photo(), ".png"), "#others")
    page.click("#other-list [data-part=hair]", timeout=60_000)
    until(page, "editor.hair === 1")
    settled(page)
    swapped = mask(page)
    wanted, _ = editor.store.get(page.evaluate("editor.session.id")).swapped(before, 1, (ID["hair"],))
    assert np.array_equal(swapped, wanted) and not np.array_equal(wanted, before)

    page.click("#tabs [data-panel=shape]")
    page.click("[data-item=hat-beanie]")
    until(page, "editor.composition.items.includes('hat-beanie')")
    settled(page)
    worn = mask(page)
    assert np.array_equal(worn, swapped), "the hat is drawn over the picture"

    slider = page.locator("[data-slider=open-mouth]")
    slider.focus()
    slider.press("End")
    until(page, "editor.history.index === 3")
    settled(page)
    most = slider.input_value()
    assert float(most) > 0.5 and not np.array_equal(mask(page), worn)
    slider.press("Home")
    until(page, "editor.history.index === 4")
    settled(page)
    page.click("#undo")
    assert slider.input_value() == most, "undo returns the slider to its place before"

    settled(page)
    painted, shown = mask(page), result(page)
    file = save(page, "session.zip", tmp_path / "session.zip")
    page.evaluate("location.hash = ''")
    page.reload()
    page.wait_for_selector("#welcome[open]")  # the field has no event listener before
    page.set_input_files("#file", file)
    page.wait_for_selector("#welcome", state="hidden")
    settled(page)
    assert np.array_equal(mask(page), painted)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(result(page)))), np.asarray(Image.open(io.BytesIO(shown))))


def test_the_mouth_is_moved_as_an_object_and_both_brows_together(page: Any, editor: EditorServer) -> None:
    begin(page, editor)
    before = mask(page)
    rows, columns = np.nonzero(np.isin(before, _MOUTH))
    page.keyboard.press("v")
    page.mouse.click(*place(page, columns.mean(), rows.mean()))
    page.mouse.move(*place(page, columns.max() + 1, (rows.min() + rows.max() + 1) / 2))
    page.mouse.down()
    page.mouse.move(*place(page, columns.max() + 11, rows.mean()), steps=3)
    page.mouse.up()
    page.keyboard.press("Enter")
    wider = mask(page)
    wide = np.nonzero(np.isin(wider, _MOUTH))[1]
    assert np.ptp(wide) > np.ptp(columns) + 12  # it grows to both sides
    assert not np.isin(wider[wider != before], [*set(range(19)) - {ID["skin"], *_MOUTH}]).any()

    page.keyboard.press("b")
    page.keyboard.press("m")
    page.keyboard.press("7")
    rows, columns = np.nonzero(before == ID["r_brow"])
    page.mouse.click(*place(page, columns.mean(), rows.min() - 12))
    painted = mask(page)
    added = painted != wider
    left, right = (added & (painted == ID[name]) for name in ("l_brow", "r_brow"))
    assert left.sum() > 50 and right.sum() > 50 and (left | right).sum() == added.sum()
    assert np.nonzero(right)[1].max() < np.nonzero(left)[1].min()
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    assert np.array_equal(mask(page), before)


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1280, 720), (1440, 900), (390, 844)])
def test_no_control_is_cut_off(page: Any, editor: EditorServer, width: int, height: int) -> None:
    """On a desktop, all controls fit without scrolling; on a phone, only two rows of controls scroll."""
    page.set_viewport_size({"width": width, "height": height})
    begin(page, editor)
    cut = page.evaluate(
        """(rows) => [...document.querySelectorAll(`:is(${rows}) :is(button, input, select)`)].filter((one) => {
          const { left, right, top, bottom, width } = one.getBoundingClientRect();
          return width && (left < 0 || top < 0 || right > innerWidth || bottom > innerHeight);
        }).map((one) => one.outerHTML)""",
        "header, #tools" if width < 760 else "header, #tools, #side, #options",
    )
    assert cut == []
    scrolls = "(({ scrollHeight, clientHeight }) => scrollHeight > clientHeight)(document.getElementById('panels'))"
    assert page.evaluate(scrolls) == (width < 760)
    assert page.evaluate("document.documentElement.scrollWidth") == width
