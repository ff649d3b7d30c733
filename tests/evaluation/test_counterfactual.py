"""Distances from the ground truth that are known in closed form."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from maskgan_cli.evaluation.counterfactual import RenderedPair, against_truth
from maskgan_cli.evaluation.feature_distance import FeatureDistance
from maskgan_cli.files import write_image, write_label_map
from maskgan_cli.metrics.similarity import compare

EDITED = np.zeros((32, 32), np.bool_)
EDITED[:, :16] = True


def test_equal_pictures_have_infinite_psnr_and_ssim_one() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (32, 32, 3), np.uint8)
    fidelity = compare(picture, picture, EDITED)
    assert (fidelity.psnr_inside, fidelity.psnr_outside) == (math.inf, math.inf)
    assert fidelity.ssim_inside == fidelity.ssim_outside == pytest.approx(1.0)


def test_the_psnr_of_a_constant_error_is_that_of_the_formula() -> None:
    truth = np.full((32, 32, 3), 100, np.uint8)
    result = truth.copy()
    result[EDITED] += 16
    fidelity = compare(result, truth, EDITED)
    assert fidelity.psnr_inside == pytest.approx(20 * math.log10(255 / 16))
    assert fidelity.psnr_outside == math.inf
    assert fidelity.ssim_inside < fidelity.ssim_outside


def test_the_psnr_of_an_empty_region_is_nan() -> None:
    picture = np.zeros((32, 32, 3), np.uint8)
    assert math.isnan(compare(picture, picture, np.zeros((32, 32), np.bool_)).psnr_inside)


def _watch(items: Iterable[Any], _: int) -> Iterator[Any]:
    yield from items


def test_feature_distance_is_zero_for_equal_pictures_and_largest_at_a_change() -> None:
    distance = FeatureDistance(None, torch.device("cpu"))
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 255, (64, 64, 3), np.uint8)
    assert (distance(picture, picture) == 0).all()
    changed = picture.copy()
    changed[:16, :16] = rng.integers(0, 255, (16, 16, 3), np.uint8)
    apart = distance(picture, changed)
    assert apart[:16, :16].mean() > 5 * apart[32:, 32:].mean()
    assert distance.name == "untrained-vgg19"


def test_all_values_inside_and_outside_the_edited_region(tmp_path: Path) -> None:
    """The result is correct outside and wrong inside; the embedding is the mean colour of the left half."""
    rng = np.random.default_rng(1)
    truth = rng.integers(60, 200, (32, 32, 3), np.uint8)
    result = truth.copy()
    result[EDITED] = np.array([250, 0, 0], np.uint8)
    paths = [write_image(tmp_path / f"{name}.png", p) for name, p in (("result", result), ("truth", truth))]
    masks = [
        write_label_map(tmp_path / f"{name}.mask.png", labels)
        for name, labels in (("source", np.zeros((32, 32), np.uint8)), ("truth", EDITED.astype(np.uint8)))
    ]
    pair = RenderedPair(paths[0], masks[0], paths[1], masks[1])

    def embed(images: Tensor) -> Tensor:
        return images[..., :16].float().mean((2, 3))

    found, intervals = against_truth([pair, pair], FeatureDistance(None, torch.device("cpu")), embed, _watch)
    alone = compare(result, truth, EDITED)
    assert found["psnr_inside"] == pytest.approx(alone.psnr_inside)
    assert found["psnr_outside"] == math.inf
    assert intervals["psnr_inside"] == pytest.approx((alone.psnr_inside,) * 2)
    assert np.isnan(intervals["psnr_outside"]).all()
    assert found["ssim_inside"] == pytest.approx(alone.ssim_inside)
    assert found["feature_distance_inside"] > found["feature_distance_outside"] > 0
    colour = truth[:, :16].reshape(-1, 3).mean(0)
    expected = colour[0] / np.linalg.norm(colour)
    assert found["identity_cosine"] == pytest.approx(expected, abs=1e-3)
    assert found["identity_inside"] == pytest.approx(expected, abs=1e-3)
    assert found["identity_outside"] == pytest.approx(1)


def test_ground_truth_of_another_size_is_resized_to_the_result(tmp_path: Path) -> None:
    grey = write_image(tmp_path / "grey.png", np.full((32, 32, 3), 100, np.uint8))
    large = write_image(tmp_path / "large.png", np.full((128, 128, 3), 110, np.uint8))
    before = write_label_map(tmp_path / "before.png", np.zeros((64, 64), np.uint8))
    after = write_label_map(tmp_path / "after.png", np.kron(EDITED, np.ones((4, 4))).astype(np.uint8))
    distance = FeatureDistance(None, torch.device("cpu"))
    found, _ = against_truth([RenderedPair(grey, before, large, after)], distance, None, _watch)
    assert found["psnr_inside"] == found["psnr_outside"] == pytest.approx(20 * math.log10(255 / 10))
    assert "identity_inside" not in found
