"""Blends a painting (the network's output) into its photo without visible seams. Other pixels are unchanged."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import ndimage

from maskgan_cli.editing.compositing.colours import match_parts
from maskgan_cli.editing.compositing.grain import missing_grain
from maskgan_cli.editing.compositing.membrane import Field, harmonic
from maskgan_cli.editing.compositing.moving import PhotoMotion
from maskgan_cli.editing.compositing.own_hair import hair_from_own
from maskgan_cli.editing.compositing.painted_glasses import refine_glasses
from maskgan_cli.editing.compositing.texture import transfer_texture
from maskgan_cli.files import Picture
from maskgan_cli.labels import ID, LabelMap, Region, part_ids

# Lengths are shares of the picture's side.
GROWTH: Final = 0.035  # the edited region grows by this, because masks miss the edges of hair, frames and brows
MOUTH_GROWTH: Final = 0.01  # the same for mouths; cosine of real faces to the source: 0.829 at 0.021, 0.852 at 0.01
_LIP_RIM: Final = 0.016  # width around lost lips that is painted too, because the skin there has the lips' colour
_THICK: Final = 0.008  # parts of lost lips that are thinner than twice this are ignored
_OWN: Final = 0.4  # weight of the photo's texture; cosine of real faces to the source: 0.853 at 0.6, 0.852 at 0.4
_MOUTH: Final = list(part_ids("mouth"))
MARGIN: Final = 0.012  # distance that the edited region keeps from features that the edit does not touch
_FEATURES: Final = part_ids("face,glasses,ears,earring")
_MOVED_GROWTH: Final = 0.012  # growth in a warped photo, whose pixels around the region are correct
_ACCESSORIES: Final = part_ids("glasses,hat,earring,necklace,cloth")
_OTHER: Final = np.where(np.arange(256) == ID["skin"], ID["nose"], ID["skin"]).astype(np.uint8)  # a different class
_HAIR_RIM: Final = 0.008  # hair within this distance of its border is not used, because it shows the background
_SOFT: Final = 0.03  # width of the soft edge around a person
_BAND: Final = 0.06  # width of the band around the region on which grain is measured


def paste_missing(moved: Picture, result: Picture, move: PhotoMotion, after: LabelMap) -> Picture:
    """Blend the painting into a warped photo, only in the regions where the warped photo does not fit the edited mask.

    The seams are hidden as in `paste_seamless`. The regions are enlarged less than in `paste_seamless`, because the
    warped photo is correct around the regions.

    Args:
        moved: (S, S, 3), the warped photo.
        result: (S, S, 3), the painting: the network's output for the edited label map.
        move: the displacement with which the photo was warped; ``move.missing`` is the region to paint.
        after: (S, S), the edited label map.

    Returns:
        The blended picture (S, S, 3), a new array.
    """
    if not move.missing.any():
        return moved.copy()
    before = np.where(move.missing, move.labels, after)
    before = np.where(move.missing & (before == after), _OTHER[after], before)  # marks stretched pixels as edited
    gained = np.unique(after[move.missing])
    reach = (GROWTH if np.isin(gained, _ACCESSORIES).any() else _MOVED_GROWTH) * len(moved)
    away = ndimage.distance_transform_edt(~move.missing) / reach
    result = _with_own_hair(moved, result, move, after, np.asarray(away) <= 1)
    return _blended(moved, result, before, after, np.asarray(away), _region(before, after, away), own=False)


def _with_own_hair(moved: Picture, result: Picture, move: PhotoMotion, after: LabelMap, region: Region) -> Picture:
    """Replace painted hair by hair synthesised from patches of the hair in the warped photo.

    Args:
        moved: (S, S, 3), the warped photo.
        result: (S, S, 3), the painting (the network's output).
        move: the displacement with which the photo was warped.
        after: (S, S), the edited label map.
        region: (S, S), True for the pixels that will be painted; only hair in this region is replaced.

    Returns:
        The painting (S, S, 3) with the replaced hair; unchanged if the photo shows too little hair.
    """
    hair = after == ID["hair"]
    if not (hair & move.missing).any():
        return result
    own = hair & (move.labels == ID["hair"]) & ~region
    own = ndimage.binary_erosion(own, iterations=max(1, round(_HAIR_RIM * len(moved))), border_value=1)
    filled, found = hair_from_own(moved, own, hair & region)
    return np.where(found[..., None], np.clip(np.rint(filled), 0, 255), result).astype(np.uint8)


def paste_soft(source: Picture, result: Picture, before: LabelMap, after: LabelMap, *, softness: float) -> Picture:
    """Blend the painting into the source with a soft edge.

    The edited region (where ``before`` and ``after`` differ) shows the painting. Around this region, the painting fades
    out over a distance of ``softness`` times the picture's side. Farther away, the source's pixels are unchanged.

    Args:
        source: (S, S, 3), the face before the edit.
        result: (S, S, 3), the painting: the network's output for the edited label map.
        before, after: (S, S) label maps of the source and of the edit.
        softness: width of the fade as a share of S, above 0.

    Returns:
        The blended picture (S, S, 3).
    """
    edited = before != after
    if not edited.any():
        return source.copy()
    alpha = _fading(ndimage.distance_transform_edt(~edited) / (softness * len(source)))[..., None]
    mixed = alpha * result + (1.0 - alpha) * source
    pasted: Picture = np.round(mixed).astype(np.uint8)
    return pasted


def paste_seamless(source: Picture, result: Picture, before: LabelMap, after: LabelMap) -> Picture:
    """Blend the painting into the source without a seam, and give the painting the light and the grain of the source.

    The painting replaces the region that `grown` returns: the edited pixels and their surroundings. On the border of
    this region, source and painting differ. This difference is interpolated inside the region (see `harmonic`) and
    added to the painting, as in Poisson image editing (Perez et al., 2003). Lips, brows and other parts get the
    source's colours (see `match_parts`) and texture (see `transfer_texture`). Elsewhere, grain that the painting lacks
    is added. `refine_glasses` corrects new glasses. Outside the region, the source's pixels are unchanged.

    Args:
        source: (S, S, 3), the face before the edit.
        result: (S, S, 3), the painting: the network's output for the edited label map.
        before, after: (S, S) label maps of the source and of the edit.

    Returns:
        The blended picture (S, S, 3).
    """
    if (before == after).all():
        return source.copy()
    away = _away(before, after)
    return _blended(source, result, before, after, away, _region(before, after, away))


def _blended(
    source: Picture,
    result: Picture,
    before: LabelMap,
    after: LabelMap,
    away: Field,
    region: Region,
    *,
    own: bool = True,
) -> Picture:
    """Blend the painting into the source inside a given region, with the method of `paste_seamless`.

    Args:
        source, result, before, after: see `paste_seamless`.
        away: (S, S), scaled distances to the edit, as returned by `_away`. The painting is opaque where the distance is
            0, and fades out until the distance is 1.
        region: (S, S), True for the pixels that may change; at least one.
        own: whether lips, mouth and brows in the region get the texture of the source: see `transfer_texture`.

    Returns:
        The blended picture (S, S, 3).
    """
    box = _around(region, round(_BAND * len(source)) + 2)
    texture, weight = np.zeros((*region[box].shape, 3)), np.zeros(region[box].shape)
    if own:
        texture, weight = (whole[box] for whole in transfer_texture(source, before, after, region))
    region, photo, painting = region[box], source[box].astype(float), result[box].astype(float)
    touched = np.isin(before[box], _touched(before, after))
    band = _near(region, _BAND * len(source)) & touched & ~region
    blended = match_parts(painting + harmonic(photo - painting, region), after[box], region, source, before)
    weight *= _OWN * np.clip(ndimage.distance_transform_edt(region) - 1.0, 0.0, 3.0) / 3.0
    painted = blended + missing_grain(photo, painting, band)
    blended = painted + weight[..., None] * (texture - painted)
    blended = refine_glasses(blended, photo, before[box], after[box], len(source))
    alpha = _fading(away[box])[..., None]
    pasted = source.copy()
    pasted[box][region] = np.clip(np.round(alpha * blended + (1 - alpha) * photo), 0, 255).astype(np.uint8)[region]
    return pasted


def _fading(distance: Field) -> Field:
    """Map distances (any shape) to opacities, which fall smoothly from 1 at distance 0 to 0 at distance 1 or more."""
    share = np.clip(1.0 - distance, 0.0, 1.0)
    return np.asarray(share * share * (3.0 - 2.0 * share))


def paste_person(source: Picture, result: Picture, labels: LabelMap) -> Picture:
    """Blend the whole painted person (all classes but background) into the source, with a soft edge around the person.

    Args:
        source: (S, S, 3), the photo.
        result: (S, S, 3), the painting (the network's output for the whole face).
        labels: (S, S), label map of both pictures.

    Returns:
        The blended picture (S, S, 3); far from the person, the source's pixels are unchanged.
    """
    width = _SOFT * len(source)
    distance = ndimage.distance_transform_edt(labels == ID["background"]) / width
    alpha = np.clip(1.0 - distance, 0.0, 1.0)[..., None]
    pasted: Picture = np.round(alpha * result + (1.0 - alpha) * source).astype(np.uint8)
    return pasted


def grown(before: LabelMap, after: LabelMap) -> Region:
    """Return the region to paint for an edit: the pixels in which two label maps differ, and some of the pixels around.

    The pixels around show creases and shadows of removed parts. The region grows only over classes that the edit
    touches. For example, the region of an edited mouth grows over skin and lips, but not over hair, and keeps a margin
    to eyes and nose. If an edit covers only the end of a feature, such as a brow, the rest of the feature is not
    included. A mouth is always included as a whole.

    Args:
        before, after: (S, S), the label maps before and after the edit.

    Returns:
        (S, S), True inside the region; all False if the label maps are equal.
    """
    if (before == after).all():
        return np.zeros(before.shape, bool)
    return _region(before, after, _away(before, after))


def _region(before: LabelMap, after: LabelMap, away: Field) -> Region:
    """Return the region to paint for an edit, as `grown` does, but compute the region from known distances.

    Args:
        before, after: (S, S), the label maps before and after the edit.
        away: (S, S), the scaled distances to the edit, as returned by `_away`.

    Returns:
        (S, S), True inside the region.
    """
    edited, touched = away == 0, _touched(before, after)
    allowed = (away <= 1) & np.isin(before, touched)
    others = np.isin(before, np.setdiff1d(_FEATURES, touched))
    if others.any():
        allowed &= ~_near(others, MARGIN * len(before))  # excludes lashes and the shadows of nostrils
    pieces, _ = ndimage.label(allowed | edited)
    return np.isin(pieces, np.unique(pieces[edited]))


def _away(before: LabelMap, after: LabelMap) -> Field:
    """Return the distance of each pixel to the edit, in units of the width by which `grown` enlarges the edit.

    The edit consists of the pixels in which the two label maps differ, and of the whole mouth if a part of the mouth
    changes.

    Args:
        before, after: (S, S), the label maps before and after the edit.

    Returns:
        (S, S), 0 inside the edit, and 1 where the region to paint ends.
    """
    edited: Region = before != after
    classes = np.union1d(before[edited], after[edited])
    mouth_alone = np.isin(classes, [*_MOUTH, ID["skin"]]).all()
    if np.isin(classes, _MOUTH).any():
        edited = edited | np.isin(before, _MOUTH) | np.isin(after, _MOUTH)
    reach = (MOUTH_GROWTH if mouth_alone else GROWTH) * len(before)
    away = ndimage.distance_transform_edt(~edited) / reach
    lost = np.isin(before, _MOUTH) & ~np.isin(after, _MOUTH)
    lost = ndimage.binary_opening(lost, iterations=max(1, round(_THICK * len(before))))
    if mouth_alone and lost.any():
        away = np.minimum(away, ndimage.distance_transform_edt(~lost) / (_LIP_RIM * len(before)))
    return np.asarray(away)


def _touched(before: LabelMap, after: LabelMap) -> LabelMap:
    """Return the ids of the classes that an edit removes from, or adds to, a label map.

    A feature of which the edit covers at most half, such as a brow under new hair, does not count as removed.

    Args:
        before, after: (S, S), the label maps before and after the edit.

    Returns:
        The ids, a sorted array of one dimension.
    """
    edited = before != after
    lost, gained = before[edited], after[edited]
    kept = [part for part in _FEATURES if (lost == part).sum() <= 0.5 * (before == part).sum()]
    return np.union1d(np.setdiff1d(lost, kept), gained)


def _near(region: Region, distance: float) -> Region:
    """Return a boolean mask (H, W) of the pixels that are in a region (H, W), or within ``distance`` pixels of it."""
    return np.asarray(ndimage.distance_transform_edt(~region) <= distance)


def _around(region: Region, margin: int) -> tuple[slice, slice]:
    """Return slices (rows, columns) of the bounding box of a region (H, W), enlarged by a margin in pixels.

    The region must not be empty. The slices do not begin before the picture's first row and column.
    """
    rows, columns = (np.flatnonzero(region.any(axis=axis)) for axis in (1, 0))
    return (
        slice(max(rows[0] - margin, 0), rows[-1] + margin + 1),
        slice(max(columns[0] - margin, 0), columns[-1] + margin + 1),
    )
