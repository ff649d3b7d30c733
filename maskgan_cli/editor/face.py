"""A face to edit: found in a photo, cut out as CelebA-HQ does, with its mask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from maskgan_cli.data.crop import cut, oriented_square
from maskgan_cli.data.resize import resize_image, resize_labels
from maskgan_cli.editing.cutouts import LEAST
from maskgan_cli.editing.framing import framed
from maskgan_cli.editing.uncrop import Square
from maskgan_cli.editor.studio import Studio
from maskgan_cli.errors import InputError
from maskgan_cli.files import Picture
from maskgan_cli.judges.finder import largest
from maskgan_cli.labels import LabelMap

SIDES: Final = (256, 512)  # of the face while it is edited: the larger one where the photo has that many pixels


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

    What is a crop and what a photo is decided as the editing commands do: see `framed`.

    Raises:
        InputError: no face, or none that is large enough.
    """
    if photo.shape[0] == photo.shape[1]:
        face = _whole(photo, studio)
        scale = len(face.labels) / len(photo)
        if framed(face.labels, lambda: largest(studio.finder.find_all(photo), scale)):
            return face
    squares = [oriented_square(found.points) for found in studio.finder.find_all(photo)]
    if not squares:
        raise InputError(what, expected="a photo with a face", found="no face", hint="choose another photo")
    square = max(squares, key=_extent)
    if (extent := _extent(square)) < LEAST:
        raise InputError(
            what, expected=f"a face of at least {LEAST} pixels", found=f"one whose square has {extent:.0f}",
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


def _whole(photo: Picture, studio: Studio) -> Face:
    """The whole picture as the face."""
    picture = resize_image(photo, side_for(len(photo)))
    labels, parser = studio.parse(picture)
    return Face(picture, labels, None, parser)


def _extent(square: Square) -> float:
    """Side of a square in its photo, in pixels."""
    return float(np.hypot(*(square[3] - square[0])))
