"""Tests of messages about content that is not read: later frames of animations, files of other formats."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskgan_cli.errors import OmissionWarning
from maskgan_cli.evaluation.picture_set import batches, pictures_of
from maskgan_cli.files import read_image, read_label_map, read_photo, write_image
from tests.conftest import Command

ANIMATED = ("gif", "png", "apng", "webp", "tif")
REMARK = "has 3 frames or pages; the first is read"


def _animated(path: Path, side: int = 64, frames: int = 3) -> Path:
    """An animation of a red, a green and a blue frame."""
    path.parent.mkdir(parents=True, exist_ok=True)
    colours = [(250, 0, 0), (0, 250, 0), (0, 0, 250)][:frames]
    first, *others = (Image.new("RGB", (side, side), colour) for colour in colours)
    kind = {"tif": "TIFF", "apng": "PNG"}.get(path.suffix[1:], path.suffix[1:].upper())
    first.save(path, kind, save_all=True, append_images=others)
    return path


@pytest.mark.parametrize("kind", ANIMATED)
def test_the_first_frame_is_read_with_a_warning(kind: str, tmp_path: Path) -> None:
    path = _animated(tmp_path / f"a.{kind}")
    with pytest.warns(OmissionWarning, match=REMARK):
        picture = read_image(path)
    assert picture[0, 0, 0] > 200 and picture[0, 0, 1] < 50
    assert read_photo(path).remarks == (f"{path}: {REMARK}",)


@pytest.mark.parametrize("kind", ANIMATED)
def test_one_frame_gives_no_message(kind: str, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_image(_animated(tmp_path / f"a.{kind}", frames=1))


def test_a_damaged_second_frame_is_ignored(tmp_path: Path) -> None:
    path = _animated(tmp_path / "a.gif")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    with pytest.warns(OmissionWarning, match="has 2 frames"):
        assert read_image(path).shape == (64, 64, 3)


def test_masks_of_several_frames_are_reported(tmp_path: Path) -> None:
    pages = [Image.fromarray(np.full((8, 8), value, np.uint8)) for value in (1, 2)]
    pages[0].save(tmp_path / "m.tif", save_all=True, append_images=pages[1:])
    with pytest.warns(OmissionWarning, match="has 2 frames"):
        assert (read_label_map(tmp_path / "m.tif") == 1).all()


def test_parse_reports_frames_and_files_once(tmp_path: Path, maskgan: Command) -> None:
    for kind in ("gif", "webp"):
        _animated(tmp_path / "photos" / f"{kind}.{kind}")
    (tmp_path / "photos" / "c.heic").write_bytes(b"x")
    done = maskgan("parse", tmp_path / "photos", "-o", tmp_path / "masks")
    assert done.code == 0, done.err
    assert len(done.lines) == 2
    for kind in ("gif", "webp"):
        assert done.err.count(f"{tmp_path / 'photos' / kind}.{kind}: {REMARK}") == 1
    assert "left out 1 file of formats that are not read (.heic)" in done.err
    assert REMARK not in maskgan("parse", tmp_path / "photos", "-o", tmp_path / "others", "--quiet").err


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("nested", [True, False])
def test_prep_data_reports_frames_and_files(workers: int, nested: bool, tmp_path: Path, maskgan: Command) -> None:
    root = tmp_path / "own"
    images = root / "images" if nested else root
    _animated(images / "a.gif")
    _animated(images / "b.tif")
    write_image(images / "c.png", np.full((64, 64, 3), 9, np.uint8))
    (images / "d.avif").write_bytes(b"x")
    prepare = ("prep-data", root, tmp_path / "data", "--images-only", "--size", 64, "--workers", workers)
    done = maskgan(*prepare)
    assert done.code == 0, done.err
    assert f"{images / 'a.gif'}: {REMARK}" in done.err
    assert f"{images / 'b.tif'}: {REMARK}" in done.err
    assert f"{root}: left out 1 file of formats that are not read (.avif)" in done.err
    assert "c.png" not in done.err
    assert "3 samples" in done.err
    assert maskgan("check-data", tmp_path / "data", "--workers", 1).code == 0


def test_a_mask_of_another_format_is_reported(tmp_path: Path, maskgan: Command) -> None:
    picture = np.full((64, 64, 3), 9, np.uint8)
    write_image(tmp_path / "own/images/a.png", picture)
    write_image(tmp_path / "own/masks/a.jpg", picture)
    done = maskgan("prep-data", tmp_path / "own", tmp_path / "data", "--size", 64, "--workers", 1)
    assert "image without any mask: a.png; a.jpg is not a PNG" in done.err


def test_a_folder_of_other_formats_only_is_an_error(tmp_path: Path, maskgan: Command) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "a.heic").write_bytes(b"x")
    for command in (("prep-data", tmp_path / "own", tmp_path / "data", "--images-only"), ("inspect", tmp_path / "own")):
        done = maskgan(*command)
        assert done.code == 2
        assert "left out 1 file of formats that are not read (.heic)" in done.err


def test_evaluations_report_skipped_files(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", np.zeros((64, 64, 3), np.uint8))
    (tmp_path / "x.heic").write_bytes(b"x")
    animated = _animated(tmp_path / "b.gif")
    with pytest.warns(OmissionWarning, match=r"left out 1 file of formats that are not read \(.heic\)"):
        paths = pictures_of(tmp_path, "test")
    assert [path.name for path in paths] == ["a.png", "b.gif"]
    with pytest.warns(OmissionWarning, match=f"{animated.name}: {REMARK}"):
        assert sum(len(batch) for batch in batches(paths, 8)) == 2
