"""A face cut out of a photo, and the record beside a crop with which an edit is pasted back into the photo."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from maskgan_cli import __version__
from maskgan_cli.data.alignment import Points
from maskgan_cli.data.crop import cut, matrix_of, oriented_square, side_of, square_of
from maskgan_cli.editing.compositing.paste import Square, cut_labels, paste_crop, paste_labels
from maskgan_cli.errors import InputError
from maskgan_cli.files import Photo, Picture, read_json, read_photo, sha256
from maskgan_cli.labels import LabelMap

if TYPE_CHECKING:
    from maskgan_cli.judges.finder import Found

LEAST: Final = 64  # pixels; smallest side of a face's square
_LARGEST: Final = 1 << 12  # pixels; largest side of a crop
_FAR: Final = 16  # times the photo's longer side; corners of a square lie nearer than this
_LOSSY: Final = 8  # levels by which JPEG or WebP may change a pixel


@dataclass(frozen=True)
class Cutout:
    """One face of a photo, cropped as in CelebA-HQ.

    Attributes:
        photo: the whole photo.
        square: (4, 2), corners of the crop in the photo: see `oriented_square`.
        size: side of the crop in pixels.
        points: (5, 2), the face's points in the photo: see `data.alignment`.
        confidence: of the face detector, 0 to 1.
        number: of the face, from left to right, from 1.
        count: number of faces in the photo.
    """

    photo: Photo
    square: Square
    size: int
    points: Points
    confidence: float = 1.0
    number: int = 1
    count: int = 1

    @classmethod
    def of(cls, photo: Photo, found: Found, size: int, number: int = 1, count: int = 1) -> Cutout:
        """The cutout of a detected face."""
        return cls(photo, oriented_square(found.points), size, found.points, found.confidence, number, count)

    @cached_property
    def picture(self) -> Picture:
        """The crop (size, size, 3)."""
        return cut(self.photo.picture, self.square, self.size)

    @property
    def side(self) -> float:
        """Side of the square in the photo, in pixels."""
        return side_of(self.square)

    def cut_labels(self, labels: LabelMap) -> LabelMap:
        """The crop's part (size, size) of a label map (H, W) of the whole photo."""
        return cut_labels(labels, self.square, self.size)

    def paste(self, result: Picture, *, lossy: bool = False) -> Picture:
        """The photo (H, W, 3) with an edit of the crop: see `paste.paste_crop`; ``lossy``: it was saved as JPEG."""
        return paste_crop(self.photo.picture, self.square, result, tolerance=_LOSSY if lossy else 0)

    def apply_to(self, picture: Picture) -> Picture:
        """Cut the same crop out of another version (H, W, 3) of the photo."""
        return cut(picture, self.square, self.size)

    def paste_labels(self, labels: LabelMap) -> LabelMap:
        """A label map of the crop as one of the photo (H, W)."""
        height, width = self.photo.picture.shape[:2]
        return paste_labels((height, width), self.square, labels)

    def record(self) -> dict[str, Any]:
        """The content of ``NAME.crop.json``: enough to cut the same crop, and to paste it back."""
        height, width = self.photo.picture.shape[:2]
        return {
            "source": str(self.photo.path.resolve()),
            "source_sha256": sha256(self.photo.path),
            "source_size": [width, height],
            "orientation": self.photo.orientation,
            "size": self.size,
            "matrix": matrix_of(self.square, self.size).tolist(),
            "points": [[round(x, 3), round(y, 3)] for x, y in self.points.tolist()],
            "confidence": round(self.confidence, 5),
            "face": self.number,
            "faces": self.count,
            "version": __version__,
        }


def record_path(crop: Path) -> Path:
    """The path of a crop's record: ``NAME.crop.json`` beside it."""
    return crop.with_name(f"{crop.stem}.crop.json")


def read_cutout(crop: Path, photo: Path | None = None, *, force: bool = False) -> Cutout:
    """The cutout of a crop by ``maskgan align``, from the crop's record and the photo.

    Args:
        crop: the crop, or its record.
        photo: the photo; None: the path in the record, or the photo's name beside the record.
        force: accept a photo with another hash, if it has the same size.

    Raises:
        InputError: the record is missing or invalid, or the photo is missing or another one.
    """
    path = crop if crop.suffix == ".json" else record_path(crop)
    if not path.is_file():
        raise InputError(
            crop,
            expected=f"the record of its crop ({path.name} beside it)",
            found="none",
            hint="`maskgan align` writes it; keep it beside the crop, or name it instead",
        )
    record = read_json(path)
    try:
        matrix = np.array(record["matrix"], np.float64)
        points = np.array(record["points"], np.float64)
        size, source = int(record["size"]), Path(str(record["source"]))
        width, height = (int(side) for side in record["source_size"])
        if matrix.shape != (2, 3) or points.shape != (5, 2) or not 1 <= size <= _LARGEST:
            raise ValueError("another shape")
        if not np.isfinite(matrix).all() or abs(np.linalg.det(matrix[:, :2])) < 1e-6:
            raise ValueError("a matrix without a way back")
        if np.abs(square_of(matrix, size)).max() > _FAR * max(width, height):
            raise ValueError("a crop from far outside its photo")
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(
            path, expected="a crop's record as `maskgan align` writes it", found=f"{type(error).__name__}: {error}"
        ) from error
    source = photo or _locate_source(source, path)
    read = read_photo(source)
    if read.picture.shape[:2] != (height, width):
        raise InputError(
            source,
            expected=f"the photo that was cut, {width}x{height}",
            found=f"{read.picture.shape[1]}x{read.picture.shape[0]}",
            hint="name the right one with --photo",
        )
    if not force and record.get("source_sha256") != sha256(source):
        raise InputError(
            source,
            expected="the photo that was cut",
            found="a file with another hash",
            hint="name the right one with --photo, or use this one with --force",
        )
    confidence = _number(record, "confidence", 1.0)
    number, count = int(_number(record, "face", 1)), int(_number(record, "faces", 1))
    return Cutout(read, square_of(matrix, size), size, points, confidence, number, count)


def _locate_source(source: Path, record: Path) -> Path:
    """The photo's path in the record, or, if only that exists, a file of the same name beside the record."""
    return source if source.is_file() or not (record.parent / source.name).is_file() else record.parent / source.name


def _number(record: Mapping[str, Any], name: str, default: float) -> float:
    value = record.get(name, default)
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else default
