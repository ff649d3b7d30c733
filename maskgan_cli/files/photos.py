"""Photos with the metadata of their files: orientation, EXIF data and colour profile."""

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
from maskgan_cli.files.colour_profiles import in_srgb, space_of, srgb_of, with_alpha
from maskgan_cli.files.encoding import check_picture_name, encode_image
from maskgan_cli.files.pictures import JPEG_SUFFIXES, Picture, as_rgb, first_of, open_first_frame
from maskgan_cli.files.writing import write_bytes

_ORIENTATION: Final = 0x0112
# EXIF orientation -> operation that rotates or mirrors an upright picture into the orientation that the file stores.
_TO_STORED: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
_WITH_METADATA: Final = (*JPEG_SUFFIXES, ".png", ".webp", ".tif", ".tiff")
WITH_ALPHA: Final = (".png", ".webp", ".tif", ".tiff")
# TIFF tags that describe the photo rather than its storage: description, camera, orientation, resolution, software,
# time, artist, copyright, and the directories of EXIF and GPS tags.
_DESCRIBING: Final = frozenset(
    {
        0x010E,
        0x010F,
        0x0110,
        _ORIENTATION,
        0x011A,
        0x011B,
        0x0128,
        0x0131,
        0x0132,
        0x013B,
        0x8298,
        0x8769,
        0x8825,
    }
)
# TIFF tags that describe the storage of the pixels, which do not apply to other files.
_STORING: Final = frozenset(
    {
        *range(0x00FE, 0x0107),
        0x010A,
        0x0111,
        0x0115,
        0x0116,
        0x0117,
        0x011C,
        0x013D,
        *range(0x0140, 0x0146),
        0x014A,
        0x0152,
        0x0153,
        0x015B,
        *range(0x0201, 0x020A),
        0x8773,
    }
)
_EXIF_DIRECTORY: Final = 0x8769
_MAX_EXIF: Final = 65_000  # maximum bytes of EXIF data in a JPEG


@dataclass(frozen=True)
class Photo:
    """A picture with the metadata of its file.

    Attributes:
        path: the file.
        picture: the upright picture (H, W, 3); transparent pixels are blended with white.
        orientation: EXIF orientation of the file, 1 to 8.
        metadata: dict with some of the keys ``exif``, ``icc_profile`` and ``dpi``, with values as Pillow's
            ``Image.save`` accepts them.
        text: dict from name to text of the text fields of a PNG.
        stored: the upright picture with its transparency, before blending with white: red, green, blue, alpha
            (H, W, 4); None if all pixels are opaque.
        remarks: messages for the user about content of the file that was not read or will not be written to results.
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
        """Whether all pixels are grey."""
        return bool((self.picture == self.picture[..., :1]).all())


def read_photo(path: str | Path) -> Photo:
    """Read a picture file with its metadata, and return both as a `Photo`. Damaged metadata are ignored.

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
        remarks.append(f"{path}: {', '.join(WITH_ALPHA)} keep the transparency; in other formats it becomes white")
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
    """Return red, green, blue and alpha (H, W, 4) of a picture; None if all pixels are opaque."""
    if image.mode[0] in "IF" or not image.has_transparency_data:
        return None
    pixels = np.asarray(in_srgb(image).convert("RGBA"))
    return pixels if (pixels[..., 3] < 255).any() else None


def _metadata(image: Image.Image) -> tuple[dict[str, Any], int]:
    """Return the metadata of a picture file, and its EXIF orientation (1 if the file has none).

    The metadata are a dict with some of the keys ``exif``, ``icc_profile`` and ``dpi``, as Pillow's ``Image.save``
    accepts them.
    """
    metadata: dict[str, Any] = {}
    if profile := image.info.get("icc_profile"):
        metadata["icc_profile"] = profile
    exif = image.getexif()
    orientation = exif.get(_ORIENTATION, 1)
    for tag in list(exif):
        if (tag not in _DESCRIBING) if image.format == "TIFF" else (tag in _STORING):
            del exif[tag]
    if exif:
        metadata["exif"] = exif.tobytes()  # drops the thumbnail, which would show the unedited face
    try:
        dpi = tuple(float(value) for value in image.info.get("dpi", ()))
    except (TypeError, ValueError, ZeroDivisionError):
        dpi = ()
    if len(dpi) == 2 and all(1 <= value < 60_000 for value in dpi):
        metadata["dpi"] = dpi
    return metadata, orientation if orientation in _TO_STORED else 1


