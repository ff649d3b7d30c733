"""Tests of hair and mouths of another face, whose photo gives them; in undo, provenance and command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from maskgan_cli.editor.serve import EditorServer
from maskgan_cli.files import read_note
from maskgan_cli.labels import ID
from tests.editor.person import begin, mask, result, settled, until


def test_the_mouths_face_is_kept_by_undo_provenance_and_command(
    page: Any, editor: EditorServer, tmp_path: Path
) -> None:
    begin(page, editor, "rendered-2")
    page.click("#tab-others")
    page.select_option("#other-examples", "rendered-0")
    page.click("#other-list [data-part=mouth]")
    until(page, "editor.reference === 1")
    settled(page)
    (tmp_path / "taken.png").write_bytes(result(page))
    note = read_note(tmp_path / "taken.png")
    assert (note["blend"], note["inside"]) == ("move", "reference")
    page.keyboard.press("Control+s")
    until(page, "document.getElementById('command').textContent.includes('--reference other-0.png')")
    assert page.is_hidden("#command-inexact")
    page.keyboard.press("Escape")
    page.evaluate("editor.history.amend({ fade: { strength: 0.5, feather: 0 } }); editor.live.changed()")
    page.keyboard.press("Control+s")
    page.wait_for_selector("#command-inexact", state="visible")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+z")
    assert page.evaluate("editor.reference") == 0
    page.keyboard.press("Control+Shift+z")
    assert page.evaluate("editor.reference") == 1
    page.reload()
    until(page, "globalThis.editor?.session && editor.live.done")
    assert page.evaluate("editor.reference") == 1, "and is there after a reload"


def test_hair_is_taken_from_the_other_faces_photo(page: Any, editor: EditorServer, tmp_path: Path) -> None:
    begin(page, editor)
    before = mask(page)
    page.click("#tab-others")
    page.select_option("#other-examples", "rendered-1")
    page.click("#other-list [data-part=hair]")
    until(page, "editor.hair === 1")
    settled(page)
    session = editor.store.get(page.evaluate("editor.session.id"))
    wanted, _ = session.swapped(before, 1, (ID["hair"],))
    assert np.array_equal(mask(page), wanted) and not np.array_equal(wanted, before)
    (tmp_path / "taken.png").write_bytes(result(page))
    note = read_note(tmp_path / "taken.png")
    assert note["hair"] == "reference" and "hair_reference" in note["inputs"]
    page.keyboard.press("Control+s")
    until(page, "document.getElementById('command').textContent.includes('--hair-reference other-0.png')")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+z")
    settled(page)
    assert page.evaluate("editor.hair") == 0 and np.array_equal(mask(page), before)
    page.keyboard.press("Control+Shift+z")
    settled(page)
    assert result(page) == (tmp_path / "taken.png").read_bytes()
    page.click("#tab-shape")
    page.click("#reset")
    settled(page)
    assert page.evaluate("editor.hair") == 0 and np.array_equal(mask(page), before), "starting over brings it back"


def test_the_page_says_if_a_part_of_another_face_changes_nothing(page: Any, editor: EditorServer) -> None:
    begin(page, editor)
    page.click("#tab-others")
    page.select_option("#other-examples", "rendered-1")
    page.click("#other-list [data-part=glasses]")  # it wears none
    until(page, "document.querySelector('.toast')?.textContent.includes('nothing changes')")
    assert page.evaluate("editor.history.index") == 0
    page.click("#other-list [data-part=nose]")
    until(page, "editor.history.index === 1")
