"""Reading of picture files: the supported formats, the limit on their size, and conversion to RGB."""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from maskgan_cli.errors import InputError, OmissionWarning
from maskgan_cli.files.colour_profiles import in_srgb
from maskgan_cli.files.reading import unreadable

Picture = npt.NDArray[np.uint8]

# Only these formats are passed to Pillow, because some of its other readers start programs (EPS). MPO files, which some
# phones write, are read as JPEG.
_READ_FORMATS: Final = tuple(
    reader.format
    for reader in (
        PngImagePlugin.PngImageFile,
        JpegImagePlugin.JpegImageFile,
        WebPImagePlugin.WebPImageFile,
        BmpImagePlugin.BmpImageFile,
        TiffImagePlugin.TiffImageFile,
        GifImagePlugin.GifImageFile,
    )
    if reader.format
)
# Pillow's name of the format for each suffix.
FORMATS: Final = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jfif": "JPEG",
    ".jpe": "JPEG",
    ".webp": "WEBP",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
IMAGE_SUFFIXES: Final = tuple(FORMATS)  # formats that are read and written
READ_SUFFIXES: Final = (*IMAGE_SUFFIXES, ".gif", ".apng")
JPEG_SUFFIXES: Final = tuple(suffix for suffix, kind in FORMATS.items() if kind == "JPEG")
# Common picture and video formats that are not supported.
_UNREAD: Final = frozenset(
    {
        ".heic",
        ".heif",
        ".avif",
        ".jxl",
        ".jp2",
        ".svg",
        ".psd",
        ".xcf",
        ".raw",
        ".dng",
        ".cr2",
        ".nef",
        ".arw",
        ".mp4",
        ".mov",
    }
)
# First bytes of files in other formats, with the name of the format for error messages.
_OTHERS: Final = {
    b"%!PS": "PostScript",
    b"%PDF": "a PDF",
    b"<svg": "an SVG",
    b"\0\0\1\0": "an icon",
}
# Bytes 8 to 12 of AVIF files. HEIC files have various values here (heic, heix, mif1, ...), so all other values are
# reported as "a HEIC picture or a video".
_BRANDS: Final = {b"avif": "an AVIF picture", b"avis": "an AVIF picture"}
LIMIT_VARIABLE: Final = "MASKGAN_MAX_MEGAPIXELS"
_LIMIT: Final = 64.0  # default limit in megapixels, which limits the memory of an edit


def max_pixels() -> int:
    """Return the maximum number of pixels of a picture: 64 million, or ``MASKGAN_MAX_MEGAPIXELS`` times one million.

    Raises:
        InputError: the environment variable is not a number above 0.
    """
    text = os.environ.get(LIMIT_VARIABLE, "")
    try:
        limit = float(text or _LIMIT)
        pixels = int(limit * 1e6)
    except (ValueError, OverflowError):
        pixels = 0
    if pixels <= 0:
        raise InputError(LIMIT_VARIABLE, expected="a number of megapixels above 0", found=repr(text))
    return pixels


def read_image(path: str | Path) -> Picture:
    """Read a picture as RGB (H, W, 3) ``uint8``, rotated according to its EXIF orientation.

    16-bit grey values are multiplied by 255 / 65535, and float values in [0, 1] by 255. Transparent pixels are blended
    with white. Grey and CMYK pictures with a colour profile are converted to sRGB; RGB values are not converted.

    Raises:
        InputError: the file is missing, not readable, truncated, too large or not a picture, or has values outside of
            the range of its type.
    """
    path = Path(path)
    return as_rgb(path, open_image(path))


def as_rgb(path: Path, image: Image.Image) -> Picture:
    """Convert an opened picture to the RGB array that `read_image` returns; ``path`` is used in error messages."""
    if image.mode[0] in "IF":
        return _from_wide(path, image)
    try:
        image = in_srgb(image)
        if image.has_transparency_data:
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
        return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))  # convert() would copy an RGB image
    except ValueError as error:  # a colour space that Pillow cannot convert, e.g. LAB
        raise InputError(path, expected="an RGB picture", found=f"one of mode {image.mode}") from error


def open_image(path: Path) -> Image.Image:
    """Open and fully decode a picture, rotated according to its EXIF orientation.

    If the file has several frames or pages, the first one is read and an `OmissionWarning` is emitted.

    Raises:
        InputError: the file is missing, not readable, truncated, too large or not a picture.
    """
    image, frames = open_first_frame(path)
    if frames > 1:
        warnings.warn(f"{path}: {first_of(frames)}", OmissionWarning, stacklevel=3)
    return image


def first_of(frames: int) -> str:
    """Return a message for the user: a file has ``frames`` frames or pages, and only the first of them is read."""
    return f"has {frames} frames or pages; the first is read"


