"""Mask edits without a second face: grow, move and scale parts, open or close the mouth, put on accessories."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image
from scipy import ndimage

from maskgan_cli.editing.masks import library
from maskgan_cli.editing.masks.shapes import wear
from maskgan_cli.editing.masks.swap import BEHIND, remove_parts
from maskgan_cli.editing.masks.take_off import without
from maskgan_cli.labels import CLASSES, ID, LabelMap

if TYPE_CHECKING:
    from maskgan_cli.editing.masks.directions import Directions, Step

SCALE: Final = 512  # lengths are pixels of a face crop of this size
_UPPER, _LOWER, _INNER = ID["u_lip"], ID["l_lip"], ID["mouth"]


@dataclass(frozen=True)
class Reshaping:
    """Changes of a mask; lengths are pixels of a crop of 512 px.

    Attributes:
        parts: class ids that grow, move and scale apply to.
        grow: outward motion of the parts' outline; below 0 inwards.
        move: right and down.
        scale: factor, around the middle of the parts; parts of a pair, such as the eyes, have their own middles.
        open_mouth: downward motion of the lower lip; below 0 closes the mouth.
        along: names of directions in MaskVAE's latent space, and steps: see `directions`.
        add: names of accessories to put on: see `library.ITEMS`.
        remove: kinds of accessories to take off: see `accessories.take_off.KINDS`.
        beyond: allow steps beyond the range in which the face looks human.
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
        """The values for a result's record."""
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
    """Reshape a label map (S, S); pixels that parts leave are filled as in a swap (see `remove_parts`).

    Args:
        labels: the label map.
        how: the changes; directions come first, then parts, then the mouth, and accessories come last.
        directions: of the MaskVAE in use; needed for ``how.along``.
        steps: the result of every direction is appended to this list.

    Raises:
        InputError: there is no such direction or accessory.
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
    """Move the lower lip down by ``down`` pixels in the middle and 0 in the corners; the inside fills the gap."""
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
    """Move the lower lip up to the upper one; the rest of the mouth becomes skin."""
    result = remove_parts(labels, (_INNER, _LOWER))
    for x in np.flatnonzero((labels == _LOWER).any(0) | (labels == _INNER).any(0)):
        low, inside = np.flatnonzero(labels[:, x] == _LOWER), np.flatnonzero(labels[:, x] == _INNER)
        if len(low):
            above = len(inside[inside < low[0]])
            result[low - above, x] = np.where(result[low - above, x] == _UPPER, _UPPER, _LOWER)
    return result


def _by_place(parts: Collection[int]) -> list[list[int]]:
    """Groups of parts with a common middle for scaling; parts of a pair, such as the eyes, are groups of their own."""
    right = [part for part in parts if CLASSES[part].startswith("r_")]
    pairs = [part for part in parts if CLASSES[part].startswith(("l_e", "l_b"))]
    rest = [part for part in parts if part not in (*right, *pairs)]
    return [group for group in ([*rest], *([part] for part in (*pairs, *right))) if group]


def _grown(labels: LabelMap, parts: Collection[int], by: float) -> LabelMap:
    """Move the outline of parts by ``by`` pixels: outwards over classes behind them, or inwards."""
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
