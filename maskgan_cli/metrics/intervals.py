"""Compute 95 % confidence intervals (lower end, upper end) of proportions and means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

Interval = tuple[float, float]
Numbers = Sequence[float] | npt.NDArray[np.float64]

_RESAMPLES: Final = 2000


def wilson(successes: int, count: int) -> Interval:
    """Return the 95 % Wilson score interval of a proportion (Wilson 1927), which is also valid for small samples.

    Args:
        successes: number of successes.
        count: number of trials, at least 1.

    Returns:
        Lower and upper end of the interval, both in [0, 1].
    """
    from scipy.stats import binomtest

    ends = binomtest(successes, count).proportion_ci(confidence_level=0.95, method="wilson")
    return float(ends.low), float(ends.high)


def of_mean(
    values: Sequence[float] | npt.NDArray[np.float64], weights: npt.NDArray[np.float64] | None = None
) -> Interval:
    """Return the 95 % bootstrap interval (Efron 1979) of a mean, from 2000 resamples with a fixed seed.

    Args:
        values: (N,), the values whose mean is taken.
        weights: (N,), weights of the values; None for an unweighted mean.

    Returns:
        Lower and upper end of the interval. Both are NaN if there are no values, or if a value is NaN or infinite.
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
