"""Prepare a face before it is edited: remove its glasses, or replace its hair by another person's hair."""

from __future__ import annotations

from dataclasses import replace

from maskgan_cli.editing.compositing.accessories.inpaint import without_clear_glasses
from maskgan_cli.editing.compositing.hair_photo import hair_in_photo, with_hair
from maskgan_cli.editing.compositing.mouths import ReferenceFace
from maskgan_cli.editing.faces.face import Face
from maskgan_cli.files import Picture
from maskgan_cli.labels import LabelMap


def without_glasses(face: Face) -> Face:
    """Return a copy of ``face`` without its clear glasses: they are removed from its picture, photo and label map.

    The pixels that the glasses covered are filled in. A face without glasses is returned unchanged. A face with dark
    glasses is returned unchanged too, because the glasses hide the eyes, and only the network can paint new eyes.
    """
    found = without_clear_glasses(face.picture, face.labels)
    return face if found is None else _changed(face, *found)


def with_hair_of(face: Face, reference: ReferenceFace) -> Face:
    """Return a copy of ``face`` with another person's hair in its picture, its photo and its label map.

    Args:
        face: the face that gets the hair.
        reference: the face of the other person, whose hair is copied. If ``reference.hair`` (the alignment of the hair)
            is None, ``face`` is returned unchanged.
    """
    found = with_hair(face.picture, face.labels, reference)
    if found is None or face.cutout is None:
        return face if found is None else _changed(face, *found)
    cutout = face.cutout
    whole = hair_in_photo(cutout.photo.picture, cutout.square, found, face.labels, reference)
    photo = replace(cutout.photo, picture=whole)
    return replace(face, picture=found[0], labels=found[1], photo=photo, cutout=replace(cutout, photo=photo))


def _changed(face: Face, picture: Picture, labels: LabelMap) -> Face:
    """Return a copy of ``face`` with the given picture (S, S, 3) and label map (S, S).

    The picture is also pasted into the photo that the face was cropped from, if there is one.
    """
    photo, cutout = face.photo, face.cutout
    if cutout is not None:
        photo = replace(cutout.photo, picture=cutout.paste(picture))
        cutout = replace(cutout, photo=photo)
    elif photo is not None:
        photo = replace(photo, picture=picture)
    return replace(face, picture=picture, labels=labels, photo=photo, cutout=cutout)
