"""Puts another person's hair on a photo: the reference's pixels, recoloured like the photo's own hair.

The "reference" is the person whose hair is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.color import rgb2lab

from maskgan_cli.editing.compositing.extension import Plane, extended
from maskgan_cli.editing.compositing.hair_base import without_hair
from maskgan_cli.editing.compositing.hair_colour import SOLID, as_sharp, hair_colours, recoloured, without_light_rim
from maskgan_cli.editing.compositing.hair_fit import HairFit, above_border, cut_rows, fit_hair, tidy_hair, warped_labels
from maskgan_cli.editing.compositing.hidden_parts import added_ears, lay_brows, lay_ears, replaced_brows
from maskgan_cli.editing.compositing.matting import alpha_matte
from maskgan_cli.editing.compositing.moving import sampled
from maskgan_cli.editing.compositing.own_hair import hair_from_own
from maskgan_cli.files import Picture
from maskgan_cli.labels import ID, LabelMap, Region

_HAIR: Final = ID["hair"]
_EARS: Final = [ID["l_ear"], ID["r_ear"]]
_CLEAR: Final = [
    ID[name]
    for name in ("l_eye", "r_eye", "l_brow", "r_brow", "nose", "mouth", "u_lip", "l_lip", "eye_g", "ear_r", "hat")
]
_BROWS: Final = [ID["l_brow"], ID["r_brow"]]
_LEAST: Final = 0.01  # share of the mask; a reference with less hair is not used
_HAT: Final = 0.03  # share of the mask; a larger hat hides hair, and smaller ones are often errors of the parser
# Lengths are shares of the side.
_BAND: Final = (0.012, 0.022)  # hair may end this far inside the mask's border of hair, and this far outside
_TEMPLES: Final = 0.04  # temples of glasses may be visible up to this far to the sides of the mask's glasses
_OVER_HAIR: Final = 0.1  # temples of glasses may lie on hair up to this far to the sides of the mask's glasses
_LACKING: Final = 0.12  # background this near to hair may be hair that the mask misses
# Skin within the first distance of hair shows stubble or shadow if it is darker than the second value, as a share of
# the brightness of skin farther away.
_STUBBLE: Final = 0.08
_SHADOW: Final = 0.93
_PIXELS: Final = 200  # least number of pixels for the comparison of colours
_NEAR: Final = 0.05  # hair this near to skin is treated as skin if it has the skin's colour


def hair_to_take(reference: LabelMap, labels: LabelMap) -> HairFit | None:
    """Check whether hair of a reference (the person whose hair is used) can be put on a face, and align the hair.

    Args:
        reference: (T, T), label map of the reference.
        labels: (S, S), label map of the face.

    Returns:
        The alignment; None if the reference has too little hair, if either person wears a hat, or if too little of
        either face is visible.
    """
    if (reference == _HAIR).mean() < _LEAST or any((one == ID["hat"]).mean() > _HAT for one in (reference, labels)):
        return None
    return fit_hair(reference, labels)


@dataclass(frozen=True)
class HairSource:
    """The picture of a reference (the person whose hair is used), prepared for `lay_hair`.

    The original picture has U x U pixels. If the upper border of this picture cuts hair off, the first rows are left
    out (see `cut_rows`), so that T rows remain.

    Attributes:
        picture: (T, U, 3); temples of glasses that lie on hair are replaced by hair.
        labels: (T, U), label map of the picture.
        alpha: (T, U), opacity of the hair, 0 to 1.
        colours: (T, U, 3), colours of the hair without the background that shines through.
        skin: (T, U, 3), the skin, extended smoothly to all pixels.
        uncut: (U, U), the label map with all rows.
    """

    picture: Picture
    labels: LabelMap
    alpha: Plane
    colours: Plane
    skin: Plane
    uncut: LabelMap

    @property
    def top(self) -> int:
        """The number of rows of the original picture that were left out at its top."""
        return len(self.uncut) - len(self.labels)


def hair_source(reference: Picture, labels: LabelMap) -> HairSource:
    """Prepare the picture of a reference for `lay_hair`: separate its hair from its background and its skin.

    Args:
        reference: (U, U, 3), the picture of the person whose hair is used.
        labels: (U, U), label map of the picture.
    """
    uncut = tidy_hair(labels)
    top, alpha = cut_rows(uncut), hair_matte(reference, uncut)
    reference, labels, alpha = reference[top:], uncut[top:], alpha[top:]
    skin = _bare_skin(reference, labels, alpha)
    reference = _without_temples(reference, labels)
    colours = hair_colours(reference.astype(np.float32), alpha, extended(reference, alpha < 0.02))
    return HairSource(reference, labels, alpha, colours, skin, uncut)


def lay_hair(photo: Picture, before: LabelMap, after: LabelMap, source: HairSource, fit: HairFit) -> Picture:
    """Replace the hair in a photo by the hair of a reference, in the colours of the photo's own hair.

    Args:
        photo: (S, S, 3).
        before: (S, S), label map of the photo.
        after: (S, S), label map of the photo with the new hair: see `fitted_hair`.
        source: the prepared picture of the reference.
        fit: alignment of the reference's hair to the face in the photo.

    Returns:
        The photo (S, S, 3) with the new hair. Pixels away from the old and the new hair are unchanged bit for bit.
    """
    side, own = len(photo), hair_matte(photo, before)
    reference, labels, alpha, skin = source.picture, source.labels, source.alpha, source.skin
    colours = without_light_rim(recoloured(source.colours, alpha, photo, own), alpha)
    y, x = (places.astype(float) + 0.5 for places in np.mgrid[:side, :side])
    columns, rows = (np.asarray(places - 0.5, np.float32) for places in fit.source_of(x, y))
    rows -= source.top
    more = above_border(labels)
    whole = np.concatenate([ndimage.gaussian_filter(more.astype(np.float32), 1.2, mode="nearest"), alpha])
    shown = sampled(whole[..., None], rows + len(more), columns, "bicubic")
    cover: Plane = np.asarray(np.clip(shown, 0, 1), np.float32)
    rows, columns = (_reflected(places, size) for places, size in zip((rows, columns), labels.shape, strict=True))
    hair, skin = (sampled(one, rows, columns, "bicubic") for one in (colours, skin))
    brows = replaced_brows(before, after)
    behind = np.where(np.isin(before, _BROWS) & (after != before), _HAIR, before) if brows.any() else before
    base = without_hair(photo, behind, after, own, skin, cover[..., 0])
    ears = added_ears(before, after)
    if ears.any() or brows.any():
        face = sampled(reference, rows, columns, "bicubic")
    if ears.any():
        base = lay_ears(base, face, ears, _skin_colour(photo, before), _skin_colour(reference, labels))
    if brows.any():
        strength = _contrast(photo, before, own) / max(_contrast(reference, labels, alpha), 0.1)
        base = lay_brows(base, skin, face, brows, strength)
    kept = (after == _HAIR) & (before == _HAIR) & (warped_labels(source.uncut, fit, side) != _HAIR)
    kept = ndimage.binary_opening(kept, iterations=2).astype(np.float32)
    base = base + (ndimage.gaussian_filter(kept, 1.5) * own)[..., None] * (photo - base)
    hair = as_sharp(hair, cover[..., 0], photo, own)
    result = base + cover * (hair - base)
    changed = (cover[..., 0] > 0.004) | (np.abs(base - photo).max(-1) > 0.5)
    return np.where(changed[..., None], np.clip(np.rint(result), 0, 255), photo).astype(np.uint8)


def _skin_colour(picture: Picture, labels: LabelMap) -> Plane:
    """Return the median RGB colour (3,) of the skin in a picture (S, S, 3) with a label map (S, S)."""
    return np.asarray(np.median(picture[labels == ID["skin"]], axis=0), np.float32)


def _contrast(picture: Picture, labels: LabelMap, alpha: Plane) -> float:
    """Measure the contrast between the hair and the skin in a picture.

    Args:
        picture: (S, S, 3).
        labels: (S, S), label map of the picture.
        alpha: (S, S), opacity of the hair, 0 to 1.

    Returns:
        The logarithm of (median level of the skin / median level of the hair): positive if the hair is darker than the
        skin. 0 if the picture shows no hair or no skin.
    """
    hair, skin = picture[alpha > SOLID], picture[labels == ID["skin"]]
    return float(np.log((np.median(skin) + 1) / (np.median(hair) + 1))) if len(hair) and len(skin) else 0.0


def hair_matte(picture: Picture, labels: LabelMap) -> Plane:
    """Estimate the opacity of the hair in a picture, by alpha matting along the border of the hair in the label map.

    Errors of the label map are corrected first: skin labelled as hair, and hair labelled as background.

    Args:
        picture: (S, S, 3).
        labels: (S, S), label map of the picture.

    Returns:
        The opacity (S, S), 0 to 1.
    """
    side = len(labels)
    picture, labels = np.pad(picture, ((1, 1), (1, 1), (0, 0)), mode="edge"), np.pad(labels, 1, mode="edge")
    hair = labels == _HAIR
    if not hair.any():
        return np.zeros((side, side), np.float32)
    inner, outer = (max(1.5, share * side) for share in _BAND)
    inside = ndimage.distance_transform_edt(np.pad(hair, 1, mode="edge"))[1:-1, 1:-1] > inner
    outside = ndimage.distance_transform_edt(~hair) > outer
    outside |= np.isin(labels, _CLEAR)
    outside |= ndimage.binary_erosion(np.isin(labels, _EARS), iterations=max(1, round(0.004 * side)))
    like_skin = _like_skin(picture, labels, inside)
    inside = _large(inside & ~like_skin)
    outside &= ~_like_hair(picture, labels, inside)
    return alpha_matte(picture, inside, outside)[1:-1, 1:-1]


def _frames(labels: LabelMap) -> Region:
    """Return a boolean mask (S, S) of the glasses in a label map (S, S), and of the pixels beside the glasses.

    The pixels beside the glasses may show the temples, which masks often omit.
    """
    glasses = labels == ID["eye_g"]
    if not glasses.any():
        return np.asarray(glasses)
    wide = max(1, round(_TEMPLES * len(labels)))
    return np.asarray(ndimage.maximum_filter(glasses, (max(3, wide // 2), 2 * wide + 1)))


def _large(region: Region) -> Region:
    """Return a region (H, W) without the connected pieces that are smaller than a twentieth of the largest piece."""
    pieces, count = ndimage.label(region)
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)
    sizes[0] = 0
    return np.asarray((sizes >= 0.05 * max(int(sizes.max()), 1))[pieces] & region)


def _like_skin(picture: Picture, labels: LabelMap, inside: Region) -> Region:
    """Find skin that the mask labels as hair: pixels near the skin that have the skin's colours.

    Args:
        picture: (S, S, 3).
        labels: (S, S), label map of the picture.
        inside: (S, S), True for the pixels well inside the mask's hair.

    Returns:
        (S, S), True for pixels near the skin whose colours resemble skin more than hair.
    """
    side = len(labels)
    skin = (labels == ID["skin"]) & (ndimage.distance_transform_edt(labels != _HAIR) > 0.01 * side)
    near = ndimage.distance_transform_edt(labels != ID["skin"]) < _NEAR * side
    deep = inside & ~near
    skin &= np.arange(side)[:, None] < np.nonzero(skin)[0].mean() if skin.any() else False  # excludes beards
    return np.asarray(near & resembles(picture, skin, deep, 1))


def _like_hair(picture: Picture, labels: LabelMap, inside: Region) -> Region:
    """Find hair that the mask labels as background: pixels near the hair that have the hair's colours.

    Args:
        picture: (S, S, 3).
        labels: (S, S), label map of the picture.
        inside: (S, S), True for the pixels that are certainly hair.

    Returns:
        (S, S), True for the hair that was found.
    """
    side = len(labels)
    away = ndimage.distance_transform_edt(labels != _HAIR) / side
    backdrop = labels == ID["background"]
    near = backdrop & (away < _LACKING)
    found = near & resembles(picture, inside, backdrop & (away > _LACKING), 4)
    pieces, _ = ndimage.label(found | (labels == _HAIR))
    return np.asarray(found & np.isin(pieces, np.unique(pieces[inside])))


def resembles(picture: Picture, these: Region, others: Region, surely: float) -> Region:
    """Find the pixels of a picture whose colours resemble one region more than another region.

    The colours of each region are modelled by a Gaussian in CIELAB. For each pixel, the likelihoods under both
    Gaussians are compared.

    Args:
        picture: (S, S, 3).
        these, others: (S, S), True inside the two regions.
        surely: least difference of the two log-likelihoods, times 2. The larger this value, the fewer pixels are found.

    Returns:
        (S, S), True where a pixel resembles ``these`` more; all False if one of the regions is too small.
    """
    if min(these.sum(), others.sum()) < _PIXELS:
        return np.zeros_like(these)
    lab = rgb2lab(ndimage.gaussian_filter(picture.astype(np.float32), (1.5, 1.5, 0)) / 255)

    def away(region: Region) -> npt.NDArray[np.float64]:
        """Return, for each pixel (S, S), -2 times the log-likelihood under the region's Gaussian, up to a constant."""
        mean, spread = lab[region].mean(0), lab[region].std(0) + 2.0
        return np.asarray((((lab - mean) / spread) ** 2).sum(-1) + 2 * np.log(spread).sum())

    return np.asarray(away(these) + surely < away(others))


