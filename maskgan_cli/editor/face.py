"""A face to edit: found in a photo, cut out as CelebA-HQ does, with its mask; and pasted back into the photo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from maskgan_cli.data.alignment import CROP
from maskgan_cli.data.crop import cut, oriented_square
from maskgan_cli.data.resize import resize_image, resize_labels
from maskgan_cli.editing.framing import oddity
from maskgan_cli.editor.studio import Studio
from maskgan_cli.errors import InputError
from maskgan_cli.files import Picture
from maskgan_cli.labels import LabelMap

Square = npt.NDArray[np.float64]

SIDES: Final = (256, 512)  # of the face while it is edited: the larger one where the photo has that many pixels
_FRAMED: Final = 0.06  # how far, as a share of the side, a crop's eyes and mouth may lie from where crops have them
_SMALLEST: Final = 48


@dataclass(frozen=True)
class Face:
    """A face (S, S, 3) and its label map (S, S).

    Attributes:
        square: its corners in the photo, see `oriented_square`; None where the picture is the face.
        parser: SHA-256 of the parser that made the label map, else "".
    """

    picture: Picture
    labels: LabelMap
    square: Square | None = None
    parser: str = ""


def face_of(photo: Picture, studio: Studio, what: str = "the picture") -> Face:
    """The largest face of a photo (H, W, 3), or the photo itself where it is a face crop already.

    Raises:
        InputError: no face, or none that is large enough.
    """
    height, width = photo.shape[:2]
    points = studio.finder.find(photo)
    if points is None:
        if height == width and (face := _whole(photo, studio)) is not None:
            return face
        raise InputError(what, expected="a photo with a face", found="no face", hint="choose another photo")
    if height == width and np.abs(points / width - CROP)[[0, 1, 3, 4]].max() < _FRAMED:
        face = _whole(photo, studio)
        if face is not None:
            return face
    square = oriented_square(points)
    extent = float(np.hypot(*(square[3] - square[0])))
    if extent < _SMALLEST:
        raise InputError(
            what, expected=f"a face of {_SMALLEST} pixels or more", found=f"one of {extent:.0f}",
            hint="choose a photo taken from nearer",
        )  # fmt: skip
    picture = cut(photo, square, side_for(extent))
    labels, parser = studio.parse(picture)
    return Face(picture, labels, square, parser)


def side_for(extent: float) -> int:
    """The side at which a face is edited that has ``extent`` pixels in its photo."""
    return next((side for side in SIDES if extent <= 1.5 * side), SIDES[-1])


def resized(face: Face, side: int) -> Face:
    """The face at another side."""
    return Face(resize_image(face.picture, side), resize_labels(face.labels, side), face.square, face.parser)


def _whole(photo: Picture, studio: Studio) -> Face | None:
    """The whole picture as the face, if the parser sees one in it."""
    picture = resize_image(photo, side_for(len(photo)))
    labels, parser = studio.parse(picture)
    return None if oddity(labels) else Face(picture, labels, None, parser)
