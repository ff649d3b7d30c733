"""Changes the colours of hair: removes the background that shines through, and transfers the colours of other hair.

The lightness of hair is split into low and high frequencies. In names and comments, low frequencies are called shades
(lit and dark areas), and high frequencies are called strands (single hairs).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.color import lab2rgb, rgb2lab

from maskgan_cli.editing.compositing.extension import Plane, extended

Floats = npt.NDArray[np.float64]

SOLID: Final = 0.95  # opacity; only pixels above it are used to measure the hair's colour
_SURE: Final = 0.9  # opacity; pixels above it show only hair
_STRANDS: Final = (0.6, 1.25)  # limits of the factor for the contrast of strands
_SHADES: Final = (0.25, 0.8)  # limits of the factor for the contrast of shades (a lit head, grey temples)
_LIGHT: Final = (0.5, 1.1)  # limits of the brightness at the hair's border, relative to the hair further inside
_RIM: Final = 0.03  # share of the side; width of the rim of hair through which skin shines
_LIGHT_RIM: Final = 1.12  # limit of the rim's brightness, relative to the hair further inside
_TINT: Final = (0.5, 6.0)  # share, and limit in CIELAB units, of a pixel's deviation from its hair's hue that is kept
_FINE: Final = 1.5  # pixels; `as_sharp` changes detail that a blur with this standard deviation removes
_SHARP: Final = (0.75, 1.25)  # limits of the factor for this detail
_WIDE: Final = 0.016  # share of the side; standard deviation of the blur that separates shades from strands
_BRIGHTENED: Final = 20.0  # largest increase of lightness: dark hair has too little detail to become very light
_LIGHTER: Final = 0.1  # hair may be lighter than the lightest of the photo's own hair by this share of the way to white
_BINS: Final = 8  # number of lightness intervals in which hues are measured
_LEAST: Final = 64  # least number of pixels of hair for a measurement
_ENOUGH: Final = 0.03  # share of the picture; less hair is stubble, whose colour is mixed with that of the skin


def hair_colours(picture: Plane, alpha: Plane, behind: Plane) -> Plane:
    """Estimate the colours of hair in a picture without the background that shines through the hair.

    At the border of the hair, where it is thin, the colours get the hue of the hair further inside.

    Args:
        picture: (S, S, 3), 0 to 255.
        alpha: (S, S), the hair's opacity, 0 to 1.
        behind: (S, S, 3), 0 to 255, the background behind the hair.

    Returns:
        The hair's colours (S, S, 3), 0 to 255, extended smoothly to the pixels outside the hair.
    """
    cover = np.maximum(alpha, 0.05)[..., None]
    own = np.clip(picture - (1 - alpha[..., None]) * behind, 0, 255 * alpha[..., None]) / cover
    sure = alpha > _SURE
    within = extended(own, sure)
    near = np.maximum(within.mean(-1, keepdims=True), 1.0)
    usual = extended(ndimage.gaussian_filter(near, (2, 2, 0)), sure)
    light = np.clip(np.maximum(own.mean(-1, keepdims=True), 1.0), _LIGHT[0] * usual, _LIGHT[1] * usual)
    share = np.clip((alpha - 0.5) / (_SURE + 0.05 - 0.5), 0, 1)[..., None]
    return np.asarray(share * own + (1 - share) * within / near * light, np.float32)


def without_light_rim(colours: Plane, alpha: Plane) -> Plane:
    """Darken the rim of hair if it is lighter than the hair further inside, because skin shines through short hair.

    Args:
        colours: (S, S, 3), 0 to 255, the hair's colours.
        alpha: (S, S), the hair's opacity, 0 to 1.

    Returns:
        The hair's colours (S, S, 3); unchanged if there is too little hair.
    """
    side = alpha.shape[1]
    depth = np.asarray(ndimage.distance_transform_edt(np.pad(alpha > 0.5, 1, mode="edge")))[1:-1, 1:-1] / side
    inner = depth > _RIM
    if inner.sum() < _LEAST:
        return colours
    sigma = 0.3 * _RIM * side
    weight = (alpha > 0.5).astype(np.float32)
    total = ndimage.gaussian_filter(colours.mean(-1) * weight, sigma)
    light = total / np.maximum(ndimage.gaussian_filter(weight, sigma), 1e-3)
    within = extended(light[..., None], inner)[..., 0]
    gain = np.minimum(1, (_LIGHT_RIM * within + 4) / np.maximum(light, 1))
    rim = np.clip(1.5 * (1 - depth / _RIM), 0, 1)
    return np.asarray(colours * (1 + rim * (gain - 1))[..., None], np.float32)


def recoloured(colours: Plane, alpha: Plane, photo: npt.NDArray[np.uint8], own: Plane) -> Plane:
    """Recolour the hair of a reference (the person whose hair is used) like the hair in a photo.

    The pattern of single hairs in the reference remains. The median lightness becomes that of the photo's hair, and so
    does the contrast of low frequencies (lit and dark areas) and of high frequencies (single hairs). All changes are
    limited: for example, dark hair does not become very light. Each pixel gets the hue that hair of the same lightness
    has in the photo, so that shadows do not get the hue of highlights.

    Args:
        colours: (S, S, 3), 0 to 255, colours of the reference's hair, extended beyond the hair.
        alpha: (S, S), opacity of the reference's hair, 0 to 1.
        photo: (T, T, 3), the photo.
        own: (T, T), opacity of the hair in the photo, 0 to 1.

    Returns:
        (S, S, 3), 0 to 255; ``colours`` unchanged if either picture has too little hair.
    """
    theirs, ours = alpha > SOLID, own > SOLID
    if theirs.sum() < _LEAST or ours.sum() < _ENOUGH * ours.size:
        return colours
    lab = rgb2lab(np.clip(colours, 0, 255) / 255.0)
    continued = rgb2lab(extended(photo, ours) / 255.0)
    old, new = lab[theirs], rgb2lab(photo[ours][None] / 255.0)[0]
    shades, strands = _bands(lab[..., 0])
    own_shades, own_strands = _bands(continued[..., 0])
    middles = float(np.median(old[:, 0])), float(np.median(new[:, 0]))
    middles = middles[0], min(middles[1], middles[0] + _BRIGHTENED)
    moved = middles[1] + _gain(shades[theirs], own_shades[ours], _SHADES) * (shades - middles[0])
    moved = moved + _gain(strands[theirs], own_strands[ours], _STRANDS) * strands
    low, high = np.quantile(new[:, 0], [0.01, 0.99])
    moved = np.clip(moved, max(0.5 * min(low, middles[1]), 0.5), high + _LIGHTER * (99 - high))
    share, most = _TINT
    hues = [
        _hue(new, channel)(moved) + np.clip(share * (lab[..., channel] - _hue(old, channel)(lab[..., 0])), -most, most)
        for channel in (1, 2)
    ]
    return np.asarray(255 * lab2rgb(np.stack([moved, *hues], -1)), np.float32)


def _bands(light: Floats) -> tuple[Floats, Floats]:
    """Split the lightness of hair (S, S) into low and high frequencies: two arrays (S, S), whose sum is ``light``."""
    wide = ndimage.gaussian_filter(light, _WIDE * light.shape[1])
    return wide, light - wide


def _gain(old: Floats, new: Floats, limits: tuple[float, float]) -> float:
    """Return the factor that scales ``old`` (n,) to the standard deviation of ``new`` (m,), clipped to ``limits``."""
    return float(np.clip(new.std() / max(float(old.std()), 0.5), *limits))


def as_sharp(hair: Plane, cover: Plane, photo: npt.NDArray[np.uint8], own: Plane) -> Plane:
    """Scale the fine detail of new hair, so that this detail is as strong as in the photo's own hair, within limits.

    Args:
        hair: (S, S, 3), 0 to 255, the new hair.
        cover: (S, S), opacity of the new hair, 0 to 1.
        photo: (S, S, 3).
        own: (S, S), opacity of the hair in the photo, 0 to 1.

    Returns:
        (S, S, 3), the new hair; unchanged if the photo has too little hair, or if there is too little new hair.
    """
    there, here = cover > _SURE + 0.05, own > _SURE + 0.05
    if min(there.sum(), here.sum()) < _LEAST:
        return hair
    smooth = ndimage.gaussian_filter(hair, (_FINE, _FINE, 0))
    source = photo.astype(np.float32)
    wanted = (source - ndimage.gaussian_filter(source, (_FINE, _FINE, 0)))[here].std()
    gain = np.clip(wanted / max(float((hair - smooth)[there].std()), 0.5), *_SHARP)
    return np.asarray(np.clip(smooth + gain * (hair - smooth), 0, 255), np.float32)


def _hue(lab: Floats, channel: int) -> Callable[[Floats], Floats]:
    """Return a function that maps the lightness of hair to its hue, as measured on pixels of hair.

    Args:
        lab: (n, 3), pixels of hair in CIELAB.
        channel: 1 for a*, 2 for b*.

    Returns:
        The function: it maps lightness (an array of any shape) to the median a* or b* of hair with this lightness.
    """
    edges = np.quantile(lab[:, 0], np.linspace(0, 1, _BINS + 1))
    there = [(lab[:, 0] >= low) & (lab[:, 0] <= high) for low, high in itertools.pairwise(edges)]
    middles = [float(lab[here, 0].mean()) for here in there]
    values = [float(np.median(lab[here, channel])) for here in there]
    return lambda light: np.asarray(np.interp(light, middles, values))
