"""Tests of a mouth of another face, whose photo gives the inside of the mouth; in provenance and command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from maskgan_cli.editor.serve import EditorServer
from maskgan_cli.files import read_note
from tests.editor.person import begin, result, settled, until


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
