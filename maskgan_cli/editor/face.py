"""A face to edit: found in a photo, cut out as CelebA-HQ does, with its mask."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
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
        places: the squares of all faces of the photo that can be edited, from left to right.
        number: which of them this is, from 1.
    """

    picture: Picture
    labels: LabelMap
    square: Square | None = None
    parser: str = ""
    places: tuple[Square, ...] = ()
    number: int = 1


class NoFace(InputError):
    """A photo in which no face was found; perhaps it lies on its side."""


def face_of(photo: Picture, studio: Studio, what: str = "the picture", number: int | None = None) -> Face:
    """A face of a photo (H, W, 3), or the photo itself where it is a face crop already.

    What is a crop and what a photo is decided as the editing commands do: see `framed`.

    Args:
        photo: the picture.
        studio: finds and parses faces.
        what: the picture's name in an error.
        number: which face, counted from the left; the largest if None.

    Raises:
        NoFace: no face.
        InputError: no face of that number, or none that is large enough.
    """
    faces = functools.cache(lambda: studio.finder.find_all(photo))  # it takes a moment, and may be asked for twice
    if number is None and photo.shape[0] == photo.shape[1]:
        face = _whole(photo, studio)
        scale = len(face.labels) / len(photo)
        if framed(face.labels, lambda: largest(faces(), scale)):
            return face
    squares = [oriented_square(found.points) for found in faces()]
    if not squares:
        raise NoFace(what, expected="a photo with a face", found="no face", hint="choose another photo")
    places = [square for square in squares if _extent(square) >= LEAST]
    if not places:
        raise InputError(
            what, expected=f"a face of at least {LEAST} pixels",
            found=f"one whose square has {max(map(_extent, squares)):.0f}", hint="choose a photo taken from nearer",
        )  # fmt: skip
    if number is not None and number > len(places):
        count = f"{len(places)} face{'s' if len(places) > 1 else ''}"
        raise InputError(what, expected=f"face {number}", found=count, hint="faces are counted from the left")
    index = max(range(len(places)), key=lambda k: _extent(places[k])) if number is None else number - 1
    picture = cut(photo, places[index], side_for(_extent(places[index])))
    labels, parser = studio.parse(picture)
    return Face(picture, labels, places[index], parser, tuple(places), index + 1)


def side_for(extent: float) -> int:
    """The side at which a face is edited that has ``extent`` pixels in its photo."""
    return next((side for side in SIDES if extent <= 1.5 * side), SIDES[-1])


def resized(face: Face, side: int) -> Face:
    """The face at another side."""
    return replace(face, picture=resize_image(face.picture, side), labels=resize_labels(face.labels, side))


def _whole(photo: Picture, studio: Studio) -> Face:
    """The whole picture as the face."""
    picture = resize_image(photo, side_for(len(photo)))
    labels, parser = studio.parse(picture)
    return Face(picture, labels, None, parser)


def _extent(square: Square) -> float:
    """Side of a square in its photo, in pixels."""
    return float(np.hypot(*(square[3] - square[0])))
