"""The finished picture of an edit: the photo, moved, with the painting where the photo lacks what is asked for."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from maskgan_cli.data.crop import cut
from maskgan_cli.data.resize import resize_image, resize_labels
from maskgan_cli.editing.blend import paste_missing, paste_seamless, paste_soft
from maskgan_cli.editing.hair_fit import fitted_hair
from maskgan_cli.editing.hair_swap import lay_hair
from maskgan_cli.editing.mouths import Reference, lay_inside, smooth_lip_line, source_of_inside, with_jaw
from maskgan_cli.editing.moving import PhotoMotion, moved_photo, moved_picture, photo_motion
from maskgan_cli.editing.options import Blend, Edge, Inside
from maskgan_cli.editing.registration import FAR
from maskgan_cli.editing.uncrop import Square, put_back
from maskgan_cli.files import Picture
from maskgan_cli.labels import LabelMap

# Another person's face: the mask differs in more than this share of the picture, and moving mends less than this of it.
_ANOTHER: Final = (0.3, 0.4)


Painting = Picture | Callable[[], Picture]  # or what makes it, called only where the photo lacks something


@dataclass(frozen=True)
class Place:
    """The photo (H, W, 3) that a face was cut out of, and the square (4, 2) where: see `data.crop`."""

    photo: Picture
    square: Square


def paste_back(
    source: Picture,
    result: Painting,
    before: LabelMap,
    after: LabelMap,
    blend: Blend,
    place: Place | None = None,
    reference: Reference | None = None,
    motion: PhotoMotion | None = None,
) -> Picture:
    """The edit joined to its source, as ``blend`` asks.

    Args:
        source: (S, S, 3), the face.
        result: the painting, square, of any size.
        before, after: (S, S) label maps of the source and of the edit; ``after`` may be of another size.
        blend: how: see `paste_moved`, `paste_seamless` and `paste_soft`.
        place: the photo that the source was cut out of.
        reference: the face of which parts are taken, if there is one.
        motion: see `paste_moved`.

    Returns:
        (S, S, 3), or the whole photo (H, W, 3) if ``place`` is given.
    """
    after = resize_labels(after, len(source))
    if blend.edge is Edge.MOVE:
        return paste_moved(source, result, before, after, place, reference, blend.inside, motion)
    result = _made(result, len(source))
    if blend.edge is Edge.SOFT:
        edited = paste_soft(source, result, before, after, softness=blend.softness)
    else:
        edited = paste_seamless(source, result, before, after)
    return edited if place is None else put_back(place.photo, place.square, edited)


def paste_moved(
    source: Picture,
    result: Painting,
    before: LabelMap,
    after: LabelMap,
    place: Place | None = None,
    reference: Reference | None = None,
    inside: Inside = Inside.AUTO,
    motion: PhotoMotion | None = None,
) -> Picture:
    """The source, moved as its label map moves, with the result where that lacks what is asked for.

    The source's own pixels are sampled once; those of the whole photo, where it is given. A mask that asks for
    another face altogether is painted as by `paste_seamless`.

    Args:
        source: (S, S, 3).
        result: the painting, square, of any size.
        before, after: (S, S) label maps of the source and of the edit.
        place: the photo that the source was cut out of.
        reference: the face whose mouth is taken, if it is. With a ``hair``, its hair is laid on the photo first, and
            ``before`` is that photo's label map from then on: see `with_hair`.
        inside: where the inside of a mouth comes from: see `source_of_inside`.
        motion: what `motion_between` found, if it is known already.

    Returns:
        (S, S, 3), or the whole photo (H, W, 3) if ``place`` is given. Where nothing moves and nothing is painted, the
        source or photo bit for bit.
    """
    laid = with_hair(source, before, reference)
    if laid is not None:
        source, before = laid
        motion = None
        if place is not None:
            place = Place(put_back(place.photo, place.square, source), place.square)
    side, after = len(source), with_jaw(before, after)
    move = _motion(before, after, in_photo=place is not None) if motion is None else motion
    if _another(move, before, after):
        edited = paste_seamless(source, _made(result, side), before, after)
        return edited if place is None else put_back(place.photo, place.square, edited)
    if place is None:
        photo = crop = moved_picture(source, move.field)
    else:
        photo = moved_photo(place.photo, place.square, side, move.field, move.beyond)
        crop = source if move.still else cut(photo, place.square, side)
    edited = paste_missing(crop, _made(result, side), move, after) if move.missing.any() else crop
    taken = source_of_inside(before, after, None if reference is None else reference.labels, inside)
    if taken is not None:
        edited = lay_inside(edited, source, before, after, taken, reference)
    edited = smooth_lip_line(edited, move.inner)
    if place is None:
        return edited
    return photo if (edited == crop).all() else put_back(photo, place.square, edited)


def with_hair(source: Picture, before: LabelMap, reference: Reference | None) -> tuple[Picture, LabelMap] | None:
    """The source (S, S, 3) and its label map (S, S) with the hair of a reference; None if no hair is taken."""
    if reference is None or reference.hair is None:
        return None
    after = fitted_hair(reference.labels, before, reference.hair)
    if np.array_equal(before, after):
        return source, before
    return lay_hair(source, before, after, reference.picture, reference.labels, reference.hair), after


def motion_between(before: LabelMap, after: LabelMap, *, in_photo: bool = False) -> PhotoMotion:
    """How the photo moves in `paste_moved`, from one label map (S, S) to another; ``in_photo`` if it has a place."""
    return _motion(before, with_jaw(before, after), in_photo=in_photo)


def joined_by(before: LabelMap, after: LabelMap, asked: Edge, *, in_photo: bool) -> Edge:
    """How `paste_back` joins a painting in fact: a mask of another person altogether moves no photo.

    Args:
        before, after: (S, S) label maps of the source and of the edit.
        asked: what is asked for.
        in_photo: whether the face was cut out of a photo.
    """
    after = with_jaw(before, after)
    if asked is not Edge.MOVE or float((before != after).mean()) <= _ANOTHER[0]:
        return asked
    return Edge.SEAMLESS if _another(_motion(before, after, in_photo=in_photo), before, after) else Edge.MOVE


def _motion(before: LabelMap, after: LabelMap, *, in_photo: bool) -> PhotoMotion:
    return photo_motion(before, after, beyond=math.ceil(FAR * len(before)) if in_photo else 0)


def _made(painting: Painting, side: int) -> Picture:
    return resize_image(painting() if callable(painting) else painting, side)


def _another(move: PhotoMotion, before: LabelMap, after: LabelMap) -> bool:
    """Whether moving the photo is no way to what is asked for."""
    share, mended = _ANOTHER
    asked = float((before != after).mean())
    return asked > share and float((move.labels != after).mean()) > (1 - mended) * asked
