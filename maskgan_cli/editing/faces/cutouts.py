"""Cut a face out of a photo, store the crop's position in a record beside the crop, and paste an edited crop back."""

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
_FAR: Final = 16  # multiple of the photo's longer side; records whose square has larger coordinates are invalid
_LOSSY: Final = 8  # levels (of 255) by which JPEG or WebP may change a pixel that was not edited


@dataclass(frozen=True)
class Cutout:
    """The crop of one face of a photo, framed as in CelebA-HQ, and its position in the photo.

    Attributes:
        photo: the whole photo.
        square: (4, 2), corners of the crop in the photo: see `oriented_square`.
        size: side of the crop in pixels.
        points: (5, 2), the face's landmarks in the photo: see `data.alignment`.
        confidence: confidence of the face detector, 0 to 1.
        number: number of this face in the photo, counted from left to right, from 1.
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
        """Return the `Cutout` of a detected face.

        Args:
            photo: the whole photo.
            found: the detected face.
            size: side of the crop in pixels.
            number, count: see `Cutout`.
        """
        return cls(photo, oriented_square(found.points), size, found.points, found.confidence, number, count)

    @cached_property
    def picture(self) -> Picture:
        """The pixels of the crop, (size, size, 3)."""
        return cut(self.photo.picture, self.square, self.size)

    @property
    def side(self) -> float:
        """Side of the crop's square in the photo, in the photo's pixels."""
        return side_of(self.square)

    def cut_labels(self, labels: LabelMap) -> LabelMap:
        """Cut the face's crop (size, size) out of a label map (H, W) of the whole photo."""
        return cut_labels(labels, self.square, self.size)

    def paste(self, result: Picture, *, lossy: bool = False) -> Picture:
        """Paste an edited crop into the photo, and return the whole photo (H, W, 3): see `paste.paste_crop`.

        Args:
            result: the edited crop, square.
            lossy: whether the edited crop was saved as JPEG or WebP; then small differences of pixels are ignored.
        """
        return paste_crop(self.photo.picture, self.square, result, tolerance=_LOSSY if lossy else 0)

    def apply_to(self, picture: Picture) -> Picture:
        """Return the crop (size, size, 3) at the same position in another version (H, W, 3) of the photo."""
        return cut(picture, self.square, self.size)

    def paste_labels(self, labels: LabelMap) -> LabelMap:
        """Return a label map (H, W) of the whole photo: ``labels`` (size, size) in the crop, background elsewhere."""
        height, width = self.photo.picture.shape[:2]
        return paste_labels((height, width), self.square, labels)

    def record(self) -> dict[str, Any]:
        """Return the dict to write to ``NAME.crop.json``; `read_cutout` restores this cutout from that file."""
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
    """Return the path of a crop's record: ``NAME.crop.json`` beside the crop."""
    return crop.with_name(f"{crop.stem}.crop.json")


def read_cutout(crop: Path, photo: Path | None = None, *, force: bool = False) -> Cutout:
    """Restore the `Cutout` of a crop that ``maskgan align`` wrote, from the crop's record and the photo.

    Args:
        crop: the file of the crop or of the record.
        photo: the photo's file. None: use the path in the record, or else a file of the same name beside the record.
        force: accept a photo whose hash differs from the recorded one, if it has the same size.

    Raises:
        InputError: the record is missing or invalid, or the photo is missing or not the one that was cropped.
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
    """Return the path of the photo that a crop's record (``NAME.crop.json``) refers to.

    If ``source`` does not exist, a file of the same name beside the record is used. If there is no such file either,
    ``source`` is returned.

    Args:
        source: the photo's path as it is stored in the record.
        record: the record's file.
    """
    return source if source.is_file() or not (record.parent / source.name).is_file() else record.parent / source.name


def _number(record: Mapping[str, Any], name: str, default: float) -> float:
    """Return the number ``name`` in a crop's record; ``default`` if it is missing, not a number, or not finite."""
    value = record.get(name, default)
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else default
