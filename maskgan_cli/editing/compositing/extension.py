"""Fills holes in a picture by smooth extrapolation: "pull-push" on an image pyramid (Gortler et al., 1996)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Plane = npt.NDArray[np.float32]


def extended(values: npt.NDArray[np.generic], known: npt.NDArray[np.bool_]) -> Plane:
    """Fill the unknown pixels of a picture by extrapolating smoothly from the known pixels.

    Args:
        values: (H, W, C), the picture; the values of unknown pixels are ignored.
        known: (H, W), True where a pixel is known. If no pixel is known, the result is 0.

    Returns:
        (H, W, C) float32, equal to ``values`` in the known pixels.
    """
    weight = known.astype(np.float32)
    filled = _filled(np.asarray(values, np.float32) * weight[..., None], weight)
    return np.asarray(np.where(known[..., None], values, filled), np.float32)


def _filled(weighted: Plane, weight: Plane) -> Plane:
    """Fill pixels whose weight is below 1 from a picture of half the size, which is filled in the same way (recursion).

    Args:
        weighted: (H, W, C), values multiplied by their weights.
        weight: (H, W), in [0, 1]: 1 for known pixels, 0 for unknown ones.

    Returns:
        The filled values (H, W, C).
    """
    height, width = weight.shape
    if min(height, width) <= 2 or weight.min() >= 1:
        total = weight.sum()
        mean = weighted.sum((0, 1)) / max(float(total), 1e-6)
        share = weight[..., None]
        return np.asarray(weighted + (1 - share) * mean, np.float32)
    even = ((0, height % 2), (0, width % 2))
    small, light = (
        np.pad(one, (*even, *[(0, 0)] * (one.ndim - 2)))
        .reshape((height + 1) // 2, 2, (width + 1) // 2, 2, *one.shape[2:])
        .mean((1, 3))
        for one in (weighted, weight)
    )
    # A block counts fully if one of its four pixels is known, so pixels at the border of the hole are not weaker.
    gain = np.minimum(1.0, 4 * light) / np.maximum(light, 1e-6)
    coarse = _filled(np.asarray(small * gain[..., None], np.float32), np.asarray(light * gain, np.float32))
    rows, columns = ((np.arange(length) + 0.5) / 2 - 0.5 for length in (height, width))
    grid = np.meshgrid(rows, columns, indexing="ij")
    grown = np.stack(
        [ndimage.map_coordinates(coarse[..., c], grid, order=1, mode="nearest") for c in range(coarse.shape[-1])], -1
    )
    return np.asarray(weighted + (1 - weight[..., None]) * grown, np.float32)
