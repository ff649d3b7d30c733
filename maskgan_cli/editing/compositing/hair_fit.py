"""Aligns another person's hair to a face: by eyes, nose and mouth, the outlines of both faces, and both heads' widths.

The "reference" is the person whose hair is used; the "face" is the one that gets the hair.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from maskgan_cli.data.alignment import Points, points_of_mask, similarity
from maskgan_cli.editing.compositing.hidden_parts import with_hidden_brows, with_hidden_ears
from maskgan_cli.editing.masks.swap import remove_parts
from maskgan_cli.labels import ID, LabelMap

Floats = npt.NDArray[np.float64]

_FACE: Final = [
    ID[name] for name in ("skin", "nose", "eye_g", "l_eye", "r_eye", "l_brow", "r_brow", "mouth", "u_lip", "l_lip")
]
_EARS: Final = (ID["l_ear"], ID["r_ear"])
_EYES: Final = (ID["l_eye"], ID["r_eye"], ID["eye_g"])
_BODY: Final = [ID["skin"], ID["neck"]]
_BEHIND: Final = [ID["background"], ID["neck"]]
_HEAD: Final = 0.2  # share of the side; skin is added up to this distance from the old face, ears and hair
_GAP: Final = 0.02  # share of the side; gaps of up to twice this width between kept old hair and new hair are closed
_WHOLE_EAR: Final = 0.07  # share of the side; ears that are less high are partly hidden
_ABOVE_EAR: Final = 0.06  # share of the side; up to this far above an ear, hair that joins it to the head is kept
_RAYS: Final = 180  # number of directions from the middle of a face in which outlines are compared
_TEMPLE: Final = 20.0  # degrees above the horizontal; above this, the outline is the hairline, and is not compared
_RATIO: Final = (0.8, 1.25)  # limits of `HairFit.ratio`
_SMOOTH: Final = 5.0  # rays; standard deviation of the blur of `HairFit.ratio`
_BEYOND: Final = 0.6  # share of the outline's distance; over this distance beyond it, `ratio` changes to `scale`
_MIRRORED: Final = [1, 0, 2, 4, 3]  # order of the points of `points_of_mask` in a mirrored picture
# "Eye distances": the unit is the distance between the eyes.
_OPPOSITE: Final = 0.15  # eye distances; hair is mirrored if that brings the heads' centres closer by more than this
_SHIFT: Final = 0.45  # eye distances; limit of the correction of a head's centre, and of its width
_NARROWER: Final = 0.97  # the new hair is widened if its head is narrower than this share of the face's own head
_SMALL: Final = 4.0  # pixels; if the eyes are closer together, the head is not measured
_BROW: Final = (0.1, 0.95)  # eye distances above the eyes: range of heights at which heads are measured
# Beyond the outline, the shift grows from 0 to its full length over these shares of the outline's distance: the first
# at the sides of the head, the second above it. Where the shift makes hair wider, it grows more slowly, so that hair is
# stretched at most 1 / (1 - _STRETCHED) times.
_NARROWED: Final = 0.35
_ABOVE: Final = 0.9
_STRETCHED: Final = 0.6
_STRAND: Final = 0.011  # share of the side; half the width of the thinnest strand of a reference's hair that is used
_PIECE: Final = 0.12  # share of the largest piece of a reference's hair; smaller pieces are not used
_CUT: Final = 0.016  # share of the side; hair this near to the upper border counts as cut off by the border
# Height of the dome that completes cut hair: lower and upper limit as shares of half the hair's width at the border,
# and upper limit as a share of the side.
_DOME: Final = (0.1, 0.5, 0.15)


@dataclass(frozen=True)
class HairFit:
    """Alignment of the hair of a reference (the person whose hair is used) to a face.

    The alignment maps positions in the picture of the face to positions in the picture of the reference.

    Attributes:
        back: (2, 3), matrix that maps (x, y, 1) of the face to (x, y) of the reference, so that eyes, nose and mouth
            match. The matrix also mirrors if the heads turn to opposite sides.
        middle: (x, y), middle of the face, from which the outlines of both faces are measured.
        outline: (rays,), distance from the middle to the face's outline in each of 180 directions, in pixels.
        ratio: (rays,), the same distances in the reference (in pixels of the face), divided by ``outline``.
        scale: the mean of ``ratio`` at the sides of the face, used for hair far beyond the outline.
        axis: (x, y), unit vector from the left to the right eye.
        shift: how far the centre of the head lies from the middle between the eyes, along ``axis``: the distance in the
            reference minus the distance in the face, in pixels of the face. 0 if both heads are turned equally.
        spread: half the difference between the width of the reference's head and 97 % of the width of the face's own
            head, in pixels of the face; at most 0. If it is negative, the hair is widened.
    """

    back: Floats
    middle: Floats
    outline: Floats
    ratio: Floats
    scale: float
    axis: Floats
    shift: float
    spread: float

    def shifted(self, by: int) -> HairFit:
        """Return a copy of the alignment for a picture in which the face lies ``by`` pixels further down and right."""
        back = self.back.copy()
        back[:, 2] -= back[:, :2] @ [by, by]
        return replace(self, back=back, middle=self.middle + by)

    def source_of(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Map positions in the face's picture to positions in the reference's picture, where the hair is sampled.

        Args:
            x, y: positions in the face's picture in pixels, two arrays of the same shape.

        Returns:
            x and y in the reference's picture in pixels, two arrays of the same shape.
        """
        right, down = x - self.middle[0], y - self.middle[1]
        ray = np.degrees(np.arctan2(down, right)) % 360 * (_RAYS / 360)
        rays = np.arange(_RAYS)
        outline, ratio = (np.interp(ray, rays, values, period=_RAYS) for values in (self.outline, self.ratio))
        away = np.hypot(right, down)
        beyond = away / outline - 1
        times = ratio + _smooth_step(beyond / _BEYOND) * (self.scale - ratio)
        cosine = (right * self.axis[0] + down * self.axis[1]) / np.maximum(away, 1e-6)
        move = self.shift + self.spread * cosine
        reach = _ABOVE + np.abs(cosine) * (_NARROWED - _ABOVE)
        reach = np.maximum(reach, 1.5 * np.maximum(-move * cosine, 0) / (_STRETCHED * outline))
        move = _smooth_step(beyond / reach) * move
        there = [self.middle[i] + one * times + self.axis[i] * move for i, one in enumerate((right, down))]
        return (
            self.back[0, 0] * there[0] + self.back[0, 1] * there[1] + self.back[0, 2],
            self.back[1, 0] * there[0] + self.back[1, 1] * there[1] + self.back[1, 2],
        )


