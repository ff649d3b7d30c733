"""Bring the parts of one face onto another by the faces' points: for swaps between unlike poses and framings."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from maskgan_cli.data.alignment import Points, points_of_mask, similarity
from maskgan_cli.editing.upright import sample
from maskgan_cli.labels import CLASSES, LabelMap, part_ids

# Crops are upright and of one scale already: below this, what their points say of turn and scale is pose and
# expression. 24 rendered pairs whose true mask is known, IoU of the mouth: 0.596 as it is, 0.629 moved sideways, 0.600
# also moved up and down by the eyes, 0.354 turned and stretched by the points. Moving sideways can give 0.630 at most.
_TURNED: Final = 15.0  # degrees
_SCALED: Final = 1.25
_TILTED: Final = 3.0  # degrees between the lines of the eyes: less is noise, more is the head's tilt
_SOFT: Final = 0.7  # pixels: outlines that are turned or enlarged are averaged over it, and show no steps
# Which points a part goes by sideways. Up and down nothing moves: a smile lifts the mouth's corners, and shall.
_GROUPS: Final = (
    (frozenset(part_ids("mouth")), (3, 4)),
    (frozenset(part_ids("nose")), (2,)),
    (frozenset(range(1, len(CLASSES))) - frozenset(part_ids("mouth,nose")), (0, 1)),
)


def fit_parts(target: LabelMap, source: LabelMap, parts: Collection[int]) -> LabelMap:
    """The target's label map with some parts moved to where they belong on the source's face.

    Each part is moved sideways so that the points it belongs to meet the source's: a
    turned head's mouth lies aside of the middle. Heads that are tilted otherwise (by three degrees or more between the
    lines of the eyes) are turned by that first. Where the target is framed otherwise (turned by more than 15 degrees,
    or a quarter larger or smaller), all is turned and scaled as the points ask, and moved so that the eyes meet.
    Outlines that are turned or enlarged stay smooth.

    Args:
        target: (T, T).
        source: (S, S).
        parts: class ids; the other classes of the result mean nothing.

    Returns:
        (S, S), a new array.
    """
    side = len(source)
    there, size = points_of_mask(source), side / len(target)
    here = points_of_mask(target) * size
    linear = _linear(here, there)
    framed_alike = np.array_equal(linear, np.eye(2))
    if framed_alike:
        linear = _tilt(here, there)
    tilted = not np.array_equal(linear, np.eye(2))
    here = here @ linear.T
    eyes = _shift(here, there, (0, 1)) if tilted else np.zeros(2)
    along = _along(there) if tilted else np.array([1.0, 0.0])
    result: LabelMap = np.zeros_like(source)
    for group, rows in _GROUPS:
        wanted = sorted(group & set(parts))
        if not wanted:
            continue
        shift = eyes + ((_shift(here, there, rows) - eyes) @ along) * along
        moved = _moved(target, linear * size, shift, side, wanted)
        result[moved > 0] = moved[moved > 0]
    return result


def _linear(here: Points, there: Points) -> Points:
    """The turn and scale (2, 2) between two faces' points (5, 2), if they are more than pose and expression make."""
    known = _known(here, there)
    if np.count_nonzero(known) < 3:
        return np.eye(2)
    matrix = similarity(np.where(known[:, None], here, np.nan), there)[:, :2]
    scale, turn = float(np.hypot(*matrix[:, 0])), float(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0])))
    if max(scale, 1 / max(scale, 1e-6)) < _SCALED and abs(turn) < _TURNED:
        return np.eye(2)
    return matrix


def _tilt(here: Points, there: Points) -> Points:
    """The turn (2, 2) from one line of the eyes to another; none where they are parallel but for noise."""
    (x, y), (a, b) = _along(here), _along(there)
    cosine, sine = x * a + y * b, x * b - y * a
    if abs(np.degrees(np.arctan2(sine, cosine))) < _TILTED:
        return np.eye(2)
    return np.array([[cosine, -sine], [sine, cosine]])


def _shift(here: Points, there: Points, rows: tuple[int, ...]) -> Points:
    """What brings the middle of some points to the others'; of all points where those are not known."""
    known = _known(here, there)
    used = [row for row in rows if known[row]] if known[list(rows)].all() else np.flatnonzero(known)
    return there[used].mean(0) - here[used].mean(0) if len(used) else np.zeros(2)


def _known(here: Points, there: Points) -> npt.NDArray[np.bool_]:
    """Which points (5,) both faces have."""
    return np.asarray(np.isfinite(here + there).all(1))


def _along(points: Points) -> Points:
    """The unit vector from eye to eye."""
    across = points[1] - points[0]
    length = float(np.hypot(*across))
    return across / length if np.isfinite(length) and length > 0 else np.array([1.0, 0.0])


def _moved(labels: LabelMap, linear: Points, offset: Points, side: int, kinds: list[int]) -> LabelMap:
    """Some classes of a label map (T, T) under x -> linear x + offset, as (side, side); 0 where none of them lies."""
    if np.array_equal(linear, np.eye(2)) and side == len(labels):  # to the pixel: every outline as it is
        right, down = (int(np.floor(v + 0.5)) for v in offset)
        rows, columns = np.arange(side) - down, np.arange(side) - right
        inside = ((rows >= 0) & (rows < side))[:, None] & ((columns >= 0) & (columns < side))
        moved = labels[np.clip(rows, 0, side - 1)][:, np.clip(columns, 0, side - 1)]
        return np.where(inside & np.isin(moved, kinds), moved, 0).astype(np.uint8)
    back = np.linalg.inv(linear)
    middles = np.arange(side) + 0.5
    x, y = middles[None, :] - offset[0], middles[:, None] - offset[1]
    x, y = back[0, 0] * x + back[0, 1] * y, back[1, 0] * x + back[1, 1] * y
    planes = np.stack([labels == kind for kind in kinds]).astype(np.float32)
    soft = ndimage.gaussian_filter(planes, (0, _SOFT, _SOFT), truncate=3)
    shown = sample(soft, x, y)
    inside = (x >= 0) & (x < len(labels)) & (y >= 0) & (y < len(labels)) & (shown.sum(0) >= 0.5)
    return np.where(inside, np.array(kinds, np.uint8)[shown.argmax(0)], 0).astype(np.uint8)
