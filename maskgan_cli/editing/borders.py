"""Borders of a mask moved by as much as MaskVAE moves them: signed distances of every class, added and compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy import ndimage

from maskgan_cli.editing.upright import Box, Field, Region, Upright, sample
from maskgan_cli.labels import LabelMap

DEEP: Final = 48  # pixels of the frame: what lies deeper in a class, or farther from it, counts as so deep
_SOFT_CHANGE: Final = 2.0  # pixels of the frame: MaskVAE's own outlines are no finer
_SOFT_BORDER: Final = 1.0  # the mask's own, where they move
_NEAR: Final = 8.0  # pixels of the frame outside a class: so far its own border counts,
_FADING: Final = 12.0  # and fades out over about so many


def depths(labels: LabelMap, ids: Sequence[int]) -> Field:
    """How far inside each class a pixel of a mask (S, S) lies, below 0 outside: (N, S, S), at most `DEEP`."""
    return np.stack([_depth(labels == kind) for kind in ids]) if len(ids) else np.zeros((0, *labels.shape), np.float32)


def smooth(planes: Field, by: float = _SOFT_CHANGE) -> Field:
    """Planes (N, S, S) without what is finer than MaskVAE's outlines, or than ``by``."""
    return np.asarray(ndimage.gaussian_filter(planes, (0, by, by), truncate=3))


def start(own: Field, before: Field) -> Field:
    """The depths (N, S, S) that a change begins with: the mask's own, but MaskVAE's far outside a class.

    Where new hair appears far from the old, the old hair's border says nothing of the new one's.
    """
    far = np.maximum(-own - _NEAR, 0.0) / _FADING
    return np.asarray(before + np.exp(-far * far) * (smooth(own, _SOFT_BORDER) - before))


def move_borders(labels: LabelMap, frame: Upright, begin: Field, change: Field, ids: Sequence[int]) -> LabelMap:
    """A mask (S, S) where the change moves its borders: the class that is then deepest lies at each pixel.

    Args:
        labels: the mask.
        frame: the face's.
        begin: (N, side, side), the depths of the mask's classes in the frame; see `start`.
        change: (N, side, side), what is added to them there.
        ids: the N classes; no other is gained or lost.
    """
    kinds: LabelMap = np.array(ids, np.uint8)
    x, y = frame.places(Box(0, len(labels), 0, len(labels)))
    there, here = (kinds[sample(planes, x, y).argmax(0)] for planes in (begin + change, begin))
    # The mask's borders lie a little beside those of its copy in the frame: no slivers between the two.
    near = max(1, round(1.5 / frame.scale))
    changed = ndimage.maximum_filter(there != here, 2 * near + 1) & (there != labels) & np.isin(labels, kinds)
    result: LabelMap = np.where(changed, there, labels)
    return result


def without_specks(labels: LabelMap, before: LabelMap, least: float) -> LabelMap:
    """A mask without the changes that are smaller than ``least`` pixels in one piece."""
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