def fit_hair(reference: LabelMap, labels: LabelMap) -> HairFit | None:
    """Align the hair of a reference (the person whose hair is used) to a face, by the label maps of both.

    Args:
        reference: (T, T), label map of the reference.
        labels: (S, S), label map of the face.

    Returns:
        The alignment; None if too little of the face is visible in either label map.
    """
    ours, theirs = points_of_mask(labels), points_of_mask(reference)
    known = np.asarray(np.isfinite(ours + theirs).all(1))
    if known.sum() < 3:
        return None
    own, other = _head_at_brows(labels, ours), _head_at_brows(reference, theirs)
    mirrored = abs(own[0] - other[0]) > abs(own[0] + other[0]) + _OPPOSITE
    if mirrored:
        theirs, other = theirs[_MIRRORED] * [-1, 1] + [reference.shape[1], 0], (-other[0], other[1])
    back = similarity(np.where(known[:, None], ours, np.nan), theirs)
    if not np.isfinite(back).all():
        return None
    if mirrored:
        back = np.array([[-1.0, 0], [0, 1]]) @ back + [[0, 0, reference.shape[1]], [0, 0, 0]]
    middle: Points = np.nanmean(ours[known], 0)
    outline = _outline(labels, middle)
    others = _outline(reference, back[:, :2] @ middle + back[:, 2], back[:, :2])
    if outline is None or others is None:
        return None
    ratio = np.clip(others / outline, *_RATIO)
    angle = np.arange(_RAYS) * (360 / _RAYS)
    hairline = (angle > 180 + _TEMPLE) & (angle < 360 - _TEMPLE)
    rays = np.arange(_RAYS)
    ratio = np.interp(rays, rays[~hairline], ratio[~hairline])
    ratio = ndimage.gaussian_filter1d(ratio, _SMOOTH, mode="wrap")
    sides = (angle < 45) | ((angle > 135) & (angle < 180 + _TEMPLE)) | (angle > 360 - _TEMPLE)
    scale = float(ratio[sides].mean())
    axis = back[:, :2].T @ ([-1.0, 0.0] if mirrored else [1.0, 0.0])
    shift = spread = 0.0
    if own[1] and other[1]:
        axis, distance, theirs_ = ours[1] - ours[0], float(np.hypot(*(ours[1] - ours[0]))), theirs[1] - theirs[0]
        units = float(np.hypot(*theirs_)) / float(np.sqrt(abs(np.linalg.det(back[:, :2])))) / scale / distance
        shift = float(np.clip(units * other[0] - own[0], -_SHIFT, _SHIFT)) * distance
        narrower = np.clip(units * other[1] - _NARROWER * own[1], -_SHIFT, 0)
        spread = float(narrower) / 2 * distance
    axis = axis / np.hypot(*axis)
    return HairFit(back, np.asarray(middle, float), outline, ratio, scale, axis, shift, spread)


