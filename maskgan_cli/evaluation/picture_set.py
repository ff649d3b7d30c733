"""Lists, checks, hashes and reads (in batches) the pictures that are measured."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image
from torch import Tensor

from maskgan_cli.data.picture_batches import read_pictures
from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.errors import InputError, OmissionWarning
from maskgan_cli.files import READ_SUFFIXES, left_out, read_image, sha256


def pictures_of(where: Path, split: str) -> list[Path]:
    """List the pictures of a folder, or of one split of a prepared data set.

    Masks beside the pictures of a folder are left out. If the folder has pictures of unsupported formats, an
    `OmissionWarning` names them.

    Args:
        where: the folder or the data set.
        split: the split; not used for a folder.

    Raises:
        InputError: the folder does not exist, or has no pictures.
    """
    if (where / "dataset.json").is_file():
        return [sample.image for sample in PreparedData.load(where).split(split)]
    if not where.is_dir():
        found = "a file" if where.exists() else "no such folder"
        raise InputError(where, expected="a folder of pictures, or a prepared data set", found=found)
    inside = sorted(where.iterdir())
    paths = [
        path
        for path in inside
        if path.suffix.lower() in READ_SUFFIXES and not path.name.startswith(".") and not is_mask(path)
    ]
    unread = left_out(inside)
    if not paths:
        raise InputError(where, expected="a folder of pictures", found="none in it", hint=unread)
    if unread:
        warnings.warn(f"{where}: {unread}", OmissionWarning, stacklevel=2)
    return paths


def is_mask(path: Path) -> bool:
    """Return whether a file has the name of a mask beside its picture: ``NAME.mask.png``."""
    return path.stem.endswith(".mask")


def digest(paths: Sequence[Path]) -> tuple[str, list[str]]:
    """Return one SHA-256 for a list of files, and the SHA-256 of each file.

    The first value equals the output of ``sha256sum FILES... | sha256sum`` in the folder of the files, where FILES are
    sorted by name.
    """
    with ThreadPoolExecutor(4) as pool:
        hashes = list(pool.map(sha256, paths))
    lines = sorted((path.name, value) for path, value in zip(paths, hashes, strict=True))
    text = "".join(f"{value}  {name}\n" for name, value in lines)
    return hashlib.sha256(text.encode()).hexdigest(), hashes


def batches(paths: Sequence[Path], batch_size: int) -> Iterator[Tensor]:
    """Read pictures, and yield them in batches (N, 3, S, S) ``uint8``, where N is at most ``batch_size``.

    Raises:
        InputError: a picture cannot be read, is not square, or differs in size from the first picture.
    """
    first: tuple[int, ...] = ()
    for names, pictures, sides in read_pictures(paths, batch_size):
        first = first or sides[0]
        _check_size(names[0], sides[0], first, paths[0])  # all pictures of a batch have one size
        yield pictures


def _check_size(path: Path, sides: tuple[int, int], first: tuple[int, ...], other: Path) -> None:
    """Raise an InputError if a picture is not square, or does not have the size of the picture ``other``.

    ``sides`` and ``first`` are (height, width) of the two pictures in pixels.
    """
    height, width = sides
    if sides != first:
        raise InputError(
            path,
            expected=f"{first[1]}x{first[0]} as {other.name}",
            found=f"{width}x{height}",
            hint="measure pictures of one size",
        )
    if height != width:
        raise InputError(path, expected="a square face crop", found=f"{width}x{height}")


def side_of(path: Path) -> int:
    """Return the side of a square picture in pixels; only the file's header is read.

    Raises:
        InputError: the picture cannot be read.
    """
    try:
        with Image.open(path) as image:
            return image.width
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return int(read_image(path).shape[0])  # raises the error that describes the problem
