"""Compute precision and recall of generated pictures ("results") from their features (Kynkaanniemi et al. 2019).

The manifold of a set is approximated by balls around all features of the set. The radius of a ball is the distance to
the K-th nearest neighbour in the same set. Precision is the proportion of results inside the manifold of the real
pictures; recall is the proportion of real pictures inside the manifold of the results.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from maskgan_cli.errors import InputError

Features = npt.NDArray[np.floating]

NEIGHBOURS: Final = 3
_ROWS = 1024  # number of rows of the distance matrix that are in memory at a time


def precision_and_recall(reals: Features, results: Features, *, neighbours: int = NEIGHBOURS) -> tuple[float, float]:
    """Return precision and recall of generated pictures ("results"), each in [0, 1].

    Args:
        reals: (N, D), features of real pictures.
        results: (M, D), features of generated pictures.
        neighbours: K; the radius of the ball around a feature is the distance to the feature's K-th nearest neighbour.

    Raises:
        InputError: the two sets have different feature dimensions, or a set has at most ``neighbours`` features.
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
    """Return the squared distance (N,) of each feature (N, D) to its ``neighbours``-th nearest neighbour in the set."""
    parts = [
        np.partition(_squared_distances(features[i : i + _ROWS], features), neighbours, axis=1)[:, neighbours]
        for i in range(0, len(features), _ROWS)
    ]  # index 0 is the distance of each feature to itself
    return np.concatenate(parts)


def share_inside(
    points: npt.NDArray[np.float64], centres: npt.NDArray[np.float64], squared_radii: npt.NDArray[np.float64]
) -> float:
    """Return the proportion of points that lie inside or on the surface of at least one ball.

    Args:
        points: (M, D), the points.
        centres, squared_radii: (N, D) and (N,), centres and squared radii of the balls.
    """
    inside = [
        (_squared_distances(points[i : i + _ROWS], centres) <= squared_radii).any(1)
        for i in range(0, len(points), _ROWS)
    ]
    return float(np.concatenate(inside).mean())


def _squared_distances(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the squared Euclidean distances (N, M) between all features in ``a`` (N, D) and all in ``b`` (M, D)."""
    squared: npt.NDArray[np.float64] = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T
    return squared.clip(min=0.0)
