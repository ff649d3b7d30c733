"""Tests of ``align`` and ``paste``: crops, their records, pasting, and errors of single photos."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskgan_cli.data.alignment import crop_points
from maskgan_cli.data.crop import cut, oriented_square
from maskgan_cli.files import read_image, sha256, write_image
from maskgan_cli.judges.finder import Found
from tests.conftest import Command

FIRST = crop_points(60) + np.array([30, 20])
SECOND = crop_points(80) + np.array([110, 10])


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Photos for a fake detector: it finds one face in bright photos, two in wide and a tiny one in small photos."""

    class Finder:
        def __init__(self, device: object) -> None: ...

        def find_all(self, picture: np.ndarray, *, sure: float) -> list[Found]:
            if picture.mean() < 50:
                return []
            if picture.shape[1] < 60:
                return [Found(crop_points(40), 0.99, 20.0)]
            faces = [Found(FIRST, 0.99, 30.0), Found(SECOND, 0.95, 40.0)]
            return faces if picture.shape[1] > 150 else faces[:1]

    monkeypatch.setattr("maskgan_cli.editing.faces.search.FaceFinder", Finder)
    rng = np.random.default_rng(0)
    write_image(tmp_path / "face.png", rng.integers(100, 256, (100, 120, 3)).astype(np.uint8))
    write_image(tmp_path / "two.png", rng.integers(100, 256, (120, 200, 3)).astype(np.uint8))
    write_image(tmp_path / "small.png", rng.integers(100, 256, (50, 50, 3)).astype(np.uint8))
    write_image(tmp_path / "wall.png", np.zeros((80, 90, 3), np.uint8))
    return tmp_path


def test_the_crop_follows_the_alignment_rule(photos: Path, maskgan: Command) -> None:
    outcome = maskgan("align", photos / "face.png", "-o", photos / "out", "--size", "64", "--force", "--json")
    assert outcome.code == 0
    document = json.loads(outcome.out)
    assert document["written"] == [str(photos / "out" / "face.png")]
    assert np.allclose(document["results"][0]["points"], FIRST, atol=0.01)
    expected = cut(read_image(photos / "face.png"), oriented_square(FIRST), 64)
    assert np.array_equal(read_image(photos / "out" / "face.png"), expected)


def test_the_record_describes_the_crop(photos: Path, maskgan: Command) -> None:
    maskgan("align", photos / "two.png", "-o", photos / "out", "--size", "64", "--face", "2")
    record = json.loads((photos / "out" / "two.crop.json").read_text())
    assert record["source"] == str(photos / "two.png")
    assert record["source_sha256"] == sha256(photos / "two.png")
    assert (record["source_size"], record["size"], record["face"], record["faces"]) == ([200, 120], 64, 2, 2)
    corner = np.array(record["matrix"]) @ [64, 64, 1]
    assert np.allclose(corner, oriented_square(SECOND)[2])
    assert np.allclose(record["points"], SECOND, atol=1e-3)


def test_a_photo_without_a_face_is_one_line(photos: Path, maskgan: Command) -> None:
    outcome = maskgan("align", photos / "wall.png", "-o", photos / "out", "-q")
    assert outcome.code == 2
    assert outcome.err == f"maskgan: {photos}/wall.png: expected a photo with a face, found no face; leave it out\n"


