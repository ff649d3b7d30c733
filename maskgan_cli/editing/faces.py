"""Faces as commands get them: a picture, its mask from wherever it is, and lists of pairs."""

from __future__ import annotations

import csv
import stat
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from maskgan_cli.data.given_masks import read_given_mask
from maskgan_cli.data.prepared import in_prepared, mask_beside
from maskgan_cli.editing.framing import FACE_CROP, misplaced, oddity
from maskgan_cli.errors import InputError
from maskgan_cli.files import Photo, Picture, decoded, read_image, read_stdin, table_lines, unreadable
from maskgan_cli.labels import PALETTE, LabelMap

if TYPE_CHECKING:
    from maskgan_cli.editing.cutouts import Cutout

_FAR: Final = 60  # of two colours, summed over the channels: more than JPEG does to a palette colour


@dataclass(frozen=True)
class Face:
    """A square picture (S, S, 3) and its label map of the same size, with where they came from.

    Attributes:
        image: the picture's file.
        mask: the label map's file, or None where the face parser made it.
        parser: SHA-256 of the parser's weights in that case, else "".
        photo: the photograph that it is, or that it was cut out of; None for pictures of a prepared data set.
        cutout: where in it, if it was cut out.
    """

    image: Path
    mask: Path | None
    picture: Picture
    labels: LabelMap
    parser: str = ""
    photo: Photo | None = None
    cutout: Cutout | None = None

    @property
    def is_photo(self) -> bool:
        """Whether it comes from anywhere but a prepared data set."""
        return not in_prepared(self.image)


MakeMask = Callable[[Path, Picture], tuple[LabelMap, str]]  # see `maskgan_cli.editing.parse.MaskMaker`
ReadFace = Callable[[Path, Path | None, str], Face]  # see `read_face` and `editing.reader.PhotoReader`


class FaceReader:
    """Reads faces, and has the masks that nobody gave made by the face parser.

    The parser, and PyTorch with it, is loaded when the first mask is wanted.

    Args:
        weights: of the face parser; those found by `find_weights` if None.
        device: see `pick_device`.
        say: told each picture whose mask is made.
        force: go on with pictures that are no face crop by their mask.

    Attributes:
        parser: SHA-256 of the parser's weights once it has made a mask, else "".
    """

    parser = ""

    def __init__(self, weights: Path | None, device: str, say: Callable[[str], None], *, force: bool = False) -> None:
        self._weights, self._device, self._say, self._force = weights, device, say, force
        self._made: MakeMask | None = None

    def __call__(self, image: Path, mask: Path | None) -> Face:
        """See `load_face`."""
        return load_face(image, mask, self.make_mask)

    def make_mask(self, image: Path, picture: Picture) -> tuple[LabelMap, str]:
        """A picture (S, S, 3) and its path -> its label map and the parser's SHA-256.

        Raises:
            InputError: no parser, or by its mask the picture is no face crop.
        """
        if self._made is None:
            from maskgan_cli.editing.parse import MaskMaker

            self._made = MaskMaker(self._weights, self._device, self._say)
        labels, self.parser = self._made(image, picture)
        found = oddity(labels) or (
            "" if in_prepared(image) else misplaced(labels)
        )  # a data set may be framed otherwise
        if found and not self._force:
            raise InputError(
                image, expected=FACE_CROP, found=found,
                hint="cut the face out with `maskgan align`, name its mask, or go on with --force",
            )  # fmt: skip
        return labels, self.parser


def read_face(image: Path, mask: Path | None, role: str) -> Face:
    """A face crop that has a mask, whatever its role in an edit: see `load_face`."""
    return load_face(image, mask)


def load_face(image: Path, mask: Path | None, make_mask: MakeMask | None = None) -> Face:
    """Read a face; without ``mask``, its sidecar or its label map in a prepared data set is used.

    Args:
        image: the picture's file.
        mask: its label map's file, if it is named.
        make_mask: makes the label map where there is none.

    Raises:
        InputError: no mask to be found or made, not square, or sizes that differ.
    """
    picture = read_square_picture(image)
    mask = mask or mask_beside(image)
    if mask is None:
        if make_mask is None:
            raise InputError(
                image, expected=f"its mask ({image.stem}.mask.png beside it, or a prepared data set)", found="none",
                hint="name the mask file",
            )  # fmt: skip
        labels, parser = make_mask(image, picture)
        return Face(image, None, picture, labels, parser)
    labels = read_square_mask(mask)
    if labels.shape != picture.shape[:2]:
        raise InputError(
            mask, expected=f"a mask of its image's size {picture.shape[1]}x{picture.shape[0]}",
            found=f"{labels.shape[1]}x{labels.shape[0]}", hint=f"the image is {image}",
        )  # fmt: skip
    return Face(image, mask, picture, labels)


