"""Resizing of square pictures and label maps."""

from __future__ import annotations

import numpy as np
from PIL import Image

from maskgan_cli.files import Picture
from maskgan_cli.labels import LabelMap


def resize_image(picture: Picture, size: int) -> Picture:
    """Return a square picture (S, S, 3) resized to (size, size, 3), with the Lanczos filter and antialiasing."""
    if picture.shape[0] == size:
        return picture
    return np.asarray(Image.fromarray(picture).resize((size, size), Image.Resampling.LANCZOS))


def resize_labels(labels: LabelMap, size: int) -> LabelMap:
    """Return a label map (S, S) resized to (size, size) by nearest neighbour, which creates no new class ids."""
    if labels.shape[0] == size:
        return labels
    return np.asarray(Image.fromarray(labels).resize((size, size), Image.Resampling.NEAREST))
