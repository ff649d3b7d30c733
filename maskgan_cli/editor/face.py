"""A face to edit: detected in a photo, cropped as in CelebA-HQ, with its mask."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Final

from maskgan_cli.data.crop import cut, oriented_square, side_of
from maskgan_cli.data.resize import resize_image, resize_labels
from maskgan_cli.editing.compositing.paste import Square
from maskgan_cli.editing.faces.cutouts import LEAST
from maskgan_cli.editing.faces.framing import framed
from maskgan_cli.editor.models import Models
from maskgan_cli.errors import InputError
from maskgan_cli.files import Picture
from maskgan_cli.judges.finder import largest
from maskgan_cli.labels import LabelMap

SIDES: Final = (256, 512)  # sides of an edited face in pixels; the larger one is used for large faces


@dataclass(frozen=True)
class EditedFace:
    """A face to edit.

    Attributes:
        picture: the face (S, S, 3).
        labels: its label map (S, S).
        square: its corners in the photo, see `oriented_square`; None if the picture itself is the face.
        parser: SHA-256 of the parser that made the label map, or an empty string.
        places: corners of all faces of the photo that can be edited, from left to right.
        number: index of this face among them, from 1.
    """

    picture: Picture
    labels: LabelMap
    square: Square | None = None
    parser: str = ""
    places: tuple[Square, ...] = ()
    number: int = 1


class NoFace(InputError):
    """No face was detected in a photo; it may be rotated."""


def face_of(photo: Picture, models: Models, what: str = "the picture", number: int | None = None) -> EditedFace:
    """A face of a photo (H, W, 3); if the picture is a face crop, the picture itself.

    Crops are recognised as by the editing commands: see `framed`. Unlike their `PhotoReader`, this function counts only
    the faces that are large enough, and reads no mask files.

    Args:
        photo: the picture.
        models: the networks.
        what: name of the picture in error messages.
        number: number of the face, counted from the left; None takes the largest.

    Raises:
        NoFace: no face was detected.
        InputError: there is no face of this number, or all faces are too small.
    """
    faces = functools.cache(lambda: models.finder.find_all(photo))  # detection is slow and may be needed twice
    if number is None and photo.shape[0] == photo.shape[1]:
        face = _whole(photo, models)
        scale = len(face.labels) / len(photo)
        if framed(face.labels, lambda: largest(faces(), scale)):
            return face
    squares = [oriented_square(found.points) for found in faces()]
    if not squares:
        raise NoFace(what, expected="a photo with a face", found="no face", hint="choose another photo")
    places = [square for square in squares if side_of(square) >= LEAST]
    if not places:
        raise InputError(
            what,
            expected=f"a face of at least {LEAST} pixels",
            found=f"one whose square has {max(map(side_of, squares)):.0f}",
            hint="choose a photo with a larger face",
        )
    if number is not None and number > len(places):
        count = f"{len(places)} face{'s' if len(places) > 1 else ''}"
        raise InputError(what, expected=f"face {number}", found=count, hint="faces are counted from the left")
    index = max(range(len(places)), key=lambda k: side_of(places[k])) if number is None else number - 1
    picture = cut(photo, places[index], side_for(side_of(places[index])))
    labels, parser = models.parse(picture)
    return EditedFace(picture, labels, places[index], parser, tuple(places), index + 1)


def side_for(extent: float) -> int:
    """The side at which a face of ``extent`` pixels is edited."""
    return next((side for side in SIDES if extent <= 1.5 * side), SIDES[-1])


def resized(face: EditedFace, side: int) -> EditedFace:
    """The face resized to another side."""
    return replace(face, picture=resize_image(face.picture, side), labels=resize_labels(face.labels, side))


def _whole(photo: Picture, models: Models) -> EditedFace:
    """The whole picture as the face."""
    picture = resize_image(photo, side_for(len(photo)))
    labels, parser = models.parse(picture)
    return EditedFace(picture, labels, None, parser)
