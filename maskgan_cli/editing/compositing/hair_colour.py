"""The colours of hair: cleaned of what is behind it, and changed to those of other hair."""

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

SOLID: Final = 0.95  # opacity above which a pixel tells the hair's colour
_SURE: Final = 0.9  # opacity from which on a pixel shows hair alone
_STRANDS: Final = (0.6, 1.25)  # least and largest change of the strands' contrast
_SHADES: Final = (0.25, 0.8)  # the same for wider differences: the shades of a lit head, or of grey temples
_LIGHT: Final = (0.5, 1.1)  # of the hair within: how dark and light hair at its border is
_RIM: Final = 0.03  # of the side: so wide is the rim of hair through which skin shows
_LIGHT_RIM: Final = 1.12  # of the hair within: how light a rim may be
_TINT: Final = (0.5, 6.0)  # of what strands differ from the mean hue at their lightness, this share stays, at most
_FINE: Final = 1.5  # pixels, standard deviation: what is finer is strands
_SHARP: Final = (0.75, 1.25)  # how much weaker or stronger they may become
_WIDE: Final = 0.016  # share of the side, standard deviation: wider differences are shades, finer ones strands
_BRIGHTENED: Final = 20.0  # of lightness: dark hair has too few shades to become much lighter, so it becomes brown
_LIGHTER: Final = 0.1  # so far between the lightest of the other hair and white, strands may be lighter
_BINS: Final = 8  # of lightness, in which hues are measured
_LEAST: Final = 64  # pixels of hair that say what colour it is
_ENOUGH: Final = 0.03  # share of the picture; less hair is stubble, whose colour is mixed with what is behind it


def hair_colours(picture: Plane, alpha: Plane, behind: Plane) -> Plane:
    """The colours (S, S, 3) of hair by itself; at its border, where it is thin, in the hue of the hair within.

    Args:
        picture: (S, S, 3).
        alpha: (S, S), the hair's opacity.
        behind: (S, S, 3), what is seen behind it.
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
    """Hair (S, S, 3) whose rim is not much lighter than the hair within: skin shows through short hair."""
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
    """Hair (S, S, 3) in the colours of a photo's own hair; its strands remain.

    The median lightness becomes that of the own hair, and so does the contrast of the strands and of the shades. Hair
    that is much darker becomes a little lighter only.
    Each lightness gets the hue that the own hair has there, so that shadows do not have the hue of highlights.

    Args:
        colours, alpha: (S, S, 3), 0 to 255, continued around the hair, and its opacity (S, S).
        photo, own: (T, T, 3) and the opacity (T, T) of its hair.

    Returns:
        (S, S, 3); the colours themselves if either hair is too little to have a colour.
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
    """The shades and the strands (S, S) of hair with this lightness (S, S)."""
    wide = ndimage.gaussian_filter(light, _WIDE * light.shape[1])
    return wide, light - wide


def _gain(old: Floats, new: Floats, limits: tuple[float, float]) -> float:
    return float(np.clip(new.std() / max(float(old.std()), 0.5), *limits))


def as_sharp(hair: Plane, cover: Plane, photo: npt.NDArray[np.uint8], own: Plane) -> Plane:
    """Hair (S, S, 3) whose strands stand out as much as those of a photo's own hair.

    Args:
        hair, cover: (S, S, 3) and its opacity (S, S).
        photo, own: (S, S, 3) and the opacity (S, S) of its hair.
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
    """A chroma of hair (n, 3) in CIELAB as a function of its lightness."""
    edges = np.quantile(lab[:, 0], np.linspace(0, 1, _BINS + 1))
    there = [(lab[:, 0] >= low) & (lab[:, 0] <= high) for low, high in itertools.pairwise(edges)]
    middles = [float(lab[here, 0].mean()) for here in there]
    values = [float(np.median(lab[here, channel])) for here in there]
    return lambda light: np.asarray(np.interp(light, middles, values))
