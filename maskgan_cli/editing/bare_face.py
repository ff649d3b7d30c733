"""The face that an edit starts from: without the glasses that it wears, or with another person's hair."""

from __future__ import annotations

from dataclasses import replace

from maskgan_cli.editing.compositing.accessories.inpaint import without_clear_glasses
from maskgan_cli.editing.compositing.hair_photo import hair_in_photo, with_hair
from maskgan_cli.editing.compositing.mouths import ReferenceFace
from maskgan_cli.editing.faces.face import Face
from maskgan_cli.files import Picture
from maskgan_cli.labels import LabelMap


def without_glasses(face: Face) -> Face:
    """Remove clear glasses from a face: their frames are filled in the picture and the photo, and the mask has none.

    Faces with dark glasses are returned unchanged, because the eyes are hidden; the network paints them.
    """
    found = without_clear_glasses(face.picture, face.labels)
    return face if found is None else _changed(face, *found)


def with_hair_of(face: Face, reference: ReferenceFace) -> Face:
    """A face, its photo and its mask with the hair of a reference, if that is used; see `hair_in_photo`."""
    found = with_hair(face.picture, face.labels, reference)
    if found is None or face.cutout is None:
        return face if found is None else _changed(face, *found)
    cutout = face.cutout
    whole = hair_in_photo(cutout.photo.picture, cutout.square, found, face.labels, reference)
    photo = replace(cutout.photo, picture=whole)
    return replace(face, picture=found[0], labels=found[1], photo=photo, cutout=replace(cutout, photo=photo))


def _changed(face: Face, picture: Picture, labels: LabelMap) -> Face:
    """The face with another picture, which is pasted into its photo, and another mask."""
    photo, cutout = face.photo, face.cutout
    if cutout is not None:
        photo = replace(cutout.photo, picture=cutout.paste(picture))
        cutout = replace(cutout, photo=photo)
    elif photo is not None:
        photo = replace(photo, picture=picture)
    return replace(face, picture=picture, labels=labels, photo=photo, cutout=cutout)
