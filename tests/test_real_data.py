"""Tests on CelebAMask-HQ, if a part of it is in ../shared/data (it may not be redistributed)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from maskgan_cli.data.alignment import crop_points, points_of_mask
from maskgan_cli.data.celebamask import MASKS
from maskgan_cli.data.crop import oriented_square
from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.evaluation.verification import verify_samples
from maskgan_cli.files import read_image, read_json, read_label_map
from maskgan_cli.judges.finder import FaceFinder
from maskgan_cli.judges.identity import load_identity
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


def test_left_parts_are_on_the_right_of_the_picture(tmp_path: Path, maskgan: Command) -> None:
    maskgan("prep-data", MINI, tmp_path / "data", "--size", 64)
    maskgan("check-data", tmp_path / "data")
    suspicious = read_json(tmp_path / "data" / "report.json")["suspicious"]
    assert not any("exchanged" in problem for problems in suspicious.values() for problem in problems)
    labels = read_label_map(PreparedData.load(tmp_path / "data").samples[0].mask)
    left, right = (np.nonzero(flip(labels) == ID[name])[1].mean() for name in ("l_eye", "r_eye"))
    assert left > right, "a mirrored face is a face"


def _reference(index: int, size: int) -> np.ndarray:
    """Reference: paint all parts in order at their own size, then take every n-th pixel."""
    labels = np.zeros((512, 512), np.uint8)
    for part in PARTS:
        path = MINI / MASKS / str(index // 2000) / f"{index:05d}_{part}.png"
        if path.exists():
            with Image.open(path) as image:
                labels[np.asarray(image.convert("L")) > 0] = ID[part]
    places = ((np.arange(size) + 0.5) * 512 / size).astype(int)
    return labels[np.ix_(places, places)]


def test_aligned_pictures_are_unchanged() -> None:
    """CelebA-HQ is cropped by the rule of `align`, so aligning its pictures changes almost nothing."""
    finder, whole = FaceFinder(torch.device("cpu")), np.array([[0, 0], [0, 1], [1, 1], [1, 0]])
    errors = []
    for path in sorted((MINI / "CelebA-HQ-img").iterdir())[::40]:
        points = finder.find(read_image(path))
        assert points is not None
        errors.append(np.abs(oriented_square(points) / 512 - whole).mean())
    assert np.mean(errors) < 0.03


def test_landmarks_from_masks_and_crops_agree_with_mtcnn(tmp_path: Path, maskgan: Command) -> None:
    maskgan("prep-data", MINI, tmp_path / "data", "--size", 256)
    finder, differences = FaceFinder(torch.device("cpu")), []
    for sample in PreparedData.load(tmp_path / "data").samples[::20]:
        found = finder.find(read_image(sample.image))
        assert found is not None
        differences.append(np.abs([points_of_mask(read_label_map(sample.mask)) - found, crop_points(256) - found]))
    by_mask, by_crop = np.nanmean(differences, axis=(0, 3)) / 256
    assert by_mask[:2].max() < 0.01  # eyes
    assert by_mask[2:].max() < 0.03  # nose and mouth
    assert by_crop.max() < 0.03


def test_onnx_embedding_network_verifies_real_people(tmp_path: Path, maskgan: Command) -> None:
    path = MINI.parent / "onnx" / "mobilefacenet-112.onnx"
    if not path.is_file():
        pytest.skip("no ../shared/data/onnx/mobilefacenet-112.onnx")
    pytest.importorskip("onnxruntime", reason="needs the package onnxruntime")
    maskgan("prep-data", MINI, tmp_path / "data", "--size", 128)
    samples = PreparedData.load(tmp_path / "data").split("train")
    judge = load_identity(path, torch.device("cpu"))
    for points in ("mask", "crop"):
        measured = verify_samples(samples, judge, pairs=1000, seed=0, points=points)
        assert measured["pairs"] > 100
        assert measured["auc"] > 0.95
