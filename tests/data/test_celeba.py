"""Tests of the CelebA layout with drawn faces: two people, three splits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.data.resize import resize_image
from maskgan_cli.files import read_csv, read_image, write_image
from tests.conftest import Command

# Row 20 is the first of the central square of 178 of 218 rows, row 197 its last.
TOP = 20


def _write(root: Path, count: int = 6, *, folders: bool = False) -> Path:
    images, notes, split = (root / n if folders else root for n in ("Img", "Anno", "Eval"))
    rng = np.random.default_rng(0)
    for number in range(1, count + 1):
        picture = rng.integers(0, 256, (218, 178, 3), dtype=np.uint8)
        write_image(images / "img_align_celeba" / f"{number:06d}.png", picture)
    for folder in (notes, split):
        folder.mkdir(parents=True, exist_ok=True)
    names = [f"{number:06d}.jpg" for number in range(1, count + 1)]
    signs = [f"{name}  {-1 if i % 2 else 1}  1" for i, name in enumerate(names)]
    (notes / "list_attr_celeba.txt").write_text("\n".join([str(count), "Smiling Male ", *signs]) + "\n")
    (notes / "identity_CelebA.txt").write_text("".join(f"{name} {7 + i // 3}\n" for i, name in enumerate(names)))
    (split / "list_eval_partition.txt").write_text("".join(f"{name} {i % 3}\n" for i, name in enumerate(names)))
    return root


@pytest.mark.parametrize("folders", [False, True])
def test_the_central_square_splits_attributes_and_identities(folders: bool, tmp_path: Path, maskgan: Command) -> None:
    raw, out = _write(tmp_path / "celeba", folders=folders), tmp_path / "data"
    assert maskgan("prep-data", raw, out, "--size", "64", "--workers", "1").lines == [str(out / "manifest.csv")]
    rows = read_csv(out / "manifest.csv")
    assert [row["id"] for row in rows] == [f"{n:06d}" for n in range(1, 7)]
    assert [row["split"] for row in rows] == ["train", "val", "test"] * 2
    assert [row["celeba_id"] for row in rows] == ["0", "1", "2", "3", "4", "5"]
    assert [row["identity"] for row in rows] == ["7"] * 3 + ["8"] * 3
    assert [row["Smiling"] for row in rows] == ["1", "-1"] * 3
    assert all(row["mask"] == "" and row["Male"] == "1" for row in rows)
    sample = PreparedData.load(out).samples[3]
    whole = read_image(next(raw.rglob("000004.png")))
    assert np.array_equal(read_image(sample.image), resize_image(whole[TOP : TOP + 178], 64))


def test_the_layout_of_kaggles_copy(tmp_path: Path, maskgan: Command) -> None:
    raw, plain, out = _write(tmp_path / "celeba"), _write(tmp_path / "plain"), tmp_path / "data"
    (raw / "img_align_celeba").rename(raw / "inner")
    (raw / "img_align_celeba").mkdir()
    (raw / "inner").rename(raw / "img_align_celeba" / "img_align_celeba")
    (raw / "img_align_celeba" / "img_align_celeba" / "photo.heic").write_bytes(b"x")
    names = [f"{number:06d}.jpg" for number in range(1, 7)]
    signs = "".join(f"{name},{-1 if i % 2 else 1},1\n" for i, name in enumerate(names))
    (raw / "list_attr_celeba.csv").write_text("image_id,Smiling,Male\n" + signs)
    parts = "".join(f"{name},{i % 3}\n" for i, name in enumerate(names))
    (raw / "list_eval_partition.csv").write_text("image_id,partition\n" + parts)
    for name in ("list_attr_celeba.txt", "list_eval_partition.txt"):
        (raw / name).unlink()
    done = maskgan("prep-data", raw, out, "--size", "64", "--workers", "1")
    assert "left out 1 file of formats that are not read (.heic)" in done.err
    maskgan("prep-data", plain, tmp_path / "plain-data", "--size", "64", "--workers", "1")
    assert PreparedData.load(out).hash == PreparedData.load(tmp_path / "plain-data").hash


def test_pixels_outside_of_the_central_square_are_ignored(tmp_path: Path, maskgan: Command) -> None:
    hashes = []
    for name, value in (("a", 0), ("b", 255)):
        raw = _write(tmp_path / name, 3)
        for path in raw.rglob("*.png"):
            picture = read_image(path).copy()
            picture[:TOP], picture[TOP + 178 :] = value, value
            write_image(path, picture)
        maskgan("prep-data", raw, tmp_path / f"{name}-data", "--size", "64", "--workers", "1")
        hashes.append(PreparedData.load(tmp_path / f"{name}-data").hash)
    assert hashes[0] == hashes[1]


def test_pictures_that_are_not_aligned_and_those_without_a_split_are_rejected(tmp_path: Path, maskgan: Command) -> None:
    raw = _write(tmp_path / "celeba")
    write_image(raw / "img_align_celeba" / "000002.png", np.zeros((218, 200, 3), np.uint8))
    write_image(raw / "img_align_celeba" / "000099.png", np.zeros((218, 178, 3), np.uint8))
    (raw / "img_align_celeba" / "readme.txt").write_text("no picture")
    maskgan("prep-data", raw, tmp_path / "data", "--size", "64", "--workers", "1")
    rejected = {row["id"]: row["reason"] for row in read_csv(tmp_path / "data" / "rejected.csv")}
    assert rejected == {
        "000002": "wrong size: the image is 200x218, not 178x218",
        "000099": "not in list_eval_partition.txt, so its split is unknown",
    }


def test_missing_and_damaged_lists_are_one_line(tmp_path: Path, maskgan: Command) -> None:
    raw = _write(tmp_path / "celeba")
    (raw / "list_eval_partition.txt").write_text("000001.jpg 3\n")
    damaged = maskgan("prep-data", raw, tmp_path / "data")
    assert damaged.code == 2
    assert "list_eval_partition.txt: expected lines of: file name, and 0, 1 or 2" in damaged.err
    (raw / "list_eval_partition.txt").unlink()
    missing = maskgan("prep-data", raw, tmp_path / "data")
    assert missing.code == 2
    assert len(missing.err.splitlines()) == 1
    assert "list_eval_partition.txt" in missing.err
