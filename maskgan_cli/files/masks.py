"""Reading and writing of label maps, and reading of the part files of the raw CelebAMask-HQ layout."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from maskgan_cli.errors import InputError
from maskgan_cli.files.colour_profiles import transparent
from maskgan_cli.files.encoding import PNG_OPTIONS, encode_png
from maskgan_cli.files.pictures import Picture, open_image
from maskgan_cli.files.writing import write_bytes
from maskgan_cli.labels import NUM_CLASSES, PALETTE, LabelMap, convert

MASK_HINT: Final = "save it as a palette PNG of the 19 class ids (see docs/label-maps.md)"
_NO_CLASS: Final = 255  # marks colours that are not in the palette
_CHUNK: Final = 1 << 18  # number of pixels that are converted at once
_LARGE: Final = 512 * 512  # minimum number of pixels for run-length compression


def read_label_map(path: str | Path, *, order: str = "celebamask") -> LabelMap:
    """Read a label map (H, W) from a plain, palette or colour-coded mask file.

    Plain files have one 8-bit channel of class ids. Colour-coded files are RGB with the 19 colours of `PALETTE`. In a
    palette file, the classes are read from the colours if all colours are in `PALETTE`; otherwise the palette indices
    are the class ids. Transparent pixels (alpha below 128) are background.

    Args:
        path: the mask file.
        order: the class order of the file (which class each id stands for), a key of ``labels.ORDERS``. It is not used
            if the classes are read from colours.

    Raises:
        InputError: the file is missing, not readable, too large or 16-bit, or has values that are not classes.
    """
    path = Path(path)
    image = open_image(path)
    erased = transparent(image)
    if image.mode in ("RGB", "RGBA"):
        pixels = np.asarray(image)
        return _from_colours(
            path, pixels if erased is None else np.where(erased[..., None], PALETTE[0], pixels[..., :3])
        )
    if image.mode in ("P", "L"):
        values = np.asarray(image)
        if erased is None or not erased.any():
            return _from_values(path, image, values, _used(image), order)
        used = np.flatnonzero(np.bincount(values[~erased], minlength=256)).tolist()
        values = np.where(erased, used[0] if used else 0, values)
        return np.where(erased, np.uint8(0), _from_values(path, image, values, used or [0], order))
    kind = "a 16-bit or 32-bit mask" if image.mode[0] in "IF" else f"a mask of mode {image.mode}"
    raise InputError(path, expected="an 8-bit label map", found=kind, hint=MASK_HINT)


def _from_values(
    path: Path, image: Image.Image, values: npt.NDArray[np.uint8], used: list[int], order: str
) -> LabelMap:
    """Convert the values of a palette or grey picture to a label map (H, W).

    Args:
        path: the file, for error messages.
        image: the picture as opened by Pillow, which gives the mode and the palette.
        values: palette indices or grey values (H, W).
        used: the distinct values, sorted.
        order: the class order (a key of ``labels.ORDERS``) if the values are class ids.
    """
    if image.mode == "P":
        palette = np.asarray(image.getpalette("RGB"), dtype=np.uint8).reshape(-1, 3)
        if used[-1] < len(palette) and (table := _ids_of(palette[used])) is not None:
            lookup: LabelMap = np.zeros(256, np.uint8)
            lookup[used] = table
            return np.take(lookup, values)
    if wrong := [value for value in used if value >= NUM_CLASSES]:
        raise InputError(
            path, expected=f"class ids 0 to {NUM_CLASSES - 1}", found=_some("value", wrong), hint=MASK_HINT
        )
    return convert(values, order)


def write_label_map(path: str | Path, labels: LabelMap, *, overwrite: bool = True) -> Path:
    """Write a label map (H, W) as an 8-bit PNG whose palette shows the classes in colour; return the path.

    Raises:
        InputError: the name does not end in ``.png``, or the file exists and ``overwrite`` is false.
    """
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise InputError(path, expected="a label map's name ending in .png", found=repr(path.suffix))
    return write_bytes(path, encode_label_map(labels), overwrite=overwrite)


def encode_label_map(labels: LabelMap) -> bytes:
    """Encode a label map (H, W) as the PNG that `write_label_map` writes, and return the bytes.

    Label maps from 512 px on use zlib's run-length strategy, which takes a quarter of the time and makes files of real
    faces 3 % smaller. At 256 px it would make them 29 % larger.
    """
    return encode_png(palette_image(labels), **(PNG_OPTIONS if labels.size >= _LARGE else {}))


def palette_image(labels: LabelMap) -> Image.Image:
    """Convert a label map (H, W) to a Pillow image of mode P (palette) with the colours of the classes."""
    if labels.ndim != 2:
        raise ValueError(f"a label map has two dimensions, not shape {labels.shape}")
    image = Image.fromarray(labels, mode="P")
    image.putpalette(PALETTE.tobytes())
    return image


@dataclass(frozen=True)
class PartMask:
    """The mask of one part from a part file, cropped to the bounding box of the part.

    Attributes:
        shape: height and width of the picture in the file.
        box: rows and columns of the bounding box.
        region: boolean mask of the part in the box (h, w).
    """

    shape: tuple[int, int]
    box: tuple[slice, slice]
    region: npt.NDArray[np.bool_]


def read_part(path: str | Path) -> PartMask:
    """Read a part file of the raw CelebAMask-HQ layout: a PNG that shows where one part of a face is.

    The part consists of the opaque pixels with any colour channel above zero.

    Raises:
        InputError: the file is missing, not readable, truncated or too large.
    """
    image = open_image(Path(path))
    if (erased := transparent(image)) is not None:
        if image.mode == "P":
            image = image.convert("RGBA")
        image = image.convert("L" if image.mode == "LA" else "RGB") if image.mode in ("LA", "RGBA") else image
        image.paste(0, mask=Image.fromarray(erased))
    left, top, right, bottom = 0, 0, *image.size
    if image.mode in ("1", "L", "P", "RGB", "RGBA"):  # the modes for which Pillow computes a bounding box
        left, top, right, bottom = image.getbbox(alpha_only=False) or (0, 0, 0, 0)
    pixels = np.asarray(image.crop((left, top, right, bottom)))
    if pixels.ndim == 3:
        pixels = pixels[..., 0] | pixels[..., 1] | pixels[..., 2]
    return PartMask((image.height, image.width), (slice(top, bottom), slice(left, right)), np.asarray(pixels > 0))


def _used(image: Image.Image) -> list[int]:
    """Return the distinct values of an 8-bit image, sorted."""
    return [value for value, count in enumerate(image.histogram()) if count]


def _ids_of(colours: npt.NDArray[np.uint8]) -> LabelMap | None:
    """Return the class ids (N,) of RGB colours (N, 3); None if a colour is not in `PALETTE`."""
    match = (colours[:, None, :] == PALETTE[None]).all(-1)
    return match.argmax(1).astype(np.uint8) if match.any(1).all() else None


def _packed(pixels: Picture) -> npt.NDArray[np.uint32]:
    """Convert colours (N, 3 or more channels) to numbers 0xRRGGBB (N,); channels after the third are ignored."""
    red, green, blue = (pixels[..., channel].astype(np.uint32) for channel in range(3))
    return np.asarray(red << 16 | green << 8 | blue, np.uint32)


@functools.cache
def _id_of_colour() -> LabelMap:
    """Return a table (2**24,) of the class id of each colour 0xRRGGBB; `_NO_CLASS` for colours not in `PALETTE`."""
    table = np.full(1 << 24, _NO_CLASS, np.uint8)
    table[_packed(PALETTE)] = np.arange(NUM_CLASSES, dtype=np.uint8)
    return table


def _from_colours(path: Path, picture: Picture) -> LabelMap:
    """Convert a colour-coded picture (H, W, 3 or more channels) to a label map (H, W).

    Raises:
        InputError: a colour is not in `PALETTE`; the message names the file ``path``.
    """
    table, pixels = _id_of_colour(), picture.reshape(-1, picture.shape[-1])
    labels: LabelMap = np.empty(len(pixels), np.uint8)
    unknown: set[int] = set()
    for start in range(0, len(pixels), _CHUNK):
        packed = _packed(pixels[start : start + _CHUNK])
        labels[start : start + _CHUNK] = part = table[packed]
        unknown.update(np.unique(packed[part == _NO_CLASS]).tolist())
    if unknown:
        wrong = [f"#{value:06x}" for value in sorted(unknown)]
        grey = all(w[1:3] == w[3:5] == w[5:7] for w in wrong)
        expected = "the 19 palette colours" + (" (or one grey channel of ids)" if grey else "")
        raise InputError(path, expected=expected, found=_some("colour", wrong), hint=MASK_HINT)
    return labels.reshape(picture.shape[:2])


def _some(noun: str, values: Sequence[Any]) -> str:
    """Return a text that lists the first five values, e.g. ``values 20, 21``; ``noun`` is the singular ``value``."""
    shown = ", ".join(str(v) for v in values[:5])
    more = f" and {len(values) - 5} more" if len(values) > 5 else ""
    return f"{noun}{'s' if len(values) > 1 else ''} {shown}{more}"
