"""Distances from the truth that are known in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest

from maskgan_cli.evaluation.counterfactual import compare

EDITED = np.zeros((32, 32), np.bool_)
EDITED[:, :16] = True


def test_equal_pictures_are_infinitely_near_and_wholly_similar() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (32, 32, 3), np.uint8)
    fidelity = compare(picture, picture, EDITED)
    assert (fidelity.psnr_inside, fidelity.psnr_outside) == (math.inf, math.inf)
    assert fidelity.ssim_inside == fidelity.ssim_outside == pytest.approx(1.0)


def test_a_constant_error_has_the_psnr_of_the_formula_where_it_is() -> None:
    truth = np.full((32, 32, 3), 100, np.uint8)
    result = truth.copy()
    result[EDITED] += 16
    fidelity = compare(result, truth, EDITED)
    assert fidelity.psnr_inside == pytest.approx(20 * math.log10(255 / 16))
    assert fidelity.psnr_outside == math.inf
    assert fidelity.ssim_inside < fidelity.ssim_outside


def test_an_empty_region_has_no_number() -> None:
    picture = np.zeros((32, 32, 3), np.uint8)
    assert math.isnan(compare(picture, picture, np.zeros((32, 32), np.bool_)).psnr_inside)
