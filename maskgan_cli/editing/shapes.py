"""Changes of a label map that need more than a brush: along MaskVAE's manifold, and things to wear."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import ndimage

from maskgan_cli.data.alignment import Points, points_of_mask, similarity
from maskgan_cli.data.resize import resize_labels
from maskgan_cli.editing.library import Item
from maskgan_cli.editing.membrane import Field, Region
from maskgan_cli.editing.swap import remove_parts
from maskgan_cli.labels import CLASSES, ID, LabelMap

if TYPE_CHECKING:
    from maskgan_cli.editing.interpolate import Codes, MaskManifold

_SIDE: Final = 256  # the masks are moved at: the bundled MaskVAE's
_SPECK: Final = 0.03  # of a mouth with its lips: a smaller inside is none
_DEEP: Final = 12.0  # pixels of that: what lies deeper in a class is as deep as can be


def along(labels: LabelMap, manifold: MaskManifold, step: Codes, *, reach: tuple[str, ...] = CLASSES) -> LabelMap:
    """A label map (S, S) moved along MaskVAE's manifold by ``step`` (1, latent).

    The network's own picture of the mask is coarser than the mask, and would replace it as a whole. So the mask's
    borders are moved instead: each class has a depth, how far inside it a pixel lies; by as much as the step
    changes the network's depths, the mask's change; the deepest class wins. A step of 0 changes nothing.

    Args:
        labels: where it begins.
        manifold: a trained MaskVAE.
        step: the way in its space of codes.
        reach: names of the classes between which borders may move.
    """
    side, ids = min(len(labels), _SIDE), [ID[name] for name in reach]
    small, code = resize_labels(labels, side), manifold.encode(labels)
    (before,), (after,) = manifold.decode(code, side), manifold.decode(code + step, side)
    depth, change = _depths(small, ids), _depths(after, ids) - _depths(before, ids)
    kinds: LabelMap = np.array(ids, np.uint8)
    there, here = kinds[(depth + change).argmax(0)], kinds[depth.argmax(0)]
    moved = resize_labels(((there != here) & np.isin(small, ids)).astype(np.uint8), len(labels)).astype(bool)
    if moved.any() and side < len(labels):  # the mask's borders lie a little beside those of its small copy
        moved = ndimage.binary_dilation(moved, iterations=-(-len(labels) // side)) & np.isin(labels, ids)
    return _within_lips(np.where(moved, resize_labels(there, len(labels)), labels), labels)


def _within_lips(labels: LabelMap, before: LabelMap) -> LabelMap:
    """What has become the inside of a mouth without a lip above it, or is a speck, is that lip; and so below."""
    upper, inside, lower = (labels == ID[name] for name in ("u_lip", "mouth", "l_lip"))
    new = inside & (before != ID["mouth"])
    pieces, count = ndimage.label(inside)
    sizes = ndimage.sum_labels(inside, pieces, np.arange(count + 1))
    specks = (sizes < _SPECK * (upper | inside | lower).sum())[pieces]
    bare_above = new & (specks | ~np.logical_or.accumulate(upper, axis=0))
    bare_below = new & ~np.logical_or.accumulate(lower[::-1], axis=0)[::-1]
    result = labels.copy()
    result[bare_below], result[bare_above] = ID["l_lip"], ID["u_lip"]
    return result


def _depths(labels: LabelMap, ids: Sequence[int]) -> Field:
    return np.stack([_depth(labels == i) for i in ids])


def _depth(region: Region) -> Field:
    """How far inside a region a pixel lies, below 0 outside; at most `_DEEP` pixels."""
    if not region.any() or region.all():
        return np.full(region.shape, _DEEP if region.any() else -_DEEP, float)
    inside, outside = (ndimage.distance_transform_edt(part) for part in (region, ~region))
    found: Field = np.clip(np.where(region, inside - 0.5, 0.5 - outside), -_DEEP, _DEEP)
    return found


def wear(labels: LabelMap, item: Item, face: Points | None = None) -> LabelMap:
    """A label map (S, S) that wears something, brought onto the face by its points.

    What it wore of that kind is taken off first. No hair stands above a hat.

    Args:
        labels: the face's.
        item: what it wears.
        face: (5, 2), its points, where they are known better than from ``labels``: a mouth that was painted wider
            makes no face wider.
    """
    points = points_of_mask(labels) if face is None else face
    turn, kind = similarity(item.points, points), item.kind
    bare = remove_parts(labels, [kind]) if (labels == kind).any() else labels.copy()
    worn = _moved(item.labels == kind, turn, len(labels))
    if kind == ID["hat"] and worn.any():
        bare[(bare == ID["hair"]) & _above(worn)] = ID["background"]
    bare[worn] = kind
    return bare


def _above(region: Region) -> Region:
    """What lies above the lower rim of a region (S, S), beside it as at its end."""
    columns = np.flatnonzero(region.any(0))
    rim = len(region) - region[::-1].argmax(0)
    across = np.clip(np.arange(region.shape[1]), columns[0], columns[-1])
    nearest = columns[np.abs(columns[:, None] - across).argmin(0)]
    above: Region = np.arange(len(region))[:, None] < rim[nearest]
    return above


def _moved(region: Region, turn: Points, side: int) -> Region:
    """A region (T, T) after a similarity (2, 3), as a region (side, side): each pixel looks up where it came from."""
    back = np.linalg.inv(turn[:, :2])
    rows, columns = np.mgrid[:side, :side] + 0.5
    source = np.floor(np.stack([columns - turn[0, 2], rows - turn[1, 2]], -1) @ back.T).astype(int)
    inside = ((source >= 0) & (source < len(region))).all(-1)
    source = np.where(inside[..., None], source, 0)
    found: Region = region[source[..., 1], source[..., 0]] & inside
    return found
