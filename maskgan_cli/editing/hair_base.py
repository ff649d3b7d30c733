"""A photo without its hair, which is replaced by background, skin and clothes."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import ndimage

from maskgan_cli.editing.extension import Plane, extended
from maskgan_cli.editing.grain import missing_grain
from maskgan_cli.editing.membrane import Field, Region
from maskgan_cli.files import Picture
from maskgan_cli.labels import ID, LabelMap

_HAIR: Final = ID["hair"]
_SKIN: Final = [ID[name] for name in ("skin", "nose", "l_ear", "r_ear", "neck")]
_BACKDROP: Final = [ID["background"]]
_KINDS: Final = (_BACKDROP, _SKIN, [ID["cloth"]])  # what may lie behind hair
# As shares of the side.
_FRINGE: Final = {True: 0.01, False: 0.03}  # what is this near to hair goes with it: on skin, and elsewhere
_EDGE: Final = 0.008  # the rim of a class is not continued: it may be another's
_REMAINS: Final = (
    0.08  # this near to hair, backdrop that is unlike the backdrop farther off is hair that the mask lacks
)
_SHADED: Final = 0.02  # skin this near to the new hair's border is the other's: it lies in that hair's shadow
_TONE: Final = 0.012  # standard deviation over which the tones of two skins are compared
_TONES: Final = (0.87, 1.06)  # of the photo's own skin, going on: how dark and light the other's may be in its place
_FADING: Final = 0.06  # below the nose, over this, the other's skin gives way: beards are no foreheads
_UNLIKE: Final = 24.0  # levels
_THIN: Final = 3.0  # a fringe of hair whose skin is less than this times as far as its backdrop lies on skin


def without_hair(photo: Picture, labels: LabelMap, after: LabelMap, alpha: Plane, skin: Plane, cover: Plane) -> Plane:
    """The photo with what lies behind its hair.

    Backdrop and clothes are continued smoothly and get the photo's grain. Skin is another person's, in the tone of the
    photo's own beside it, so that foreheads have pores and hairlines their shadow.

    Args:
        photo, labels: (S, S, 3) and its label map.
        after: (S, S), the label map with other hair.
        alpha: (S, S), opacity of the hair in the photo.
        skin: (S, S, 3), the other person's skin in its place on this face.
        cover: (S, S), opacity of the other hair.

    Returns:
        (S, S, 3), 0 to 255; the photo's own values away from its hair and the other.
    """
    side, behind = len(labels), _behind(after)
    source = photo.astype(np.float64)
    smooth = ndimage.gaussian_filter(source, (2.0, 2.0, 0))
    hairy = (alpha > 0.03) | (labels == _HAIR)
    away = np.asarray(ndimage.distance_transform_edt(~hairy)) / side
    base, weights, shares = (np.zeros(shape, np.float32) for shape in (photo.shape, labels.shape, labels.shape))
    for kinds in _KINDS:
        mine, here = np.isin(behind, kinds), np.isin(labels, kinds)
        gone = away <= _FRINGE[kinds is _SKIN]
        if not mine.any():
            continue
        inner = here & ~ndimage.binary_dilation(~here & ~hairy, iterations=max(2, round(_EDGE * side)))
        known = (inner if (inner & ~gone).sum() >= 64 else here) & ~gone
        if not known.any():
            continue
        if kinds is _SKIN:
            filled, share = _skin(photo, labels, known, skin, cover)
            share = np.maximum(_soft(np.maximum(gone, share), 0.004 * side), hairy | (away <= 0.4 * _FRINGE[True]))
        else:
            if kinds is _BACKDROP:
                gone = gone | _remains(photo, known, away)
                known &= ~gone
            filled, share = extended(photo, known), np.maximum(_soft(gone, 0.003 * side), hairy)
        grain = missing_grain(source, smooth, known) if kinds is not _SKIN else 0.0
        weight = _soft(mine, max(0.7, 0.002 * side))
        base += weight[..., None] * (filled + grain)
        shares += weight * share
        weights += weight
    total = np.maximum(weights, 0.01)
    share = np.where(weights > 0.01, shares / total, 0)[..., None]
    return np.asarray(photo + share * (base / total[..., None] - photo), np.float32)


def _skin(photo: Picture, labels: LabelMap, known: Region, skin: Plane, cover: Plane) -> tuple[Plane, Plane]:
    """Skin (S, S, 3) for where hair was, and how far it replaces the photo's (S, S) beside that.

    Args:
        photo, labels: (S, S, 3) and its label map.
        known: (S, S), where skin is the photo's own.
        skin, cover: see `without_hair`.
    """
    side = len(labels)
    if (known & (labels == ID["skin"])).any():
        known = known & (labels == ID["skin"])
    away = np.asarray(ndimage.distance_transform_edt(cover < 0.03)) / side  # inside hair, from its border
    beside = np.asarray(ndimage.distance_transform_edt(cover >= 0.03)) / side  # outside it
    far = known & (beside > _SHADED)
    other = _in_tone_of(skin, photo, far if far.sum() > 64 else known)
    source = photo.astype(np.float64)
    smooth = ndimage.gaussian_filter(source, (2.0, 2.0, 0))
    around = extended(photo, known)
    other = np.clip(other, _TONES[0] * around, _TONES[1] * around)
    own = around + missing_grain(source, smooth, known)
    rows = np.flatnonzero((labels == ID["nose"]).any(1))
    low = rows[-1] if len(rows) else side
    down = np.clip((np.arange(side)[:, None] - low) / (_FADING * side) + 1, 0, 1)[..., None]
    share = np.clip(1.5 - away / _SHADED, 0, 1) * np.clip(1.5 - beside / _SHADED, 0, 1) * (labels == ID["skin"])
    share = share * (1 - down[..., 0])
    return np.asarray(other + down * (own - other), np.float32), np.asarray(share, np.float32)


def _in_tone_of(skin: Plane, photo: Picture, known: Region) -> Plane:
    """Skin (S, S, 3) in the light and colour that the photo's has where it is known, and beside that."""
    deviation = _TONE * len(photo)
    ratio = np.log(np.maximum(photo.astype(np.float32), 4)) - np.log(np.maximum(skin, 4))
    weight = known.astype(np.float32)
    mean = ndimage.gaussian_filter(ratio * weight[..., None], (deviation, deviation, 0))
    ratio = extended(mean / np.maximum(ndimage.gaussian_filter(weight, deviation), 1e-3)[..., None], known)
    ratio = np.where(known[..., None], ratio, ndimage.gaussian_filter(ratio, (deviation, deviation, 0)))
    return np.asarray(skin * np.exp(np.clip(ratio, -1.5, 1.5)), np.float32)


