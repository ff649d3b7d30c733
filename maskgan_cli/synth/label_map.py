"""Computes the label map of a picture from class ids that were rendered with several samples per pixel."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from maskgan_cli.labels import ID, LabelMap
from maskgan_cli.synth.geometry import F32, f32

SMALLEST = 6  # pixels; smaller regions are removed, since annotators do not draw them
# Annotators outline hair, clothes and background coarsely, so their proportions are blurred more. The values are the
# standard deviations of the blur, relative to the picture's side; `_FINE` is that of all other classes.
_BRUSH = {"hair": 0.0055, "background": 0.004, "skin": 0.003, "cloth": 0.003, "neck": 0.003, "hat": 0.003}
_FINE = 0.0018


def label_map(ids: LabelMap, factor: int) -> LabelMap:
    """Reduce class ids of several samples per pixel to one id per pixel: the class that covers most of the pixel.

    The proportions of the classes are blurred first, so that outlines are as smooth as those of annotators.

    Args:
        ids: (size * factor, size * factor) class ids.
        factor: samples per pixel along each axis.

    Returns:
        (size, size) class ids; regions of fewer than ``SMALLEST`` pixels are merged into their neighbours.
    """
    size = len(ids) // factor
    best = np.full((size, size), -1, np.float32)
    labels = np.zeros((size, size), np.uint8)
    names = {number: name for name, number in ID.items()}
    for number in np.unique(ids):
        share = share_of(ids == number, factor)
        sigma = _BRUSH.get(names[int(number)], _FINE) * size
        share = ndimage.gaussian_filter(share, sigma, truncate=3)
        wins = share > best
        labels[wins], best[wins] = number, share[wins]
    return without_specks(labels)


def share_of(where: np.ndarray, factor: int) -> F32:
    """Return the mean of each block of ``factor`` x ``factor`` values; for a boolean array, the proportion of True.

    ``where`` has the shape (size * factor, size * factor), the result (size, size).
    """
    if factor == 2:
        counts = np.asarray(where, np.uint8 if where.dtype == bool else where.dtype)
        return f32(counts[::2, ::2] + counts[1::2, ::2] + counts[::2, 1::2] + counts[1::2, 1::2]) * np.float32(0.25)
    size = len(where) // factor
    return f32(where.reshape(size, factor, size, factor).mean((1, 3), dtype=np.float32))


def without_specks(labels: LabelMap, smallest: int = SMALLEST) -> LabelMap:
    """Return the label map with small regions merged into the nearest larger region.

    A region is a set of connected pixels (4-neighbours) of one class; a small one has fewer than ``smallest`` pixels.
    """
    for _ in range(4):
        small = np.zeros(labels.shape, bool)
        for number in np.unique(labels):
            regions, count = ndimage.label(labels == number)
            if count > 1 or np.count_nonzero(regions) < smallest:
                tiny = np.bincount(regions.ravel(), minlength=count + 1) < smallest
                tiny[0] = False
                small |= tiny[regions]
        if not small.any():
            break
        rows, columns = ndimage.distance_transform_edt(small, return_distances=False, return_indices=True)
        labels = labels[rows, columns]
    return labels
