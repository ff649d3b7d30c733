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

_SURE: Final = 0.9  # opacity from which on a pixel shows hair alone
_CONTRAST: Final = (0.6, 1.25)  # how much of another hair's contrast is taken
_LIGHT: Final = (0.5, 1.1)  # of the hair within: how dark and light hair at its border is
_RIM: Final = 0.03  # of the side: so wide is the rim of hair through which skin shows
_LIGHT_RIM: Final = 1.12  # of the hair within: how light a rim may be
_TINT: Final = (0.5, 6.0)  # of what strands differ from the mean hue at their lightness, this share stays, at most
_FINE: Final = 1.5  # pixels, standard deviation: what is finer is strands
_SHARP: Final = (0.75, 1.25)  # how much weaker or stronger they may become
_WIDE: Final = 0.016  # of the side: what is wider is no strand,
_EVEN: Final = 0.5  # and this share of its contrast stays
_UNLIKE: Final = 30.0  # if the hairs' lightnesses differ by this; more of it if they differ less
_LIGHTER: Final = 0.1  # so far between the lightest of the other hair and white, strands may be lighter
_BINS: Final = 8  # of lightness, in which hues are measured
_LEAST: Final = 64  # pixels of hair that say what colour it is


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


def recoloured(colours: Plane, theirs: npt.NDArray[np.uint8], ours: npt.NDArray[np.uint8]) -> Plane:
    """Hair (S, S, 3) with the lightness, contrast and hues of other hair; its strands stay.

    Lightness is moved by the medians and spreads of both. Each lightness gets the hue that the other hair has there, so
    shadows do not take the hue of highlights.

    Args:
        colours: 0 to 255, continued around the hair.
        theirs: (n, 3), pixels of the hair.
        ours: (m, 3), of the other hair. With too few of either the colours stay.
    """
    if min(len(ours), len(theirs)) < _LEAST:
        return colours
    new, old = (rgb2lab(pixels[None] / 255.0)[0] for pixels in (ours, theirs))
    lab = rgb2lab(np.clip(colours, 0, 255) / 255.0)
    light = lab[..., 0]
    change = np.clip(abs(np.median(new[:, 0]) - np.median(old[:, 0])) / _UNLIKE, 0, 1)
    wide = ndimage.gaussian_filter(light, _WIDE * colours.shape[1])
    light = light - (1 - _EVEN) * change * (wide - np.median(old[:, 0]))
    gain = np.clip(new[:, 0].std() / max(float(old[:, 0].std()), 0.5), *_CONTRAST)
    moved = (light - np.median(old[:, 0])) * gain + np.median(new[:, 0])
    low, high = np.quantile(new[:, 0], [0.01, 0.99])
    moved = np.clip(moved, max(0.5 * low, 0.5), high + _LIGHTER * (99 - high))
    share, most = _TINT
    hues = [
        _hue(new, channel)(moved) + np.clip(share * (lab[..., channel] - _hue(old, channel)(light)), -most, most)
        for channel in (1, 2)
    ]
    return np.asarray(255 * lab2rgb(np.stack([moved, *hues], -1)), np.float32)


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