def read_square_picture(path: Path) -> Picture:
    """Read a picture and insist that it is square.

    Raises:
        InputError: see `read_image`; or not square.
    """
    picture = read_image(path)
    if picture.shape[0] != picture.shape[1]:
        raise InputError(
            path, expected="a square face crop", found=f"{picture.shape[1]}x{picture.shape[0]}",
            hint="maskgan align makes one",
        )  # fmt: skip
    return picture


def read_square_mask(path: Path) -> LabelMap:
    """Read a label map and insist that it is square.

    Raises:
        InputError: see `read_label_map`; or not square.
    """
    labels = read_given_mask(path)
    if labels.shape[0] != labels.shape[1]:
        raise InputError(path, expected="a square mask", found=f"{labels.shape[1]}x{labels.shape[0]}")
    return labels


def read_shape(path: Path, make_mask: MakeMask | None = None) -> LabelMap:
    """A square label map: a mask's own file, or the mask of a picture, lying beside it or made for it.

    Raises:
        InputError: neither a square label map nor a picture that has one, or whose mask can be made.
    """
    beside = mask_beside(path)
    if beside is not None:
        return read_square_mask(beside)
    try:
        return read_square_mask(path)
    except InputError:
        if make_mask is None or not _looks_like_a_photo(path):
            raise
        return load_face(path, None, make_mask).labels


def is_photo(path: Path) -> bool:
    """Whether a file is a picture with a mask of its own or to be made, and from anywhere but a prepared data set."""
    if in_prepared(path):
        return False
    return mask_beside(path) is not None or _looks_like_a_photo(path)


def _looks_like_a_photo(path: Path) -> bool:
    """Whether most of a picture's colours are far from the palette: a spoiled mask is no photo."""
    picture = np.asarray(Image.fromarray(read_image(path)).resize((64, 64), Image.Resampling.NEAREST)).astype(int)
    if (picture == picture[..., :1]).all():
        return False  # grey: rather ids than a photo
    distance = np.abs(picture[..., None, :] - PALETTE.astype(int)).sum(-1).min(-1)
    return bool((distance > _FAR).mean() > 0.5)


def check_files(paths: Iterable[Path]) -> None:
    """Make sure that every input is a file, before anything is loaded or painted.

    Raises:
        InputError: naming the first that is missing, a folder, a pipe or a device.
    """
    for path in dict.fromkeys(paths):
        try:
            mode = path.stat().st_mode
        except (OSError, ValueError) as error:
            raise unreadable(path, error, "a picture") from error
        if not stat.S_ISREG(mode):
            found = "a folder" if stat.S_ISDIR(mode) else "no regular file (a pipe or a device)"
            raise InputError(path, expected="a picture", found=found)


def _names(cells: Sequence[str], columns: Sequence[str]) -> bool:
    """Whether the cells of a first line name the columns."""
    return set(columns) <= {cell.strip().lower().replace(" ", "_") for cell in cells}


def read_pairs(where: str, columns: Sequence[str], optional: Sequence[str]) -> list[dict[str, Path]]:
    """A list of pairs from a file or, for ``-``, from standard input.

    Either CSV with a header that names the columns (others are ignored), or lines of bare paths in
    the order of ``columns``, separated by tabs, commas or semicolons. Names of columns may begin with capitals.

    Args:
        where: path or ``-``.
        columns: what every line must have, e.g. ``("source", "target")``.
        optional: what a line may have besides, e.g. ``("source_mask", "target_mask", "output")``.

    Raises:
        InputError: unreadable, empty, or a line without what it must have.
    """
    try:
        text = read_stdin() if where == "-" else decoded(Path(where).read_bytes())
        text = text.removeprefix("\ufeff")  # as Excel begins its CSV files
    except (OSError, ValueError) as error:
        raise unreadable(Path(where), error, "a list of pairs") from error
    name = "standard input" if where == "-" else where
    whole, mark = table_lines(text)
    lines = [line for line in whole if line.strip()]
    if mark == ";" and not _names(lines[0].split(mark), columns) and len(columns) == 1:
        mark = ","  # one path, with a semicolon in its name
    if not lines:
        raise InputError(name, expected=f"lines of {', '.join(columns)}", found="nothing")
    try:
        rows = list(csv.reader(lines, delimiter=mark))
    except csv.Error as error:  # e.g. a quotation mark that nothing closes
        raise InputError(name, expected="a list of pairs", found=str(error)) from error
    header = [cell.strip().lower().replace(" ", "_") for cell in rows[0]]
    if _names(rows[0], columns):
        rows = rows[1:]
    else:
        header = [*columns, *optional]
    pairs = []
    for number, row in enumerate(rows, start=len(lines) - len(rows) + 1):
        cells = dict(zip(header, (cell.strip() for cell in row), strict=False))
        known = {key: Path(cells[key]) for key in (*columns, *optional) if cells.get(key)}
        if missing := [column for column in columns if column not in known]:
            raise InputError(f"{name}, line {number}", expected=f"{', '.join(columns)}", found=f"no {missing[0]}")
        pairs.append(known)
    if not pairs:
        raise InputError(name, expected=f"lines of {', '.join(columns)}", found="a header and nothing else")
    return pairs
