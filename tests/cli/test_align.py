"""align: the crop is the rule's, a photo without a face gets one line, results are not lost."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from maskgan_cli.data.alignment import crop_points
from maskgan_cli.data.crop import cut, oriented_square
from maskgan_cli.files import read_image, write_image
from tests.conftest import Command


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two photos; the finder finds a face in bright ones only."""

    class Finder:
        def __init__(self, device: object) -> None: ...

        def find(self, picture: np.ndarray) -> np.ndarray | None:
            return crop_points(60) + np.array([30, 20]) if picture.mean() > 50 else None

    monkeypatch.setattr("maskgan_cli.judges.finder.FaceFinder", Finder)
    rng = np.random.default_rng(0)
    write_image(tmp_path / "face.png", rng.integers(100, 256, (100, 120, 3)).astype(np.uint8))
    write_image(tmp_path / "wall.png", np.zeros((80, 90, 3), np.uint8))
    return tmp_path


def test_the_crop_is_the_rules(photos: Path, maskgan: Command) -> None:
    outcome = maskgan("align", photos / "face.png", "-o", photos / "out", "--size", "64", "--json")
    assert outcome.code == 0
    document = json.loads(outcome.out)
    assert document["written"] == [str(photos / "out" / "face.png")]
    points = crop_points(60) + np.array([30, 20])
    assert np.allclose(document["results"][0]["points"], points, atol=0.01)
    expected = cut(read_image(photos / "face.png"), oriented_square(points), 64)
    assert np.array_equal(read_image(photos / "out" / "face.png"), expected)


def test_a_photo_without_a_face_is_one_line(photos: Path, maskgan: Command) -> None:
    outcome = maskgan("align", photos / "wall.png", photos / "face.png", "-o", photos / "out", "-q")
    assert outcome.code == 2
    assert outcome.err == f"maskgan: {photos}/wall.png: expected a photo with a face, found no face; leave it out\n"
    assert outcome.lines == [str(photos / "out" / "face.png")]  # the others are done
    assert [path.name for path in (photos / "out").iterdir()] == ["face.png"]


def test_results_are_not_overwritten(photos: Path, maskgan: Command) -> None:
    call = ("align", photos / "face.png", "-o", photos, "-q")
    outcome = maskgan(*call)
    assert outcome.code == 2
    assert "exists already" in outcome.err
    assert maskgan(*call, "--overwrite").code == 0


def test_two_photos_of_one_name(photos: Path, maskgan: Command) -> None:
    outcome = maskgan("align", photos / "face.png", photos / "x" / "face.jpg", "-o", photos / "out")
    assert outcome.code == 2
    assert "two photos for one result" in outcome.err
