"""`Editor`: the same pictures from Python as from the commands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from maskgan_cli import Editor
from maskgan_cli.errors import InputError
from maskgan_cli.files import read_image, read_label_map, read_note
from tests.conftest import Command


def test_its_edits_equal_those_of_the_commands(prepared: Path, weights: Path, tmp_path: Path, maskgan: Command) -> None:
    paths = [prepared / "images" / f"{name}.png" for name in (0, 1200)]
    editor = Editor(weights, device="cpu")
    me, friend = (editor.open(path) for path in paths)
    swapped = editor.swap(me, friend, "mouth", blend=True)
    call = ("-w", weights, "--device", "cpu", "-q", "-o")
    assert maskgan("swap-mouth", *paths, "--blend", *call, tmp_path / "s.png").code == 0
    assert np.array_equal(swapped.picture, read_image(tmp_path / "s.png"))
    assert maskgan("style-copy", *paths, *call, tmp_path / "c.png").code == 0
    assert np.array_equal(editor.style(me, friend).picture, read_image(tmp_path / "c.png"))
    grown = editor.reshape(me, "hair", grow=24)
    assert maskgan("reshape", paths[0], "--part", "hair", "--grow", 24, *call, tmp_path / "r.png").code == 0
    assert np.array_equal(grown.picture, read_image(tmp_path / "r.png"))
    assert read_note(swapped.save(tmp_path / "mine.png"))["edit"] == "swap"
    with pytest.raises(InputError, match="exists already"):
        swapped.save(tmp_path / "mine.png")


def test_interpolation_and_directions_equal_those_of_the_commands(
    prepared: Path, weights: Path, vae_weights: Path, tmp_path: Path, maskgan: Command
) -> None:
    paths = [prepared / "images" / f"{name}.png" for name in (0, 1200)]
    editor = Editor(weights, vae_weights=vae_weights, device="cpu")
    me, friend = (editor.open(path) for path in paths)
    between = editor.interpolate(me, friend, 3, style=me)
    outcome = maskgan(
        "interpolate",
        *paths,
        "-n",
        3,
        "--style",
        paths[0],
        "-w",
        vae_weights,
        "--dmn-weights",
        weights,
        "--device",
        "cpu",
        "-q",
        "-o",
        tmp_path / "between",
    )
    assert outcome.code == 0, outcome.err
    written = between.save(tmp_path / "mine")
    assert [path.name for path in written] == [Path(line).name for line in outcome.lines]
    for path in (path for path in written if path.suffix == ".png"):
        read = read_label_map if path.name.startswith("mask") else read_image
        assert np.array_equal(read(path), read(tmp_path / "between" / path.name)), path.name
    kept = editor.interpolate(me, friend, 2, keep_ends=True)
    assert np.array_equal(kept.masks[0], me.labels) and np.array_equal(kept.masks[1], friend.labels)
    assert between.save(tmp_path / "mine") == written, "equal files are kept"
    with pytest.raises(InputError, match="exists already"):
        kept.save(tmp_path / "mine")

    smiling = editor.reshape(me, add=["glasses"], along={"smile": 1.5})
    outcome = maskgan(
        "reshape",
        paths[0],
        "--along",
        "smile=1.5",
        "--add",
        "glasses",
        "-w",
        weights,
        "--vae-weights",
        vae_weights,
        "--device",
        "cpu",
        "-q",
        "-o",
        tmp_path / "r.png",
    )
    assert outcome.code == 0, outcome.err
    assert np.array_equal(smiling.picture, read_image(tmp_path / "r.png"))
    note = read_note(tmp_path / "r.png")
    assert (note["along"], note["add"]) == ([["smile", 1.5]], ["glasses"])
    assert note["vae"] == smiling.note["vae"]
