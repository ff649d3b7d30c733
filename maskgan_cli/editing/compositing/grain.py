"""Synthesis of the photo's grain, which smooth paintings lack."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import ndimage

from maskgan_cli.editing.compositing.membrane import Field
from maskgan_cli.labels import Region

_FINE: Final = 1.0  # pixels; grain is the difference to a Gaussian blur with this standard deviation
_OUTLIER: Final = 3.0  # standard deviations; larger differences are edges
_NOTHING: Final = 0.01  # share of the photo's grain; less is a rounding error
_LEAST: Final = 64  # smallest number of pixels for the measurement
_SEED: Final = 0  # equal edits get equal grain


def missing_grain(photo: Field, painting: Field, where: Region) -> Field:
    """Noise (H, W, 3) that adds the photo's grain to a painting.

    Photo and painting are compared where both show the same. Each channel gets the variance that the painting lacks.
    Spectrum and covariance of the channels are those of the photo's grain, because the noise is white noise convolved
    with a piece of it (Galerne et al., "Random Phase Textures", 2011).

    Args:
        photo, painting: (H, W, 3), 0 to 255.
        where: (H, W), pixels to compare, such as a band around an edit. If there are too few, the noise is 0.
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
    """Difference (H, W, 3) between a picture and its blurred version."""
    return np.asarray(picture - ndimage.gaussian_filter(picture, (_FINE, _FINE, 0.0), mode="nearest"))


def _usual(fine: Field, where: Region) -> Region:
    """Where the difference (H, W, 3) is not an outlier of ``where``, i.e. no edge or wrinkle."""
    if not where.any():
        return where
    limit = _OUTLIER * 1.4826 * np.median(np.abs(fine[where]), axis=0)
    return np.asarray((np.abs(fine) <= limit).all(axis=-1))
