"""Paste a result back into its source, so that untouched pixels stay untouched."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from maskgan_cli.files import Picture
from maskgan_cli.labels import LabelMap


def paste_back(source: Picture, result: Picture, before: LabelMap, after: LabelMap, *, softness: float) -> Picture:
    """The result where the mask was edited, the source elsewhere, a soft edge between them.

    The edited region (where ``before`` and ``after`` differ) shows the result in full; over the next
    ``softness`` of the picture's side the result fades out, and beyond that the source is exact.

    Args:
        source, result: (S, S, 3).
        before, after: (S, S) label maps of the source and of the edit.
        softness: width of the fade as a share of S, above 0.

    Returns:
        (S, S, 3).
    """
    edited = before != after
    if not edited.any():
        return source.copy()
    distance = ndimage.distance_transform_edt(~edited) / (softness * len(source))
    fade = np.clip(1.0 - distance, 0.0, 1.0)
    alpha = (fade * fade * (3.0 - 2.0 * fade))[..., None]  # smoothstep: no visible rim at either end
    mixed = alpha * result + (1.0 - alpha) * source
    pasted: Picture = np.round(mixed).astype(np.uint8)
    return pasted
