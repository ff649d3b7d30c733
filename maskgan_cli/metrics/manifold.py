"""Precision and recall of a set of pictures (Kynkaanniemi et al. 2019), from features.

The manifold of a set is the union of balls around its features. The radius of a ball is the distance to the K-th
nearest neighbour in the same set. Precision is the proportion of results inside the manifold of the real pictures;
recall is the proportion of real pictures inside the manifold of the results.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from maskgan_cli.errors import InputError

Features = npt.NDArray[np.floating]

NEIGHBOURS: Final = 3
_ROWS = 1024  # rows of the distance matrix that are in memory at once


def precision_and_recall(reals: Features, results: Features, *, neighbours: int = NEIGHBOURS) -> tuple[float, float]:
    """Features of real pictures (N, D) and of results (M, D) -> (precision, recall), each in [0, 1].

    Raises:
        InputError: the features have different dimensions, or a set has at most ``neighbours`` of them.
    """
    if reals.shape[1] != results.shape[1]:
        raise InputError("features", expected=f"{reals.shape[1]} numbers per picture", found=str(results.shape[1]))
    if (fewest := min(len(reals), len(results))) <= neighbours:
        raise InputError("features", expected=f"more than {neighbours} pictures", found=str(fewest))
    real, found = reals.astype(np.float64), results.astype(np.float64)
    # Centring reduces cancellation in the expanded form of the squared distance.
    middle = real.mean(0)
    real, found = real - middle, found - middle
    return share_inside(found, real, radii(real, neighbours)), share_inside(real, found, radii(found, neighbours))


def radii(features: npt.NDArray[np.float64], neighbours: int) -> npt.NDArray[np.float64]:
    """Squared distance (N,) of each feature (N, D) to its ``neighbours``-th nearest neighbour."""
    parts = [
        np.partition(_squared_distances(features[i : i + _ROWS], features), neighbours, axis=1)[:, neighbours]
        for i in range(0, len(features), _ROWS)
    ]  # index 0 is the distance of each feature to itself
    return np.concatenate(parts)


def share_inside(
    points: npt.NDArray[np.float64], centres: npt.NDArray[np.float64], squared_radii: npt.NDArray[np.float64]
) -> float:
    """Proportion of points (M, D) that lie in at least one of the closed balls around centres (N, D)."""
    inside = [
        (_squared_distances(points[i : i + _ROWS], centres) <= squared_radii).any(1)
        for i in range(0, len(points), _ROWS)
    ]
    return float(np.concatenate(inside).mean())


def _squared_distances(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(N, D) and (M, D) -> squared Euclidean distances (N, M)."""
    squared: npt.NDArray[np.float64] = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T
    return squared.clip(min=0.0)
