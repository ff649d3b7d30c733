"""Compute the Kernel Inception Distance (KID): squared maximum mean discrepancy between two sets of features.

See Binkowski et al. 2018. The kernel is k(x, y) = (x . y / D + 1)^3 for features of dimension D. The estimate is
unbiased, so results for different numbers of pictures are comparable. For two samples of the same distribution, its
expected value is 0, so a single estimate may be negative.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from maskgan_cli.errors import InputError

Features = npt.NDArray[np.floating]

SUBSETS: Final = 100
SUBSET_SIZE: Final = 1000


@dataclass(frozen=True)
class KernelDistance:
    """A kernel distance, estimated on several random subsets.

    Attributes:
        mean: the distance, averaged over the subsets.
        deviation: standard deviation over the subsets; 0 for a single subset.
        subsets: number of subsets.
        subset_size: number of features in a subset, from each of the two sets.
    """

    mean: float
    deviation: float
    subsets: int
    subset_size: int


def squared_discrepancy(a: Features, b: Features) -> float:
    """Return an unbiased estimate of the squared maximum mean discrepancy between two sets of features.

    The estimate is computed in float64. Its mean is 0 for two samples of one distribution, so it may be negative.

    Args:
        a, b: (N, D) and (M, D), the two sets.

    Raises:
        InputError: the two sets have different feature dimensions, or a set has fewer than two features.
    """
    if a.shape[1] != b.shape[1]:
        raise InputError("features", expected=f"{a.shape[1]} numbers per picture", found=str(b.shape[1]))
    if min(len(a), len(b)) < 2:
        raise InputError("features", expected="at least two pictures", found=str(min(len(a), len(b))))
    within = [_off_diagonal_mean(_kernel(one, one)) for one in (a, b)]
    return within[0] + within[1] - 2 * float(_kernel(a, b).mean())


def kernel_distance(
    a: Features, b: Features, *, subsets: int = SUBSETS, subset_size: int = SUBSET_SIZE, seed: int = 0
) -> KernelDistance:
    """Return mean and standard deviation of `squared_discrepancy` over random subsets of two sets of features.

    If both sets have the same size and no more than ``subset_size`` features, there is only one subset, with all
    features.

    Args:
        a, b: (N, D) and (M, D), the two sets.
        subsets: number of subsets.
        subset_size: number of features drawn from each set; if a set is smaller, its size is used for both.
        seed: seed of the random choice.

    Raises:
        InputError: see `squared_discrepancy`.
    """
    size = min(subset_size, len(a), len(b))
    if size == len(a) == len(b):
        return KernelDistance(squared_discrepancy(a, b), 0.0, 1, size)
    rng = np.random.default_rng(seed)
    found = [
        squared_discrepancy(a[rng.choice(len(a), size, replace=False)], b[rng.choice(len(b), size, replace=False)])
        for _ in range(subsets)
    ]
    return KernelDistance(float(np.mean(found)), float(np.std(found)), subsets, size)


def _kernel(a: Features, b: Features) -> npt.NDArray[np.float64]:
    """Return the kernel values (N, M) of all pairs of a feature in ``a`` (N, D) and a feature in ``b`` (M, D)."""
    values: npt.NDArray[np.float64] = (a.astype(np.float64) @ b.astype(np.float64).T / a.shape[1] + 1) ** 3
    return values


def _off_diagonal_mean(values: npt.NDArray[np.float64]) -> float:
    """Return the mean of the elements of a square matrix that are not on its diagonal."""
    return float((values.sum() - np.trace(values)) / (len(values) * (len(values) - 1)))
