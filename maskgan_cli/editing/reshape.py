"""Edits of a mask that need no second face: parts grown, moved and scaled, a mouth opened or closed, things put on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image
from scipy import ndimage

from maskgan_cli.editing import library
from maskgan_cli.editing.accessories.take_off import without
from maskgan_cli.editing.shapes import wear
from maskgan_cli.editing.swap import BEHIND, remove_parts
from maskgan_cli.labels import CLASSES, ID, LabelMap

if TYPE_CHECKING:
    from maskgan_cli.editing.directions import Directions, Step

SCALE: Final = 512  # lengths are pixels of a face crop of this size
_UPPER, _LOWER, _INNER = ID["u_lip"], ID["l_lip"], ID["mouth"]


@dataclass(frozen=True)
class Reshaping:
    """What becomes of some parts; lengths in pixels of a crop of 512 px.

    Attributes:
        parts: class ids.
        grow: how far their outline goes out, or in if negative.
        move: right and down.
        scale: times as large, around their own middle; of a pair, such as the eyes, each around its own.
        open_mouth: how far the lower lip goes down; 0 leaves it, below 0 closes the mouth.
        along: names of directions along MaskVAE's manifold, and how far to go: see `directions`.
        add: names of things to put on: see `library.ITEMS`.
        remove: kinds of things to take off: see `accessories.take_off.KINDS`.
        beyond: go along directions farther than faces look human.
    """

    parts: tuple[int, ...] = ()
    grow: float = 0.0
    move: tuple[float, float] = (0.0, 0.0)
    scale: float = 1.0
    open_mouth: float = 0.0
    along: tuple[tuple[str, float], ...] = ()
    add: tuple[str, ...] = ()
    beyond: bool = False
    remove: tuple[str, ...] = ()

    @property
    def note(self) -> dict[str, object]:
        """For the record of a result."""
        note: dict[str, object] = {"parts": [CLASSES[i] for i in sorted(self.parts)], "grow": self.grow}
        note |= {"move": list(self.move), "scale": self.scale, "open_mouth": self.open_mouth}
        if self.along:
            note["along"] = [list(one) for one in self.along]
        if self.add:
            note["add"] = list(self.add)
        if self.remove:
            note["remove"] = list(self.remove)
        if self.beyond:
            note["beyond"] = True
        return note


def reshape(
    labels: LabelMap, how: Reshaping, directions: Directions | None = None, steps: list[Step] | None = None
) -> LabelMap:
    """A label map (S, S) with parts reshaped; what they leave is filled as a swap does (see `remove_parts`).

    Args:
        labels: where it begins.
        how: what to do: first along directions, then to parts, then to the mouth; things are put on last.
        directions: of the MaskVAE in use, where ``how.along`` names some.
        steps: gets, for every direction, how far it was to go and how far it went.

    Raises:
        InputError: a direction or a thing that there is none of.
    """
    unit, result = len(labels) / SCALE, labels
    for name, amount in how.along:
        assert directions is not None
        step = directions.step(result, name, amount, beyond=how.beyond)
        result = step.labels
        if steps is not None:
            steps.append(step)
    if how.parts and (how.scale != 1.0 or any(how.move)):
        for parts in _by_place(how.parts):
            result = _moved(result, parts, how.scale, np.array(how.move) * unit)
    if how.parts and how.grow:
        result = _grown(result, how.parts, how.grow * unit)
    if how.open_mouth > 0:
        result = open_mouth(result, how.open_mouth * unit)
    elif how.open_mouth < 0:
        result = close_mouth(result)
    if how.remove:
        result = without(result, how.remove)
    for name in how.add:
        result = wear(result, library.item(name))
    return result if result is not labels else labels.copy()


def open_mouth(labels: LabelMap, down: float) -> LabelMap:
    """The lower lip ``down`` pixels lower in the middle, at rest in the corners; the inside of the mouth between."""
    lips = np.isin(labels, (_UPPER, _LOWER, _INNER))
    columns = np.flatnonzero(lips.any(0))
    result = labels.copy()
    if not len(columns):
        return result
    middle, half = (columns[0] + columns[-1]) / 2, max((columns[-1] - columns[0]) / 2, 1)
    for x in columns:
        low = np.flatnonzero(labels[:, x] == _LOWER)
        shift = round(down * (1 - ((x - middle) / half) ** 2))
        if not len(low) or shift <= 0:
            continue
        result[low[0] : low[0] + shift, x] = _INNER
        moved = low + shift
        result[moved[moved < len(labels)], x] = _LOWER
    return result


def close_mouth(labels: LabelMap) -> LabelMap:
    """The lower lip against the upper one; what it leaves is skin. No inside of the mouth is left."""
    result = remove_parts(labels, (_INNER, _LOWER))
    for x in np.flatnonzero((labels == _LOWER).any(0) | (labels == _INNER).any(0)):
        low, inside = np.flatnonzero(labels[:, x] == _LOWER), np.flatnonzero(labels[:, x] == _INNER)
        if len(low):
            above = len(inside[inside < low[0]])
            result[low - above, x] = np.where(result[low - above, x] == _UPPER, _UPPER, _LOWER)
    return result


def _by_place(parts: Collection[int]) -> list[list[int]]:
    """Parts in groups that keep together when they are scaled: of a pair, such as the eyes, each has its own middle."""
    right = [part for part in parts if CLASSES[part].startswith("r_")]
    pairs = [part for part in parts if CLASSES[part].startswith(("l_e", "l_b"))]
    rest = [part for part in parts if part not in (*right, *pairs)]
    return [group for group in ([*rest], *([part] for part in (*pairs, *right))) if group]


def _grown(labels: LabelMap, parts: Collection[int], by: float) -> LabelMap:
    """Parts whose outline goes outwards, over what may lie behind them, or inwards."""
    result = labels if by > 0 else remove_parts(labels, parts)
    result = result.copy()
    for part in sorted(parts):
        region = labels == part
        if not region.any():
            continue
        if by > 0:
            near = ndimage.distance_transform_edt(~region) <= by
            result[near & np.isin(labels, [ID[name] for name in BEHIND[CLASSES[part]]])] = part
        else:
            kept = ndimage.distance_transform_edt(region) > -by
            result[kept] = part
    return result


def _moved(labels: LabelMap, parts: Collection[int], scale: float, offset: np.ndarray) -> LabelMap:
    region = np.isin(labels, list(parts))
    if not region.any():
        return labels
    rows, columns = np.nonzero(region)
    middle = np.array([columns.mean(), rows.mean()]) + 0.5
    start = middle - (middle + offset) / scale
    numbers = (1 / scale, 0.0, float(start[0]), 0.0, 1 / scale, float(start[1]))
    alone = Image.fromarray(np.where(region, labels, 0).astype(np.uint8))
    moved = np.asarray(alone.transform(labels.shape[::-1], Image.Transform.AFFINE, numbers))
    result = remove_parts(labels, parts)
    result[moved > 0] = moved[moved > 0]
    return result
