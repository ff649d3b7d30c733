"""Images, label maps, JSON and CSV on disk: read strictly, written atomically, refused clearly."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, PngImagePlugin, UnidentifiedImageError

from maskgan_cli.errors import InputError
from maskgan_cli.labels import NUM_CLASSES, PALETTE, LabelMap, convert

Picture = npt.NDArray[np.uint8]

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
MASK_HINT = "save it as a palette PNG of the 19 class ids (see docs/label-maps.md)"


# ---------------------------------------------------------------------------------------- writing


@contextlib.contextmanager
def atomic(path: str | Path, *, overwrite: bool = True) -> Iterator[Path]:
    """A temporary path in the same folder; it takes ``path``'s place when the block ends well.

    Whatever happens inside the block, ``path`` is either as it was or complete.

    Raises:
        InputError: ``path`` exists and ``overwrite`` is off, or the folder cannot be written.
    """
    path = Path(path)
    if not overwrite:
        refuse_existing(path)
    if path.is_dir():
        raise InputError(path, expected="a file to write", found="a folder of that name")
    temporary = path.with_name(f".{path.stem[:40]}-{secrets.token_hex(4)}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.open("xb").close()
    except OSError as error:
        raise InputError(
            path, expected="a place that can be written", found=_reason(error), hint="choose another output"
        ) from error
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def refuse_existing(path: Path) -> None:
    """Raise an InputError if ``path`` is there already: results are never lost by accident."""
    if path.exists():
        raise InputError(path, found="a result that exists already", hint="add --overwrite to replace it")


def write_bytes(path: str | Path, data: bytes, *, overwrite: bool = True) -> Path:
    """Write ``data`` atomically."""
    with atomic(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(data)
    return Path(path)


def write_json(path: str | Path, value: Any, *, overwrite: bool = True) -> Path:
    """Write a JSON document atomically, indented, UTF-8, with a final newline."""
    return write_bytes(path, (json.dumps(value, indent=2) + "\n").encode(), overwrite=overwrite)


def write_csv(path: str | Path, fields: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Path:
    """Write rows under a header of ``fields`` atomically."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fields, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return write_bytes(path, text.getvalue().encode())


def write_image(
    path: str | Path, picture: Picture, *, overwrite: bool = True, note: Mapping[str, Any] | None = None
) -> Path:
    """Write an RGB picture (H, W, 3) atomically; the suffix names the format.

    ``note`` says what made the picture; it is kept as JSON in a PNG's ``maskgan`` text field.
    """
    path = Path(path)
    if path.suffix.lower() not in IMAGE_SUFFIXES:
        raise InputError(path, expected=f"a name ending in one of {' '.join(IMAGE_SUFFIXES)}", found=repr(path.suffix))
    with atomic(path, overwrite=overwrite) as temporary:
        _encode(Image.fromarray(picture), temporary, note)
    return path


def write_label_map(path: str | Path, labels: LabelMap, *, overwrite: bool = True) -> Path:
    """Write a label map (H, W) as an 8-bit palette PNG: exact for programs, coloured for people."""
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise InputError(path, expected="a label map's name ending in .png", found=repr(path.suffix))
    with atomic(path, overwrite=overwrite) as temporary:
        _encode(palette_image(labels), temporary, None)
    return path


def palette_image(labels: LabelMap) -> Image.Image:
    """Label map (H, W) -> Pillow image of mode P that carries the palette."""
    image = Image.fromarray(labels, mode="P") if labels.ndim == 2 else None
    if image is None:
        raise ValueError(f"a label map has two dimensions, not shape {labels.shape}")
    image.putpalette(PALETTE.tobytes())
    return image


