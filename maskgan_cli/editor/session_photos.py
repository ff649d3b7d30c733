"""Reads and rotates the photos of sessions, scales them down for the screen, and computes superpixels of a face."""

from __future__ import annotations

import functools
import io
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from maskgan_cli.files import Photo, Picture, encode_photo, read_photo

JPEG: Final = b"\xff\xd8\xff"  # first bytes of a JPEG file
SCREEN: Final = 1600  # maximum side of a photo on the screen in pixels
_SUPERPIXELS: Final = 350
_TRANSPOSED: Final = (5, 6, 7, 8)  # EXIF orientations that exchange width and height
_ORIENTATION: Final = 0x0112


@functools.lru_cache(maxsize=1)  # one photo only, because 25 megapixels take 75 MB
def _read(path: Path, changed: int) -> Photo:
    return read_photo(path)


def read_session_photo(path: Path) -> Photo:
    """Read and return a session's photo; the latest photo is cached."""
    return _read(path, path.stat().st_mtime_ns)


def upright_size(path: Path) -> tuple[int, int] | None:
    """Return the width and height of a photo after its EXIF rotation; None if the file is not readable."""
    try:
        with Image.open(path) as image:
            width, height = image.size
            return (height, width) if image.getexif().get(_ORIENTATION, 1) in _TRANSPOSED else (width, height)
    except Exception:  # Pillow's errors for damaged files have no common base class
        return None


def turned(data: bytes, by: int) -> bytes:
    """Rotate the photo in a file, keep its metadata, and return the new file.

    Args:
        data: bytes of the photo's file.
        by: clockwise angle: 90, 180 or 270 degrees.

    Returns:
        Bytes of the new file: JPEG if the photo is a JPEG, else PNG.

    Raises:
        InputError: the file is not a picture.
    """
    with tempfile.TemporaryDirectory(prefix="maskgan-") as folder:
        path = Path(folder) / "photo"
        path.write_bytes(data)
        photo = read_photo(path)
    picture = np.ascontiguousarray(np.rot90(photo.picture, -by // 90))
    stored = None if photo.stored is None else np.rot90(photo.stored, -by // 90)
    photo = replace(photo, picture=picture, stored=stored)
    return encode_photo(picture, ".jpg" if data.startswith(JPEG) else ".png", photo)


def for_screen(picture: Picture) -> bytes:
    """Return a photo (H, W, 3) as the bytes of a JPEG file, scaled down to sides of at most `SCREEN` pixels."""
    height, width = picture.shape[:2]
    shrink = max(height, width) / SCREEN
    if shrink > 1:
        size = (max(1, round(width / shrink)), max(1, round(height / shrink)))
        picture = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "JPEG", quality=90)
    return data.getvalue()


def patches_of(picture: Picture) -> bytes:
    """Divide a face (S, S, 3) into SLIC superpixels (small regions of similar colour).

    Returns:
        The number of each pixel's superpixel, row by row, as 16-bit little-endian integers.
    """
    from skimage.segmentation import slic  # a slow import

    found = slic(picture, n_segments=_SUPERPIXELS, compactness=12, start_label=0)
    return np.asarray(found, "<u2").tobytes()