def test_a_batch_continues_after_bad_photos(photos: Path, maskgan: Command) -> None:
    (photos / "broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    outcome = maskgan("align", photos, "-o", photos / "out", "--json", "--force")
    assert outcome.code == 1
    document = json.loads(outcome.out)
    assert {Path(one["file"]).name for one in document["failures"]} == {"broken.jpg", "wall.png"}
    assert (document["done"], document["failed"]) == (3, 2)
    assert [Path(one).name for one in document["written"]] == ["face.png", "small.png", "two.png"]
    assert outcome.err.endswith("maskgan: 2 of 5 failed (see failures in the JSON document); the others are done\n")


def test_failures_are_printed_when_they_occur(photos: Path, maskgan: Command) -> None:
    outcome = maskgan("align", photos / "wall.png", photos / "two.png", photos / "no.png", "-o", photos / "out", "-q")
    assert outcome.code == 1
    assert outcome.lines == [str(photos / "out" / "two.png")]
    first, second, last = outcome.err.splitlines()
    assert "wall.png: expected a photo with a face" in first
    assert "no.png: expected a picture, found no such file" in second
    assert last == "maskgan: 2 of 3 failed (see above); the others are done"


def test_a_small_face_is_rejected_without_force(photos: Path, maskgan: Command) -> None:
    outcome = maskgan("align", photos / "small.png", "-o", photos / "out", "-q")
    assert outcome.code == 2
    assert "small.png: expected a face of at least 64 pixels, found one whose square has 40" in outcome.err
    assert maskgan("align", photos / "small.png", "-o", photos / "out", "-q", "--force").code == 0


def test_faces_are_counted_from_the_left(photos: Path, maskgan: Command) -> None:
    call = ("align", photos / "two.png", "-q", "--force", "--size", "64")
    assert maskgan(*call, "-o", photos / "largest").code == 0
    outcome = maskgan(*call, "-o", photos / "all", "--face", "all", "--overview")
    names = [Path(line).name for line in outcome.lines]
    assert names == ["two.overview.png", "two-1.png", "two-2.png"]
    picture = read_image(photos / "two.png")
    assert np.array_equal(read_image(photos / "all" / "two-1.png"), cut(picture, oriented_square(FIRST), 64))
    assert np.array_equal(
        read_image(photos / "all" / "two-2.png"), read_image(photos / "largest" / "two.png")
    )  # the larger one
    drawn = read_image(photos / "all" / "two.overview.png")
    assert drawn.shape == picture.shape
    assert (drawn != picture).any()
    outcome = maskgan(*call, "-o", photos / "third", "--face", "3")
    assert "expected face 3, found 2 faces; `maskgan align --overview` draws their numbers" in outcome.err
    assert maskgan(*call, "-o", photos / "third", "--face", "none").code == 2


def test_results_are_not_overwritten(photos: Path, maskgan: Command) -> None:
    call = ("align", photos / "face.png", "-o", photos, "-q", "--force")
    outcome = maskgan(*call)
    assert outcome.code == 2
    assert "exists already" in outcome.err
    assert maskgan(*call, "--overwrite").code == 0


def test_a_second_run_keeps_existing_crops(photos: Path, maskgan: Command) -> None:
    call = ("align", photos / "two.png", "-o", photos / "out", "--size", "64")
    assert "kept" not in maskgan(*call).err
    crop = photos / "out" / "two.png"
    before = crop.stat().st_mtime_ns
    outcome = maskgan(*call)
    assert (outcome.code, outcome.lines) == (0, [str(crop)])
    assert "kept 1 existing crop of the same photos" in outcome.err
    assert crop.stat().st_mtime_ns == before
    for other in (("--size", "96"), ("--face", "1", "--force")):  # the existing file is another crop
        outcome = maskgan(*call, *other)
        assert (outcome.code, "two.png: found a result that exists already" in outcome.err) == (2, True), outcome.err


def test_two_photos_with_one_name_are_rejected(photos: Path, maskgan: Command) -> None:
    outcome = maskgan("align", photos / "face.png", photos / "x" / "face.jpg", "-o", photos / "out")
    assert outcome.code == 2
    assert "two photos with this result" in outcome.err


@pytest.fixture
def crop(photos: Path, maskgan: Command) -> Path:
    assert maskgan("align", photos / "two.png", "-o", photos / "out", "--size", "64", "-q").code == 0
    return photos / "out" / "two.png"


def test_pasting_an_unedited_crop_returns_the_photo(photos: Path, crop: Path, maskgan: Command) -> None:
    outcome = maskgan("paste", crop, crop, "-o", photos / "back.png", "--json")
    assert json.loads(outcome.out)["changed_pixels"] == 0
    assert np.array_equal(read_image(photos / "back.png"), read_image(photos / "two.png"))


def test_a_second_paste_keeps_the_result(photos: Path, crop: Path, maskgan: Command) -> None:
    edited = read_image(crop).copy()
    for name in ("back.png", "back.jpg"):
        write_image(photos / "edited.png", edited)
        call = ("paste", crop, photos / "edited.png", "-o", photos / name)
        assert "kept" not in maskgan(*call).err
        held = (photos / name).read_bytes()
        again = maskgan(*call)
        assert (again.code, again.lines) == (0, [str(photos / name)]), again.err
        assert "which already holds this result" in again.err
        edited[20:40, 20:40] += 40
        write_image(photos / "edited.png", edited)
        other = maskgan(*call)
        assert other.code == 2 and f"{name}: found a result that exists already" in other.err
        assert (photos / name).read_bytes() == held
    outcome = maskgan(*call[:-1], photos / "back.xyz")
    assert outcome.code == 2 and "back.xyz: expected a name ending in one of .png" in outcome.err


def test_an_edit_is_pasted_at_the_place_of_the_crop(photos: Path, crop: Path, maskgan: Command) -> None:
    edited = read_image(crop).copy()
    edited[20:40, 20:40] = 0
    write_image(photos / "edited.png", edited)
    assert maskgan("paste", crop.with_name("two.crop.json"), photos / "edited.png", "-o", photos / "back.png").code == 0
    back, photo = read_image(photos / "back.png"), read_image(photos / "two.png")
    low, high = oriented_square(SECOND)[0], oriented_square(SECOND)[2]
    x, y = ((low + (high - low) * 30 / 64).astype(int)).tolist()
    assert back[y - 15 : y + 16, x - 15 : x + 16].mean() < 80 < photo[y - 15 : y + 16, x - 15 : x + 16].min()
    where = (back != photo).any(-1)
    where[round(low[1]) : round(high[1]), round(low[0]) : round(high[0])] = False
    assert not where.any()


def test_orientation_and_metadata_are_kept(photos: Path, maskgan: Command) -> None:
    """The crop of a rotated photo is upright; the result is rotated and has the same EXIF data."""
    upright = Image.fromarray(read_image(photos / "two.png"))
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    stored = upright.transpose(Image.Transpose.ROTATE_90)
    stored.save(photos / "side.png", exif=exif, icc_profile=b"a profile", dpi=(300, 300))
    assert maskgan("align", photos / "side.png", "-o", photos / "out", "--size", "64", "-q").code == 0
    crop = photos / "out" / "side.png"
    assert np.array_equal(read_image(crop), cut(np.asarray(upright), oriented_square(SECOND), 64))
    edited = read_image(crop).copy()
    edited[30, 30] = 0
    write_image(photos / "edited.png", edited, note={"edit": "by hand"})
    assert maskgan("paste", crop, photos / "edited.png", "-o", photos / "back.png", "-q").code == 0
    with Image.open(photos / "back.png") as back:
        assert back.size == (120, 200)
        assert (back.getexif()[0x0112], back.getexif()[0x010F]) == (6, "a camera")
        assert back.info["icc_profile"] == b"a profile"
        assert round(back.info["dpi"][0]) == 300
        assert json.loads(back.info["maskgan"])["made"] == {"edit": "by hand"}
        unequal = (np.asarray(back) != np.asarray(stored)).any(-1)
    assert 0 < unequal.sum() < 60
    assert read_image(photos / "back.png").shape == (120, 200, 3)


def test_another_photo_is_rejected(photos: Path, crop: Path, maskgan: Command) -> None:
    call = ("paste", crop, crop, "-o", photos / "back.png", "-q")
    assert (
        "expected the photo that was cut, 200x120, found 120x100" in maskgan(*call, "--photo", photos / "face.png").err
    )
    write_image(photos / "two.png", 255 - read_image(photos / "two.png"))
    assert "found a file with another hash" in maskgan(*call).err
    assert maskgan(*call, "--force").code == 0


def test_crops_with_missing_or_damaged_records_are_rejected(photos: Path, crop: Path, maskgan: Command) -> None:
    outcome = maskgan("paste", photos / "face.png", crop, "-o", photos / "back.png", "-q")
    assert outcome.code == 2
    assert "expected the record of its crop (face.crop.json beside it), found none" in outcome.err
    record = json.loads(crop.with_name("two.crop.json").read_text())
    for change in (
        {"matrix": [[1, 0, 0], [1, 0, 0]]},
        {"matrix": "x"},
        {"size": -1},
        {"points": [1]},
        {"source": 3},
        {"matrix": [[1, 0, 1e300], [0, 1, 0]]},
        {"matrix": [[1e9, 0, 0], [0, 1e9, 0]]},
    ):
        crop.with_name("two.crop.json").write_text(json.dumps(record | change))
        outcome = maskgan("paste", crop, crop, "-o", photos / "back.png", "-q")
        assert (outcome.code, len(outcome.err.splitlines())) == (2, 1), outcome.err
