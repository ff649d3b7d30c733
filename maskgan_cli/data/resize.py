"""Resizing of square pictures and label maps."""

from __future__ import annotations

import numpy as np
from PIL import Image

from maskgan_cli.files import Picture
from maskgan_cli.labels import LabelMap


def resize_image(picture: Picture, size: int) -> Picture:
    """Resize a square picture (S, S, 3) to (size, size, 3) with Lanczos and antialiasing."""
    if picture.shape[0] == size:
        return picture
    return np.asarray(Image.fromarray(picture).resize((size, size), Image.Resampling.LANCZOS))


def resize_labels(labels: LabelMap, size: int) -> LabelMap:
    """Resize a label map (S, S) to (size, size) by nearest neighbour, which creates no new classes."""
    if labels.shape[0] == size:
        return labels
    return np.asarray(Image.fromarray(labels).resize((size, size), Image.Resampling.NEAREST))