def _without_temples(picture: Picture, labels: LabelMap) -> Picture:
    """Replace temples of glasses that lie on hair by patches of the picture's own hair.

    Args:
        picture: (S, S, 3).
        labels: (S, S), label map of the picture.

    Returns:
        The picture (S, S, 3); unchanged if it shows no glasses, or no hair beside them.
    """
    glasses, hair = labels == ID["eye_g"], labels == _HAIR
    if not glasses.any():
        return picture
    wide = round(_OVER_HAIR * len(labels))
    temples = hair & ndimage.maximum_filter(glasses, (max(3, wide // 6), 2 * wide + 1))
    if not temples.any():
        return picture
    found, there = hair_from_own(picture, hair & ~temples, temples)
    return np.where(there[..., None], np.clip(np.rint(found), 0, 255), picture).astype(np.uint8)


def _bare_skin(picture: Picture, labels: LabelMap, alpha: Plane) -> Plane:
    """Extrapolate the skin of a face smoothly to the whole picture.

    Dark skin beside hair is not used, because it shows stubble or shadow.

    Args:
        picture: (H, W, 3).
        labels: (H, W), label map of the picture.
        alpha: (H, W), opacity of the hair, 0 to 1.

    Returns:
        (H, W, 3), 0 to 255: the face's skin where it is visible, and extrapolated skin elsewhere.
    """
    side = labels.shape[1]
    skin = (labels == ID["skin"]) & ~_frames(labels)
    others = ~skin & (labels != _HAIR)
    bare = skin & ~ndimage.binary_dilation(others, iterations=max(2, round(0.01 * side))) & (alpha < 0.05)
    bare = bare if bare.any() else skin
    away = ndimage.distance_transform_edt(labels != _HAIR) / side
    far = bare & (away > _STUBBLE)
    if far.any():
        light = ndimage.gaussian_filter(picture.astype(np.float32).mean(-1), 0.004 * side)
        around = extended(ndimage.gaussian_filter(light, 0.01 * side)[..., None], far)[..., 0]
        bare &= far | (light > _SHADOW * around)
    return extended(picture, bare)


def _reflected(places: Plane, size: int) -> Plane:
    """Mirror coordinates (an array of any shape) that lie outside 0 to ``size`` - 1 back into this range."""
    places = np.abs(places)
    return np.asarray(np.clip(np.where(places > size - 1, 2 * (size - 1) - places, places), 0, size - 1), np.float32)
