"""Brows and noses: measuring them, their change by MaskVAE, and moving them in a mask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import ndimage

from maskgan_cli.editing.masks.upright import Box, Field, Upright, largest_piece, sample
from maskgan_cli.labels import ID, LabelMap

_PLACES: Final = 33
_ALONG: Final = np.linspace(0.0, 1.0, _PLACES)
_MIN: Final = 4  # pixels; smaller parts are ignored
_MARGIN: Final = 0.1  # share of the frame; largest motion of a part
_NARROWEST: Final = 0.4  # share of a nose's width
_SOFT: Final = 0.7  # pixels of the mask; blur of outlines, so that they have no steps after they are moved


@dataclass(frozen=True)
class Brow:
    """A brow in an upright frame: x of its ends, and y of its middle line (33,) between them."""

    left: float
    right: float
    line: Field


@dataclass(frozen=True)
class Nose:
    """A nose in an upright frame: y of its top and bottom; x of its middle (33,) and half its width (33,) between."""

    top: float
    bottom: float
    middle: Field
    half: Field


def measure_brow(labels: LabelMap, name: str, *, fine: int = 1) -> Brow | None:
    """Measure ``l_brow`` or ``r_brow`` of an upright mask with ``fine`` pixels per pixel of the frame; or None."""
    region = largest_piece(labels == ID[name])
    columns = np.flatnonzero(region.any(0))
    if len(columns) < _MIN:
        return None
    rows = np.arange(len(labels))[:, None] + 0.5
    line = (region * rows).sum(0)[columns] / region.sum(0)[columns]
    return Brow(columns[0] / fine, (columns[-1] + 1) / fine, _along(columns + 0.5, line) / fine)


def measure_nose(labels: LabelMap, *, fine: int = 1) -> Nose | None:
    """Measure the nose of an upright mask with ``fine`` pixels per pixel of the frame; None without one."""
    region = largest_piece(labels == ID["nose"])
    rows = np.flatnonzero(region.any(1))
    if len(rows) < _MIN:
        return None
    left, right = region[rows].argmax(1), region.shape[1] - region[rows][:, ::-1].argmax(1)
    middle = (left + right) / 2
    curves = (_along(rows + 0.5, curve) / fine for curve in (middle, (right - left) / 2))
    return Nose(rows[0] / fine, (rows[-1] + 1) / fine, *curves)


def brow_change(before: LabelMap, after: LabelMap, *, fine: int) -> Field | None:
    """Downward motion (33,) of the brows in frame pixels, from the inner to the outer end; the mean of both brows.

    None if no brow is in both masks.
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
    """Relative change (33,) of the nose's width, from its top to its bottom; None if one mask has no nose."""
    if before is None or after is None:
        return None
    across = 2 * _ALONG - 1
    basis = np.stack([across**power for power in range(4)], 1)
    weights = np.sqrt(before.half)[:, None]  # the nose is narrow at its top, where a pixel is a large share
    change = after.half / np.maximum(before.half, 1e-6) - 1
    return np.asarray(basis @ np.linalg.lstsq(basis * weights, change * weights[:, 0], rcond=None)[0])


def move_brows(labels: LabelMap, frame: Upright, brows: dict[str, Brow | None], down: Field) -> LabelMap:
    """Move the brows of a mask (S, S) down by ``down`` (33,) frame pixels, from the inner to the outer end."""
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
    """Widen the nose of a mask (S, S) by shares (33,) of its width, from its top to its bottom."""
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
    """Resample class ``kind`` of a mask inside a box, from positions (x, y) of the frame.

    It covers only skin, and leaves skin behind.
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
    """Resample and smooth a curve at 33 evenly spaced positions from its first to its last."""
    smooth = ndimage.gaussian_filter1d(curve, max(0.03 * len(curve), 0.5), mode="nearest")
    ends = (places[0] - 0.5, places[-1] + 0.5)
    return np.asarray(np.interp(ends[0] + _ALONG * (ends[1] - ends[0]), places, smooth))
