"""Change a mask without a second face: grow, move and scale parts, open or close the mouth, put on accessories."""

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

SCALE: Final = 512  # lengths are given in pixels of a face crop with this side
_UPPER, _LOWER, _INNER = ID["u_lip"], ID["l_lip"], ID["mouth"]


@dataclass(frozen=True)
class Reshaping:
    """The changes that `reshape` makes to a mask. Lengths are pixels of a face crop of 512 x 512 pixels.

    Attributes:
        parts: ids of the classes to grow, move and scale.
        grow: how far the outline of the parts moves outwards; below 0 inwards.
        move: how far the parts move right and down; below 0 left and up.
        scale: factor of the parts' size. Parts are scaled around their common middle. Each part of a pair, such as the
            eyes, is scaled around its own middle.
        open_mouth: how far the lower lip moves down; any value below 0 closes the mouth.
        along: pairs of the name of an edit direction in MaskVAE's latent space (e.g. ``smile``) and the number of steps
            along this direction: see `directions`.
        add: names of accessories to put on: see `library.ITEMS`.
        remove: kinds of accessories to take off: see `take_off.KINDS`.
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
        """Dict from the name of each change (an attribute of this class) to its value, to store with a result."""
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
    """Change the shape of a mask, and return a new mask (S, S).

    The changes are made in this order: edit directions of MaskVAE, parts, mouth, accessories. If a part moves or
    shrinks, the pixels that it leaves are filled as in `remove_parts`.

    Args:
        labels: (S, S), the mask.
        how: the changes.
        directions: the directions of the MaskVAE in use; needed if ``how.along`` is not empty.
        steps: list to which the result of each direction in ``how.along`` is appended; None: the results are not kept.

    Raises:
        InputError: there is no direction or accessory of that name.
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
    """Move the lower lip of a mask down, and fill the gap with the inside of the mouth.

    Args:
        labels: (S, S), the mask.
        down: motion of the lip's middle in pixels; the motion falls to 0 at the corners of the mouth.

    Returns:
        (S, S), a new mask; unchanged if the mask shows no lower lip.
    """
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
    """Move the lower lip of a mask (S, S) up to the upper lip, and return a new mask. Freed pixels become skin."""
    result = remove_parts(labels, (_INNER, _LOWER))
    for x in np.flatnonzero((labels == _LOWER).any(0) | (labels == _INNER).any(0)):
        low, inside = np.flatnonzero(labels[:, x] == _LOWER), np.flatnonzero(labels[:, x] == _INNER)
        if len(low):
            above = len(inside[inside < low[0]])
            result[low - above, x] = np.where(result[low - above, x] == _UPPER, _UPPER, _LOWER)
    return result


def _by_place(parts: Collection[int]) -> list[list[int]]:
    """Divide parts into groups of class ids; each group is scaled around its common middle.

    Each part of a pair (e.g. each eye) is a group of its own; all other parts are one group.

    Args:
        parts: class ids of the parts.
    """
    right = [part for part in parts if CLASSES[part].startswith("r_")]
    pairs = [part for part in parts if CLASSES[part].startswith(("l_e", "l_b"))]
    rest = [part for part in parts if part not in (*right, *pairs)]
    return [group for group in ([*rest], *([part] for part in (*pairs, *right))) if group]


def _grown(labels: LabelMap, parts: Collection[int], by: float) -> LabelMap:
    """Grow or shrink parts of a mask (S, S), and return a new mask.

    Args:
        labels: the mask.
        parts: class ids of the parts.
        by: motion of the outline in pixels. Above 0: outwards, over the classes that can be behind the part (`BEHIND`).
            Below 0: inwards.
    """
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
    """Scale parts of a mask (S, S) around their common middle, move them, and return the changed mask.

    Args:
        labels: the mask; it is returned unchanged if it contains none of the parts.
        parts: class ids of the parts.
        scale: factor of the parts' size.
        offset: (2,), motion in pixels to the right and down.
    """
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
