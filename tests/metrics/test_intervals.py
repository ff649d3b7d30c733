"""Tests of the confidence intervals against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from maskgan_cli.metrics.intervals import of_mean, wilson


@pytest.mark.parametrize(("successes", "count"), [(0, 5), (1, 3), (7, 10), (80, 100), (12, 12)])
def test_wilson_interval_ends_satisfy_the_definition(successes: int, count: int) -> None:
    """By definition the ends p solve |share - p| = z sqrt(p (1 - p) / n)."""
    share = successes / count
    low, high = wilson(successes, count)
    assert 0 <= low <= share <= high <= 1
    for end in (low, high):
        if 0 < end < 1:
            assert abs(share - end) == pytest.approx(norm.ppf(0.975) * (end * (1 - end) / count) ** 0.5, rel=1e-5)


def test_bootstrap_interval_approaches_the_normal_one_for_many_values() -> None:
    values = np.random.default_rng(1).gamma(2.0, size=2000)
    low, high = of_mean(values)
    half = norm.ppf(0.975) * values.std() / len(values) ** 0.5
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=half / 10)
    assert of_mean(values) == (low, high), "the interval must be reproducible"
    twice = of_mean(np.concatenate([values, values]), np.repeat([1.0, 0.0], len(values)))
    assert twice[1] - twice[0] == pytest.approx(2 * half, rel=0.1), "values of weight 0 must not narrow the interval"


def test_interval_of_equal_values_and_of_non_finite_values() -> None:
    assert of_mean([0.5, 0.5]) == (0.5, 0.5)
    assert np.isnan(of_mean([1.0, float("inf")])).all()
    assert np.isnan(of_mean([])).all()
