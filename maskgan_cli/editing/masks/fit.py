"""Align the parts of one face's mask with another face, for swaps between faces in different poses.

The landmarks are the five points of `data.alignment`: eyes, tip of the nose and corners of the mouth.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from maskgan_cli.data.alignment import Points, points_of_mask, similarity
from maskgan_cli.editing.masks.mouth_fit import mouth_transform
from maskgan_cli.editing.masks.upright import sample
from maskgan_cli.labels import CLASSES, LabelMap, part_ids

# Face crops are upright and of equal scale. Smaller rotations and scales between the landmarks of two faces are due to
# pose and expression, and are not corrected. IoU of the swapped mouth, 24 rendered pairs: 0.596
# without a shift, 0.629 with a horizontal shift, 0.354 with rotation, scale and shift by all landmarks.
_TURNED: Final = 15.0  # degrees; a smaller rotation is not corrected
_SCALED: Final = 1.25  # factor; a smaller change of scale is not corrected
_TILTED: Final = 3.0  # degrees between the lines through the eyes; smaller angles are noise
_SOFT: Final = 0.7  # pixels; blur of outlines that are rotated or enlarged
_MOUTH: Final = frozenset(part_ids("mouth"))
# Groups of parts, and the landmarks (rows) that determine the horizontal shift of each group. There is no vertical
# shift, because expressions move the landmarks vertically. For mouths see also `mouth_transform`.
_GROUPS: Final = (
    (_MOUTH, (3, 4)),
    (frozenset(part_ids("nose")), (2,)),
    (frozenset(range(1, len(CLASSES))) - frozenset(part_ids("mouth,nose")), (0, 1)),
)


def fit_parts(target: LabelMap, source: LabelMap, parts: Collection[int]) -> LabelMap:
    """Move parts of the target's label map to where these parts belong in the source's face.

    Each part is shifted horizontally, so that the part's landmarks coincide in both faces: the mouth of a turned head
    is not in the middle of the crop. A mouth is also scaled, sheared and shifted vertically to match the pose of the
    source's head (see `mouth_transform`). If one head is tilted against the other by 3 degrees or more, the parts are
    also rotated. If the faces differ by 15 degrees or more, or in scale by a quarter or more, the rotation and the
    scale are computed from all landmarks, and the parts are shifted so that the eyes coincide. Outlines that are
    rotated or enlarged stay smooth.

    Args:
        target: (T, T), label map of the face whose parts are used.
        source: (S, S), label map of the face that gets the parts.
        parts: class ids of the parts.

    Returns:
        A new label map (S, S) with the moved parts; all other pixels are 0.
    """
    side = len(source)
    there, size = points_of_mask(source), side / len(target)
    here = points_of_mask(target) * size
    linear = _linear(here, there)
    if np.array_equal(linear, np.eye(2)):
        linear = _tilt(here, there)
    tilted = not np.array_equal(linear, np.eye(2))
    plain, here = here, here @ linear.T
    eyes = _shift(here, there, (0, 1)) if tilted else np.zeros(2)
    along = _along(there) if tilted else np.array([1.0, 0.0])
    result: LabelMap = np.zeros_like(source)
    for group, rows in _GROUPS:
        wanted = sorted(group & set(parts))
        if not wanted:
            continue
        matrix, shift = linear, eyes + ((_shift(here, there, rows) - eyes) @ along) * along
        if group == _MOUTH and _known(here, there)[[0, 1, 3, 4]].all():
            matrix, shift = mouth_transform(target, source, linear, eyes, along, (plain, there))
        moved = _moved(target, matrix * size, shift, side, wanted)
        result[moved > 0] = moved[moved > 0]
    return result


def _linear(here: Points, there: Points) -> Points:
    """Return the matrix (2, 2) that rotates and scales one face's landmarks to match the landmarks of another face.

    Return the identity if rotation and scale are so small (below `_TURNED` and `_SCALED`) that differences of pose and
    expression can explain them, or if fewer than three landmarks are known.

    Args:
        here: (5, 2), landmarks of the face to move.
        there: (5, 2), landmarks of the face to match.
    """
    known = _known(here, there)
    if np.count_nonzero(known) < 3:
        return np.eye(2)
    matrix = similarity(np.where(known[:, None], here, np.nan), there)[:, :2]
    scale, turn = float(np.hypot(*matrix[:, 0])), float(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0])))
    if max(scale, 1 / max(scale, 1e-6)) < _SCALED and abs(turn) < _TURNED:
        return np.eye(2)
    return matrix


def _tilt(here: Points, there: Points) -> Points:
    """Return the rotation matrix (2, 2) that makes the lines through the eyes of two faces parallel.

    Return the identity if the angle between the lines is below `_TILTED`. For the arguments see `_linear`.
    """
    (x, y), (a, b) = _along(here), _along(there)
    cosine, sine = x * a + y * b, x * b - y * a
    if abs(np.degrees(np.arctan2(sine, cosine))) < _TILTED:
        return np.eye(2)
    return np.array([[cosine, -sine], [sine, cosine]])


def _shift(here: Points, there: Points, rows: tuple[int, ...]) -> Points:
    """Return the shift (2,) from the mean of some landmarks of one face to the mean of the same landmarks of another.

    If one of these landmarks is unknown (NaN), all known landmarks are used. If no landmark is known, the shift is 0.

    Args:
        here, there: (5, 2), landmarks of the first and of the second face.
        rows: indices of the landmarks.
    """
    known = _known(here, there)
    used = [row for row in rows if known[row]] if known[list(rows)].all() else np.flatnonzero(known)
    return there[used].mean(0) - here[used].mean(0) if len(used) else np.zeros(2)


def _known(here: Points, there: Points) -> npt.NDArray[np.bool_]:
    """Return a boolean array (5,): whether each landmark is known, that is not NaN, in both faces (5, 2)."""
    return np.asarray(np.isfinite(here + there).all(1))


def _along(points: Points) -> Points:
    """Return the unit vector (x, y) from the left to the right eye in the picture, given a face's landmarks (5, 2).

    Return (1, 0) if an eye is unknown (NaN).
    """
    across = points[1] - points[0]
    length = float(np.hypot(*across))
    return across / length if np.isfinite(length) and length > 0 else np.array([1.0, 0.0])


def _moved(labels: LabelMap, linear: Points, offset: Points, side: int, kinds: list[int]) -> LabelMap:
    """Move some classes of a label map by an affine transform; return a label map (side, side) with only these classes.

    A position p of the label map moves to the position ``linear @ p + offset`` of the result. All other pixels of the
    result are 0.

    Args:
        labels: (T, T), the label map.
        linear: (2, 2), matrix of the transform.
        offset: (2,), shift in pixels of the result.
        side: side of the result.
        kinds: ids of the classes that are moved.
    """
    if np.array_equal(linear, np.eye(2)) and side == len(labels):  # shift by whole pixels, which keeps outlines
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
