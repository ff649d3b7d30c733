"""Another person's hair, brought onto a face: heads aligned by eyes, nose and mouth, and outlines of faces matched."""

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

_FACE: Final = [ID[name] for name in ("skin", "nose", "eye_g", "l_eye", "r_eye", "l_brow", "r_brow", "mouth", "u_lip",
                                      "l_lip")]  # fmt: skip
_EARS: Final = (ID["l_ear"], ID["r_ear"])
_EYES: Final = (ID["l_eye"], ID["r_eye"], ID["eye_g"])
_BODY: Final = [ID["skin"], ID["neck"]]
_BEHIND: Final = [ID["background"], ID["neck"]]
_HEAD: Final = 0.2  # of the side: skin that hair hid is no farther from the face
_GAP: Final = 0.02  # of the side: gaps that are no wider than twice this are closed beside hair that stays
_WHOLE_EAR: Final = 0.07  # of the side: lower ears are hidden in part
_ABOVE_EAR: Final = 0.06  # of the side: so far above an ear the hair that joins it to the head stays
_RAYS: Final = 180
_TEMPLE: Final = 20.0  # degrees above the horizontal: higher up, the outline of a face is its hairline
_RATIO: Final = (0.8, 1.25)  # how much nearer or farther an outline may come
_SMOOTH: Final = 5.0  # rays
_BEYOND: Final = 0.6  # of the outline's distance: over this, hair beside a face loses what only its outline needs
_MIRRORED: Final = [1, 0, 2, 4, 3]  # the points of `points_of_mask`, seen in a mirror
_OPPOSITE: Final = 0.15  # distances of the eyes; hair is mirrored if that brings the heads' centres so much closer
_SHIFT: Final = 0.45  # distances of the eyes; heads' centres are brought together over this at most
_NARROWER: Final = 0.97  # of the head's width: heads do not get narrower than this
_SMALL: Final = 4.0  # pixels: eyes that are closer together say nothing of a head
_BROW: Final = (0.1, 0.95)  # distances of the eyes above them, where the widths of heads are compared
# Of the outline's distance: over how far beyond it a shift grows to its full length: where the shift makes hair
# narrower, above the head, and, at least, where it makes hair wider, which it may stretch to 1 / (1 - _STRETCHED).
_NARROWED: Final = 0.35
_ABOVE: Final = 0.9
_STRETCHED: Final = 0.6
_STRAND: Final = 0.011  # of the side: half the width of the thinnest strand of a reference's hair that is taken
_PIECE: Final = 0.12  # of the largest piece of its hair: smaller ones are not taken
_CUT: Final = 0.016  # of the side: hair that comes this near to the upper border is cut off by it
_DOME: Final = (0.1, 0.5, 0.15)  # how high hair goes on above a border: of half its width there, and of the side


@dataclass(frozen=True)
class HairFit:
    """Where a place on a face lies in the picture of another.

    Attributes:
        back: (2, 3), maps (x, y, 1) of the face to the other picture; it mirrors if the heads turn to opposite sides.
        middle: (x, y) of the face, around which outlines are compared.
        outline: (rays,) distance of the face's outline from there, in pixels.
        ratio: (rays,) distance of the other face's outline, divided by ``outline``.
        scale: the ratio of the whole heads.
        axis: (x, y), the direction from eye to eye, of length 1.
        shift: pixels of the face along the axis, by how much farther the other head's centre lies from the features:
            heads turn differently.
        spread: pixels, by how much farther the other head's sides lie from its centre; below 0 if it is narrower.
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
        """The same alignment for a face that lies so many pixels further down and right."""
        back = self.back.copy()
        back[:, 2] -= back[:, :2] @ [by, by]
        return replace(self, back=back, middle=self.middle + by)

    def source_of(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Places (x, y) of the other picture that are shown at places (...) of the face."""
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
    """How the hair of a reference (T, T) comes to meet a face (S, S); None if either shows too little of a face."""
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
    """Where the middle of a head lies right of the middle between its eyes, and its width, in distances of the eyes.

    Above the eyes a head's outline is that of its hair; the more a head turns, the farther its middle lies from that of
    its face. Both are 0 if an eye is missing or the border of the picture cuts the head off there.
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
    values = np.clip(values, 0, 1)
    return np.asarray(values * values * (3 - 2 * values))


def fitted_hair(reference: LabelMap, labels: LabelMap, fit: HairFit) -> LabelMap:
    """A face's label map (S, S) with the hair of a reference (T, T), aligned by ``fit``.

    The new hair covers the same parts of the face as in the reference. Regions that the old hair hid become skin or
    background where the reference has these, else what `remove_parts` finds behind the hair. Brows and ears that the
    old hair hid are those of the reference.
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
    if kept.any():  # no gap between the hair that stays and the other's
        reach = round(_GAP * side)
        both = np.pad(result == hair, reach, mode="edge")
        near = ndimage.distance_transform_edt(~both) <= reach
        closed = (ndimage.distance_transform_edt(near) > reach)[reach:-reach, reach:-reach]
        result[closed & lost & (ndimage.distance_transform_edt(~kept) <= 2 * reach)] = hair
    return result


def _without_islands(result: LabelMap, labels: LabelMap) -> LabelMap:
    """A label map (S, S) without clothes and neck that hang together with none of those there were."""
    for kind in (ID["cloth"], ID["neck"]):
        pieces, _ = ndimage.label(result == kind)
        kept = np.isin(pieces, np.unique(pieces[(labels == kind) & (result == kind)]))
        result = np.where((result == kind) & ~kept, ID["background"], result).astype(np.uint8)
    return result


def _between_ears(labels: LabelMap, other: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Hair between a face and its ears and right above them, (S, S): it joins the ears to the head, and stays."""
    side = len(labels)
    face, found = np.isin(labels, _FACE), np.zeros(labels.shape, bool)
    columns = np.arange(side)
    first, last = face.argmax(1)[:, None], side - 1 - face[:, ::-1].argmax(1)[:, None]
    for ear in _EARS:
        region = labels == ear
        if region.sum() < 1e-4 * labels.size or (region & other).sum() > 0.4 * region.sum():
            continue
        rows = np.flatnonzero(region.any(1) & face.any(1))
        if len(rows) < _WHOLE_EAR * side:  # a lobe below long hair
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
    """A label map (S, S) without thin and small pieces of hair: a reference's hair is one thing."""
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
    """A label map (T, T) as it lies on the face, (side, side).

    Beyond the border its outermost labels go on. Hair that the upper border cuts off ends in a dome.
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
    """The number of upper rows of a label map (S, S) that are not used: 0 if its hair ends below them.

    The masks of hair that the border cuts off often end a few pixels below it.
    """
    rows = round(_CUT * len(labels))
    return rows if (labels[:rows] == ID["hair"]).any() else 0


def above_border(labels: LabelMap) -> npt.NDArray[np.bool_]:
    """Where hair that the upper border of a label map (H, W) cuts off would be above it: (rows, W), lowest row last."""
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
    """Distance (rays,) from a middle to the outline of a face, in pixels of the mask that ``turn`` starts from."""
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
    # Rays that leave the picture within the face say nothing of its outline: their neighbours do.
    ends = ~(inside & ~there & (np.arange(there.shape[1]) > last[:, None])).any(1)
    reach = np.where(there.any(1), steps[last], np.nan)
    # Glasses stick out: where they are outermost, the neighbours of the ray count as well.
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
