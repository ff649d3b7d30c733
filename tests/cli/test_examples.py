"""Tests of ``examples``: it writes two faces and never replaces other files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from skimage.data import astronaut

from maskgan_cli.editing.masks.library import read_library
from maskgan_cli.files import read_image
from tests.conftest import Command


def test_two_faces_are_written_into_the_current_folder(
    tmp_path: Path, maskgan: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = maskgan("examples")
    assert outcome.code == 0, outcome.err
    assert outcome.lines == ["photo.png", "other.png"]
    assert "next: maskgan swap-mouth photo.png other.png -o result.png" in outcome.err
    np.testing.assert_array_equal(read_image("photo.png"), astronaut())
    np.testing.assert_array_equal(read_image("other.png"), read_library()["example-2-picture"])


def test_a_second_run_changes_nothing_and_other_files_are_kept(tmp_path: Path, maskgan: Command) -> None:
    assert maskgan("examples", "-o", tmp_path / "new").code == 0
    again = maskgan("examples", "-o", tmp_path / "new", "--json")
    assert again.code == 0
    assert json.loads(again.out)["written"] == [str(tmp_path / "new" / name) for name in ("photo.png", "other.png")]

    (tmp_path / "new" / "photo.png").unlink()
    (tmp_path / "new" / "other.png").write_bytes(b"mine")
    refused = maskgan("examples", "-o", tmp_path / "new")
    assert refused.code == 2
    assert "other.png" in refused.err
    assert not (tmp_path / "new" / "photo.png").exists()
    assert (tmp_path / "new" / "other.png").read_bytes() == b"mine"
    assert maskgan("examples", "-o", tmp_path / "new", "--overwrite").code == 0
    assert read_image(tmp_path / "new" / "other.png").shape == (256, 256, 3)
