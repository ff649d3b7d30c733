"""Pictures and masks as they arrive: bounded first, decoded then, and never believed.

Nothing here opens a path that somebody sent. Error lines name what arrived ("the picture"), not where it lies.
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
    """More bytes than are read."""


async def read_body(chunks: AsyncIterator[bytes], limit: int = MAX_BYTES) -> bytes:
    """All of a request's body, if it is not larger than ``limit``.

    Raises:
        TooLarge: it is; no more than ``limit`` bytes were kept.
    """
    body = bytearray()
    async for chunk in chunks:
        if len(body) + len(chunk) > limit:
            raise TooLarge("the file", expected=f"at most {limit >> 20} MB", found="more")
        body += chunk
    return bytes(body)


def decode_picture(data: bytes, what: str = "the picture") -> Picture:
    """Bytes of a picture file -> (H, W, 3) ``uint8``, as `read_image` reads them.

    Raises:
        InputError: no picture, a damaged one, or one of more pixels than are read.
    """
    with tempfile.TemporaryDirectory(prefix="maskgan-") as folder:
        path = Path(folder) / "picture"
        path.write_bytes(data)
        try:
            return read_image(path)
        except InputError as error:  # whose line names the file, which is no business of the page
            raise InputError(what, expected=error.expected, found=error.found, hint=error.hint) from error


def decode_mask(data: bytes) -> LabelMap | None:
    """Bytes of a picture file -> its label map (H, W); None if it is no mask: ids, or the colours of the palette.

    Ids whose parts lie as in another class order are read in that order.
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
    """A label map as the page sends it, a byte per pixel, row by row -> (side, side).

    Raises:
        InputError: another number of bytes, or ids that are no class.
    """
    if len(data) != side * side:
        raise InputError("the mask", expected=f"{side * side} bytes", found=f"{len(data)}")
    labels = np.frombuffer(data, np.uint8).reshape(side, side)
    if int(labels.max()) >= NUM_CLASSES:
        raise InputError("the mask", expected=f"class ids 0 to {NUM_CLASSES - 1}", found=str(int(labels.max())))
    return labels.copy()


def read_masks(data: bytes, side: int) -> tuple[LabelMap, LabelMap | None]:
    """A label map as the page sends it, and how much of the edit is shown where, if that follows it.

    Raises:
        InputError: see `read_mask`.
    """
    pixels = side * side
    if len(data) != 2 * pixels:
        return read_mask(data, side), None
    return read_mask(data[:pixels], side), np.frombuffer(data[pixels:], np.uint8).reshape(side, side).copy()


def plain(name: str) -> str:
    """A picture's name as a person reads it: no folders, no odd characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(c for c in last if c.isalnum() or c in " ._-()")[:80].strip(". ") or "picture"
