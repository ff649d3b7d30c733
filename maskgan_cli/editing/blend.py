"""Paste a painting back into its photo, so that untouched pixels stay untouched and no seam shows."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import ndimage

from maskgan_cli.editing.carry import carry_parts
from maskgan_cli.editing.colours import match_parts
from maskgan_cli.editing.grain import missing_grain
from maskgan_cli.editing.membrane import Field, Region, harmonic
from maskgan_cli.editing.moving import PhotoMotion
from maskgan_cli.editing.own_hair import hair_from_own
from maskgan_cli.editing.worn import put_on
from maskgan_cli.files import Picture
from maskgan_cli.labels import ID, LabelMap, part_ids

# How far the edited region is grown, as a share of the side; over that the edit fades out. Hair, frames and brows leave
# fringes that masks do not hold; around a mouth each pixel of the person counts: real faces' cosine to the source is
# 0.829 at 0.021, 0.845 at 0.015 and 0.852 at 0.01.
GROWTH: Final = 0.035
MOUTH_GROWTH: Final = 0.01
# Where lips are lost, their rim of this width is painted over too: else the skin there takes their colour. IoU of the
# mouth read in real faces, and their cosine to the source, when parts kept 0.95 of their texture: 0.758 and 0.844 at
# 0.021, 0.754 and 0.847 at 0.015, 0.751 and 0.851 at 0.012.
_LIP_RIM: Final = 0.016
_THICK: Final = 0.008  # half as thick as what counts as lost
# How far parts that the photo shows keep its own texture. Inside the edit of rendered pairs, IoU of the mouth read in
# real faces, and their cosine to the source: 20.47 dB, 0.745 and 0.853 at 0.6, 20.44, 0.751 and 0.852 so.
_OWN: Final = 0.4
_MOUTH: Final = list(part_ids("mouth"))
MARGIN: Final = 0.012  # what it stays away from other features
_FEATURES: Final = part_ids("face,glasses,ears,earring")
# In a photo that has moved, the painting fades out over this: what is around it is right already.
_MOVED_GROWTH: Final = 0.012
_ACCESSORIES: Final = part_ids("glasses,hat,earring,necklace,cloth")
_OTHER: Final = np.where(np.arange(256) == ID["skin"], ID["nose"], ID["skin"]).astype(np.uint8)  # any other class
_HAIR_RIM: Final = 0.008  # of the side: hair this near to its border shows what is behind it
_SOFT: Final = 0.03  # width of the edge around a person, as a share of the side
_BAND: Final = 0.06  # width of the band around it that the grain is measured on


def paste_missing(moved: Picture, result: Picture, move: PhotoMotion, after: LabelMap) -> Picture:
    """A moved photo (S, S, 3), with the result where it lacks what the label map ``after`` asks for.

    The join is that of `paste_seamless`. It reaches less far around what is missing, where the moved photo is right.
    """
    if not move.missing.any():
        return moved.copy()
    before = np.where(move.missing, move.labels, after)
    before = np.where(move.missing & (before == after), _OTHER[after], before)  # stretched: it is painted all the same
    gained = np.unique(after[move.missing])
    reach = (GROWTH if np.isin(gained, _ACCESSORIES).any() else _MOVED_GROWTH) * len(moved)
    away = ndimage.distance_transform_edt(~move.missing) / reach
    result = _with_own_hair(moved, result, move, after, np.asarray(away) <= 1)
    return _joined(moved, result, before, after, np.asarray(away), _region(before, after, away), own=False)


def _with_own_hair(moved: Picture, result: Picture, move: PhotoMotion, after: LabelMap, region: Region) -> Picture:
    """The result (S, S, 3) with hair of the moved photo's own in a region (S, S), where the photo has enough of it."""
    hair = after == ID["hair"]
    if not (hair & move.missing).any():
        return result
    own = hair & (move.labels == ID["hair"]) & ~region
    own = ndimage.binary_erosion(own, iterations=max(1, round(_HAIR_RIM * len(moved))), border_value=1)
    filled, found = hair_from_own(moved, own, hair & region)
    return np.where(found[..., None], np.clip(np.rint(filled), 0, 255), result).astype(np.uint8)


def paste_soft(source: Picture, result: Picture, before: LabelMap, after: LabelMap, *, softness: float) -> Picture:
    """The result where the mask was edited, the source elsewhere, a soft edge between them.

    The edited region (where ``before`` and ``after`` differ) shows the result in full; over the next
    ``softness`` of the picture's side the result fades out, and beyond that the source is exact.

    Args:
        source, result: (S, S, 3).
        before, after: (S, S) label maps of the source and of the edit.
        softness: width of the fade as a share of S, above 0.

    Returns:
        (S, S, 3).
    """
    edited = before != after
    if not edited.any():
        return source.copy()
    alpha = _fading(ndimage.distance_transform_edt(~edited) / (softness * len(source)))[..., None]
    mixed = alpha * result + (1.0 - alpha) * source
    pasted: Picture = np.round(mixed).astype(np.uint8)
    return pasted