def encode_png(image: Image.Image) -> bytes:
    """The bytes of a PNG file of ``image``."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _encode(image: Image.Image, path: Path, note: Mapping[str, Any] | None) -> None:
    options: dict[str, Any] = {}
    if path.suffix.lower() == ".png" and note:
        text = PngImagePlugin.PngInfo()
        text.add_text("maskgan", json.dumps(note, sort_keys=True))
        options["pnginfo"] = text
    elif path.suffix.lower() in (".jpg", ".jpeg", ".webp"):
        options["quality"] = 95
    image.save(path, **options)


# ---------------------------------------------------------------------------------------- reading


def read_image(path: str | Path) -> Picture:
    """Read any picture as RGB (H, W, 3) ``uint8``, turned the way its EXIF says.

    Raises:
        InputError: missing, unreadable, truncated or not a picture.
    """
    image = _open(Path(path))
    return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


def read_label_map(path: str | Path, *, order: str = "celebamask") -> LabelMap:
    """Read a label map (H, W) from a plain, palette or colour-coded mask file.

    Plain means one 8-bit channel of ids; colour-coded means RGB in the 19 palette colours. A
    palette file is read by its colours where they are ours, by its indices otherwise.

    Args:
        path: the mask file.
        order: the class order its ids are in, a key of ``labels.ORDERS``; colours need no order.

    Raises:
        InputError: missing, unreadable, 16-bit, or holding values that are no class.
    """
    path = Path(path)
    image = _open(path)
    if image.mode == "P":
        indices = np.asarray(image)
        palette = np.asarray(image.getpalette("RGB"), dtype=np.uint8).reshape(-1, 3)
        used = np.unique(indices)
        if used.max() < len(palette) and (table := _ids_of(palette[used])) is not None:
            lookup: LabelMap = np.zeros(256, np.uint8)
            lookup[used] = table
            return np.take(lookup, indices)
        return convert(_checked_ids(path, indices), order)
    if image.mode == "L":
        return convert(_checked_ids(path, np.asarray(image)), order)
    if image.mode in ("RGB", "RGBA"):
        return _from_colours(path, np.asarray(image.convert("RGB")))
    kind = "a 16-bit or 32-bit mask" if image.mode[0] in "IF" else f"a mask of mode {image.mode}"
    raise InputError(path, expected="an 8-bit label map", found=kind, hint=MASK_HINT)


def read_part(path: str | Path) -> npt.NDArray[np.bool_]:
    """Read one part file of the raw layout: True (H, W) where any colour channel is not zero.

    Raises:
        InputError: missing, unreadable or truncated.
    """
    image = _open(Path(path))
    pixels = np.asarray(image.convert("L") if image.mode == "LA" else image)
    if pixels.ndim == 3:
        pixels = pixels[..., :3].max(-1)
    return np.asarray(pixels > 0)


def _ids_of(colours: npt.NDArray[np.uint8]) -> LabelMap | None:
    """The class ids of (N, 3) colours, or None if one of them is not in the palette."""
    match = (colours[:, None, :] == PALETTE[None]).all(-1)
    return match.argmax(1).astype(np.uint8) if match.any(1).all() else None


def _checked_ids(path: Path, ids: npt.NDArray[Any]) -> LabelMap:
    values = np.unique(ids)
    if values.max() >= NUM_CLASSES:
        wrong = [int(v) for v in values if v >= NUM_CLASSES]
        raise InputError(
            path, expected=f"class ids 0 to {NUM_CLASSES - 1}", found=_some("value", wrong), hint=MASK_HINT
        )
    return ids.astype(np.uint8)


def _from_colours(path: Path, picture: Picture) -> LabelMap:
    packed = picture.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    values, inverse = np.unique(packed, return_inverse=True)
    ours = PALETTE.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    wrong = [f"#{v:06x}" for v in values if v not in ours]
    if wrong:
        grey = all(w[1:3] == w[3:5] == w[5:7] for w in wrong)
        expected = "the 19 palette colours" + (" (or one grey channel of ids)" if grey else "")
        raise InputError(path, expected=expected, found=_some("colour", wrong), hint=MASK_HINT)
    ids = np.array([int(np.flatnonzero(ours == v)[0]) for v in values], np.uint8)
    return ids[inverse].reshape(picture.shape[:2])


def _some(noun: str, values: Sequence[Any]) -> str:
    shown = ", ".join(str(v) for v in values[:5])
    more = f" and {len(values) - 5} more" if len(values) > 5 else ""
    return f"{noun}{'s' if len(values) > 1 else ''} {shown}{more}"


def _open(path: Path) -> Image.Image:
    """Open and fully decode a picture, so that a truncated file fails here."""
    try:
        with Image.open(path) as image:
            image.load()
            return image
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise unreadable(path, error, "a picture") from error


def unreadable(path: Path, error: Exception, expected: str) -> InputError:
    """The InputError for a file that could not be read as what it should be."""
    if not path.exists():
        return InputError(path, expected=expected, found="no such file", hint="check the path")
    if path.is_dir():
        return InputError(path, expected=expected, found="a folder")
    return InputError(path, expected=expected, found=_reason(error), hint="save or copy the file again")


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "a file that is no picture"
    text = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
    return text.lower() or type(error).__name__


def read_json(path: str | Path) -> Any:
    """Read a JSON document.

    Raises:
        InputError: missing, unreadable or not JSON.
    """
    path = Path(path)
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise unreadable(path, error, "a JSON file") from error


def read_csv(path: str | Path) -> list[dict[str, str]]:
    """Read a CSV file with a header row.

    Raises:
        InputError: missing, unreadable or not text.
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    except (OSError, ValueError, csv.Error) as error:
        raise unreadable(path, error, "a CSV file") from error


def sha256(path: str | Path) -> str:
    """SHA-256 of a file's bytes, as hexadecimal digits."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
