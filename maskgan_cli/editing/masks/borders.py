"""Move the borders between the classes of a mask as MaskVAE moves them, by adding a change to signed distances.

The signed distance of a class at a pixel is the pixel's distance to the border of the class: above 0 inside the class,
below 0 outside. Adding a change to the signed distances moves the border.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy import ndimage

from maskgan_cli.editing.masks.upright import Box, Field, Upright, sample
from maskgan_cli.labels import LabelMap, Region

# All lengths are pixels of the upright frame (see `upright.Upright`).
DEEP: Final = 48  # signed distances are clipped to -DEEP and DEEP
_SOFT_CHANGE: Final = 2.0  # blur of MaskVAE's changes, because its outlines are not more accurate than this
_SOFT_BORDER: Final = 1.0  # blur of the mask's own signed distances
_NEAR: Final = 8.0  # up to this distance outside a class, the mask's own signed distance is used;
_FADING: Final = 12.0  # further outside, its weight falls over about this distance


def depths(labels: LabelMap, ids: Sequence[int]) -> Field:
    """Return the signed distance of each pixel to the border of each given class of a mask.

    Signed distances are above 0 inside the class, and below 0 outside.

    Args:
        labels: (S, S), the mask.
        ids: ids of N classes.

    Returns:
        (N, S, S), signed distances in pixels, clipped to -`DEEP` and `DEEP`. A class that the mask does not contain has
        -`DEEP` everywhere.
    """
    return np.stack([_depth(labels == kind) for kind in ids]) if len(ids) else np.zeros((0, *labels.shape), np.float32)


def smooth(planes: Field, by: float = _SOFT_CHANGE) -> Field:
    """Blur N arrays (N, S, S) with a Gaussian whose standard deviation is ``by`` pixels."""
    return np.asarray(ndimage.gaussian_filter(planes, (0, by, by), truncate=3))


def start(own: Field, before: Field) -> Field:
    """Return the signed distances (N, S, S) before an edit, to which `move_borders` adds a change.

    Inside and near each class, these are the mask's own signed distances. Far outside the class, they change gradually
    to the signed distances of MaskVAE's reconstruction: new hair can appear far from the old hair, and there the
    distance to the old hair has no meaning.

    Args:
        own: (N, S, S), signed distances of the N classes of the mask.
        before: (N, S, S), signed distances of the same classes in MaskVAE's reconstruction of the mask.
    """
    far = np.maximum(-own - _NEAR, 0.0) / _FADING
    return np.asarray(before + np.exp(-far * far) * (smooth(own, _SOFT_BORDER) - before))


def move_borders(labels: LabelMap, frame: Upright, begin: Field, change: Field, ids: Sequence[int]) -> LabelMap:
    """Move the borders of a mask: each pixel gets the class with the largest signed distance after the change.

    Args:
        labels: (S, S), the mask before the change.
        frame: the coordinate system in which the face is upright, with ``side`` pixels per side: see `Upright`.
        begin: (N, side, side), signed distances in the frame before the change; see `start`.
        change: (N, side, side), the change that is added to ``begin``.
        ids: ids of the N classes; only pixels of these classes change.

    Returns:
        (S, S), a new mask.
    """
    kinds: LabelMap = np.array(ids, np.uint8)
    x, y = frame.places(Box(0, len(labels), 0, len(labels)))
    after, before = (kinds[sample(planes, x, y).argmax(0)] for planes in (begin + change, begin))
    # Only pixels near a real change are replaced. The mask was resampled into the frame, so `after` differs from the
    # mask by about a pixel at every border, also where nothing moved.
    near = max(1, round(1.5 / frame.scale))
    changed = ndimage.maximum_filter(after != before, 2 * near + 1) & (after != labels) & np.isin(labels, kinds)
    result: LabelMap = np.where(changed, after, labels)
    return result


def without_specks(labels: LabelMap, before: LabelMap, least: float) -> LabelMap:
    """Return a changed mask (S, S) in which small changes are undone: connected regions of few changed pixels.

    Args:
        labels: (S, S), the mask after a change.
        before: (S, S), the mask before the change.
        least: number of pixels; smaller regions get their classes before the change back.
    """
    changed = labels != before
    pieces, count = ndimage.label(changed)
    if not count:
        return labels
    small = np.bincount(pieces.ravel(), minlength=count + 1) < least
    small[0] = False
    return np.where(small[pieces], before, labels)


def _depth(region: Region) -> Field:
    """Compute the signed distance (S, S) of each pixel to the border of a region, clipped to -`DEEP` and `DEEP`.

    The distance is above 0 inside the region, and below 0 outside.
    """
    if not region.any() or region.all():
        return np.full(region.shape, DEEP if region.any() else -DEEP, np.float32)
    result = np.full(region.shape, -DEEP, np.float32)
    box = tuple(
        slice(max(int(places[0]) - DEEP, 0), int(places[-1]) + 1 + DEEP)
        for places in (np.flatnonzero(region.any(1)), np.flatnonzero(region.any(0)))
    )
    part = region[box]
    if part.all():
        result[box] = DEEP
        return result
    inside, outside = (ndimage.distance_transform_edt(one) for one in (part, ~part))
    result[box] = np.clip(np.where(part, inside - 0.5, 0.5 - outside), -DEEP, DEEP)
    return result
