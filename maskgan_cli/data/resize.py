"""Square pictures and label maps at another size."""

from __future__ import annotations

import numpy as np
from PIL import Image

from maskgan_cli.files import Picture
from maskgan_cli.labels import LabelMap


def resize_image(picture: Picture, size: int) -> Picture:
    """Square picture (S, S, 3) -> (size, size, 3), Lanczos with antialiasing."""
    if picture.shape[0] == size:
        return picture
    return np.asarray(Image.fromarray(picture).resize((size, size), Image.Resampling.LANCZOS))


def resize_labels(labels: LabelMap, size: int) -> LabelMap:
    """Label map (S, S) -> (size, size) by nearest neighbour: no id appears that was not there."""
    if labels.shape[0] == size:
        return labels
    return np.asarray(Image.fromarray(labels).resize((size, size), Image.Resampling.NEAREST))
