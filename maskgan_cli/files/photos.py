"""A photograph with what its file says besides pixels: how it is turned, EXIF, colour profile."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from maskgan_cli.errors import OmissionWarning
from maskgan_cli.files.colours import in_srgb, space_of, srgb_of, with_alpha
from maskgan_cli.files.pictures import (
    JPEG_SUFFIXES,
    Picture,
    as_rgb,
    check_picture_name,
    encode_image,
    first_of,
    open_first_frame,
)
from maskgan_cli.files.writing import write_bytes

_ORIENTATION: Final = 0x0112
# What brings an upright picture back to how the file stores it: the inverse of each EXIF orientation.
_BACK: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}  # fmt: skip
_WITH_METADATA: Final = (*JPEG_SUFFIXES, ".png", ".webp", ".tif", ".tiff")
WITH_ALPHA: Final = (".png", ".webp", ".tif", ".tiff")
# Of a TIFF's tags those that describe the photograph; the others say how that file stores it. Description, camera,
# orientation, resolution, software, time, artist, rights, and the folders of EXIF and GPS tags.
_DESCRIBING: Final = frozenset({
    0x010E, 0x010F, 0x0110, _ORIENTATION, 0x011A, 0x011B, 0x0128, 0x0131, 0x0132, 0x013B, 0x8298, 0x8769, 0x8825,
})  # fmt: skip
# Tags that describe how a TIFF stores its pixels: of no meaning in another file.
_STORING: Final = frozenset({
    *range(0x00FE, 0x0107), 0x010A, 0x0111, 0x0115, 0x0116, 0x0117, 0x011C, 0x013D, *range(0x0140, 0x0146), 0x014A,
    0x0152, 0x0153, 0x015B, *range(0x0201, 0x020A), 0x8773,
})  # fmt: skip
_DETAILS: Final = 0x8769  # the folder of EXIF's own tags
_MOST_EXIF: Final = 65_000  # bytes that a JPEG holds


@dataclass(frozen=True)
class Photo:
    """A picture and the rest of its file.

    Attributes:
        path: its file.
        picture: (H, W, 3), upright.
        orientation: EXIF's, 1 to 8; how the file stores what is upright here.
        metadata: ``exif``, ``icc_profile`` and ``dpi`` as Pillow writes them, as far as they are there.
        text: the text fields of a PNG.
        stored: (H, W, 4), upright: the file's colours and alpha; None if all is opaque. ``picture`` lies on white.
        remarks: what of the file is not kept, in sentences for people.
    """

    path: Path
    picture: Picture
    orientation: int = 1
    metadata: Mapping[str, Any] = field(default_factory=dict)
    text: Mapping[str, str] = field(default_factory=dict)
    stored: Picture | None = None
    remarks: tuple[str, ...] = ()

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
    image, frames = open_first_frame(path)
    picture, remarks = as_rgb(path, image), []
    if frames > 1:
        remarks.append(f"{path}: {first_of(frames)}")
    stored = _stored(image)
    if stored is not None:
        remarks.append(f"{path}: transparent pixels stay so in {', '.join(WITH_ALPHA)}; other formats get white")
    try:
        with Image.open(path) as header:
            metadata, orientation = _metadata(header)
            text = {k: v for k, v in getattr(header, "text", {}).items() if isinstance(v, str)}
    except Exception:
        return Photo(path, picture, stored=stored, remarks=tuple(remarks))
    if space_of(metadata.get("icc_profile")) in (b"GRAY", b"CMYK", b"Lab "):  # the result is RGB
        del metadata["icc_profile"]
        how = (
            "converted to sRGB by its colour profile"
            if in_srgb(image) is not image
            else "its colour profile is dropped"
        )
        remarks.append(f"{path}: {how}, which does not describe RGB")
    return Photo(path, picture, orientation, metadata, text, stored, tuple(remarks))


def _stored(image: Image.Image) -> Picture | None:
    """The pixels (H, W, 4) of a picture with transparency."""
    if image.mode[0] in "IF" or not image.has_transparency_data:
        return None
    pixels = np.asarray(in_srgb(image).convert("RGBA"))
    return pixels if (pixels[..., 3] < 255).any() else None


def _metadata(image: Image.Image) -> tuple[dict[str, Any], int]:
    """What a file holds besides pixels, as Pillow writes it; and EXIF's orientation, 1 if there is none."""
    metadata: dict[str, Any] = {}
    if profile := image.info.get("icc_profile"):
        metadata["icc_profile"] = profile
    exif = image.getexif()
    orientation = exif.get(_ORIENTATION, 1)
    for tag in list(exif):
        if (tag not in _DESCRIBING) if image.format == "TIFF" else (tag in _STORING):
            del exif[tag]
    if exif:
        metadata["exif"] = exif.tobytes()  # without the thumbnail, which would show the face unedited
    try:
        dpi = tuple(float(value) for value in image.info.get("dpi", ()))
    except (TypeError, ValueError, ZeroDivisionError):
        dpi = ()
    if len(dpi) == 2 and all(1 <= value < 60_000 for value in dpi):
        metadata["dpi"] = dpi
    return metadata, orientation if orientation in _BACK else 1