def _head_at_brows(labels: LabelMap, points: Points) -> tuple[float, float]:
    """Measure the position and the width of a head, hair included, at the height of brows and forehead.

    The more a head is turned, the farther its middle lies from the middle between the eyes.

    Args:
        labels: (S, S), label map of the face.
        points: (5, 2), the face's landmarks (x, y): left eye, right eye, nose, mouth corners.

    Returns:
        How far the head's middle lies to the right of the middle between the eyes, and the head's width, both divided
        by the distance between the eyes. Both are 0 if an eye is missing, or if the picture's border cuts the head off.
    """
    if not np.isfinite(points[:2]).all():
        return 0.0, 0.0
    along = points[1] - points[0]
    distance, middle = float(np.hypot(*along)), points[:2].mean(0)
    if distance < _SMALL:
        return 0.0, 0.0
    along = along / distance
    down = np.array([-along[1], along[0]])
    head = np.isin(labels, [*_FACE, ID["hair"]])
    across = np.arange(-2 * distance, 2 * distance)
    half = len(across) // 2
    ends = []
    for height in np.arange(*_BROW, 0.05) * distance:
        columns, rows = np.floor((middle - height * down)[:, None] + along[:, None] * across).astype(int)
        inside = (rows >= 0) & (rows < len(labels)) & (columns >= 0) & (columns < labels.shape[1])
        there = inside & head[np.clip(rows, 0, len(labels) - 1), np.clip(columns, 0, labels.shape[1] - 1)]
        if not there[half]:
            continue
        pieces, _ = ndimage.label(there)
        found = np.flatnonzero(pieces == pieces[half])
        if found[0] > 0 and found[-1] < len(across) - 1 and inside[found[0] - 1] and inside[found[-1] + 1]:
            ends.append(across[found[[0, -1]]] + [0, 1])
    if not ends:
        return 0.0, 0.0
    left, right = np.median(ends, 0) / distance
    return float(left + right) / 2, float(right - left)


def _smooth_step(values: Floats) -> Floats:
    """Clip values (any shape) to the range 0 to 1, and apply smoothstep: a smooth transition from 0 to 1."""
    values = np.clip(values, 0, 1)
    return np.asarray(values * values * (3 - 2 * values))


def fitted_hair(reference: LabelMap, labels: LabelMap, fit: HairFit) -> LabelMap:
    """Replace the hair in a face's label map by the hair of a reference (the person whose hair is used).

    The new hair covers the same parts of the face as in the reference. Regions that only the old hair covered become
    skin or background where the reference shows skin or background; elsewhere, `remove_parts` chooses the class. Brows
    and ears that the old hair hid are copied from the reference.

    Args:
        reference: (T, T), label map of the reference.
        labels: (S, S), label map of the face.
        fit: alignment of the reference's hair to the face, as returned by `fit_hair`.

    Returns:
        The new label map (S, S) of the face.
    """
    side, hair = len(labels), ID["hair"]
    shown = warped_labels(tidy_hair(reference), fit, side)
    result = remove_parts(labels, [hair])
    lost = (labels == hair) & (shown != hair)
    result[lost & np.isin(result, _BODY) & (shown == ID["background"])] = ID["background"]
    place = lost & np.isin(result, _BEHIND) & np.isin(shown, [ID["cloth"], ID["neck"]])
    result[place] = shown[place]
    rows = np.flatnonzero(np.isin(labels, _EYES).any(1))
    above = np.arange(side)[:, None] < (rows.mean() if len(rows) else 0)
    rows = np.flatnonzero((labels == ID["nose"]).any(1))
    above_mouth = np.arange(side)[:, None] < (rows.max() if len(rows) else side)
    skull = np.isin(shown, _FACE) & above_mouth & (lost | (above & (result == ID["background"])))
    near = ndimage.distance_transform_edt(~np.isin(labels, [*_FACE, *_EARS, hair])) < _HEAD * side
    result[skull & near] = ID["skin"]
    result = with_hidden_brows(_without_islands(result, labels), labels, shown)
    result = with_hidden_ears(result, labels, shown)
    kept = lost & _between_ears(labels, shown == hair)
    result[(shown == hair) | kept] = hair
    if kept.any():  # close gaps between the kept old hair and the new hair
        reach = round(_GAP * side)
        both = np.pad(result == hair, reach, mode="edge")
        near = ndimage.distance_transform_edt(~both) <= reach
        closed = (ndimage.distance_transform_edt(near) > reach)[reach:-reach, reach:-reach]
        result[closed & lost & (ndimage.distance_transform_edt(~kept) <= 2 * reach)] = hair
    return result


