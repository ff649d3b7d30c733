"""Safety of the editing commands: no lost files, no writes outside of the output, no blocking, no invalid inputs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.files import read_image, read_label_map, write_image, write_label_map
from maskgan_cli.labels import ID
from maskgan_cli.locks import locked
from tests.conftest import Command


@pytest.fixture
def faces(prepared: Path) -> tuple[Path, Path]:
    return prepared / "images" / "0.png", prepared / "images" / "400.png"


@pytest.fixture
def cpu(weights: Path) -> tuple[str, ...]:
    return ("--weights", str(weights), "--device", "cpu")


def _refused(outcome: object, message: str) -> None:
    assert (outcome.code, outcome.out) == (2, ""), outcome.err  # type: ignore[attr-defined]
    assert message in outcome.err, outcome.err  # type: ignore[attr-defined]


def test_a_list_writes_inside_its_folder_only(
    faces: tuple[Path, Path], cpu: tuple[str, ...], tmp_path: Path, maskgan: Command
) -> None:
    precious = tmp_path / "precious.png"
    precious.write_text("precious")
    for name in ("../precious.png", str(precious)):
        (tmp_path / "pairs.csv").write_text(f"source,target,output\n{faces[0]},{faces[1]},{name}\n")
        call = ("swap-mouth", "--pairs", tmp_path / "pairs.csv", "-o", tmp_path / "out", "--overwrite", "-q", *cpu)
        _refused(maskgan(*call), "pair 1, output: expected a name inside the output folder")
    assert precious.read_text() == "precious"


def test_ids_with_paths_cannot_leave_the_output_folder(
    prepared: Path, cpu: tuple[str, ...], tmp_path: Path, maskgan: Command
) -> None:
    hostile = tmp_path / "a" / "data"
    shutil.copytree(prepared, hostile)
    ids = [sample.id for sample in PreparedData.load(hostile).split("train")]
    manifest = hostile / "manifest.csv"
    text = manifest.read_text()
    for sample in ids:
        text = text.replace(f"\n{sample},", f"\n../../{sample},")
    manifest.write_text(text)
    listed = maskgan("eval", "pairs", hostile, "--protocol", "reconstruction", "--split", "train", "-n", 2)
    if listed.code == 0:
        (tmp_path / "pairs.csv").write_text(listed.out)
        call = ("render", "--pairs", tmp_path / "pairs.csv", "-o", tmp_path / "b" / "out", "-q", *cpu)
        _refused(maskgan(*call), "output: expected a name inside the output folder")
    else:
        assert listed.code == 2, "the data set itself is rejected"
    assert not [path for path in tmp_path.rglob("*.png") if hostile not in path.parents]


def test_a_byte_order_mark_is_not_part_of_the_header(
    faces: tuple[Path, Path], cpu: tuple[str, ...], tmp_path: Path, maskgan: Command
) -> None:
    text = f"source,target,output\n{faces[0]},{faces[1]},o.png\n"
    (tmp_path / "pairs.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    done = maskgan("swap-mouth", "--pairs", tmp_path / "pairs.csv", "-o", tmp_path / "out", *cpu)
    assert done.lines == [str(tmp_path / "out" / "o.png")]


def test_existing_masks_and_sheets_are_kept(
    faces: tuple[Path, Path], cpu: tuple[str, ...], tmp_path: Path, maskgan: Command
) -> None:
    out, mask, sheet = (tmp_path / name for name in ("o.png", "o.mask.png", "s.png"))
    write_label_map(mask, np.full((64, 64), ID["skin"], np.uint8))
    before = mask.read_bytes()
    call = ("swap-mouth", *faces, "-o", out, "-q", *cpu)
    _refused(maskgan(*call, "--save-masks"), "o.mask.png: found a result that exists already")
    assert (mask.read_bytes(), out.exists()) == (before, False)
    sheet.write_text("precious")
    _refused(maskgan(*call, "--sheet", sheet), "s.png: found a result that exists already")
    _refused(maskgan(*call, "--sheet", out), "--sheet and the result both writing it")
    assert sheet.read_text() == "precious"
    assert maskgan(*call, "--save-masks", "--overwrite").code == 0
    assert maskgan(*call, "--save-masks").lines == [str(out), str(mask)], "the same mask again is no loss"


def test_a_name_that_is_not_utf8_is_printed_unchanged(faces: tuple[Path, Path], weights: Path, tmp_path: Path) -> None:
    out = os.fsencode(tmp_path) + b"/\xff\xfe.png"
    call = [sys.executable, "-m", "maskgan_cli", "swap-mouth", *map(str, faces), "-q", "--device", "cpu"]
    done = subprocess.run([*call, "-w", weights, "-o", out], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, out + b"\n", b"")
    assert Path(os.fsdecode(out)).is_file()


def test_a_newline_in_a_name_does_not_cut_the_message(tmp_path: Path, maskgan: Command) -> None:
    outcome = maskgan("swap-mouth", tmp_path / "a\nb.png", tmp_path / "c.png", "-o", tmp_path / "o.png")
    assert outcome.err == (f"maskgan: {tmp_path}/a\\nb.png: expected a picture, found no such file; check the path\n")


def test_a_pipe_is_rejected_at_once(
    faces: tuple[Path, Path], cpu: tuple[str, ...], tmp_path: Path, maskgan: Command
) -> None:
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    for command in (
        ("swap-mouth", pipe, faces[1], *cpu, "-o", tmp_path / "o.png"),
        ("swap-mouth", *faces, "--src-mask", pipe, *cpu, "-o", tmp_path / "o.png"),
        ("parse", pipe),
        ("interpolate", pipe, faces[0], "-o", tmp_path / "o"),
    ):
        _refused(maskgan(*command, "-q"), "pipe.png: expected a picture, found no regular file (a pipe or a device)")


def test_the_second_of_two_edits_of_one_output_stops_with_an_error(
    faces: tuple[Path, Path], cpu: tuple[str, ...], tmp_path: Path, maskgan: Command
) -> None:
    (tmp_path / "pairs.csv").write_text(f"{faces[0]},{faces[1]}\n")
    for call in (
        ("swap-mouth", *faces, "-o", tmp_path / "o.png"),
        ("swap-mouth", "--pairs", tmp_path / "pairs.csv", "-o", tmp_path / "out"),
    ):
        with locked(call[-1], "another edit"):
            _refused(maskgan(*call, "-q", *cpu), "found another edit (process ")
        assert maskgan(*call, *cpu).code == 0


def test_paths_are_checked_before_pytorch_is_imported(tmp_path: Path) -> None:
    code = (
        "import sys; from maskgan_cli.cli.app import app; from maskgan_cli.cli.shell import run\n"
        "code = run(app, sys.argv[1:]); assert code == 2, code\n"
        "assert 'torch' not in sys.modules"
    )
    there = tmp_path / "there.png"
    write_image(there, np.zeros((8, 8, 3), np.uint8))
    for call in (
        ["swap-mouth", there, tmp_path / "none.png"],
        ["render", tmp_path / "none.png", there],
        ["parse", tmp_path / "none.png"],
        ["interpolate", there, tmp_path / "none.png"],
        ["align", tmp_path / "none.png", "-o", tmp_path / "o"],
    ):
        done = subprocess.run(
            [sys.executable, "-c", code, *map(str, call)], capture_output=True, text=True, check=False
        )
        assert (done.returncode, "none.png: expected" in done.stderr) == (0, True), done.stderr


@pytest.mark.parametrize("command", ["swap-mouth", "interpolate"])
def test_a_picture_without_a_face_is_rejected_without_force(
    command: str, faces: tuple[Path, Path], cpu: tuple[str, ...], vae_weights: Path, tmp_path: Path, maskgan: Command
) -> None:
    grey = write_image(tmp_path / "wall.png", np.random.default_rng(0).integers(90, 99, (64, 64, 3), np.uint8))
    options = cpu if command == "swap-mouth" else ("--weights", vae_weights, "--steps", 2)
    call = (command, grey, faces[1], *options, "-o", tmp_path / "o.png", "-q")
    found = {
        "swap-mouth": "a photo with a face, found no face; leave it out, name its mask, or use it with --force",
        "interpolate": "a face that fills the picture, as in CelebA-HQ, found ",
    }
    _refused(maskgan(*call), f"wall.png: expected {found[command]}")
    forced = maskgan(*call, "--force", "--json")
    assert forced.code == 0
    document = json.loads(forced.out)
    made = document if command == "interpolate" else document["results"][0]
    assert len(made["parser"]) == 64, "what made the mask is on record"


def test_parse_reports_pictures_that_are_not_face_crops(tmp_path: Path, maskgan: Command) -> None:
    grey = write_image(tmp_path / "wall.png", np.random.default_rng(0).integers(90, 99, (64, 64, 3), np.uint8))
    outcome = maskgan("parse", grey)
    assert (outcome.code, outcome.lines) == (0, [str(tmp_path / "wall.mask.png")])
    assert "wall.png: " in outcome.err
    assert "which is not a face that fills the picture" in outcome.err


def test_interpolate_parses_missing_masks_and_rejects_damaged_ones(
    faces: tuple[Path, Path], vae_weights: Path, raw: Path, tmp_path: Path, maskgan: Command
) -> None:
    photo = tmp_path / "photo.png"
    shutil.copy(faces[0], photo)
    call = ("interpolate", photo, faces[1], "--steps", 2, "--weights", vae_weights, "--device", "cpu", "-o")
    assert maskgan("parse", photo, "-o", tmp_path / "masks").code == 0
    done = maskgan(*call, tmp_path / "o")
    if done.code == 0:  # the bundled parser takes the drawn face for one
        assert "the face parser makes it" in done.err
    else:
        _refused(done, "photo.png: expected a face that fills the picture")
    from maskgan_cli.labels import colourise

    labels = read_label_map(faces[0].parent.parent / "masks" / faces[0].name)
    write_image(tmp_path / "spoiled.jpg", colourise(labels))
    outcome = maskgan("interpolate", tmp_path / "spoiled.jpg", faces[1], "--weights", vae_weights, "-o", tmp_path / "p")
    _refused(outcome, "spoiled.jpg: expected the 19 palette colours")
    assert read_image(photo).shape == (64, 64, 3)