def open_first_frame(path: Path) -> tuple[Image.Image, int]:
    """Open and decode a picture like `open_image`, but emit no warning about further frames.

    Returns:
        The first frame or page, and the number of frames or pages.
    """
    limit = max_pixels()
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        raise unreadable(path, error, "a picture") from error
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise InputError(path, expected="a picture", found="no regular file (a pipe or a device)")
    Image.MAX_IMAGE_PIXELS = None  # disable Pillow's limit, which is replaced by the check below
    try:
        with Image.open(path, formats=_READ_FORMATS) as image:
            width, height = image.size
            if width * height > limit:
                raise InputError(
                    path,
                    expected=f"at most {limit / 1e6:g} megapixels",
                    found=f"{width}x{height} ({width * height / 1e6:.1f} megapixels)",
                    hint=f"scale it down, or set {LIMIT_VARIABLE}",
                )
            image.load()
            if image.mode in ("P", "PA"):
                _check_palette(path, image)
            return _upright(image), _frames(path, image)
    except InputError:
        raise
    except UnidentifiedImageError as error:
        kinds = "PNG, JPEG, WebP, BMP, TIFF or GIF"
        raise InputError(
            path, expected=f"a picture ({kinds})", found=_kind(path), hint="save it as PNG or JPEG"
        ) from error
    except Exception as error:  # the errors of Pillow's decoders for damaged files have no common base class
        raise unreadable(path, error, "a picture") from error


def is_plain_jpeg(path: Path) -> tuple[int, int] | None:
    """Return (width, height) of a JPEG that needs no conversion (RGB, no EXIF rotation); None for other files.

    The whole file is decoded, so that truncated files are detected. The picture is decoded at an eighth of its size,
    which is fast.

    Raises:
        InputError: the file is missing, or is a damaged JPEG.
    """
    limit = max_pixels()
    try:
        with Image.open(path, formats=("JPEG",)) as image:
            size = image.size
            if image.mode != "RGB" or image.format != "JPEG" or size[0] * size[1] > limit:
                return None
            if image.getexif().get(0x0112, 1) != 1:
                return None
            image.draft("RGB", (max(1, size[0] // 8), max(1, size[1] // 8)))
            image.load()
            return size
    except UnidentifiedImageError:
        return None
    except Exception as error:
        raise unreadable(path, error, "a picture") from error


def _check_palette(path: Path, image: Image.Image) -> None:
    """Raise an InputError if the palette of a picture is missing, or if Pillow cannot convert its colours."""
    if image.palette is None:
        raise InputError(path, expected="a picture", found="a palette picture without its palette")
    try:
        image.crop((0, 0, 1, 1)).convert("RGBA")
    except ValueError as error:
        raise InputError(path, expected="a picture", found=f"a damaged palette: {error}") from error


def _frames(path: Path, image: Image.Image) -> int:
    """Return the number of frames or pages of a file; 1 for MPO, whose other frames are previews or depth maps."""
    if image.format in ("PNG", "WEBP"):
        return int(getattr(image, "n_frames", 1))
    if image.format not in ("TIFF", "GIF"):
        return 1
    try:  # counting frames moves the file's position, so open the file again
        with Image.open(path, formats=(image.format,)) as header:
            return int(getattr(header, "n_frames", 1))
    except Exception:  # later frames are damaged
        return 1


def _upright(image: Image.Image) -> Image.Image:
    """Rotate or mirror an image according to its EXIF orientation; return it unchanged if the EXIF data are damaged."""
    try:
        if image.getexif().get(0x0112, 1) == 1:  # exif_transpose() would copy the image
            return image
        return ImageOps.exif_transpose(image)
    except Exception:  # ignore damaged EXIF data
        return image


def _from_wide(path: Path, image: Image.Image) -> Picture:
    """Convert a grey picture with integer values up to 65535 or float values in [0, 1] to RGB (H, W, 3) ``uint8``.

    Raises:
        InputError: a value is outside of this range; the message names the file ``path``.
    """
    values = np.asarray(image)
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    top = 1.0 if image.mode[0] == "F" else 65535.0
    if not 0 <= low <= high <= top:  # also true for NaN
        raise InputError(
            path,
            expected=f"grey values from 0 to {top:g}",
            found=f"{low:g} to {high:g}",
            hint="save it with 8 or 16 bits per channel",
        )
    grey = np.rint(values.astype(np.float32) * (255 / top)).astype(np.uint8)
    return np.repeat(grey[..., None], 3, -1)


def _kind(path: Path) -> str:
    """Return a description of a file that is not a supported picture, for an error message."""
    with path.open("rb") as file:
        start = file.read(16)
    if not start:
        return "an empty file"
    if start[4:8] == b"ftyp":
        return _BRANDS.get(start[8:12], "a HEIC picture or a video")
    return next((name for magic, name in _OTHERS.items() if start.startswith(magic)), "a file that is no picture")


def left_out(files: Iterable[Path]) -> str:
    """Return a message about the files that are skipped because their picture or video format is not supported.

    If there are no such files, return an empty string.
    """
    suffixes = [path.suffix.lower() for path in files if not path.name.startswith(".")]
    found = sorted({suffix for suffix in suffixes if suffix in _UNREAD})
    count = sum(suffix in _UNREAD for suffix in suffixes)
    if not count:
        return ""
    return f"left out {count} file{'s' if count > 1 else ''} of formats that are not read ({', '.join(found)})"
