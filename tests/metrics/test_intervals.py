"""Intervals against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from maskgan_cli.metrics.intervals import of_mean, wilson


@pytest.mark.parametrize(("hits", "count"), [(0, 5), (1, 3), (7, 10), (80, 100), (12, 12)])
def test_wilsons_interval_ends_where_the_share_is_just_not_rejected(hits: int, count: int) -> None:
    """Its ends solve |share - p| = z sqrt(p (1 - p) / n), which is how it is defined."""
    share = hits / count
    low, high = wilson(hits, count)
    assert 0 <= low <= share <= high <= 1
    for end in (low, high):
        if 0 < end < 1:
            assert abs(share - end) == pytest.approx(norm.ppf(0.975) * (end * (1 - end) / count) ** 0.5, rel=1e-5)


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution_for_many_values() -> None:
    values = np.random.default_rng(1).gamma(2.0, size=2000)
    low, high = of_mean(values)
    half = norm.ppf(0.975) * values.std() / len(values) ** 0.5
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=half / 10)
    assert of_mean(values) == (low, high), "the same for the same values"
    twice = of_mean(np.concatenate([values, values]), np.repeat([1.0, 0.0], len(values)))
    assert twice[1] - twice[0] == pytest.approx(2 * half, rel=0.1), "what weighs nothing adds nothing"


def test_equal_values_are_certain_and_what_is_no_number_is_not() -> None:
    assert of_mean([0.5, 0.5]) == (0.5, 0.5)
    assert np.isnan(of_mean([1.0, float("inf")])).all()
    assert np.isnan(of_mean([])).all()