def paste_seamless(source: Picture, result: Picture, before: LabelMap, after: LabelMap) -> Picture:
    """The result in the edited region and a little around it, in the source's light and with its grain.

    The difference between source and result on the rim of the grown region (see `grown`) is spread inside
    it (see `harmonic`) and added to the result, as in Poisson image editing (Perez et al., 2003): on the rim there is
    nothing to see. Parts get the colours that they have in the source (see `match_parts`) and its texture (see
    `carry_parts`); elsewhere the grain that the result lacks is added. Glasses are put on as `put_on` says. Outside
    the region the source is exact.

    Args:
        source, result: (S, S, 3).
        before, after: (S, S) label maps of the source and of the edit.

    Returns:
        (S, S, 3).
    """
    if (before == after).all():
        return source.copy()
    away = _away(before, after)
    return _joined(source, result, before, after, away, _region(before, after, away))


def _joined(
    source: Picture,
    result: Picture,
    before: LabelMap,
    after: LabelMap,
    away: Field,
    region: Region,
    *,
    own: bool = True,
) -> Picture:
    """The result in a region of the source: see `paste_seamless`, and `_away` for ``away``.

    Args:
        own: whether parts in the region get the source's texture, see `carry_parts`.
    """
    box = _around(region, round(_BAND * len(source)) + 2)
    texture, weight = np.zeros((*region[box].shape, 3)), np.zeros(region[box].shape)
    if own:
        texture, weight = (whole[box] for whole in carry_parts(source, before, after, region))
    region, photo, painting = region[box], source[box].astype(float), result[box].astype(float)
    touched = np.isin(before[box], _touched(before, after))
    band = _near(region, _BAND * len(source)) & touched & ~region
    joined = match_parts(painting + harmonic(photo - painting, region), after[box], region, source, before)
    weight *= _OWN * np.clip(ndimage.distance_transform_edt(region) - 1.0, 0.0, 3.0) / 3.0
    painted = joined + missing_grain(photo, painting, band)
    joined = painted + weight[..., None] * (texture - painted)
    joined = put_on(joined, photo, before[box], after[box], len(source))
    alpha = _fading(away[box])[..., None]
    pasted = source.copy()
    pasted[box][region] = np.clip(np.round(alpha * joined + (1 - alpha) * photo), 0, 255).astype(np.uint8)[region]
    return pasted


def _fading(distance: Field) -> Field:
    """1 at a distance of 0, falling to 0 at 1: smoothstep, so that no rim is to be seen at either end."""
    share = np.clip(1.0 - distance, 0.0, 1.0)
    return np.asarray(share * share * (3.0 - 2.0 * share))


def paste_person(source: Picture, result: Picture, labels: LabelMap) -> Picture:
    """The result where the source's label map shows a person (anything but background), with a soft edge.

    Args:
        source, result: (S, S, 3).
        labels: (S, S), of both.

    Returns:
        (S, S, 3); far from the person the source is exact.
    """
    width = _SOFT * len(source)
    distance = ndimage.distance_transform_edt(labels == ID["background"]) / width
    alpha = np.clip(1.0 - distance, 0.0, 1.0)[..., None]
    pasted: Picture = np.round(alpha * result + (1.0 - alpha) * source).astype(np.uint8)
    return pasted


def grown(before: LabelMap, after: LabelMap) -> Region:
    """Where two label maps (S, S) differ, and what lies close to that: creases and shadows of a lost part.

    The region grows over classes that the edit touches and over no other: a mouth's grows over skin and lips, and
    leaves hair, eyes and nose alone, and a margin around eyes and nose. Of a feature that is merely covered at one
    end, such as a brow, the rest stays too; a mouth that changes is painted as a whole.
    """
    if (before == after).all():
        return np.zeros(before.shape, bool)
    return _region(before, after, _away(before, after))


def _region(before: LabelMap, after: LabelMap, away: Field) -> Region:
    """`grown`, given `_away`."""
    edited, touched = away == 0, _touched(before, after)
    allowed = (away <= 1) & np.isin(before, touched)
    others = np.isin(before, np.setdiff1d(_FEATURES, touched))
    if others.any():
        allowed &= ~_near(others, MARGIN * len(before))  # lashes and nostrils' shadows are no colour of the skin
    pieces, _ = ndimage.label(allowed | edited)
    return np.isin(pieces, np.unique(pieces[edited]))


def _away(before: LabelMap, after: LabelMap) -> Field:
    """How far pixels (H, W) are from an edit: 0 in it, 1 as far as its region grows.

    An edit is where two label maps differ, and all of a mouth that changes: half a mouth fits no other half.
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
    if mouth_alone and lost.any():  # where lips have gone, their rim goes too
        away = np.minimum(away, ndimage.distance_transform_edt(~lost) / (_LIP_RIM * len(before)))
    return np.asarray(away)


def _touched(before: LabelMap, after: LabelMap) -> LabelMap:
    """The classes that the edit takes or gives, but features that it only covers a part of, as a fringe does a brow."""
    edited = before != after
    lost, gained = before[edited], after[edited]
    kept = [part for part in _FEATURES if (lost == part).sum() <= 0.5 * (before == part).sum()]
    return np.union1d(np.setdiff1d(lost, kept), gained)


def _near(region: Region, distance: float) -> Region:
    return np.asarray(ndimage.distance_transform_edt(~region) <= distance)


def _around(region: Region, margin: int) -> tuple[slice, slice]:
    """The region's bounding box, wider by a margin where the picture goes on."""
    rows, columns = (np.flatnonzero(region.any(axis=axis)) for axis in (1, 0))
    return (
        slice(max(rows[0] - margin, 0), rows[-1] + margin + 1),
        slice(max(columns[0] - margin, 0), columns[-1] + margin + 1),
    )
