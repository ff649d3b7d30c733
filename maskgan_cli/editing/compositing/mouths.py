"""Edits mouths of warped photos: inserts the inside of an open mouth, smooths the line between lips, moves the chin."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from scipy import ndimage

from maskgan_cli.editing.compositing.hair_fit import HairFit
from maskgan_cli.editing.compositing.hair_swap import HairSource, hair_source
from maskgan_cli.editing.compositing.membrane import Field
from maskgan_cli.editing.compositing.mouth_light import LEAST, brightest, in_light_of, no_brighter, shadow, span
from maskgan_cli.editing.compositing.registration import Displacement
from maskgan_cli.editing.compositing.texture import Axis, Band, axis_of, band_of, sample_band
from maskgan_cli.editing.options import Inside
from maskgan_cli.files import Picture
from maskgan_cli.labels import ID, LabelMap, Region, part_ids

_INSIDE, _SKIN = ID["mouth"], ID["skin"]
_MOUTH: Final = part_ids("mouth")
_NAMES: Final = ("u_lip", "l_lip", "mouth")
# "Side" is that of the picture, "height" that of the inside of the mouth after the edit.
_OWN: Final = 0.6  # share of the height; if the inside in the photo is at least this high, this inside is warped
_OTHER: Final = 0.4  # share of the height; the inside of a reference's mouth must be at least this high
_SOFT: Final = 0.0025  # share of the side; blur of the inserted inside's edge
# Brightness at the upper edge and in the corners of an inside; painted insides lack the upper lip's shadow.
_SHADE: Final = {Inside.PHOTO: 1.0, Inside.REFERENCE: 0.8, Inside.PAINTED: 0.45}
_TEETH: Final = 0.007  # share of the side; an inside that is higher than this shows teeth or the dark gap
_GAP: Final = (0.2, 0.5)  # brightness of the dark gap relative to the lips, at its back and at the tongue
_TONGUE: Final = (1.0, 0.82, 0.82)  # the tongue's colour relative to the lips'
_RIM: Final = 0.006  # share of the side; the photo's teeth are visible through the lower lip's edge to this distance
_PAINTED_LIGHT: Final = 0.85  # brightness limit of painted teeth, relative to the eyes' whites; they lack dark gaps
_REFERENCE_LIGHT: Final = 1.1  # the same for the teeth of another photo; teeth of portraits have 1.15 (median)
_PAINTED_TEETH: Final = 0.6  # share of the height that painted teeth cover
_JAW: Final = (0.6, 0.25)  # movement of the chin as a share of the mouth's opening, and of its closing
_JUMP: Final = 1.5  # pixels; a field that changes more than this from row to row contains the line of closed lips

Box = tuple[slice, slice]


@dataclass(frozen=True)
class ReferenceFace:
    """Another face whose mouth or hair is used in an edit.

    Attributes:
        picture: (T, T, 3), the face crop.
        labels: (T, T), label map of the crop.
        hair: alignment of this face's hair to the edited face, or None if only the mouth is used.
    """

    picture: Picture
    labels: LabelMap
    hair: HairFit | None = None

    @cached_property
    def hair_source(self) -> HairSource:
        """The picture of this face, prepared so that its hair can be copied; computed only once."""
        return hair_source(self.picture, self.labels)


def source_of_inside(
    before: LabelMap, after: LabelMap, reference: LabelMap | None, wanted: Inside = Inside.AUTO
) -> Inside | None:
    """Choose the picture from which the inside of the mouth (teeth, tongue) is taken after an edit.

    Args:
        before, after: (S, S), label maps of the photo and of the edit.
        reference: (T, T), label map of another face whose mouth is used, or None.
        wanted: the user's choice. ``AUTO`` selects the photo if the mouth in the photo is open wide enough, or else the
            reference if the mouth of the reference is open wide enough. If neither is, ``AUTO`` and ``REFERENCE``
            select the photo, and a dark gap is drawn below the teeth (between the lips if the photo shows no teeth).

    Returns:
        ``PHOTO``, ``REFERENCE`` or ``PAINTED`` (the network's output). None if no inside has to be inserted, because
        the edited mouth is closed, the inside does not change, or the lips part too little to show teeth.
    """
    inside = after == _INSIDE
    if inside.sum() < LEAST * inside.size or np.array_equal(inside, before == _INSIDE):
        return None
    height, own = _height(after), _height(before)
    if wanted in (Inside.AUTO, Inside.PHOTO) and own >= _OWN * height:
        return Inside.PHOTO
    other = 0.0 if reference is None else len(after) / len(reference) * _height(reference)
    if wanted in (Inside.AUTO, Inside.REFERENCE) and other > 0 and other >= _OTHER * height:
        return Inside.REFERENCE
    if wanted is Inside.PAINTED:
        return Inside.PAINTED
    return Inside.PHOTO if max(own, height) >= _TEETH * len(after) else None


def insert_inside(
    picture: Picture, photo: Picture, before: LabelMap, after: LabelMap, source: Inside, reference: ReferenceFace | None
) -> Picture:
    """Insert the inside of the mouth into the edited picture, in the light of the photo.

    If the inside comes from the photo, the photo's own teeth keep their place below the upper lip. If the mouth opens
    further, a dark gap is drawn below the teeth. If the mouth was closed, only the gap is drawn. An inside from the
    reference or from the network is darkened: its bright pixels become at most about as bright as the whites of the
    photo's eyes, and the upper lip casts a shadow.

    Args:
        picture: (S, S, 3), the edited picture, whose inside of the mouth was painted by the network.
        photo: (S, S, 3), the face before the edit.
        before: (S, S), label map of the photo.
        after: (S, S), label map of the edit.
        source: where the inside comes from: see `source_of_inside`.
        reference: the face whose mouth is used; needed only if ``source`` is ``REFERENCE``.

    Returns:
        The edited picture (S, S, 3) with the inserted inside.
    """
    if source is Inside.PHOTO and _height(before) >= _OWN * _height(after):
        return picture  # the inside has moved with the photo
    inside = after == _INSIDE
    rows, columns = (span(inside.any(axis=axis), round(0.03 * len(after)) + 2) for axis in (1, 0))
    box = (rows, columns)
    inserted, limit = picture[box].astype(float), brightest(photo, before)
    new, teeth = _place(after), _height(before) >= _TEETH * len(after)
    if source is Inside.REFERENCE and reference is not None:
        old = _place(reference.labels)
        if old is not None and new is not None:
            sampled = _sampled(reference.picture, box, old, new)
            inserted = in_light_of(sampled, (reference.picture, reference.labels), (photo, before))
        inserted = no_brighter(inserted, inside[box], _REFERENCE_LIGHT * limit)
    elif source is Inside.PHOTO:
        gap = _gap(photo, before, inside[box])
        old = _place(before) if teeth else None
        inserted = gap if old is None or new is None else _with_gap(*_own_teeth(photo, box, old, new), gap)
    else:
        inserted = no_brighter(inserted, inside[box], _PAINTED_LIGHT * limit)
        if new is not None:
            reach = _PAINTED_TEETH * (new[1].bottom - new[1].top).max() - _below_edge(box, new)
            inserted = _with_gap(inserted, reach, _gap(photo, before, inside[box]))
    own_teeth = source is Inside.PHOTO and teeth
    least = _SHADE[Inside.PAINTED if source is Inside.PHOTO and not teeth else source]
    inserted = inserted * shadow(inside[box], least)[..., None]
    alpha = _with_lower_edge(inside[box], _RIM * len(after) if own_teeth else 0.0)
    alpha = ndimage.gaussian_filter(alpha, _SOFT * len(after))[..., None]
    result = picture.copy()
    result[box] = np.clip(np.rint(alpha * inserted + (1 - alpha) * picture[box]), 0, 255).astype(np.uint8)
    return result


def smooth_lip_line(picture: Picture, field: Displacement) -> Picture:
    """Smooth a picture along the line where the lips of a newly closed mouth meet.

    Args:
        picture: (S, S, 3), the picture, after it was warped by the field.
        field: (2, S, S), the displacement field, as returned by `displacement`. It is discontinuous only along the line
            between the lips.

    Returns:
        The smoothed picture (S, S, 3); unchanged if the field is continuous everywhere.
    """
    jump = np.diff(field[0], axis=0)
    columns = np.flatnonzero(jump.max(0) > _JUMP)
    if len(columns) < 3:
        return picture
    side = len(picture)
    columns = np.arange(columns[0], columns[-1] + 1)
    line = ndimage.gaussian_filter1d(jump[:, columns].argmax(0).astype(float) + 0.5, 0.004 * side, mode="nearest")
    wide = 0.003 * side
    offsets = np.arange(-round(3 * wide) - 1, round(3 * wide) + 2)
    rows = np.clip(np.rint(line).astype(np.intp) + offsets[:, None], 0, side - 1)
    band = picture[rows, columns].astype(float)
    smooth = ndimage.gaussian_filter1d(band, 0.012 * side, axis=1, mode="nearest")
    weight = np.exp(-0.5 * ((rows - line) / wide) ** 2)[..., None]
    result = picture.copy()
    result[rows, columns] = np.rint(band + weight * (smooth - band)).astype(np.uint8)
    return result


def with_jaw(before: LabelMap, after: LabelMap) -> LabelMap:
    """Move the chin in the label map of an edit: down if the edit opens the mouth, up if the edit closes the mouth.

    Args:
        before, after: (S, S), the label maps before and after the edit.

    Returns:
        The label map ``after`` (S, S) with the moved chin. If the edit changes anything but mouth and skin, or if the
        chin moves by less than a pixel, ``after`` is returned unchanged.
    """
    changed = before != after
    if not changed.any() or not np.isin([before[changed], after[changed]], (*_MOUTH, _SKIN)).all():
        return after
    opened = _height(after) - _height(before)
    shift = _JAW[0] * opened if opened > 0 else _JAW[1] * opened
    if abs(shift) < 1:
        return after
    rows, columns = np.nonzero(np.isin(before, _MOUTH) | np.isin(after, _MOUTH))
    low, middle = rows.max() + 1, (columns.min() + columns.max()) / 2
    half = 1.1 * max(columns.max() - columns.min(), 1)
    result = after.copy()
    for x in range(max(round(middle - half), 0), min(round(middle + half), after.shape[1])):
        by = round(shift * np.cos(np.pi / 2 * (x - middle) / half) ** 2)
        other = np.flatnonzero(after[low:, x] != _SKIN)
        if not by or not len(other) or not other[0]:
            continue
        end = low + other[0]
        if by > 0:
            result[end : end + by, x] = _SKIN
        else:
            result[max(end + by, low) : end, x] = after[end, x]
    return result


def _height(labels: LabelMap) -> float:
    """Return the mean height of the inside of a mouth in a label map (S, S), in pixels; 0 if there is no mouth.

    The mean is taken over the middle half of the mouth's width.
    """
    counts = (labels == _INSIDE).sum(0)
    lips = np.flatnonzero(np.isin(labels, _MOUTH).any(0))
    if not len(lips):
        return 0.0
    quarter = (lips[-1] - lips[0]) // 4
    return float(counts[lips[0] + quarter : lips[-1] - quarter + 1].mean())


def _place(labels: LabelMap) -> tuple[Axis, Band] | None:
    """Measure where the inside of a mouth lies in a label map (S, S).

    Returns:
        The axis along the mouth, and the inside's upper and lower edges relative to this axis. None if the label map
        shows no mouth, or no inside.
    """
    axis = axis_of(labels, _NAMES)
    band = None if axis is None else band_of(labels, "mouth", axis)
    return None if axis is None or band is None else (axis, band)


def _sampled(picture: Picture, box: Box, old: tuple[Axis, Band], new: tuple[Axis, Band]) -> Field:
    """Warp the inside of a picture's mouth to a new shape.

    Args:
        picture: (T, T, 3), to sample from.
        box: slices (rows, columns) of the edited picture to compute, h x w pixels.
        old, new: place of the mouth's inside in ``picture`` and in the edited picture, as returned by `_place`.

    Returns:
        (h, w, 3), the pixels of the box, sampled as described in `sample_band`.
    """
    y, x = (places.ravel() for places in np.mgrid[box])
    return sample_band(picture, x, y, old, new).reshape(*_shape(box), 3)


def _below_edge(box: Box, place: tuple[Axis, Band]) -> Field:
    """Compute how far each pixel of a box lies below the upper edge of the mouth's inside.

    Args:
        box: slices (rows, columns) of the picture to compute, h x w pixels.
        place: place of the mouth's inside, as returned by `_place`.

    Returns:
        (h, w), the distances in pixels; negative above the edge.
    """
    y, x = (places.ravel() for places in np.mgrid[box])
    along, across = place[0].coordinates(x, y)
    return np.asarray((across - place[1].edges(along)[0]).reshape(_shape(box)))


def _own_teeth(photo: Picture, box: Box, old: tuple[Axis, Band], new: tuple[Axis, Band]) -> tuple[Field, Field]:
    """Move the photo's own teeth to the new position of the upper lip, without stretching the teeth vertically.

    Args:
        photo: (S, S, 3), the face before the edit.
        box: slices (rows, columns) of the edited picture to compute, h x w pixels.
        old, new: place of the mouth's inside before and after the edit, as returned by `_place`.

    Returns:
        The pixels (h, w, 3) of the box, and the distance (h, w), in pixels, of each pixel above the lower end of the
        moved teeth.
    """
    (old_axis, source), (new_axis, target) = old, new
    y, x = (places.ravel() for places in np.mgrid[box])
    along, across = new_axis.coordinates(x, y)
    place = (along - target.reach[0]) / (target.reach[1] - target.reach[0])
    from_along = source.reach[0] + place * (source.reach[1] - source.reach[0])
    top, bottom = source.edges(from_along)
    down = across - target.edges(along)[0]
    reach = bottom - top - down
    at = old_axis.pixels(from_along, top + np.minimum(down, bottom - top))
    channels = (photo[..., c].astype(float) for c in range(3))
    planes = [ndimage.map_coordinates(one, [at[1], at[0]], order=1, mode="nearest") for one in channels]
    return np.stack(planes, -1).reshape(*_shape(box), 3), reach.reshape(_shape(box))


def _with_gap(teeth: Field, reach: Field, dark: Field) -> Field:
    """Combine the teeth of an open mouth with the dark gap below the teeth.

    Args:
        teeth: (h, w, 3), shown where ``reach`` is above 0.
        reach: (h, w), distance of each pixel above the lower end of the teeth, in pixels.
        dark: (h, w, 3), colours of the gap, shown elsewhere.

    Returns:
        (h, w, 3), the teeth and the gap, with a soft transition between both.
    """
    shown = np.clip(reach / 2.0 + 0.5, 0, 1)[..., None]
    return np.asarray(shown * teeth + (1 - shown) * dark)


def _gap(photo: Picture, labels: LabelMap, inside: Region) -> Field:
    """Compute the colours of the dark gap below the teeth: a dark version of the lips' colour, lighter at the tongue.

    Args:
        photo: (S, S, 3), in which the lips' colour is measured.
        labels: (S, S), label map of the photo.
        inside: (h, w), True for the inside of the edited mouth.

    Returns:
        (h, w, 3), the colours, 0 to 255.
    """
    lips = photo[np.isin(labels, part_ids("lips"))]
    lips = lips if len(lips) >= 16 else photo[labels == _SKIN]
    colour = np.median(lips, axis=0) if len(lips) else np.full(3, 90.0)
    high = max(float(inside.sum(0).max()), 2.0)
    tongue = ndimage.shift(inside.astype(float), (0.5 * high, 0), order=1)
    tongue = ndimage.gaussian_filter(tongue * inside, (0.12 * high, 0.5 * high))[..., None]
    return np.asarray((_GAP[0] + (_GAP[1] * np.array(_TONGUE) - _GAP[0]) * np.clip(tongue, 0, 1)) * colour)


def _with_lower_edge(inside: Region, wide: float) -> Field:
    """Extend a region (h, w) downwards by ``wide`` pixels; return floats (h, w), 1 in the new region, else 0."""
    if wide < 1:
        return inside.astype(float)
    lower = np.zeros_like(inside)
    for by in range(1, round(wide) + 1):
        lower[by:] |= inside[:-by]
    return np.asarray((inside | lower).astype(float))


def _shape(box: Box) -> tuple[int, int]:
    """Return the height and the width of a box, in pixels."""
    return box[0].stop - box[0].start, box[1].stop - box[1].start
