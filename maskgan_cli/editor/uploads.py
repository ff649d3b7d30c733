"""Uploaded pictures and masks: they are limited in size, decoded, and never trusted.

No path of a request is opened. Error messages say "the picture" instead of a path.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import numpy as np

from maskgan_cli.data.class_order import suspected_order
from maskgan_cli.errors import InputError
from maskgan_cli.files import Picture, read_image, read_label_map
from maskgan_cli.labels import NUM_CLASSES, LabelMap

MAX_BYTES: Final = 40 << 20


class TooLarge(InputError):
    """Raised if an upload is too large."""


async def read_body(chunks: AsyncIterator[bytes], limit: int = MAX_BYTES) -> bytes:
    """Return the body of a request as bytes, read from its parts.

    Raises:
        TooLarge: the body has more than ``limit`` bytes; the rest is not read.
    """
    body = bytearray()
    async for chunk in chunks:
        if len(body) + len(chunk) > limit:
            raise TooLarge("the file", expected=f"at most {limit >> 20} MB", found="more")
        body += chunk
    return bytes(body)


def decode_picture(data: bytes, what: str = "the picture") -> Picture:
    """Decode a picture file: return the picture (H, W, 3) ``uint8``, see `read_image`.

    Args:
        data: the bytes of the file.
        what: name of the picture in error messages.

    Raises:
        InputError: the file is not a picture, damaged, or has too many pixels.
    """
    with tempfile.TemporaryDirectory(prefix="maskgan-") as folder:
        path = Path(folder) / "picture"
        path.write_bytes(data)
        try:
            return read_image(path)
        except InputError as error:  # remove the path from the message
            raise InputError(what, expected=error.expected, found=error.found, hint=error.hint) from error


def decode_mask(data: bytes) -> LabelMap | None:
    """Decode the bytes of a mask file: return the label map (H, W), or None if the file is not a mask.

    A file whose pixels all have the same class does not count as a mask.

    Other programs may number the classes in another order. If the positions of the face parts suggest another class
    order, the mask is read in that order.
    """
    with tempfile.TemporaryDirectory(prefix="maskgan-") as folder:
        path = Path(folder) / "mask"
        path.write_bytes(data)
        try:
            labels = read_label_map(path)
            if order := suspected_order(labels):
                labels = read_label_map(path, order=order)
        except InputError:
            return None
    return labels if len(np.unique(labels)) > 1 else None


def read_mask(data: bytes, side: int) -> LabelMap:
    """Convert the bytes that the page sends (one per pixel, row by row) to a label map (side, side).

    Raises:
        InputError: the number of bytes is wrong, or values are not classes.
    """
    if len(data) != side * side:
        raise InputError("the mask", expected=f"{side * side} bytes", found=f"{len(data)}")
    labels = np.frombuffer(data, np.uint8).reshape(side, side)
    if int(labels.max()) >= NUM_CLASSES:
        raise InputError("the mask", expected=f"class ids 0 to {NUM_CLASSES - 1}", found=str(int(labels.max())))
    return labels.copy()


def read_masks(data: bytes, side: int) -> tuple[LabelMap, LabelMap | None]:
    """Convert the bytes that the page sends to a label map, and to the opacity of the edit that may follow the map.

    Args:
        data: one byte per pixel, row by row: the label map and, optionally, the opacity.
        side: side of both in pixels.

    Returns:
        The label map (side, side), and the opacity (side, side), 0 to 255, or None if the body has only a label map.

    Raises:
        InputError: see `read_mask`.
    """
    pixels = side * side
    if len(data) != 2 * pixels:
        return read_mask(data, side), None
    return read_mask(data[:pixels], side), np.frombuffer(data[pixels:], np.uint8).reshape(side, side).copy()


def display_name(name: str) -> str:
    """Return a picture's file name without folders and special characters, at most 80 characters long."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(c for c in last if c.isalnum() or c in " ._-()")[:80].strip(". ") or "picture"
