"""How much of an edit is shown at each pixel: strength and feather of single steps."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from maskgan_cli.data.resize import resize_image
from maskgan_cli.editing.uncrop import Square, put_labels_back
from maskgan_cli.files import Picture, encode_png, read_image, write_bytes
from maskgan_cli.labels import LabelMap

FADE: Final = "fade.png"  # in a session's folder


def faded(before: Picture, after: Picture, fade: LabelMap) -> Picture:
    """From ``before`` to ``after``, as far as ``fade`` (S, S) says, 255 being all the way; at the side of ``after``."""
    side = len(after)
    share = np.asarray(Image.fromarray(fade).resize((side, side), Image.Resampling.BILINEAR), np.float32)[..., None]
    start = resize_image(before, side).astype(np.float32)
    mixed: Picture = np.rint(start + (after - start) * (share / 255)).astype(np.uint8)
    return mixed


def faded_photo(before: Picture, after: Picture, square: Square, fade: LabelMap) -> Picture:
    """The same in a photo (H, W, 3) with the face in ``square`` (4, 2); around it all of the edit is shown."""
    height, width = before.shape[:2]
    share = 1 - put_labels_back((height, width), square, 255 - fade).astype(np.float32)[..., None] / 255
    mixed: Picture = np.rint(before + (after.astype(np.float32) - before) * share).astype(np.uint8)
    return mixed


def read_fade(path: Path) -> LabelMap | None:
    """A session's `fade` (S, S); None if it has none.

    Raises:
        InputError: a file that cannot be read.
    """
    return read_image(path)[..., 0].copy() if path.is_file() else None


def write_fade(path: Path, fade: LabelMap) -> None:
    """Keep a `fade` (S, S) as a grey PNG file."""
    write_bytes(path, encode_png(Image.fromarray(fade)))
