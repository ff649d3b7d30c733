"""A photograph with what its file says besides pixels: how it is turned, EXIF, colour profile."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from maskgan_cli.files.pictures import Picture, check_picture_name, encode_image, read_image
from maskgan_cli.files.writing import write_bytes

_ORIENTATION: Final = 0x0112
# What brings an upright picture back to how the file stores it: the inverse of each EXIF orientation.
_BACK: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}  # fmt: skip
_KEPT: Final = ("icc_profile", "dpi")


@dataclass(frozen=True)
class Photo:
    """A picture and the rest of its file.

    Attributes:
        path: its file.
        picture: (H, W, 3), upright.
        orientation: EXIF's, 1 to 8; how the file stores what is upright here.
        metadata: ``exif``, ``icc_profile`` and ``dpi`` as Pillow writes them, as far as they are there.
        text: the text fields of a PNG.
    """

    path: Path
    picture: Picture
    orientation: int = 1
    metadata: Mapping[str, Any] = field(default_factory=dict)
    text: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_grey(self) -> bool:
        """Whether it has no colour anywhere."""
        return bool((self.picture == self.picture[..., :1]).all())


def read_photo(path: str | Path) -> Photo:
    """Read a photograph; damaged EXIF data count as none.

    Raises:
        InputError: see `read_image`.
    """
    path = Path(path)
    picture = read_image(path)
    try:
        with Image.open(path) as image:
            orientation = image.getexif().get(_ORIENTATION, 1)
            metadata = {name: image.info[name] for name in _KEPT if image.info.get(name)}
            if exif := image.getexif():
                metadata["exif"] = exif.tobytes()  # without the thumbnail, which would show the face unedited
            if image.mode == "CMYK":  # the result is RGB, which a profile of inks does not describe
                metadata.pop("icc_profile", None)
            text = {k: v for k, v in getattr(image, "text", {}).items() if isinstance(v, str)}
    except Exception:
        return Photo(path, picture)
    if orientation not in _BACK:
        orientation = 1
    return Photo(path, picture, orientation, metadata, text)


def write_photo(
    path: str | Path, picture: Picture, photo: Photo, *, note: Mapping[str, Any] | None = None, overwrite: bool = True
) -> Path:
    """Write an edited photograph (H, W, 3), stored as turned as ``photo`` is and with its metadata.

    ``note`` says what was done: kept as `write_image` does. Formats without metadata (BMP) hold the upright picture.

    Raises:
        InputError: a name that is no picture's, or an existing file without ``overwrite``.
    """
    path = Path(path)
    check_picture_name(path)
    return write_bytes(path, encode_photo(picture, path.suffix.lower(), photo, note=note), overwrite=overwrite)


def encode_photo(picture: Picture, suffix: str, photo: Photo, *, note: Mapping[str, Any] | None = None) -> bytes:
    """The bytes of an edited photograph's file: see `write_photo`."""
    keeps = suffix in (".png", ".jpg", ".jpeg", ".webp")
    if keeps and photo.orientation in _BACK and "exif" in photo.metadata:
        picture = np.asarray(Image.fromarray(picture).transpose(_BACK[photo.orientation]))
    return encode_image(picture, suffix, note=note, metadata=photo.metadata if keeps else {}, text=photo.text)


def read_note(path: str | Path) -> Any:
    """What a result's file says made it; None if it says nothing."""
    try:
        with Image.open(path) as image:
            text = image.info.get("maskgan") or bytes(image.info.get("comment", b"")).decode().removeprefix("maskgan ")
            return json.loads(text or "null")
    except (OSError, ValueError, TypeError, RecursionError):
        return None
