"""Measure brows and noses in a mask, measure how MaskVAE changes them, and change them in the mask.

The upright frame of a face is explained in `upright`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import ndimage

from maskgan_cli.editing.masks.upright import Box, Field, Upright, largest_piece, sample
from maskgan_cli.labels import ID, LabelMap

_PLACES: Final = 33  # number of positions along a brow or a nose at which its curves are sampled
_ALONG: Final = np.linspace(0.0, 1.0, _PLACES)
_MIN: Final = 4  # pixels; smaller parts are ignored
_MARGIN: Final = 0.1  # share of the frame's side; brows are drawn only up to this distance from their old place
_NARROWEST: Final = 0.4  # smallest factor of a nose's width
_SOFT: Final = 0.7  # pixels of the mask; blur of outlines, so that they have no steps after they are moved


@dataclass(frozen=True)
class Brow:
    """A brow in a face's upright frame, in pixels of the upright frame.

    Attributes:
        left, right: x of the brow's ends.
        line: y of the brow's middle line at 33 evenly spaced positions from ``left`` to ``right``.
    """

    left: float
    right: float
    line: Field


@dataclass(frozen=True)
class Nose:
    """A nose in a face's upright frame, in pixels of the upright frame.

    Attributes:
        top, bottom: y of the nose's ends.
        middle: x of the nose's middle at 33 evenly spaced positions from ``top`` to ``bottom``.
        half: (33,), half the nose's width at these positions.
    """

    top: float
    bottom: float
    middle: Field
    half: Field


def measure_brow(labels: LabelMap, name: str, *, fine: int = 1) -> Brow | None:
    """Measure a brow in an upright mask; return None if the mask shows less than 4 columns of this brow.

    Args:
        labels: (side * fine, side * fine), the upright mask: see `Upright.labels`.
        name: ``l_brow`` or ``r_brow``.
        fine: number of pixels of the mask per pixel of the upright frame, along each side: see `Upright`.
    """
    region = largest_piece(labels == ID[name])
    columns = np.flatnonzero(region.any(0))
    if len(columns) < _MIN:
        return None
    rows = np.arange(len(labels))[:, None] + 0.5
    line = (region * rows).sum(0)[columns] / region.sum(0)[columns]
    return Brow(columns[0] / fine, (columns[-1] + 1) / fine, _along(columns + 0.5, line) / fine)


def measure_nose(labels: LabelMap, *, fine: int = 1) -> Nose | None:
    """Measure the nose in an upright mask; return None if the mask shows less than 4 rows of a nose.

    Args:
        labels: (side * fine, side * fine), the upright mask: see `Upright.labels`.
        fine: number of pixels of the mask per pixel of the upright frame, along each side: see `Upright`.
    """
    region = largest_piece(labels == ID["nose"])
    rows = np.flatnonzero(region.any(1))
    if len(rows) < _MIN:
        return None
    left, right = region[rows].argmax(1), region.shape[1] - region[rows][:, ::-1].argmax(1)
    middle = (left + right) / 2
    curves = (_along(rows + 0.5, curve) / fine for curve in (middle, (right - left) / 2))
    return Nose(rows[0] / fine, (rows[-1] + 1) / fine, *curves)


def brow_change(before: LabelMap, after: LabelMap, *, fine: int) -> Field | None:
    """Measure how far the brows move down between two upright masks.

    Args:
        before, after: (side * fine, side * fine), the two masks.
        fine: number of pixels of the masks per pixel of the upright frame, along each side: see `Upright`.

    Returns:
        (33,), downward motion in pixels of the upright frame at 33 positions from the inner to the outer end of a brow,
        averaged over both brows. None if no brow is visible in both masks.
    """
    changes = []
    for name in ("r_brow", "l_brow"):
        old, new = measure_brow(before, name, fine=fine), measure_brow(after, name, fine=fine)
        if old is not None and new is not None:
            change = new.line - old.line
            changes.append(change[::-1] if name == "r_brow" else change)  # the right brow's inner end is on its right
    if not changes:
        return None
    basis = np.stack([np.ones(_PLACES), _ALONG, _ALONG**2], 1)
    return np.asarray(basis @ np.linalg.lstsq(basis, np.mean(changes, 0), rcond=None)[0])


def nose_change(before: Nose | None, after: Nose | None) -> Field | None:
    """Measure the change of a nose's width.

    Args:
        before, after: the nose before and after the change, as returned by `measure_nose`.

    Returns:
        (33,), change of the width as a share of the width, at 33 positions from the top to the bottom of the nose. None
        if one of the noses is None.
    """
    if before is None or after is None:
        return None
    across = 2 * _ALONG - 1
    basis = np.stack([across**power for power in range(4)], 1)
    weights = np.sqrt(before.half)[:, None]  # the nose is narrow at its top, where a pixel is a large share
    change = after.half / np.maximum(before.half, 1e-6) - 1
    return np.asarray(basis @ np.linalg.lstsq(basis * weights, change * weights[:, 0], rcond=None)[0])


def move_brows(labels: LabelMap, frame: Upright, brows: dict[str, Brow | None], down: Field) -> LabelMap:
    """Move the brows of a mask down (or up), and return a new mask.

    Args:
        labels: (S, S), the mask.
        frame: the coordinate system in which the face is upright: see `Upright`.
        brows: dict from name to brow (``l_brow``, ``r_brow``); None for a brow that the mask does not show.
        down: (33,), downward motion in pixels of the upright frame, from the inner to the outer end of a brow; below 0
            upward.
    """
    result, margin = labels, _MARGIN * frame.side
    for name, brow in brows.items():
        if brow is None:
            continue
        reach = (float(brow.line.min()) - margin, float(brow.line.max()) + margin)
        box = frame.box(brow.left - 4, brow.right + 4, *reach, len(labels))
        x, y = frame.places(box)
        along = (x - brow.left) / (brow.right - brow.left)
        step = np.interp(along, _ALONG, down[::-1] if name == "r_brow" else down)
        result = _moved(result, frame, box, ID[name], x, y - step)
    return result


def widen_nose(labels: LabelMap, frame: Upright, nose: Nose, wider: Field) -> LabelMap:
    """Widen (or narrow) the nose of a mask, and return a new mask.

    Args:
        labels: (S, S), the mask.
        frame: the coordinate system in which the face is upright: see `Upright`.
        nose: the mask's nose, in the frame.
        wider: (33,), change of the width as a share of the width, from the nose's top to its bottom; below 0 narrower.
    """
    times = np.maximum(1 + wider, _NARROWEST)
    half = float((nose.half * np.maximum(times, 1)).max()) + 4
    box = frame.box(
        float(nose.middle.min()) - half, float(nose.middle.max()) + half, nose.top - 4, nose.bottom + 4, len(labels)
    )
    x, y = frame.places(box)
    along = (y - nose.top) / (nose.bottom - nose.top)
    middle, factor = np.interp(along, _ALONG, nose.middle), np.interp(along, _ALONG, times)
    return _moved(labels, frame, box, ID["nose"], middle + (x - middle) / factor, y)


def _moved(labels: LabelMap, frame: Upright, box: Box, kind: int, x: Field, y: Field) -> LabelMap:
    """Move the pixels of one class of a mask by resampling, and return a new mask (S, S).

    The moved class is drawn only over skin, and skin fills the pixels that it leaves.

    Args:
        labels: (S, S), the mask.
        frame: the coordinate system in which the face is upright: see `Upright`.
        box: the part of the mask in which the class moves.
        kind: id of the class.
        x, y: (h, w), for each pixel of the box, the position in the frame from which the pixel's class is taken.
    """
    here = labels[box.slices]
    columns, rows = frame.to_mask(x, y)
    plane = ndimage.gaussian_filter((here == kind).astype(np.float32), _SOFT)
    shown = sample(plane[None], columns - box.left, rows - box.top)[0]
    part = np.where(here == kind, ID["skin"], here)
    part[(shown >= 0.5) & (part == ID["skin"])] = kind
    result = labels.copy()
    result[box.slices] = part
    return result


def _along(places: Field, curve: Field) -> Field:
    """Smooth a curve, and resample it at 33 evenly spaced positions from its first to its last pixel.

    Args:
        places: (N,), positions of the curve's values: centres of neighbouring pixels.
        curve: (N,), the values.

    Returns:
        (33,), the values at the new positions.
    """
    smooth = ndimage.gaussian_filter1d(curve, max(0.03 * len(curve), 0.5), mode="nearest")
    ends = (places[0] - 0.5, places[-1] + 0.5)
    return np.asarray(np.interp(ends[0] + _ALONG * (ends[1] - ends[0]), places, smooth))
