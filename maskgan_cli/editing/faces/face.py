"""Read face crops with their masks, and lists of pairs of files."""

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
from maskgan_cli.editing.faces.framing import FACE_CROP, crop_problem, misplaced
from maskgan_cli.errors import InputError
from maskgan_cli.files import Photo, Picture, decoded, read_image, read_stdin, table_lines, unreadable
from maskgan_cli.labels import PALETTE, LabelMap

if TYPE_CHECKING:
    from maskgan_cli.editing.faces.cutouts import Cutout

# Distance of two colours, summed over the channels (0 to 765). JPEG changes a palette colour by less.
_FAR: Final = 60


@dataclass(frozen=True)
class Face:
    """A face crop and its mask.

    Attributes:
        image: file of the picture, or of the photo that the picture was cut out of.
        mask: file of the label map; None if the face parser made it.
        picture: (S, S, 3), the face crop.
        labels: (S, S), label map of the face crop.
        parser: SHA-256 of the parser's weights if the face parser made the label map, else "".
        photo: the photo that the picture was cut out of, or the picture itself with its metadata; None if the picture
            was read only as a crop, e.g. from a prepared data set.
        cutout: position of the crop in the photo; None if the picture was not cut out.
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
        """Whether the picture is a user's picture, that is, not part of a prepared data set."""
        return not in_prepared(self.image)


MakeMask = Callable[[Path, Picture], tuple[LabelMap, str]]  # see `maskgan_cli.editing.faces.parse.MaskMaker`
ReadFace = Callable[[Path, Path | None, str], Face]  # see `read_face` and `editing.reader.PhotoReader`


class FaceReader:
    """A callable that reads face crops and their masks, and makes missing masks with the face parser.

    The parser and PyTorch are loaded when the first mask has to be made.

    Args:
        weights: weights of the face parser; None: those that `find_weights` finds.
        device: see `pick_device`.
        say: function that is called with a message for each picture whose mask is made.
        force: also accept pictures that are not face crops, as far as their masks show.

    Attributes:
        parser: SHA-256 of the parser's weights if the parser has made a mask, else "".
    """

    parser = ""

    def __init__(self, weights: Path | None, device: str, say: Callable[[str], None], *, force: bool = False) -> None:
        self._weights, self._device, self._say, self._force = weights, device, say, force
        self._made: MakeMask | None = None

    def __call__(self, image: Path, mask: Path | None) -> Face:
        """Read a face crop and its mask; if there is no mask file, make one with the face parser: see `load_face`."""
        return load_face(image, mask, self.make_mask)

    def make_mask(self, image: Path, picture: Picture) -> tuple[LabelMap, str]:
        """Make the mask of a picture with the face parser.

        Args:
            image: path of the picture, for messages.
            picture: (S, S, 3), the pixels of the picture.

        Returns:
            The label map (S, S), and the SHA-256 of the parser's weights.

        Raises:
            InputError: there are no parser weights, or the mask shows that the picture is not a face crop.
        """
        if self._made is None:
            from maskgan_cli.editing.faces.parse import MaskMaker

            self._made = MaskMaker(self._weights, self._device, self._say)
        labels, self.parser = self._made(image, picture)
        found = crop_problem(labels) or (
            "" if in_prepared(image) else misplaced(labels)
        )  # a data set may be framed otherwise
        if found and not self._force:
            raise InputError(
                image,
                expected=FACE_CROP,
                found=found,
                hint="cut the face out with `maskgan align`, name its mask, or use it with --force",
            )
        return labels, self.parser


def read_face(image: Path, mask: Path | None, role: str) -> Face:
    """Read a face crop that has a mask file: see `load_face`. ``role`` (the face's role in the edit) is not used."""
    return load_face(image, mask)


