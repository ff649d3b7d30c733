"""CelebAMask-HQ itself, where a part of it lies in ../shared/data (it may not be redistributed)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskgan_cli.data.celebamask import MASKS
from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.files import read_image, read_json, read_label_map
from maskgan_cli.labels import ID, PARTS, flip
from tests.conftest import Command

MINI = Path(__file__).parents[2] / "shared" / "data" / "celebamask-mini"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not MINI.is_dir(), reason="no ../shared/data/celebamask-mini (850 faces of CelebAMask-HQ)"),
]


@pytest.mark.parametrize("size", [128, 256])
def test_preparation_of_850_real_faces(size: int, tmp_path: Path, maskgan: Command) -> None:
    outcome = maskgan("prep-data", MINI, tmp_path / "data", "--size", size)
    assert outcome.code == 0
    data = PreparedData.load(tmp_path / "data")
    assert data.info["splits"] == {"train": 686, "val": 100, "test": 64}
    assert data.info["rejected"] == 0
    for sample in data.samples[::17]:
        assert (read_label_map(sample.mask) == _reference(int(sample.id), size)).all()
        assert read_image(sample.image).shape == (size, size, 3)
        assert {"identity", "celeba_id", "Smiling", "Male"} <= sample.fields.keys()


def test_the_persons_left_is_on_the_pictures_right(tmp_path: Path, maskgan: Command) -> None:
    maskgan("prep-data", MINI, tmp_path / "data", "--size", 64)
    maskgan("check-data", tmp_path / "data")
    suspicious = read_json(tmp_path / "data" / "report.json")["suspicious"]
    assert not any("exchanged" in problem for problems in suspicious.values() for problem in problems)
    labels = read_label_map(PreparedData.load(tmp_path / "data").samples[0].mask)
    left, right = (np.nonzero(flip(labels) == ID[name])[1].mean() for name in ("l_eye", "r_eye"))
    assert left > right, "a mirrored face is a face"


def _reference(index: int, size: int) -> np.ndarray:
    """The slow way: every part at its own size, painted one after the other, one pixel in n taken."""
    labels = np.zeros((512, 512), np.uint8)
    for part in PARTS:
        path = MINI / MASKS / str(index // 2000) / f"{index:05d}_{part}.png"
        if path.exists():
            with Image.open(path) as image:
                labels[np.asarray(image.convert("L")) > 0] = ID[part]
    places = ((np.arange(size) + 0.5) * 512 / size).astype(int)
    return labels[np.ix_(places, places)]
