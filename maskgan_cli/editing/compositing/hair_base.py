"""Removes the hair from a photo: fills it with background, skin and clothes, before other hair is put on.

The "other person" is the one whose hair is put on; the skin that the photo's hair hid is taken from that person.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from maskgan_cli.editing.compositing.extension import Plane, extended
from maskgan_cli.editing.compositing.grain import missing_grain
from maskgan_cli.editing.compositing.membrane import Field
from maskgan_cli.files import Picture
from maskgan_cli.labels import ID, LabelMap, Region

_HAIR: Final = ID["hair"]
_SKIN: Final = [ID[name] for name in ("skin", "nose", "l_ear", "r_ear", "neck")]
_EYES: Final = [ID["l_eye"], ID["r_eye"]]
_BROWS: Final = [ID["l_brow"], ID["r_brow"]]
_BACKDROP: Final = [ID["background"]]
_KINDS: Final = (_BACKDROP, _SKIN, [ID["cloth"]])  # groups of classes that may lie behind hair
# Lengths are shares of the side. "Removed hair" is old hair that the new hair does not cover.
# Pixels this near to hair are replaced together with the hair: skin (True), and all other classes (False).
_FRINGE: Final = {True: 0.01, False: 0.03}
_EDGE: Final = 0.008  # rim of a class that is not extrapolated, because it may belong to another class
# Background this near to hair counts as hair that the mask misses, if the difference between its colour and that of the
# background farther away is more than `_UNLIKE`.
_REMAINS: Final = 0.1
# Skin this near to the new hair is taken from the other person, because it shows the shadow of the new hair.
_SHADED: Final = 0.02
_TONE: Final = 0.02  # standard deviation of the blur with which the tones of both skins are compared
_FINE_TONE: Final = 0.008  # standard deviation of the blur with which the result is compared with the photo's own skin
_TONES: Final = 0.12  # limit of the logarithm of the ratio between the other skin's tone and the photo's own
_HAIRLINE: Final = 0.03  # skin this near to removed hair lies in its shadow
# Skin within the first distance of removed hair also lies in shadow if it is darker than the second value, as a share
# of the plane fitted to the skin's lightness.
_SHADOWED: Final = 0.1
_SHADOW: Final = 0.9
_DARKER: Final = (0.03, 0.1)  # skin darker than its surroundings by these shares is partly, or fully, treated as shadow
# Removed hair up to the first distance above the eyes is a fringe. Skin up to the second distance from the fringe shows
# tips of hair that masks miss, so it is replaced; the replacement fades out over the third distance. Skin nearer to the
# eyes than a third of the third distance is never replaced.
_BANGS: Final = (0.14, 0.04, 0.03)
_FADING: Final = 0.06  # over this height above the nose's lower end, the other skin fades into the photo's own (beards)
_UNLIKE: Final = 24.0  # levels: see `_REMAINS`
# A background is plain if its median difference from a smooth surface is at most the first value, in levels, and at
# least the second share of its pixels lies near the surface.
_PLAIN: Final = 8.0
_MOSTLY: Final = 0.6
_SAMPLES: Final = 20_000  # largest number of pixels to which the surface is fitted, approximately
_LEAST: Final = 64  # least number of pixels for a fit
_THIN: Final = 3.0  # skin lies behind hair if it is less than this many times as far away as the nearest other class


def without_hair(photo: Picture, labels: LabelMap, after: LabelMap, alpha: Plane, skin: Plane, cover: Plane) -> Plane:
    """Replace the hair in a photo by what lies behind it (background, skin or clothes), before new hair is put on.

    Background and clothes are extrapolated smoothly and get the photo's grain. Skin is copied from the other person,
    whose hair is put on, so that foreheads have pores and hairlines have their shadow. The copied skin gets the tone of
    the photo's own skin.

    Args:
        photo: (S, S, 3).
        labels: (S, S), label map of the photo.
        after: (S, S), label map of the photo with the new hair.
        alpha: (S, S), opacity of the hair in the photo, 0 to 1.
        skin: (S, S, 3), the other person's skin, aligned to this face.
        cover: (S, S), opacity of the new hair, 0 to 1.

    Returns:
        The photo without its hair (S, S, 3), 0 to 255; unchanged away from the old and the new hair.
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
            filled = _backdrop(photo, known) if kinds is _BACKDROP else extended(photo, known)
            share = np.maximum(_soft(gone, 0.003 * side), hairy)
        grain = missing_grain(source, smooth, known) if kinds is not _SKIN else 0.0
        weight = _soft(mine, max(0.7, 0.002 * side))
        base += weight[..., None] * (filled + grain)
        shares += weight * share
        weights += weight
    total = np.maximum(weights, 0.01)
    share = np.where(weights > 0.01, shares / total, 0)[..., None]
    return np.asarray(photo + share * (base / total[..., None] - photo), np.float32)


