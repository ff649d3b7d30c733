"""Precision and recall of a set of pictures (Kynkaanniemi et al. 2019), from features.

The manifold of a set is the union of balls around its features; a ball's radius is the distance to the K-th nearest
other feature of the same set. Precision is the share of the results inside the manifold of the real pictures, recall
the share of the real pictures inside the manifold of the results.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from maskgan_cli.errors import InputError

Features = npt.NDArray[np.floating]

NEIGHBOURS: Final = 3
_ROWS = 1024  # distances that are in memory at once: this many rows


def precision_and_recall(reals: Features, results: Features, *, neighbours: int = NEIGHBOURS) -> tuple[float, float]:
    """Features of real pictures (N, D) and of results (M, D) -> (precision, recall), each in [0, 1].

    Raises:
        InputError: features of different lengths, or no more of a set than ``neighbours``.
    """
    if reals.shape[1] != results.shape[1]:
        raise InputError("features", expected=f"{reals.shape[1]} numbers a picture", found=str(results.shape[1]))
    if (fewest := min(len(reals), len(results))) <= neighbours:
        raise InputError("features", expected=f"more than {neighbours} pictures", found=str(fewest))
    real, found = reals.astype(np.float64), results.astype(np.float64)
    # Centred features lose fewer digits in the expansion of the squared distance.
    middle = real.mean(0)
    real, found = real - middle, found - middle
    return share_inside(found, real, radii(real, neighbours)), share_inside(real, found, radii(found, neighbours))


def radii(features: npt.NDArray[np.float64], neighbours: int) -> npt.NDArray[np.float64]:
    """Squared distance (N,) of each feature (N, D) to its ``neighbours``-th nearest other one."""
    parts = [
        np.partition(_squared_distances(features[i : i + _ROWS], features), neighbours, axis=1)[:, neighbours]
        for i in range(0, len(features), _ROWS)
    ]  # each feature's distance to itself is the least, so that the one at `neighbours` is another's
    return np.concatenate(parts)


def share_inside(
    points: npt.NDArray[np.float64], centres: npt.NDArray[np.float64], squared_radii: npt.NDArray[np.float64]
) -> float:
    """The share of points (M, D) in at least one of the balls around centres (N, D); their surface belongs to them."""
    inside = [
        (_squared_distances(points[i : i + _ROWS], centres) <= squared_radii).any(1)
        for i in range(0, len(points), _ROWS)
    ]
    return float(np.concatenate(inside).mean())


def _squared_distances(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(N, D) and (M, D) -> squared Euclidean distances (N, M)."""
    squared: npt.NDArray[np.float64] = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T
    return squared.clip(min=0.0)
