"""Bring the parts of one face onto another by the faces' points: for swaps between unlike poses and framings."""

from __future__ import annotations

from typing import Final

import numpy as np
from PIL import Image

from maskgan_cli.data.alignment import Points, points_of_mask, similarity
from maskgan_cli.labels import CLASSES, LabelMap, part_ids

# Crops are upright and of one scale already: what their points say of turn and scale below this is pose and expression.
_TURNED: Final = 8.0  # degrees
_SCALED: Final = 1.12
# Which points a part goes by sideways. Up and down, all go by the eyes: a smile lifts the mouth's corners, and shall.
_GROUPS: Final = (
    (frozenset(part_ids("mouth")), (3, 4)),
    (frozenset(part_ids("nose")), (2,)),
    (frozenset(range(1, len(CLASSES))) - frozenset(part_ids("mouth,nose")), (0, 1)),
)


def fit_parts(target: LabelMap, source: LabelMap, parts: tuple[int, ...]) -> LabelMap:
    """The target's label map with some parts moved to where they belong on the source's face.

    Where the target is framed otherwise (turned by more than 8 degrees, or 12 % larger or smaller), all parts are
    turned and scaled as the faces' points ask. Then each part is moved so that the eyes meet, and sideways so that the
    points it belongs to meet the source's: a turned head's mouth lies aside of the middle.

    Args:
        target, source: (S, S), of one size.
        parts: class ids; the other classes of the result mean nothing.

    Returns:
        (S, S), a new array.
    """
    here, there = points_of_mask(target), points_of_mask(source)
    linear = _linear(here, there)
    here = here @ linear.T
    eyes = _shift(here, there, (0, 1))
    along = _along(there)
    result: LabelMap = np.zeros_like(target)
    for group, rows in _GROUPS:
        wanted = sorted(group & set(parts))
        if not wanted:
            continue
        shift = eyes + ((_shift(here, there, rows) - eyes) @ along) * along
        moved = _moved(target, linear, shift)
        shown = np.isin(moved, wanted)
        result[shown] = moved[shown]
    return result


def _linear(here: Points, there: Points) -> Points:
    """The turn and scale (2, 2) between two faces' points (5, 2), if they are more than pose and expression make."""
    known = np.isfinite(here).all(1) & np.isfinite(there).all(1)
    if known.sum() < 3:
        return np.eye(2)
    matrix = similarity(np.where(known[:, None], here, np.nan), there)[:, :2]
    scale, turn = float(np.hypot(*matrix[:, 0])), float(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0])))
    if max(scale, 1 / max(scale, 1e-6)) < _SCALED and abs(turn) < _TURNED:
        return np.eye(2)
    return matrix


def _shift(here: Points, there: Points, rows: tuple[int, ...]) -> Points:
    """What brings the middle of some points to the others'; of all points where those are not known."""
    known = np.isfinite(here).all(1) & np.isfinite(there).all(1)
    used = [row for row in rows if known[row]] if known[list(rows)].all() else np.flatnonzero(known)
    return there[used].mean(0) - here[used].mean(0) if len(used) else np.zeros(2)


def _along(points: Points) -> Points:
    """The unit vector from eye to eye."""
    across = points[1] - points[0]
    length = float(np.hypot(*across))
    return across / length if np.isfinite(length) and length > 0 else np.array([1.0, 0.0])


def _moved(labels: LabelMap, linear: Points, offset: Points) -> LabelMap:
    """A label map under x -> linear x + offset, by nearest neighbour; background comes in from outside."""
    back = np.linalg.inv(linear)
    start = -back @ offset
    numbers = (back[0, 0], back[0, 1], start[0], back[1, 0], back[1, 1], start[1])
    return np.asarray(Image.fromarray(labels).transform(labels.shape[::-1], Image.Transform.AFFINE, numbers))
