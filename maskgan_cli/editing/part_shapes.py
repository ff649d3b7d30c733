"""Brows and noses: how MaskVAE moves them, and a mask whose own move so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import ndimage

from maskgan_cli.editing.upright import Box, Field, Upright, largest_piece, sample
from maskgan_cli.labels import ID, LabelMap

_PLACES: Final = 33
_ALONG: Final = np.linspace(0.0, 1.0, _PLACES)
_MIN: Final = 4  # pixels across: a smaller part is a speck
_MARGIN: Final = 0.1  # of the frame: how far a part may go
_NARROWEST: Final = 0.4  # of a nose's width
_SOFT: Final = 0.7  # pixels of the mask: outlines are averaged over it, and carry no steps when they are moved


@dataclass(frozen=True)
class Brow:
    """A brow in an upright frame: where it begins and ends, and the height of its middle line (33,) between."""

    left: float
    right: float
    line: Field


@dataclass(frozen=True)
class Nose:
    """A nose in an upright frame: its top and bottom, and its middle and half its width (33,) between."""

    top: float
    bottom: float
    middle: Field
    half: Field


def measure_brow(labels: LabelMap, name: str, *, fine: int = 1) -> Brow | None:
    """``l_brow`` or ``r_brow`` of an upright mask, whose pixels are ``fine`` to one of the frame; None without it."""
    region = largest_piece(labels == ID[name])
    columns = np.flatnonzero(region.any(0))
    if len(columns) < _MIN:
        return None
    rows = np.arange(len(labels))[:, None] + 0.5
    line = (region * rows).sum(0)[columns] / region.sum(0)[columns]
    return Brow(columns[0] / fine, (columns[-1] + 1) / fine, _along(columns + 0.5, line) / fine)


def measure_nose(labels: LabelMap, *, fine: int = 1) -> Nose | None:
    """The nose of an upright mask; None without one."""
    region = largest_piece(labels == ID["nose"])
    rows = np.flatnonzero(region.any(1))
    if len(rows) < _MIN:
        return None
    columns = np.arange(labels.shape[1])[None, :] + 0.5
    middle = (region * columns).sum(1)[rows] / region.sum(1)[rows]
    left, right = region[rows].argmax(1), region.shape[1] - region[rows][:, ::-1].argmax(1)
    middle = (left + right) / 2
    curves = (_along(rows + 0.5, curve) / fine for curve in (middle, (right - left) / 2))
    return Nose(rows[0] / fine, (rows[-1] + 1) / fine, *curves)


def brow_change(before: LabelMap, after: LabelMap, *, fine: int) -> Field | None:
    """How far down (33,) a brow goes, from its inner to its outer end, in frame pixels; None if no brow is in both.

    Both brows go alike: each place by the mean of the two.
    """
    changes = []
    for name in ("r_brow", "l_brow"):
        old, new = measure_brow(before, name, fine=fine), measure_brow(after, name, fine=fine)
        if old is not None and new is not None:
            change = new.line - old.line
            changes.append(change[::-1] if name == "r_brow" else change)  # the person's right brow ends on the left
    if not changes:
        return None
    basis = np.stack([np.ones(_PLACES), _ALONG, _ALONG**2], 1)
    return np.asarray(basis @ np.linalg.lstsq(basis, np.mean(changes, 0), rcond=None)[0])


def nose_change(before: Nose | None, after: Nose | None) -> Field | None:
    """Which share of the width (33,) is added, from the nose's top to its bottom; None if one mask has no nose."""
    if before is None or after is None:
        return None
    across = 2 * _ALONG - 1
    basis = np.stack([across**power for power in range(4)], 1)
    weights = np.sqrt(before.half)[:, None]  # at the top a pixel is a large share
    change = after.half / np.maximum(before.half, 1e-6) - 1
    return np.asarray(basis @ np.linalg.lstsq(basis * weights, change * weights[:, 0], rcond=None)[0])


def move_brows(labels: LabelMap, frame: Upright, brows: dict[str, Brow | None], down: Field) -> LabelMap:
    """A mask (S, S) whose brows are ``down`` (33,) frame pixels lower, from the inner to the outer end."""
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
    """A mask (S, S) whose nose is wider by shares (33,) of its width, from its top to its bottom."""
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
    """A mask whose class ``kind`` shows, at each pixel of a box, what it has at a place (x, y) of the frame.

    It covers nothing but skin, and leaves skin.
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
    """A curve known at some places, evenly at 33 from its first to its last, without the pixels' steps."""
    smooth = ndimage.gaussian_filter1d(curve, max(0.03 * len(curve), 0.5), mode="nearest")
    ends = (places[0] - 0.5, places[-1] + 0.5)
    return np.asarray(np.interp(ends[0] + _ALONG * (ends[1] - ends[0]), places, smooth))