def _skin(photo: Picture, labels: LabelMap, known: Region, skin: Plane, cover: Plane) -> tuple[Plane, Plane]:
    """Compute the skin that replaces hair in a photo, from the skin of the other person and the photo's own skin.

    Args:
        photo: (S, S, 3).
        labels: (S, S), label map of the photo.
        known: (S, S), True for the pixels in which the photo shows its own skin.
        skin: (S, S, 3), the skin of the person whose hair is put on, aligned to this face.
        cover: (S, S), opacity of the new hair, 0 to 1.

    Returns:
        The skin (S, S, 3), 0 to 255. And the opacity (S, S), 0 to 1, with which this skin also covers the photo's own
        skin beside the hair, e.g. to remove shadows.
    """
    side = len(labels)
    if (known & (labels == ID["skin"])).any():
        known = known & (labels == ID["skin"])
    beside = np.asarray(ndimage.distance_transform_edt(cover < 0.03)) / side  # outside the new hair, from its border
    within = np.asarray(ndimage.distance_transform_edt(cover >= 0.03)) / side  # inside it
    rows = np.flatnonzero((labels == ID["nose"]).any(1))
    low = rows[-1] if len(rows) else side
    hair = labels == _HAIR
    gone = hair & (cover < 0.5)
    from_gone = np.asarray(ndimage.distance_transform_edt(~gone)) / side if gone.any() else np.ones(labels.shape)
    lit = known & (from_gone > _HAIRLINE) & (beside > _SHADED)
    upper = lit & (np.arange(side)[:, None] < low)
    lit = next((region for region in (upper, lit) if region.sum() > 64), known)
    lit &= _without_shadows(photo, lit) | (from_gone > _SHADOWED)
    around = extended(_mean_of(photo, lit), lit)
    other = _in_tone_of(skin, photo, lit, around)
    source = photo.astype(np.float64)
    smooth = ndimage.gaussian_filter(source, (2.0, 2.0, 0))
    own = extended(photo, known) + missing_grain(source, smooth, known)
    down = np.clip((np.arange(side)[:, None] - low) / (_FADING * side) + 1, 0, 1)[..., None]
    share = np.clip(1.5 - within / _SHADED, 0, 1) * np.clip(1.5 - beside / _SHADED, 0, 1)
    # The removed hair's shadow on the forehead is removed, too; beside the eyes, skin is dark in any case.
    if gone.any():
        brows = np.flatnonzero(np.isin(labels, _BROWS).any(1))
        high = np.arange(side)[:, None] < (brows[0] if len(brows) else low)
        near = np.clip(2 - from_gone / _HAIRLINE, 0, 1)
        darker = 1 - ndimage.gaussian_filter(source.mean(-1), 0.004 * side) / np.maximum(around.mean(-1), 1)
        share = np.maximum(share, high * near * np.clip((darker - _DARKER[0]) / (_DARKER[1] - _DARKER[0]), 0, 1))
        share = np.maximum(share, _below_fringe(labels, gone))
    share = share * (labels == ID["skin"]) * (1 - down[..., 0])
    return np.asarray(other + down * (own - other), np.float32), np.asarray(share, np.float32)


