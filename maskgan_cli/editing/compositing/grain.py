"""Synthesises film grain and sensor noise like those of a photo, because paintings (network outputs) are too smooth."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import ndimage

from maskgan_cli.editing.compositing.membrane import Field
from maskgan_cli.labels import Region

_FINE: Final = 1.0  # pixels; grain is what a Gaussian blur with this standard deviation removes
_OUTLIER: Final = 3.0  # standard deviations; larger values are edges, not grain
_NOTHING: Final = 0.01  # share of the photo's grain; less than this is not added
_LEAST: Final = 64  # smallest number of pixels for the measurement
_SEED: Final = 0  # fixed, so that the same edit gets the same grain


def missing_grain(photo: Field, painting: Field, where: Region) -> Field:
    """Generate noise for a painting (the network's output), so that the sum of both has the grain of the photo.

    Photo and painting are compared where both show the same content. In each channel, the noise has the variance that
    the painting lacks. Its spectrum and the covariance of its channels are those of the photo's grain, because white
    noise is convolved with a piece of this grain (Galerne et al., "Random Phase Textures", 2011).

    Args:
        photo, painting: (H, W, 3), 0 to 255.
        where: (H, W), True for the pixels in which photo and painting are compared, such as a band around an edit. If
            there are too few of these pixels, the noise is 0.

    Returns:
        The noise (H, W, 3), on the scale of 0 to 255.
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
    """Return the fine detail of a picture: its difference (H, W, 3) from a blurred version."""
    return np.asarray(picture - ndimage.gaussian_filter(picture, (_FINE, _FINE, 0.0), mode="nearest"))


def _usual(fine: Field, where: Region) -> Region:
    """Return a boolean mask (H, W) of the pixels whose fine detail is not an outlier, such as an edge or a wrinkle.

    Args:
        fine: (H, W, 3), the fine detail, as returned by `_remainder`.
        where: (H, W), True for the pixels from whose median the limit for outliers is computed.
    """
    if not where.any():
        return where
    limit = _OUTLIER * 1.4826 * np.median(np.abs(fine[where]), axis=0)
    return np.asarray((np.abs(fine) <= limit).all(axis=-1))