def write_photo(
    path: str | Path, picture: Picture, photo: Photo, *, note: Mapping[str, Any] | None = None, overwrite: bool = True
) -> Path:
    """Write an edited photo with the orientation and metadata of the original file, and return the path.

    In BMP files, which have no metadata, the picture is written upright and in sRGB. The photo's transparency is kept
    if the format supports it and the edited picture has the photo's size.

    Args:
        path: the file to write.
        picture: the edited picture (H, W, 3), upright.
        photo: the original photo.
        note: provenance to store in the file, as in `write_image`.
        overwrite: replace an existing file.

    Raises:
        InputError: the name has no suffix of a picture, or the file exists and ``overwrite`` is false.
    """
    path = Path(path)
    check_picture_name(path)
    return write_bytes(path, encode_photo(picture, path.suffix.lower(), photo, note=note), overwrite=overwrite)


def encode_photo(picture: Picture, suffix: str, photo: Photo, *, note: Mapping[str, Any] | None = None) -> bytes:
    """Return the content of the file that `write_photo` writes for an edited photo, as bytes.

    Args:
        picture: the edited picture (H, W, 3), upright.
        suffix: suffix of the file format, e.g. ``.png``.
        photo: the original photo.
        note: provenance to store in the file, as in `write_image`.
    """
    stored = photo.stored if suffix in WITH_ALPHA else None
    if stored is not None and stored.shape[:2] == picture.shape[:2] == photo.picture.shape[:2]:
        picture = with_alpha(picture, photo.picture, stored)
    metadata = dict(photo.metadata) if suffix in _WITH_METADATA else {}
    if not metadata and (profile := photo.metadata.get("icc_profile")):  # other programs read BMP files as sRGB
        picture = srgb_of(picture, profile)
    if suffix in JPEG_SUFFIXES and len(exif := metadata.get("exif", b"")) > _MAX_EXIF:
        metadata["exif"] = _short_exif(photo.path, exif)
    if photo.orientation in _TO_STORED and "exif" in metadata:
        picture = np.asarray(Image.fromarray(picture).transpose(_TO_STORED[photo.orientation]))
    return encode_image(picture, suffix, note=note, metadata=metadata, text=photo.text)


def _short_exif(path: Path, exif: bytes) -> bytes:
    """Shorten EXIF data to the maximum size in a JPEG, emit an `OmissionWarning`, and return the shorter data.

    First the maker's notes and the user's comment are removed. If the data are still too long, everything except the
    orientation is removed. The warning names the photo ``path``.
    """
    kept = Image.Exif()
    kept.load(exif)
    directory = kept.get_ifd(_EXIF_DIRECTORY)
    names = [name for name, tag in (("maker's notes", 0x927C), ("user's comment", 0x9286)) if directory.pop(tag, None)]
    short = kept.tobytes()
    written = f"its EXIF data without the {' and '.join(names)}"
    if len(short) > _MAX_EXIF:
        orientation = Image.Exif()
        orientation[_ORIENTATION] = kept.get(_ORIENTATION, 1)
        short, written = orientation.tobytes(), "none of its EXIF data"
    remark = f"{path}: has {len(exif):,} bytes of EXIF data, and JPEG holds {_MAX_EXIF:,}; the JPEG gets {written}"
    warnings.warn(remark, OmissionWarning, stacklevel=3)
    return short


def read_note(path: str | Path) -> Any:
    """Return the provenance that `write_image` or `write_photo` stored in a file (see ``note`` there).

    Return None if the file contains no provenance or is not readable.
    """
    try:
        with Image.open(path) as image:
            text = image.info.get("maskgan") or bytes(image.info.get("comment", b"")).decode().removeprefix("maskgan ")
            return json.loads(text or "null")
    except (OSError, ValueError, TypeError, RecursionError):
        return None