def _below_fringe(labels: LabelMap, gone: Region) -> Plane:
    """Compute how strongly skin below a removed fringe is replaced.

    The tips of a fringe are visible on the forehead, although masks do not label them as hair.

    Args:
        labels: (S, S), the photo's label map.
        gone: (S, S), True for the removed hair.

    Returns:
        The weight (S, S) of the replacement, 0 to 1; all 0 if no eyes are visible, or if no fringe was removed.
    """
    side = len(labels)
    rows, columns = np.nonzero(np.isin(labels, _EYES))
    if not len(rows):
        return np.zeros(labels.shape, np.float32)
    reach, near, fading = (share * side for share in _BANGS)
    y, x = np.arange(side)[:, None], np.arange(side)
    fringe = gone & (y > rows.min() - reach) & (y < rows.min()) & (x >= columns.min()) & (x <= columns.max())
    if not fringe.any():
        return np.zeros(labels.shape, np.float32)
    away = ndimage.distance_transform_edt(~fringe)
    above = np.clip((rows.min() - y) / (fading / 3) - 1, 0, 1)
    return np.asarray(np.clip(1 - (away - near) / fading, 0, 1) * above, np.float32)


def _mean_of(values: npt.NDArray[np.generic], known: Region, deviation: float = _TONE) -> Plane:
    """Compute local means of the known pixels: blur values with a Gaussian in which unknown pixels have no weight.

    Args:
        values: (S, S, C).
        known: (S, S), True where a pixel is known.
        deviation: standard deviation of the Gaussian as a share of the side.

    Returns:
        The local means (S, S, C); close to 0 far away from all known pixels.
    """
    weight = known.astype(np.float32)
    sigma = deviation * len(known)
    total = ndimage.gaussian_filter(np.asarray(values, np.float32) * weight[..., None], (sigma, sigma, 0))
    return np.asarray(total / np.maximum(ndimage.gaussian_filter(weight, sigma), 1e-3)[..., None], np.float32)


def _in_tone_of(skin: Plane, photo: Picture, known: Region, around: Plane) -> Plane:
    """Adapt the skin of the other person, whose hair is put on, to the light and colour of the photo's own skin.

    Args:
        skin: (S, S, 3), the other person's skin, aligned to the face in the photo.
        photo: (S, S, 3).
        known: (S, S), True for the pixels in which the photo shows its own skin.
        around: (S, S, 3), the photo's skin without detail, extrapolated smoothly.

    Returns:
        (S, S, 3), the adapted skin.
    """
    ratio = np.log(np.maximum(photo.astype(np.float32), 4)) - np.log(np.maximum(skin, 4))
    ratio = extended(_mean_of(ratio, known), known)
    sigma, fine = _TONE * len(photo), _FINE_TONE * len(photo)
    ratio = np.where(known[..., None], ratio, ndimage.gaussian_filter(ratio, (sigma, sigma, 0)))
    other = skin * np.exp(np.clip(ratio, -1.5, 1.5))
    tone = np.log(np.maximum(ndimage.gaussian_filter(other, (fine, fine, 0)), 4) / np.maximum(around, 4))
    return np.asarray(other * np.exp(_TONES * np.tanh(tone / _TONES) - tone), np.float32)


def _without_shadows(photo: Picture, skin: Region) -> Region:
    """Remove shadows from a region of skin, i.e. pixels much darker than a plane fitted to the skin's lightness.

    Args:
        photo: (S, S, 3).
        skin: (S, S), True for the pixels of the region.

    Returns:
        (S, S), True for the pixels of the region that remain; ``skin`` unchanged if too few pixels would remain.
    """
    light = photo.astype(np.float32).mean(-1, keepdims=True)
    found = _surface(light, skin, order=1)
    if found is None:
        return skin
    kept = skin & (light > _SHADOW * found[0])[..., 0]
    return kept if kept.sum() > _LEAST else skin


