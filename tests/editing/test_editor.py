"""Editor: the same pictures as the commands make, from Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from maskgan_cli import Editor
from maskgan_cli.editing.reshape import Reshaping
from maskgan_cli.errors import InputError
from maskgan_cli.files import read_image, read_note
from maskgan_cli.labels import part_ids
from tests.conftest import Command


def test_it_edits_as_the_commands_do(prepared: Path, weights: Path, tmp_path: Path, maskgan: Command) -> None:
    paths = [prepared / "images" / f"{name}.png" for name in (0, 1200)]
    editor = Editor(weights, device="cpu")
    me, friend = (editor.open(path) for path in paths)
    swapped = editor.swap(me, friend, "mouth", blend=True)
    call = ("-w", weights, "--device", "cpu", "-q", "-o")
    assert maskgan("swap-mouth", *paths, "--blend", *call, tmp_path / "s.png").code == 0
    assert np.array_equal(swapped.picture, read_image(tmp_path / "s.png"))
    assert maskgan("style-copy", *paths, *call, tmp_path / "c.png").code == 0
    assert np.array_equal(editor.style(me, friend).picture, read_image(tmp_path / "c.png"))
    grown = editor.reshape(me, Reshaping(part_ids("hair"), grow=24))
    assert maskgan("reshape", paths[0], "--part", "hair", "--grow", 24, *call, tmp_path / "r.png").code == 0
    assert np.array_equal(grown.picture, read_image(tmp_path / "r.png"))
    assert read_note(swapped.save(tmp_path / "mine.png"))["edit"] == "swap"
    with pytest.raises(InputError, match="exists already"):
        swapped.save(tmp_path / "mine.png")
