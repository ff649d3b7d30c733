"""Moving a mask's borders as MaskVAE moves them, by signed distances of every class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy import ndimage

from maskgan_cli.editing.masks.upright import Box, Field, Upright, sample
from maskgan_cli.labels import LabelMap, Region

DEEP: Final = 48  # pixels of the frame: signed distances are clipped to this value
_SOFT_CHANGE: Final = 2.0  # pixels of the frame: blur of MaskVAE's changes, whose outlines are no finer
_SOFT_BORDER: Final = 1.0  # pixels of the frame: blur of the mask's own borders
_NEAR: Final = 8.0  # pixels of the frame: up to this distance outside a class its own border is used;
_FADING: Final = 12.0  # beyond, its influence fades out over about this distance


def depths(labels: LabelMap, ids: Sequence[int]) -> Field:
    """Signed distances (N, S, S) of a mask's pixels to the border of each class: above 0 inside, clipped to `DEEP`."""
    return np.stack([_depth(labels == kind) for kind in ids]) if len(ids) else np.zeros((0, *labels.shape), np.float32)


def smooth(planes: Field, by: float = _SOFT_CHANGE) -> Field:
    """Blur planes (N, S, S) with a Gaussian of standard deviation ``by``; the default is that of MaskVAE's outlines."""
    return np.asarray(ndimage.gaussian_filter(planes, (0, by, by), truncate=3))


def start(own: Field, before: Field) -> Field:
    """Signed distances (N, S, S) to which a change is added.

    They are ``own``, those of the mask, near and inside each class. Far outside they fade to ``before``, those of
    MaskVAE's reconstruction: new hair can appear far from the old hair, where the distance to it is meaningless.
    """
    far = np.maximum(-own - _NEAR, 0.0) / _FADING
    return np.asarray(before + np.exp(-far * far) * (smooth(own, _SOFT_BORDER) - before))


def move_borders(labels: LabelMap, frame: Upright, begin: Field, change: Field, ids: Sequence[int]) -> LabelMap:
    """Move the borders of a mask (S, S): each pixel gets the class with the largest signed distance.

    Args:
        labels: the mask.
        frame: the face's upright frame.
        begin: (N, side, side), signed distances in the frame before the change; see `start`.
        change: (N, side, side), added to ``begin``.
        ids: the N classes; only pixels of these classes change.
    """
    kinds: LabelMap = np.array(ids, np.uint8)
    x, y = frame.places(Box(0, len(labels), 0, len(labels)))
    after, before = (kinds[sample(planes, x, y).argmax(0)] for planes in (begin + change, begin))
    # The borders of the mask and of its copy in the frame differ by a pixel or so; this avoids slivers between them.
    near = max(1, round(1.5 / frame.scale))
    changed = ndimage.maximum_filter(after != before, 2 * near + 1) & (after != labels) & np.isin(labels, kinds)
    result: LabelMap = np.where(changed, after, labels)
    return result


def without_specks(labels: LabelMap, before: LabelMap, least: float) -> LabelMap:
    """Undo changes of a mask whose connected pieces have fewer than ``least`` pixels."""
    changed = labels != before
    pieces, count = ndimage.label(changed)
    if not count:
        return labels
    small = np.bincount(pieces.ravel(), minlength=count + 1) < least
    small[0] = False
    return np.where(small[pieces], before, labels)


def _depth(region: Region) -> Field:
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
