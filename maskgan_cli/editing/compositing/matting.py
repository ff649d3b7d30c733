"""Alpha matting: estimates the soft opacity of a region, such as hair (closed-form matting; Levin et al., 2008)."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.linalg import splu

from maskgan_cli.labels import Region

Plane = npt.NDArray[np.float32]

_NOISE: Final = 1e-5  # regularisation: assumed variance of the noise in colours, which are in [0, 1]


def alpha_matte(picture: npt.NDArray[np.uint8], inside: Region, outside: Region) -> Plane:
    """Estimate the opacity of a foreground, such as hair, in the pixels in which the opacity is unknown.

    Opacity is assumed to be a linear function of colour in every window of 3 x 3 pixels.

    Args:
        picture: (H, W, 3).
        inside: (H, W), True for the pixels known to be foreground (opacity 1).
        outside: (H, W), True for the pixels known to be background (opacity 0).

    Returns:
        The opacity (H, W) of the foreground, 0 to 1. Connected unknown pixels that touch neither ``inside`` nor
        ``outside`` get 0.
    """
    alpha = inside.astype(np.float32)
    unknown = ~(inside | outside)
    if not unknown.any():
        return alpha
    height, width = unknown.shape
    offsets = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    near = np.zeros_like(unknown)
    for i, j in offsets:
        near |= np.roll(unknown, (i, j), (0, 1))
    near[[0, -1]] = near[:, [0, -1]] = False  # pixels at the picture's border have no complete window
    y, x = np.nonzero(near)
    places = np.stack([(y + i) * width + x + j for i, j in offsets], 1)
    colours = (picture.reshape(-1, 3) / 255.0)[places]
    colours -= colours.mean(1, keepdims=True)
    covariance = colours.transpose(0, 2, 1) @ colours / 9
    inverse = np.linalg.inv(covariance + _NOISE / 9 * np.eye(3))
    affinity = (1 + colours @ inverse @ colours.transpose(0, 2, 1)) / 9
    number = np.full(height * width, -1)
    number[unknown.ravel()] = np.arange(int(unknown.sum()))
    here, there = number[places], alpha.ravel()[places]
    entries = np.eye(9) - affinity
    rows, columns = np.broadcast_to(here[:, :, None], entries.shape), np.broadcast_to(here[:, None], entries.shape)
    mine, both = rows >= 0, (rows >= 0) & (columns >= 0)
    count = int(unknown.sum())
    known = np.zeros(count)
    rest = mine & ~both
    np.add.at(known, rows[rest], -(entries * there[:, None])[rest])
    matrix = sparse.csc_matrix((entries[both], (rows[both], columns[both])), (count, count))
    matrix = matrix + 1e-7 * sparse.identity(count, format="csc")  # for pieces without known neighbours
    solver = splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    alpha[unknown] = np.clip(solver.solve(known), 0, 1)
    return alpha
