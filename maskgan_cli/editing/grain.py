"""The grain of a photograph, which a network's smooth paintings lack."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import ndimage

from maskgan_cli.editing.membrane import Field, Region

_FINE: Final = 1.0  # standard deviation, in pixels, of the blur whose remainder is called grain
_OUTLIER: Final = 3.0  # standard deviations beyond which a remainder is an edge, not grain
_NOTHING: Final = 0.01  # of the photo's grain: less than that is rounding
_LEAST: Final = 64  # pixels to measure on
_SEED: Final = 0  # the same edit has the same grain


def missing_grain(photo: Field, painting: Field, where: Region) -> Field:
    """Noise (H, W, 3) that looks like what ``painting`` lacks of the photo's grain.

    Photo and painting are compared where both show the same thing. Each channel gets the variance that
    the painting lacks there; the noise's spectrum, and how the channels go together, are those of the photo's own
    grain: white noise convolved with a piece of it has its covariance (Galerne et al., "Random Phase
    Textures", 2011).

    Args:
        photo, painting: (H, W, 3), 0 to 255.
        where: (H, W), pixels to measure on, such as a band around an edit. With too few, no noise.
    """
    fine, painted = _remainder(photo), _remainder(painting)
    where = where & _usual(fine, where)
    if where.sum() < _LEAST:
        return np.zeros_like(photo)
    has = fine[where].var(axis=0)
    strength = np.sqrt(np.clip(has - painted[where].var(axis=0), 0.0, None) / np.where(has > 0, has, 1.0))
    strength[strength < _NOTHING] = 0.0
    if not strength.any():
        return np.zeros_like(photo)
    white = np.random.default_rng(_SEED).standard_normal(where.shape)
    piece = np.where(where[..., None], fine - fine[where].mean(axis=0), 0.0)
    spectrum = np.fft.rfft2(piece, axes=(0, 1)) * np.fft.rfft2(white)[..., None] / np.sqrt(where.sum())
    return np.asarray(np.fft.irfft2(spectrum, where.shape, axes=(0, 1)) * strength)


def _remainder(picture: Field) -> Field:
    """What a small blur takes away, (H, W, 3)."""
    return np.asarray(picture - ndimage.gaussian_filter(picture, (_FINE, _FINE, 0.0), mode="nearest"))


def _usual(fine: Field, where: Region) -> Region:
    """Where a remainder (H, W, 3) is about as large as in most of ``where``: no edge, no wrinkle."""
    if not where.any():
        return where
    limit = _OUTLIER * 1.4826 * np.median(np.abs(fine[where]), axis=0)
    return np.asarray((np.abs(fine) <= limit).all(axis=-1))