def load_face(image: Path, mask: Path | None, make_mask: MakeMask | None = None) -> Face:
    """Read a face crop and its mask.

    Args:
        image: the picture's file.
        mask: the label map's file; None: the mask beside the picture (``NAME.mask.png``) or in its prepared data set.
        make_mask: function that makes the label map if there is no mask file; None: a missing file is an error.

    Raises:
        InputError: there is no mask, the picture is not square, or its size differs from the mask's size.
    """
    picture = read_square_picture(image)
    mask = mask or mask_beside(image)
    if mask is None:
        if make_mask is None:
            raise InputError(
                image,
                expected=f"its mask ({image.stem}.mask.png beside it, or a prepared data set)",
                found="none",
                hint="name the mask file",
            )
        labels, parser = make_mask(image, picture)
        return Face(image, None, picture, labels, parser)
    labels = read_square_mask(mask)
    if labels.shape != picture.shape[:2]:
        raise InputError(
            mask,
            expected=f"a mask of its image's size {picture.shape[1]}x{picture.shape[0]}",
            found=f"{labels.shape[1]}x{labels.shape[0]}",
            hint=f"the image is {image}",
        )
    return Face(image, mask, picture, labels)


def read_square_picture(path: Path) -> Picture:
    """Read a square picture (S, S, 3).

    Raises:
        InputError: the picture is not square, or cannot be read: see `read_image`.
    """
    picture = read_image(path)
    if picture.shape[0] != picture.shape[1]:
        raise InputError(
            path,
            expected="a square face crop",
            found=f"{picture.shape[1]}x{picture.shape[0]}",
            hint="maskgan align makes one",
        )
    return picture


def read_square_mask(path: Path) -> LabelMap:
    """Read a square label map (S, S).

    Raises:
        InputError: the label map is not square, or cannot be read: see `read_given_mask`.
    """
    labels = read_given_mask(path)
    if labels.shape[0] != labels.shape[1]:
        raise InputError(path, expected="a square mask", found=f"{labels.shape[1]}x{labels.shape[0]}")
    return labels


def read_shape(path: Path, make_mask: MakeMask | None = None) -> LabelMap:
    """Read a square label map (S, S) from the file of a mask, or of a picture that has a mask.

    Args:
        path: a label map, or a picture; the picture's mask is the file beside it, or is made by ``make_mask``.
        make_mask: function that makes a picture's label map; None: pictures must have a mask file.

    Raises:
        InputError: the file is neither a square label map nor a picture with a mask.
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
    """Return whether a file is a user's picture: not a mask, and not part of a prepared data set."""
    if in_prepared(path):
        return False
    return mask_beside(path) is not None or _looks_like_a_photo(path)


def _looks_like_a_photo(path: Path) -> bool:
    """Return whether a picture is probably a photo: most of its pixels are far from the colours of coloured masks."""
    picture = np.asarray(Image.fromarray(read_image(path)).resize((64, 64), Image.Resampling.NEAREST)).astype(int)
    if (picture == picture[..., :1]).all():
        return False  # a grey picture is more likely a mask, whose grey levels are class ids
    distance = np.abs(picture[..., None, :] - PALETTE.astype(int)).sum(-1).min(-1)
    return bool((distance > _FAR).mean() > 0.5)


def check_files(paths: Iterable[Path]) -> None:
    """Check that every input is a regular file, before any network is loaded.

    Raises:
        InputError: a path does not exist, or is a folder, a pipe or a device. The error names the first such path.
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
    """Return whether ``cells``, the first line of a list, is a header: it contains the names of all ``columns``."""
    return set(columns) <= {cell.strip().lower().replace(" ", "_") for cell in cells}


def read_pairs(where: str, columns: Sequence[str], optional: Sequence[str]) -> list[dict[str, Path]]:
    """Read a list of pairs of files, and return for each line a dict from column name to path.

    The list is either a CSV file with a header of column names, or lines of paths without a header, in the order of
    ``columns`` and then ``optional``. Paths are separated by tabs, commas or semicolons. In a header, upper and lower
    case are the same, and unknown columns are ignored.

    Args:
        where: path of the list, or ``-`` for standard input.
        columns: required columns, e.g. ``("source", "target")``.
        optional: optional columns, e.g. ``("source_mask", "target_mask", "output")``.

    Raises:
        InputError: the list cannot be read or is empty, or a required value is missing in a line.
    """
    try:
        text = read_stdin() if where == "-" else decoded(Path(where).read_bytes())
        text = text.removeprefix("\ufeff")  # Excel's CSV files begin with this mark
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
    except csv.Error as error:  # e.g. an unclosed quotation mark
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