def _backdrop(photo: Picture, known: Region) -> Plane:
    """Extrapolate the background smoothly from its known pixels to the whole picture.

    A plain background is modelled by a polynomial of second order in x and y, plus the extrapolated residual.

    Args:
        photo: (S, S, 3).
        known: (S, S), True for the pixels that show background.

    Returns:
        The background (S, S, 3), 0 to 255; equal to the photo in the known pixels.
    """
    found = _surface(photo, known, order=2)
    if found is None or found[1] > _PLAIN:
        return extended(photo, known)
    surface, spread = found
    rest = ndimage.gaussian_filter(photo.astype(np.float32), (1.5, 1.5, 0)) - surface
    plain = known & (np.abs(rest).max(-1) < max(6.0, 3 * spread))
    if plain.sum() < _MOSTLY * known.sum():
        return extended(photo, known)
    return np.asarray(np.where(known[..., None], photo, surface + extended(rest, plain)), np.float32)


def _surface(values: npt.NDArray[np.generic], known: Region, *, order: int) -> tuple[Plane, float] | None:
    """Fit a polynomial in x and y to the values of the known pixels; outliers are ignored.

    Args:
        values: (S, S, C).
        known: (S, S), True for the pixels to fit.
        order: order of the polynomial.

    Returns:
        The polynomial's values (S, S, C), and the error of the fit: the median over pixels of the largest absolute
        residual of a channel. None if there are too few pixels.
    """
    side = len(known)
    y, x = np.mgrid[:side, :side] / side - 0.5
    terms = np.stack([x**i * y**j for i in range(order + 1) for j in range(order + 1 - i)], -1)
    places = np.argwhere(known)
    places = places[:: max(1, len(places) // _SAMPLES)]
    rows, columns = places.T
    at, wanted = terms[rows, columns], np.asarray(values[rows, columns], float)
    good = np.ones(len(places), bool)
    for _ in range(3):
        if good.sum() < _LEAST:
            return None
        found = np.linalg.lstsq(at[good], wanted[good], rcond=None)[0]
        away = np.abs(wanted - at @ found).max(-1)
        spread = float(np.median(away))
        good = away <= max(3.0, 2.5 * spread)
    return np.asarray(terms @ found, np.float32), spread


def _remains(photo: Picture, known: Region, away: Field) -> Region:
    """Find hair that the mask labels as background: pixels near the hair that differ from the background farther away.

    Args:
        photo: (S, S, 3).
        known: (S, S), True for background according to the mask.
        away: (S, S), distance from the hair as a share of the side.

    Returns:
        (S, S), True for the hair that was found.
    """
    far = known & (away > _REMAINS)
    if far.sum() < 0.02 * far.size:
        return np.zeros_like(known)
    smooth = ndimage.gaussian_filter(photo.astype(np.float32), (1, 1, 0))
    unlike = (np.abs(smooth - extended(smooth, far)).max(-1) > _UNLIKE) & known & ~far
    return np.asarray(ndimage.binary_dilation(unlike, iterations=max(2, round(_EDGE * len(photo)))))


def _behind(after: LabelMap) -> LabelMap:
    """Replace hair in a label map (S, S) by the class that lies behind the hair, and return the new label map.

    This class is skin if skin is less than `_THIN` times as far away as the nearest other class, because thin fringes
    lie on skin. Otherwise, it is the nearest other class.
    """
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
    """Blur a region (H, W) with a Gaussian of the given standard deviation in pixels; return values from 0 to 1."""
    return np.asarray(ndimage.gaussian_filter(region.astype(np.float32), deviation), np.float32)
