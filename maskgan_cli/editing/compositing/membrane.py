"""Harmonic interpolation: fills a region smoothly from the values on its border (Laplace's equation)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage, sparse
from scipy.sparse.linalg import splu

from maskgan_cli.labels import Region

Field = npt.NDArray[np.float64]


def harmonic(values: Field, region: Region) -> Field:
    """Fill a region of ``values`` (H, W, C) with the solution of Laplace's equation.

    The pixels next to the region (4-neighbourhood) give the boundary values (Dirichlet). At the picture's border, the
    normal derivative is 0 (Neumann). If the region covers the whole picture, there are no boundary values, and the
    result is 0.

    Args:
        values: (H, W, C); the values inside the region are ignored.
        region: (H, W), True for the pixels to fill.

    Returns:
        (H, W, C), equal to ``values`` outside the region. Inside, every pixel is the mean of its neighbours.
    """
    filled = np.where(region[..., None], 0.0, values)
    inside = region & _reaches_rim(region)
    count = int(inside.sum())
    if not count:
        return filled
    number = np.full(region.shape, -1)
    number[inside] = np.arange(count)
    degree = np.zeros(count)
    known = np.zeros((count, values.shape[-1]))
    links: list[tuple[npt.NDArray[Any], npt.NDArray[Any]]] = []
    for here, there in _neighbours(region.shape):
        a, b = number[here].ravel(), number[there].ravel()
        mine = a >= 0
        degree[a[mine]] += 1  # each pixel has at most one neighbour in each direction
        both, rim = mine & (b >= 0), mine & (b < 0)
        links.append((a[both], b[both]))
        known[a[rim]] += filled[there].reshape(-1, values.shape[-1])[rim]
    rows, columns = (np.concatenate(ends) for ends in zip(*links, strict=True))
    diagonal = np.arange(count)
    entries = np.concatenate([degree, np.full(len(rows), -1.0)])
    matrix = sparse.csc_matrix(
        (entries, (np.concatenate([diagonal, rows]), np.concatenate([diagonal, columns]))), (count, count)
    )
    # The matrix is symmetric and positive definite: no pivoting, and an ordering for such matrices.
    solver = splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    filled[inside] = solver.solve(known)
    return filled


def _reaches_rim(region: Region) -> Region:
    """Return a boolean mask (H, W) of the connected pieces of a region (H, W) that touch a pixel outside the region."""
    pieces, count = ndimage.label(region)
    touching = np.zeros(count + 1, bool)
    for here, there in _neighbours(region.shape):
        touching[pieces[here][region[here] & ~region[there]]] = True
    reached: Region = touching[pieces]
    return reached


def _neighbours(shape: tuple[int, ...]) -> list[tuple[tuple[slice, slice], tuple[slice, slice]]]:
    """Return four pairs of slices of a picture (H, W): one pair for the neighbours below, right, above and left.

    In each pair, the first slices (rows, columns) select all pixels that have such a neighbour, and the second slices
    select these neighbours in the same order.
    """
    whole, first, last = slice(None), slice(None, -1), slice(1, None)
    pairs = [((first, whole), (last, whole)), ((whole, first), (whole, last))]
    return pairs + [(there, here) for here, there in pairs]
