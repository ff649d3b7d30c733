"""Entry point of compositing: warps the photo to fit the edited mask, and paints what the warped photo lacks.

The "painting" is the network's output for the edited mask.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from maskgan_cli.data.crop import cut
from maskgan_cli.data.resize import resize_image, resize_labels
from maskgan_cli.editing.compositing.blend import paste_missing, paste_seamless, paste_soft
from maskgan_cli.editing.compositing.hair_photo import hair_in_photo, with_hair
from maskgan_cli.editing.compositing.kept_glasses import kept_glasses
from maskgan_cli.editing.compositing.mouths import (
    ReferenceFace,
    insert_inside,
    smooth_lip_line,
    source_of_inside,
    with_jaw,
)
from maskgan_cli.editing.compositing.moving import PhotoMotion, moved_photo, moved_picture, photo_motion
from maskgan_cli.editing.compositing.paste import Square, paste_crop
from maskgan_cli.editing.compositing.registration import FAR
from maskgan_cli.editing.options import Blend, Edge, Inside
from maskgan_cli.files import Picture
from maskgan_cli.labels import LabelMap

# The edited mask is treated as that of another face if more than the first share of its pixels differ from the photo's
# mask, and warping the photo corrects less than the second share of these pixels.
_ANOTHER: Final = (0.3, 0.4)


Painting = Picture | Callable[[], Picture]  # a picture, or a function that paints it, called only if it is needed


@dataclass(frozen=True)
class Place:
    """The photo that a face crop was cut out of, and the position of the crop in this photo.

    Attributes:
        photo: (H, W, 3), the photo.
        square: (4, 2), corners (x, y) of the crop in the photo: see `data.crop.oriented_square`.
    """

    photo: Picture
    square: Square


def paste_back(
    source: Picture,
    result: Painting,
    before: LabelMap,
    after: LabelMap,
    blend: Blend,
    place: Place | None = None,
    reference: ReferenceFace | None = None,
    motion: PhotoMotion | None = None,
) -> Picture:
    """Blend the painting of an edit (the network's output) into the source face with the method that ``blend`` selects.

    Args:
        source: (S, S, 3), the face before the edit.
        result: the painting: a square picture of any size, or a function that returns it.
        before, after: (S, S) label maps of the source and of the edit; ``after`` may have another size.
        blend: the options; ``blend.edge`` selects `paste_moved`, `paste_seamless` or `paste_soft`.
        place: the photo that the source was cut out of, or None.
        reference: another face whose mouth or hair is copied, or None; used only by `paste_moved`.
        motion: the result of `motion_between` for the two label maps; if None, it is computed when needed. Used only by
            `paste_moved`.

    Returns:
        The edited face (S, S, 3), or the whole photo (H, W, 3) if ``place`` is given.
    """
    after = resize_labels(after, len(source))
    if blend.edge is Edge.MOVE:
        return paste_moved(source, result, before, after, place, reference, blend.inside, motion)
    result = _painted(result, len(source))
    if blend.edge is Edge.SOFT:
        edited = paste_soft(source, result, before, after, softness=blend.softness)
    else:
        edited = paste_seamless(source, result, before, after)
    return edited if place is None else paste_crop(place.photo, place.square, edited)


def paste_moved(
    source: Picture,
    result: Painting,
    before: LabelMap,
    after: LabelMap,
    place: Place | None = None,
    reference: ReferenceFace | None = None,
    inside: Inside = Inside.AUTO,
    motion: PhotoMotion | None = None,
) -> Picture:
    """Warp the source so that it fits the edited label map, and paint the regions that the warped source does not show.

    Pixels are sampled only once, from the whole photo if ``place`` is given. If the edited label map is so different
    from ``before`` that it shows another face (see `effective_edge`), `paste_seamless` is used instead. Glasses with
    clear lenses stay in place while the eyes and brows behind the glasses are edited.

    Args:
        source: (S, S, 3), the face before the edit.
        result: the painting (the network's output): a square picture of any size, or a function that returns it.
        before, after: (S, S) label maps of the source and of the edit.
        place: the photo that the source was cut out of, or None.
        reference: another face whose mouth is used, or None. If ``reference.hair`` is set, the hair of this face is
            blended into the photo first, and ``before`` is replaced by the label map with this hair: see `with_hair`.
        inside: where the inside of an opened mouth comes from: see `source_of_inside`.
        motion: the result of `motion_between`; if None, it is computed.

    Returns:
        The edited face (S, S, 3), or the whole photo (H, W, 3) if ``place`` is given. Pixels that neither move nor are
        painted are unchanged.
    """
    dressed = with_hair(source, before, reference)
    if dressed is not None and reference is not None:
        motion = None
        if place is not None:
            place = Place(hair_in_photo(place.photo, place.square, dressed, before, reference), place.square)
        source, before = dressed
    glasses = kept_glasses(source, before, after)
    if glasses is not None:
        whole, square = (source, None) if place is None else (place.photo, place.square)
        bare = None if square is None else Place(paste_crop(whole, square, glasses.picture), square)
        edited = paste_moved(glasses.picture, result, glasses.before, glasses.after, bare, reference, inside)
        return glasses.put_back(edited, whole, square)
    side, after = len(source), with_jaw(before, after)
    move = _motion(before, after, in_photo=place is not None) if motion is None else motion
    if _another(move, before, after):
        edited = paste_seamless(source, _painted(result, side), before, after)
        return edited if place is None else paste_crop(place.photo, place.square, edited)
    if place is None:
        photo = crop = moved_picture(source, move.field)
    else:
        photo = moved_photo(place.photo, place.square, side, move.field, move.beyond)
        crop = source if move.still else cut(photo, place.square, side)
    edited = paste_missing(crop, _painted(result, side), move, after) if move.missing.any() else crop
    origin = source_of_inside(before, after, None if reference is None else reference.labels, inside)
    if origin is not None:
        edited = insert_inside(edited, source, before, after, origin, reference)
    edited = smooth_lip_line(edited, move.inner)
    if place is None:
        return edited
    return photo if (edited == crop).all() else paste_crop(photo, place.square, edited)


def motion_between(before: LabelMap, after: LabelMap, *, in_photo: bool = False, coarse: bool = False) -> PhotoMotion:
    """Compute the displacement field with which `paste_moved` warps a photo to fit an edited label map.

    Args:
        before, after: (S, S) label maps of the photo's face and of the edit.
        in_photo: whether the face was cut out of a photo; if True, the field extends beyond the crop into the photo.
        coarse: compute the field at half the resolution, for previews.

    Returns:
        The field, the warped label map, and the region that the warped photo does not show and that must be painted.
    """
    return _motion(before, with_jaw(before, after), in_photo=in_photo, coarse=coarse)


def effective_edge(before: LabelMap, after: LabelMap, edge: Edge, *, in_photo: bool) -> Edge:
    """Return the blending method that `paste_back` really uses when ``edge`` is requested.

    This is the requested method, except that ``SEAMLESS`` replaces ``MOVE`` if the edited mask shows another face: more
    than 30 % of the pixels differ, and warping the photo corrects less than 40 % of these pixels.

    Args:
        before, after: (S, S) label maps of the source and of the edit.
        edge: the requested method.
        in_photo: whether the face was cut out of a photo.
    """
    after = with_jaw(before, after)
    if edge is not Edge.MOVE or float((before != after).mean()) <= _ANOTHER[0]:
        return edge
    return Edge.SEAMLESS if _another(_motion(before, after, in_photo=in_photo), before, after) else Edge.MOVE


def _motion(before: LabelMap, after: LabelMap, *, in_photo: bool, coarse: bool = False) -> PhotoMotion:
    """Compute the same result as `motion_between`, except that the chin in ``after`` is not moved by `with_jaw`."""
    return photo_motion(before, after, beyond=math.ceil(FAR * len(before)) if in_photo else 0, coarse=coarse)


def _painted(painting: Painting, side: int) -> Picture:
    """Return the painting, resized to (side, side, 3). If ``painting`` is a function, it is called first."""
    return resize_image(painting() if callable(painting) else painting, side)


def _another(move: PhotoMotion, before: LabelMap, after: LabelMap) -> bool:
    """Return whether the edited label map shows another face, so that it is useless to warp the photo.

    The result is True if many pixels differ and warping corrects few of these pixels: see `_ANOTHER` for the limits.

    Args:
        move: the displacement of the photo from ``before`` to ``after``, as returned by `photo_motion`.
        before, after: (S, S) label maps of the source and of the edit.
    """
    share, corrected = _ANOTHER
    different = float((before != after).mean())
    return different > share and float((move.labels != after).mean()) > (1 - corrected) * different
