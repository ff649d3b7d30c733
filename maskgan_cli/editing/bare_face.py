"""A face as it looks without the glasses that it wears."""

from __future__ import annotations

from dataclasses import replace

from maskgan_cli.editing.compositing.accessories.inpaint import has_dark_lenses, without_frames
from maskgan_cli.editing.faces.face import Face
from maskgan_cli.editing.masks.take_off import without
from maskgan_cli.labels import ID


def without_glasses(face: Face) -> Face:
    """Remove clear glasses from a face: their frames are filled in the picture and the photo, and the mask has none.

    Faces with dark glasses are returned unchanged, because the eyes are hidden; the network paints them.
    """
    if not (face.labels == ID["eye_g"]).any() or has_dark_lenses(face.picture, face.labels):
        return face
    picture, labels = without_frames(face.picture, face.labels), without(face.labels, ["glasses"])
    photo, cutout = face.photo, face.cutout
    if cutout is not None:
        photo = replace(cutout.photo, picture=cutout.paste(picture))
        cutout = replace(cutout, photo=photo)
    elif photo is not None:
        photo = replace(photo, picture=picture)
    return replace(face, picture=picture, labels=labels, photo=photo, cutout=cutout)
