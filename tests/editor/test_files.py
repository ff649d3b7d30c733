"""Tests of files on the page: names, masks, sessions with undo history, two tabs, Back, and a restart."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from maskgan_cli.data.resize import resize_labels
from maskgan_cli.editor import example_faces
from maskgan_cli.editor.address import Address, keep_address, last_address
from maskgan_cli.editor.models import Models
from maskgan_cli.editor.serve import EditorServer
from maskgan_cli.files import encode_image, encode_label_map
from maskgan_cli.labels import ID, colourise
from tests.editor.conftest import serving
from tests.editor.person import begin, composed, drop, mask, settled, slide, until

_HAT = "editor.mask.data.fill(14, 0, 2560); editor.commit('brush')"


def jpeg() -> bytes:
    """The astronaut as a JPEG file."""
    return encode_image(example_faces.photo(), ".jpg")


def saved(page: Any, button: str) -> tuple[str, bytes]:
    """Download a file with the dialog; returns the suggested name and the path."""
    page.keyboard.press("Control+s")
    with page.expect_download() as download:
        page.click(button)
    data = Path(download.value.path()).read_bytes()
    page.keyboard.press("Escape")
    return download.value.suggested_filename, data


@pytest.mark.slow
def test_the_photo_is_saved_first_and_named_after_its_file(page: Any, editor: EditorServer) -> None:
    begin(page, editor)
    drop(page, jpeg(), name="anna müller.jpg")
    until(page, "editor.session?.photo")
    settled(page)
    slide(page, "smile", 0.8)
    page.keyboard.press("Control+s")
    assert page.evaluate("document.activeElement.id") == "save-photo"
    assert page.inner_text("#save-photo small") == "anna müller-edited.jpg"
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "anna müller-edited.jpg"
    photo = np.asarray(Image.open(Path(download.value.path())))
    assert photo.shape == example_faces.photo().shape
    page.keyboard.press("Escape")
    names = [saved(page, f"[data-download='{what}']")[0] for what in ("mask.png", "strip.png", "session.zip")]
    assert names == ["anna müller-mask.png", "anna müller-before-after.png", "anna müller-session.zip"]
    order = page.evaluate("[...document.querySelectorAll('#export-dialog [data-download]')].map((b) => b.textContent)")
    assert [text.split()[0] for text in order] == ["Photo", "Face", "Mask", "Before", "Session"]


@pytest.mark.parametrize(
    "kind", ["palette", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("colours", "smaller"))]
)
def test_a_dropped_mask_opens_a_question(page: Any, editor: EditorServer, kind: str) -> None:
    begin(page, editor)
    wanted = mask(page).copy()
    wanted[:40] = ID["hat"]
    if kind == "smaller":
        wanted = resize_labels(wanted, 128)
    data = encode_image(colourise(wanted), ".png") if kind == "colours" else encode_label_map(wanted)
    drop(page, data, name="mask.png")
    page.wait_for_selector("#mask-dialog[open]")
    page.click("#use-mask")
    assert np.array_equal(mask(page), resize_labels(wanted, 256))
    page.keyboard.press("Control+z")
    assert not (mask(page) == ID["hat"]).any()


def test_a_session_file_restores_undo_and_sliders(page: Any, editor: EditorServer, tmp_path: Path) -> None:
    begin(page, editor)
    before = mask(page)
    slide(page, "open-mouth", 0.8)
    page.click("[data-item=hat-beanie]")
    composed(page)
    name, data = saved(page, "[data-download='session.zip']")
    (tmp_path / name).write_bytes(data)
    session = page.evaluate("editor.session.id")
    page.set_input_files("#file", tmp_path / name)
    until(page, f"editor.session.id !== '{session}' && editor.history.steps.length === 3")
    assert page.input_value("[data-slider=open-mouth]") == "0.8"
    page.click("#undo")
    assert page.get_attribute("[data-item=hat-beanie]", "aria-pressed") == "false"
    page.click("#undo")
    assert np.array_equal(mask(page), before)
    assert page.is_disabled("#undo")


@pytest.mark.slow
def test_earlier_sessions_are_listed_and_can_be_deleted(page: Any, editor: EditorServer) -> None:
    begin(page, editor, "rendered-1")
    page.evaluate(_HAT)
    settled(page)
    first, painted = page.evaluate("editor.session.id"), mask(page)
    page.click("#open")
    page.click("#examples [data-name=rendered-2]")
    until(page, f"editor.session.id !== '{first}'")
    page.click("#open")
    entry = f"#earlier-list [data-session='{first}']"
    page.wait_for_selector(entry)
    until(page, f'document.querySelector("{entry} img").naturalWidth === 160')
    page.click(entry)
    until(page, f"editor.session.id === '{first}'")
    assert np.array_equal(mask(page), painted)
    page.click("#open")
    page.click("#examples [data-name=rendered-3]")
    until(page, f"editor.session.id !== '{first}'")
    page.click("#open")
    remove = page.locator(f"#earlier-list .entry:has([data-session='{first}']) .remove")
    remove.click()
    assert remove.inner_text() == "Delete?" and (editor.store.root / first).is_dir()
    remove.click()
    until(page, f'!document.querySelector("{entry}")')
    assert not (editor.store.root / first).exists()


@pytest.mark.slow
def test_opening_the_same_photo_offers_its_last_session(page: Any, editor: EditorServer) -> None:
    begin(page, editor)
    data = encode_image(example_faces.rendered("rendered-3").picture, ".png")
    first = page.evaluate("editor.session.id")
    drop(page, data, name="me.png")
    until(page, f"editor.session.id !== '{first}'")
    page.evaluate(_HAT)
    settled(page)
    edited, painted = page.evaluate("editor.session.id"), mask(page)
    drop(page, data, name="renamed.png")
    until(page, f"editor.session.id !== '{edited}'")
    page.click(".toast button")
    until(page, f"editor.session.id === '{edited}'")
    assert np.array_equal(mask(page), painted)


@pytest.mark.slow
def test_a_second_tab_watches_and_takes_over(page: Any, editor: EditorServer) -> None:
    begin(page, editor)
    other = page.context.new_page()
    other.goto(page.url)
    other.wait_for_selector("#watching:not([hidden])")
    assert "open in another tab" in other.inner_text("#watching")
    page.evaluate(_HAT)
    settled(page)
    until(other, "editor.mask.data[0] === 14")  # it follows
    other.keyboard.press("Control+z")
    assert other.evaluate("editor.mask.data[0]") == 14  # and edits nothing
    other.click("#take-over")
    page.wait_for_selector("#watching:not([hidden])")
    until(other, "editor.ready && editor.history.canUndo")
    other.click("#undo")
    settled(other)
    until(page, "editor.mask.data[0] !== 14")
    assert other.evaluate("editor.mask.data[0]") != 14
    other.close()


@pytest.mark.slow
def test_back_returns_to_the_session_before(page: Any, editor: EditorServer) -> None:
    begin(page, editor)
    page.evaluate(_HAT)
    settled(page)
    first, painted = page.evaluate("editor.session.id"), mask(page)
    page.click("#open")
    page.click("#examples [data-name=rendered-2]")
    until(page, f"editor.session.id !== '{first}'")
    second = page.evaluate("editor.session.id")
    page.evaluate("history.back()")
    until(page, f"editor.session.id === '{first}' && editor.history.canUndo")
    assert np.array_equal(mask(page), painted)
    page.evaluate("history.forward()")
    until(page, f"editor.session.id === '{second}'")


@pytest.mark.slow
def test_an_open_tab_reconnects_after_a_restart(page: Any, models: Models, tmp_path: Path, failures: list[str]) -> None:
    with serving(models, tmp_path, 0) as first:
        begin(page, first)
        page.evaluate(_HAT)
        settled(page)
        address = page.url
    page.evaluate("editor.mask.data.fill(13, 0, 2560); editor.commit('brush')")  # while the server is stopped
    until(page, "editor.reconnecting")
    with serving(models, tmp_path, None) as second:
        assert second.url in address
        page.wait_for_selector(".toast:has-text('connected again')")
        settled(page)
        session = second.store.get(page.evaluate("editor.session.id"))
        assert session.labels[0, 0] == ID["hair"] and page.url == address
    refused = [text for text in failures if "ERR_" in text]
    for text in refused:
        failures.remove(text)


def test_only_the_owner_can_read_the_saved_address(tmp_path: Path) -> None:
    assert len({last_address(tmp_path).token for _ in range(3)}) == 3
    keep_address(tmp_path, Address("A" * 22, 8719))
    assert last_address(tmp_path) == Address("A" * 22, 8719)
    assert oct((tmp_path / "address.json").stat().st_mode)[-3:] == "600"
    for text in ("", "[]", '{"token": "../x", "port": 1, "used": 1e12}', '{"token": 1, "port": 1, "used": 0}'):
        (tmp_path / "address.json").write_text(text)
        assert len(last_address(tmp_path).token) == 22


@pytest.mark.slow
def test_other_pictures_are_opened_as_photos(page: Any, editor: EditorServer) -> None:
    begin(page, editor)
    first = page.evaluate("editor.session.id")
    drop(page, encode_image(example_faces.rendered("rendered-2").picture, ".png"))
    until(page, f"editor.session.id !== '{first}'")
    assert page.is_hidden("#mask-dialog")
    shown = np.asarray(Image.open(io.BytesIO(encode_label_map(mask(page)))))
    assert shown.shape == (256, 256)
