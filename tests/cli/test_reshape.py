"""Tests of ``reshape`` from the command line: single edits, lists, and incomplete options."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from maskgan_cli.editing.masks.reshape import Reshaping, reshape
from maskgan_cli.files import read_label_map, write_label_map
from maskgan_cli.labels import ID, part_ids
from tests.conftest import Command


def test_a_list_is_reshaped(prepared: Path, weights: Path, tmp_path: Path, maskgan: Command) -> None:
    images = [prepared / "images" / f"{name}.png" for name in (0, 400)]
    (tmp_path / "list.csv").write_text("source\n" + "".join(f"{image}\n" for image in images))
    outcome = maskgan(
        "reshape",
        "--part",
        "hair",
        "--grow",
        24,
        "--pairs",
        tmp_path / "list.csv",
        "-w",
        weights,
        "--device",
        "cpu",
        "--save-masks",
        "-o",
        tmp_path / "out",
        "-q",
    )
    assert outcome.code == 0, outcome.err
    assert [Path(line).name for line in outcome.lines] == ["0.png", "0.mask.png", "400.png", "400.mask.png"]
    before = read_label_map(prepared / "masks" / "400.png")
    wanted = reshape(before, Reshaping(part_ids("hair"), grow=24))
    assert np.array_equal(read_label_map(tmp_path / "out" / "400.mask.png"), wanted)
    assert not np.array_equal(before, wanted)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ((), "--part: expected an edit"),
        (("--grow", "3"), "--part: expected a part with --grow, --move or --scale, found no --part"),
        (("--part", "hair"), "found only --part hair"),
        (("--part", "wig", "--grow", "3"), "unknown part 'wig'"),
        (("--part", "hair", "--move", "up"), "--move: expected two numbers"),
        (
            ("--open-mouth", "3", "--close-mouth"),
            "--close-mouth: expected one of --open-mouth and --close-mouth, found both",
        ),
    ],
)
def test_incomplete_options_are_one_line(arguments: tuple[str, ...], line: str, maskgan: Command) -> None:
    outcome = maskgan("reshape", "face.png", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert line in outcome.err


def test_an_edit_without_effect_is_reported(prepared: Path, weights: Path, tmp_path: Path, maskgan: Command) -> None:
    face = sorted((prepared / "images").iterdir())[0]
    mask = tmp_path / "bare.png"
    write_label_map(mask, np.full((64, 64), ID["skin"], np.uint8))
    outcome = maskgan("reshape", face, "--mask", mask, "--open-mouth", 8, "-w", weights, "-o", tmp_path / "x.png")
    assert outcome.code == 2
    assert "expected a face whose mask has the parts that are reshaped, found none of them" in outcome.err
    assert not (tmp_path / "x.png").exists()
