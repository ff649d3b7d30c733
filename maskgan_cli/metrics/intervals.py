"""How sure a number is: 95 % intervals of shares and of means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

Interval = tuple[float, float]
Numbers = Sequence[float] | npt.NDArray[np.float64]

_RESAMPLES: Final = 2000


def wilson(hits: int, count: int) -> Interval:
    """Of a share (Wilson 1927): right for few answers too, and within 0 and 1.

    Args:
        hits: how many of ``count`` there were, at least one of them in all.
    """
    from scipy.stats import binomtest

    ends = binomtest(hits, count).proportion_ci(confidence_level=0.95, method="wilson")
    return float(ends.low), float(ends.high)


def of_mean(
    values: Sequence[float] | npt.NDArray[np.float64], weights: npt.NDArray[np.float64] | None = None
) -> Interval:
    """Of a (weighted) mean, by drawing the values (N,) again with replacement (Efron 1979); seeded, so it repeats.

    Values that are no number, or infinite, have no interval that means anything: both ends are NaN.
    """
    numbers = np.asarray(values, np.float64)
    if not len(numbers) or not np.isfinite(numbers).all():
        return float("nan"), float("nan")
    heavy = np.ones(len(numbers)) if weights is None else weights
    rng, means = np.random.default_rng(0), np.empty(_RESAMPLES)
    for i in range(_RESAMPLES):
        drawn = rng.integers(len(numbers), size=len(numbers))
        means[i] = np.average(numbers[drawn], weights=heavy[drawn])
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)
