"""Describe a face's outline by rays from the face's middle: measure it, measure how MaskVAE changes it, and move it.

Regions near the outline move with the outline: ears, earrings and hair beside it, and the neck below it. Eyes, brows,
nose and mouth keep their position. The upright frame of a face is explained in `upright`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import ndimage

from maskgan_cli.data.alignment import CROP
from maskgan_cli.editing.masks.upright import Box, Field, Upright, sample
from maskgan_cli.labels import GROUPS, ID, LabelMap

RAYS: Final = 180
_ANGLES: Final = (np.arange(RAYS) + 0.5) / RAYS * 2 * np.pi - np.pi / 2  # the rays go clockwise, starting straight up
_FACE: Final = [ID[name] for name in ("skin", *GROUPS["face"], "eye_g")]
_FEATURES: Final = [ID[name] for name in (*GROUPS["face"], "eye_g")]
# Which pixels move, by their distance from the middle as a share of the outline's distance:
_INNER: Final = 0.45  # below this, pixels do not move; from here, their motion increases up to the outline (1)
_BESIDE: Final = 1.15  # up to this (ears and earrings), pixels move as far as the outline
_OUTER: Final = 2.0  # beyond this, pixels do not move
_SOFT: Final = 0.7  # pixels of the mask; blur of outlines that are moved


@dataclass(frozen=True)
class Outline:
    """A face's outline in its upright frame.

    Attributes:
        middle: (x, y) of the face's middle, where the rays begin.
        reach: (180,), distance from the middle to the outline along each ray, in pixels of the upright frame.
    """

    middle: tuple[float, float]
    reach: Field


def measure_outline(labels: LabelMap, *, fine: int = 1, middle: tuple[float, float] | None = None) -> Outline | None:
    """Measure the outline of a face in its upright mask.

    Args:
        labels: (T, T), the upright mask: see `Upright.labels`.
        fine: number of pixels of the mask per pixel of the upright frame, along each side: see `Upright`.
        middle: (x, y) in the frame, where the rays begin; None: the middle between the cheeks, at the height between
            eyes and mouth.

    Returns:
        The outline; None if ``middle`` is None and the mask shows no face at this height.
    """
    side, face = len(labels), np.isin(labels, _FACE)
    if middle is None:
        row = CROP[:, 1].mean() * side
        columns = np.flatnonzero(face[int(row)])
        if not len(columns):
            return None
        middle = ((columns[0] + columns[-1] + 1) / 2 / fine, row / fine)
    steps = np.arange(0.5, side, 1.0)
    x = np.floor(middle[0] * fine + np.cos(_ANGLES)[:, None] * steps).astype(np.intp)
    y = np.floor(middle[1] * fine + np.sin(_ANGLES)[:, None] * steps).astype(np.intp)
    inside = (x >= 0) & (x < side) & (y >= 0) & (y < side)
    shown = inside & face[np.clip(y, 0, side - 1), np.clip(x, 0, side - 1)]
    gaps = (inside & ~shown).argmax(1)
    reach = np.where((inside & ~shown).any(1), gaps, inside.sum(1)).astype(float) / fine
    if reach.min() < 1:
        reach = np.maximum(reach, 1.0)
    return Outline(middle, np.asarray(ndimage.gaussian_filter1d(reach, 1.5, mode="wrap")))


def outline_change(before: Outline | None, after: Outline | None, weights: Field) -> Field | None:
    """Measure the change between two outlines of a face, made symmetric (left and right are averaged).

    Args:
        before, after: the outlines, as returned by `measure_outline`; both have the same middle.
        weights: (180,), factor for the motion at each ray, e.g. the result of `chin`.

    Returns:
        (180,), outward motion of the outline at each ray, as a share of the outline's distance from the middle. None
        if one of the outlines is None.
    """
    if before is None or after is None:
        return None
    change = ndimage.median_filter(after.reach / before.reach - 1, 7, mode="wrap")
    change = (change + change[::-1]) / 2
    return np.asarray(ndimage.gaussian_filter1d(change, 5, mode="wrap") * weights)


def sides_and_chin() -> Field:
    """Return factors (180,) for the outline's motion at each ray: 1 at cheeks and chin, falling to 0 at the top."""
    return _from(np.abs(_down()), 175, 95)


