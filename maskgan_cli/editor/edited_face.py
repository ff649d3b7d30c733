"""A face to edit: detected in a photo, cropped as in CelebA-HQ, with its mask."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from maskgan_cli.data.crop import cut
from maskgan_cli.data.resize import resize_image, resize_labels
from maskgan_cli.editing.compositing.paste import Square
from maskgan_cli.editing.faces.framing import framed
from maskgan_cli.editor.models import Models
from maskgan_cli.files import Photo, Picture
from maskgan_cli.labels import LabelMap

SIDES: Final = (256, 512)  # sides of an edited face in pixels; the larger one is used for large faces


@dataclass(frozen=True)
class EditedFace:
    """A face to edit, its label map, and its position in the photo.

    Attributes:
        picture: the face (S, S, 3).
        labels: the label map (S, S) of the face.
        square: corners (4, 2) of the face in the photo, see `oriented_square`; None if the whole picture is the face.
        parser: SHA-256 of the parser that predicted the label map; an empty string if the label map has another origin.
        places: corners (4, 2) of all faces of the photo that are large enough to edit, from left to right.
        number: number of this face among ``places``, counted from 1.
    """

    picture: Picture
    labels: LabelMap
    square: Square | None = None
    parser: str = ""
    places: tuple[Square, ...] = ()
    number: int = 1


def face_of(photo: Picture, models: Models, what: str = "the picture", number: int | None = None) -> EditedFace:
    """Detect a face in a photo, crop it, and predict its label map. If the photo is a face crop, use the whole photo.

    Faces and crops are recognised as in the editing commands (`PhotoSearch`, `framed`). But here, faces that are too
    small are not counted, and no mask files are read.

    Args:
        photo: the photo (H, W, 3).
        models: the networks.
        what: name of the picture in error messages.
        number: number of the face, counted from 1 at the left; None for the largest face.

    Raises:
        NoFace: no face was detected.
        InputError: there is no face of this number, or all faces are too small.
    """
    named = Photo(Path(what), photo)
    if number is None and photo.shape[0] == photo.shape[1]:
        face = _whole(photo, models)
        scale = len(face.labels) / len(photo)
        if framed(face.labels, lambda: models.search.points(named, scale)):
            return face
    places = tuple(one.square for one in models.search.cut(named, 1, "all"))
    (chosen,) = models.search.cut(named, 1, number)
    picture = cut(photo, chosen.square, side_for(chosen.side))
    labels, parser = models.parse(picture)
    return EditedFace(picture, labels, chosen.square, parser, places, chosen.number)


def side_for(extent: float) -> int:
    """Return the side (one of `SIDES`) at which to edit a face that is ``extent`` pixels wide in the photo."""
    return next((side for side in SIDES if extent <= 1.5 * side), SIDES[-1])


def resized(face: EditedFace, side: int) -> EditedFace:
    """Return a copy of the face, whose picture and label map are resized to ``side`` x ``side`` pixels."""
    return replace(face, picture=resize_image(face.picture, side), labels=resize_labels(face.labels, side))


def _whole(photo: Picture, models: Models) -> EditedFace:
    """Return the whole picture as a face to edit: resized to a side of `SIDES`, with a predicted label map."""
    picture = resize_image(photo, side_for(len(photo)))
    labels, parser = models.parse(picture)
    return EditedFace(picture, labels, None, parser)
