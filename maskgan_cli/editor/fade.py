"""Opacity of an edit at each pixel: 0 shows the face before the edit, 255 the edit.

The page computes the opacity from the strength and the feather of each step of the edit.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from maskgan_cli.data.resize import resize_image
from maskgan_cli.editing.compositing.paste import Square, paste_labels
from maskgan_cli.files import Picture, encode_png, read_image, write_bytes
from maskgan_cli.labels import LabelMap

FADE: Final = "fade.png"  # file in a session's folder


def faded(before: Picture, after: Picture, fade: LabelMap) -> Picture:
    """Blend the pictures of the face before and after the edit pixel by pixel, and return the blended picture.

    Args:
        before, after: square pictures of any side; the result has the side of ``after``.
        fade: (S, S), opacity of ``after``: 0 shows only ``before``, 255 only ``after``.
    """
    side = len(after)
    share = np.asarray(Image.fromarray(fade).resize((side, side), Image.Resampling.BILINEAR), np.float32)[..., None]
    start = resize_image(before, side).astype(np.float32)
    mixed: Picture = np.rint(start + (after - start) * (share / 255)).astype(np.uint8)
    return mixed


def faded_photo(before: Picture, after: Picture, square: Square, fade: LabelMap) -> Picture:
    """Blend the photos before and after the edit pixel by pixel, and return the blended photo.

    Args:
        before, after: the photos (H, W, 3).
        square: (4, 2), corners of the face in the photo.
        fade: (S, S), opacity of ``after`` in the square, 0 to 255. Outside the square, the result is ``after``.
    """
    height, width = before.shape[:2]
    share = 1 - paste_labels((height, width), square, 255 - fade).astype(np.float32)[..., None] / 255
    mixed: Picture = np.rint(before + (after.astype(np.float32) - before) * share).astype(np.uint8)
    return mixed


def read_fade(path: Path) -> LabelMap | None:
    """Read and return the opacity (S, S) of an edit, 0 to 255; None if the file does not exist.

    Raises:
        InputError: the file is not readable.
    """
    return read_image(path)[..., 0].copy() if path.is_file() else None


def write_fade(path: Path, fade: LabelMap) -> None:
    """Write the opacity (S, S) of an edit as a grey PNG file."""
    write_bytes(path, encode_png(Image.fromarray(fade)))
