"""reshape: the command paints what the mask's edit says, in lists too, and refuses half a wish."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from maskgan_cli.editing.reshape import Reshaping, reshape
from maskgan_cli.files import read_label_map, write_label_map
from maskgan_cli.labels import ID, part_ids
from tests.conftest import Command


def test_a_list_is_reshaped(prepared: Path, weights: Path, tmp_path: Path, maskgan: Command) -> None:
    images = [prepared / "images" / f"{name}.png" for name in (0, 400)]
    (tmp_path / "list.csv").write_text("source\n" + "".join(f"{image}\n" for image in images))
    outcome = maskgan("reshape", "--part", "hair", "--grow", 24, "--pairs", tmp_path / "list.csv", "-w", weights,
                      "--device", "cpu", "--save-masks", "-o", tmp_path / "out", "-q")  # fmt: skip
    assert outcome.code == 0, outcome.err
    assert [Path(line).name for line in outcome.lines] == ["0.png", "0.mask.png", "400.png", "400.mask.png"]
    before = read_label_map(prepared / "masks" / "400.png")
    wanted = reshape(before, Reshaping(part_ids("hair"), grow=24))
    assert np.array_equal(read_label_map(tmp_path / "out" / "400.mask.png"), wanted)
    assert not np.array_equal(before, wanted)


@pytest.mark.parametrize(
    ("wish", "line"),
    [
        ((), "--part: expected something to do"),
        (("--grow", "3"), "--part: expected a part with --grow, --move or --scale, found no --part"),
        (("--part", "hair"), "found nothing to do with it"),
        (("--part", "wig", "--grow", "3"), "unknown part 'wig'"),
        (("--part", "hair", "--move", "up"), "--move: expected two numbers"),
        (("--open-mouth", "3", "--close-mouth"), "--close-mouth: expected one of the two"),
    ],
)
def test_half_a_wish_is_one_line(wish: tuple[str, ...], line: str, maskgan: Command) -> None:
    outcome = maskgan("reshape", "face.png", *wish)
    assert (outcome.code, outcome.out) == (2, "")
    assert line in outcome.err


def test_what_changes_nothing_is_said(prepared: Path, weights: Path, tmp_path: Path, maskgan: Command) -> None:
    face = sorted((prepared / "images").iterdir())[0]
    mask = tmp_path / "bare.png"
    write_label_map(mask, np.full((64, 64), ID["skin"], np.uint8))
    outcome = maskgan("reshape", face, "--mask", mask, "--open-mouth", 8, "-w", weights, "-o", tmp_path / "x.png")
    assert outcome.code == 2
    assert "expected a face whose mask has the parts that are reshaped, found none of them" in outcome.err
    assert not (tmp_path / "x.png").exists()