def write_photo(
    path: str | Path, picture: Picture, photo: Photo, *, note: Mapping[str, Any] | None = None, overwrite: bool = True
) -> Path:
    """Write an edited photograph (H, W, 3), stored as turned as ``photo`` is and with its metadata.

    ``note`` says what was done: kept as `write_image` does. Formats without metadata (BMP) hold the upright
    picture in sRGB. Transparency is kept in formats that have it, for edits of the photo's own size.

    Raises:
        InputError: a name that is no picture's, or an existing file without ``overwrite``.
    """
    path = Path(path)
    check_picture_name(path)
    return write_bytes(path, encode_photo(picture, path.suffix.lower(), photo, note=note), overwrite=overwrite)


def encode_photo(picture: Picture, suffix: str, photo: Photo, *, note: Mapping[str, Any] | None = None) -> bytes:
    """The bytes of an edited photograph's file: see `write_photo`."""
    stored = photo.stored if suffix in WITH_ALPHA else None
    if stored is not None and stored.shape[:2] == picture.shape[:2] == photo.picture.shape[:2]:
        picture = with_alpha(picture, photo.picture, stored)
    metadata = dict(photo.metadata) if suffix in _WITH_METADATA else {}
    if not metadata and (profile := photo.metadata.get("icc_profile")):  # BMP: other programs take it for sRGB
        picture = srgb_of(picture, profile)
    if suffix in JPEG_SUFFIXES and len(exif := metadata.get("exif", b"")) > _MOST_EXIF:
        metadata["exif"] = _short_exif(photo.path, exif)
    if photo.orientation in _BACK and "exif" in metadata:
        picture = np.asarray(Image.fromarray(picture).transpose(_BACK[photo.orientation]))
    return encode_image(picture, suffix, note=note, metadata=metadata, text=photo.text)


def _short_exif(path: Path, exif: bytes) -> bytes:
    """EXIF data that a JPEG can hold: without the maker's notes and the comment, or the orientation alone.

    What is left out is named in an `OmissionWarning`.
    """
    kept = Image.Exif()
    kept.load(exif)
    details = kept.get_ifd(_DETAILS)
    names = [name for name, tag in (("maker's notes", 0x927C), ("user's comment", 0x9286)) if details.pop(tag, None)]
    short = kept.tobytes()
    left = f"its EXIF data without the {' and '.join(names)}"
    if len(short) > _MOST_EXIF:
        turned = Image.Exif()
        turned[_ORIENTATION] = kept.get(_ORIENTATION, 1)
        short, left = turned.tobytes(), "none of its EXIF data"
    remark = f"{path}: has {len(exif):,} bytes of EXIF data, and JPEG holds {_MOST_EXIF:,}; the JPEG gets {left}"
    warnings.warn(remark, OmissionWarning, stacklevel=3)
    return short


def read_note(path: str | Path) -> Any:
    """What a result's file says made it; None if it says nothing."""
    try:
        with Image.open(path) as image:
            text = image.info.get("maskgan") or bytes(image.info.get("comment", b"")).decode().removeprefix("maskgan ")
            return json.loads(text or "null")
    except (OSError, ValueError, TypeError, RecursionError):
        return None