def chin() -> Field:
    """Return factors (180,) for the outline's motion at each ray: 1 at the chin, falling to 0 at the cheeks."""
    return _from(np.abs(_down()), 100, 30)


def move_outline(labels: LabelMap, frame: Upright, outline: Outline, out: Field, reach: list[int]) -> LabelMap:
    """Move the outline of a face in its mask.

    Args:
        labels: (S, S), the mask.
        frame: the coordinate system in which the face is upright: see `Upright`.
        outline: the face's outline in the frame.
        out: (180,), outward motion at each ray, as a share of the outline's distance from the middle; below 0 inwards.
        reach: ids of the classes that may change.

    Returns:
        (S, S), a new mask; ``labels`` itself if nothing moves.
    """
    far = _OUTER * float(outline.reach[np.abs(out) > 1e-3].max(initial=0.0)) * 1.3
    if far == 0:
        return labels
    (a, b), side = outline.middle, len(labels)
    box = frame.box(a - far, a + far, b - far, b + far, side)
    x, y = frame.places(box)
    away = np.hypot(x - a, y - b)
    ray = (np.arctan2(y - b, x - a) + np.pi / 2) / (2 * np.pi) * RAYS - 0.5
    border, shift = (_at(curve, ray) for curve in (outline.reach, out))
    share = away / np.maximum(border * (1 + shift), 1e-6)
    factor = 1 / (1 + shift * _strength(share))
    columns, rows = frame.to_mask(a + (x - a) * factor, b + (y - b) * factor)
    here = labels[box.slices]
    bare = np.where(np.isin(here, _FEATURES), ID["skin"], here)
    moved = _sampled(bare, box, rows, columns, reach)
    changed = (moved != bare) & np.isin(here, reach) & np.isin(bare, reach)
    result = labels.copy()
    result[box.slices] = np.where(changed, moved, here)
    return result


def _sampled(here: LabelMap, box: Box, rows: Field, columns: Field, reach: list[int]) -> LabelMap:
    """Resample a rectangular part of a mask at other positions, and return the new part (h, w) with smooth outlines.

    Args:
        here: (h, w), the part of the mask.
        box: rows and columns of this part in the mask.
        rows, columns: (h, w), positions in the mask from which the result's pixels are taken.
        reach: ids of the classes that the result may contain.
    """
    ids = [kind for kind in reach if (here == kind).any()]
    planes = np.stack([(here == kind).astype(np.float32) for kind in ids])
    soft = ndimage.gaussian_filter(planes, (0, _SOFT, _SOFT), truncate=3)
    result: LabelMap = np.array(ids, np.uint8)[sample(soft, columns - box.left, rows - box.top).argmax(0)]
    return result


def _strength(share: Field) -> Field:
    """Return how far pixels near the outline move, as a share (0 to 1) of the outline's motion.

    Args:
        share: distance of the pixels from the face's middle, as a share of the outline's distance from the middle.
    """
    inner = np.clip((share - _INNER) / (1 - _INNER), 0, 1)
    outer = np.clip((_OUTER - share) / (_OUTER - _BESIDE), 0, 1)
    return np.asarray((inner * inner * (3 - 2 * inner)) * (outer * outer * (3 - 2 * outer)))


def _at(curve: Field, ray: Field) -> Field:
    """Interpolate a value per ray linearly at fractional ray numbers; the last ray is next to the first ray.

    Args:
        curve: (180,), a value for each ray.
        ray: ray numbers, also fractions, in an array of any shape; the result has the same shape.
    """
    low = np.floor(ray).astype(np.intp)
    part = ray - low
    return np.asarray(curve[low % RAYS] * (1 - part) + curve[(low + 1) % RAYS] * part)


def _down() -> Field:
    """Return the angle (180,) between each ray and the downward direction, in degrees from -180 to 180."""
    return np.degrees(_ANGLES - np.pi / 2 + np.pi) % 360 - 180


def _from(angle: Field, zero: float, one: float) -> Field:
    """Return weights for angles in degrees: 1 up to the angle ``one``, falling smoothly to 0 at the angle ``zero``."""
    share = np.clip((zero - angle) / (zero - one), 0, 1)
    return np.asarray(share * share * (3 - 2 * share))