def _without_islands(result: LabelMap, labels: LabelMap) -> LabelMap:
    """Replace clothes and neck by background where they are not connected to the original clothes and neck.

    Args:
        result: (S, S), the new label map.
        labels: (S, S), the original label map.

    Returns:
        (S, S), the changed copy of ``result``.
    """
    for kind in (ID["cloth"], ID["neck"]):
        pieces, _ = ndimage.label(result == kind)
        kept = np.isin(pieces, np.unique(pieces[(labels == kind) & (result == kind)]))
        result = np.where((result == kind) & ~kept, ID["background"], result).astype(np.uint8)
    return result


def _between_ears(labels: LabelMap, other: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Find the old hair that must be kept: between the face and the ears, and directly above the ears.

    Without this hair, background would separate the ears from the head.

    Args:
        labels: (S, S), the face's original label map.
        other: (S, S), True for the new hair. An ear is ignored if the new hair covers more than 40 % of the ear.

    Returns:
        (S, S), True for the pixels in which hair must be kept.
    """
    side = len(labels)
    face, found = np.isin(labels, _FACE), np.zeros(labels.shape, bool)
    columns = np.arange(side)
    first, last = face.argmax(1)[:, None], side - 1 - face[:, ::-1].argmax(1)[:, None]
    for ear in _EARS:
        region = labels == ear
        if region.sum() < 1e-4 * labels.size or (region & other).sum() > 0.4 * region.sum():
            continue
        rows = np.flatnonzero(region.any(1) & face.any(1))
        if len(rows) < _WHOLE_EAR * side:  # only a lobe is visible below long hair
            continue
        start, end = region.argmax(1).astype(float), (side - 1 - region[:, ::-1].argmax(1)).astype(float)
        above = slice(max(rows[0] - round(_ABOVE_EAR * side), 0), rows[0])
        lift = (rows[0] - np.arange(above.start, above.stop)) * 0.8  # the hair above an ear narrows towards the head
        there = np.zeros((side, 1), bool)
        there[above], there[rows] = True, True
        start[above], end[above] = start[rows[0]] + lift, end[rows[0]] - lift
        start, end = start[:, None], end[:, None]
        left = (start < first) & (columns >= start) & (columns < first)
        right = (end > last) & (columns <= end) & (columns > last)
        found |= (left | right) & there
    return found


def tidy_hair(labels: LabelMap) -> LabelMap:
    """Remove thin strands and small pieces of hair from a label map (S, S), and return the new label map.

    Removed pixels get the class of the nearest pixel that is not hair.
    """
    hair, side = labels == ID["hair"], len(labels)
    if not hair.any():
        return labels
    radius = max(1.0, _STRAND * side)
    padded = np.pad(hair, round(2 * radius) + 1, mode="edge")
    inner = ndimage.distance_transform_edt(padded) > radius
    opened = ndimage.distance_transform_edt(~inner) <= radius + 1
    edge = round(2 * radius) + 1
    opened = opened[edge:-edge, edge:-edge] & hair
    pieces, count = ndimage.label(opened)
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)
    sizes[0] = 0
    kept = (sizes >= _PIECE * max(int(sizes.max()), 1))[pieces] & opened
    gone = hair & ~kept
    if not kept.any() or not gone.any():
        return labels
    nearest = ndimage.distance_transform_edt(hair, return_distances=False, return_indices=True)
    return np.where(gone, labels[tuple(nearest)], labels).astype(np.uint8)


def warped_labels(reference: LabelMap, fit: HairFit, side: int) -> LabelMap:
    """Warp a reference's label map so that its hair is aligned to a face.

    Beyond the reference's border, the classes at its border are repeated. Hair that the upper border cuts off is
    completed by a dome.

    Args:
        reference: (T, T), label map of the reference.
        fit: alignment of the reference's hair to the face.
        side: S, side of the face's picture in pixels.

    Returns:
        (S, S), the warped label map.
    """
    y, x = (places.astype(float) + 0.5 for places in np.mgrid[:side, :side])
    columns, rows = fit.source_of(x, y)
    top = cut_rows(reference)
    reference, rows = reference[top:], rows - top
    size, more = reference.shape[1], above_border(reference)
    whole = np.concatenate([np.where(more, ID["hair"], ID["background"]).astype(np.uint8), reference])
    rows = np.clip(np.floor(rows).astype(np.intp) + len(more), 0, len(whole) - 1)
    return np.asarray(whole[rows, np.clip(np.floor(columns).astype(np.intp), 0, size - 1)])


def cut_rows(labels: LabelMap) -> int:
    """Return how many rows to skip at the top of a label map (S, S): 0 if its upper border does not cut the hair off.

    Rows are skipped because hair that the border cuts off often ends a few pixels below the border in masks.
    """
    rows = round(_CUT * len(labels))
    return rows if (labels[:rows] == ID["hair"]).any() else 0


def above_border(labels: LabelMap) -> npt.NDArray[np.bool_]:
    """Predict the shape of hair above the upper border of a label map (H, W), if this border cuts the hair off.

    Returns:
        A boolean mask (rows, W) of the pixels above the border, True for hair. The last row lies directly above the
        border. All False if no hair is cut off.
    """
    side = labels.shape[1]
    hair = labels == ID["hair"]
    more = np.zeros((round(_DOME[2] * side) + 1, side), bool)
    pieces, count = ndimage.label(hair[0])
    step = max(2, round(0.02 * side))
    up = np.arange(len(more), 0, -1)[:, None] - 0.5
    for piece in range(1, count + 1):
        places = np.flatnonzero(pieces == piece)
        half, middle = len(places) / 2, places.mean()
        if half < 0.01 * side:
            continue
        below, _ = ndimage.label(hair[step])
        wider = (below == below[round(middle)]).sum() / 2 if below[round(middle)] else half
        slope = max((wider - half) / step, 1e-3)
        # A parabola that widens at the border as fast as the hair does below it.
        high = float(np.clip(half / (2 * slope), _DOME[0] * half, min(_DOME[1] * half, _DOME[2] * side)))
        width = half * np.sqrt(np.clip(1 - up / high, 0, 1))
        more |= (np.abs(np.arange(side) - middle) < width) & (up < high)
    return more


def _outline(labels: LabelMap, middle: Floats, turn: Floats | None = None) -> Floats | None:
    """Measure the distance from the middle of a face to the outline of the face, in `_RAYS` (180) directions.

    Args:
        labels: (S, S), label map of the face.
        middle: (x, y), the middle of the face in this label map.
        turn: a matrix (2, 2) that maps vectors in another picture to vectors in this label map, or None. If a matrix is
            given, the directions and the unit of the distances (pixels) are those of the other picture.

    Returns:
        The distances (rays,) in pixels; None if too little of the outline is visible.
    """
    face = np.isin(labels, _FACE)
    angle = np.radians(np.arange(_RAYS) * (360 / _RAYS))
    way = np.stack([np.cos(angle), np.sin(angle)])
    steps = np.arange(2.0, 0.7 * len(labels), 0.5)
    if turn is not None:
        way = turn @ way
        steps = steps / np.sqrt(abs(np.linalg.det(turn)))
    places = middle[:, None, None] + way[:, :, None] * steps
    columns, rows = np.floor(places).astype(int)
    inside = (rows >= 0) & (rows < len(labels)) & (columns >= 0) & (columns < len(labels))
    there = inside & face[np.clip(rows, 0, len(labels) - 1), np.clip(columns, 0, len(labels) - 1)]
    if there.any(1).mean() < 0.9:
        return None
    last = there.shape[1] - 1 - there[:, ::-1].argmax(1)
    # Rays that leave the picture before they leave the face do not show the outline; their neighbours are used.
    ends = ~(inside & ~there & (np.arange(there.shape[1]) > last[:, None])).any(1)
    reach = np.where(there.any(1), steps[last], np.nan)
    # Glasses stick out of the face: rays that end in glasses are replaced by their neighbours, too.
    ray = np.arange(_RAYS)
    row, column = (
        np.clip(one[ray, last], 0, length - 1) for one, length in zip((rows, columns), labels.shape, strict=True)
    )
    good = np.isfinite(reach) & ~ends & (labels[row, column] != ID["eye_g"])
    if good.sum() < _RAYS // 2:
        return None
    rays = np.arange(_RAYS)
    reach = np.interp(rays, rays[good], reach[good], period=_RAYS)
    return np.asarray(ndimage.median_filter(reach, 7, mode="wrap"))