def _remains(photo: Picture, known: Region, away: Field) -> Region:
    """Hair in the backdrop (S, S) that the mask does not show: too unlike the backdrop farther off."""
    far = known & (away > _REMAINS)
    if far.sum() < 0.02 * far.size:
        return np.zeros_like(known)
    smooth = ndimage.gaussian_filter(photo.astype(np.float32), (1, 1, 0))
    unlike = (np.abs(smooth - extended(smooth, far)).max(-1) > _UNLIKE) & known & ~far
    return np.asarray(ndimage.binary_dilation(unlike, iterations=max(2, round(_EDGE * len(photo)))))


def _behind(after: LabelMap) -> LabelMap:
    """What lies behind hair in a label map (S, S): the nearest class; skin where a thin fringe of hair lies on it."""
    hair, skin = after == _HAIR, np.isin(after, _SKIN)
    if hair.all():
        return np.zeros_like(after)
    far, nearest = ndimage.distance_transform_edt(hair, return_indices=True)
    result = after[tuple(nearest)]
    if not skin.any():
        return np.asarray(result)
    away, nearest = ndimage.distance_transform_edt(~skin, return_indices=True)
    return np.asarray(np.where(hair & (away < _THIN * far), after[tuple(nearest)], result))


def _soft(region: Region | Plane, deviation: float) -> Plane:
    return np.asarray(ndimage.gaussian_filter(region.astype(np.float32), deviation), np.float32)
