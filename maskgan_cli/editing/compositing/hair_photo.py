"""Puts another person's hair on a face crop and on the photo around the crop, because hair often exceeds the crop."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import ndimage

from maskgan_cli.data.crop import cut
from maskgan_cli.editing.compositing.hair_fit import above_border, fitted_hair
from maskgan_cli.editing.compositing.hair_swap import lay_hair, resembles
from maskgan_cli.editing.compositing.mouths import ReferenceFace
from maskgan_cli.editing.compositing.paste import Square, paste_crop
from maskgan_cli.files import Picture
from maskgan_cli.labels import ID, LabelMap, Region

_HAIR: Final = ID["hair"]
_BACKDROP: Final = [ID["background"], _HAIR]  # beyond the crop's border, only these classes are compared with hair
_BEYOND: Final = 0.2  # share of the side; hair is replaced up to this distance beyond the crop's border


def with_hair(source: Picture, before: LabelMap, reference: ReferenceFace | None) -> tuple[Picture, LabelMap] | None:
    """Replace the hair of a face by the hair of a reference, in the picture and in the label map.

    Args:
        source: (S, S, 3), the face.
        before: (S, S), label map of the face.
        reference: the person whose hair is used, or None.

    Returns:
        The face (S, S, 3) with the new hair, and the new label map (S, S); None if ``reference`` or ``reference.hair``
        is None.
    """
    if reference is None or reference.hair is None:
        return None
    after = fitted_hair(reference.labels, before, reference.hair)
    if np.array_equal(before, after):
        return source, before
    return lay_hair(source, before, after, reference.hair_source, reference.hair), after


def hair_in_photo(
    photo: Picture, square: Square, dressed: tuple[Picture, LabelMap], before: LabelMap, reference: ReferenceFace
) -> Picture:
    """Replace the hair in a photo by the hair of a reference, also where hair extends beyond the crop of the face.

    Args:
        photo: (H, W, 3).
        square: (4, 2), corners (x, y) of the crop in the photo.
        dressed: the result of `with_hair`: the crop (S, S, 3) with the new hair, and the new label map (S, S).
        before: (S, S), the crop's label map before the change of hair.
        reference: the person whose hair is used.

    Returns:
        The photo (H, W, 3) with the new hair.
    """
    picture, after = dressed
    margin = round(_BEYOND * len(before))
    border = np.ones(before.shape, bool)
    border[1:-1, 1:-1] = False
    if reference.hair is None or not (border & ((before == _HAIR) | (after == _HAIR))).any():
        return paste_crop(photo, square, picture)
    middle = square.mean(0)
    wide = middle + (square - middle) * (1 + 2 * margin / len(before))
    whole = cut(photo, wide, len(before) + 2 * margin)
    labels, fit = labels_beyond(whole, before, margin), reference.hair.shifted(margin)
    changed = fitted_hair(reference.labels, labels, fit)
    changed[margin:-margin, margin:-margin] = after
    return paste_crop(photo, wide, lay_hair(whole, labels, changed, reference.hair_source, fit))


def labels_beyond(picture: Picture, labels: LabelMap, margin: int) -> LabelMap:
    """Extend the label map of a crop to a margin around the crop, by the colours of the picture in this margin.

    A pixel in the margin is hair if it has the hair's colour and is connected to the hair. Otherwise it gets the class
    of the nearest pixel at the crop's border, or of the nearest pixel that is not hair.

    Args:
        picture: (S + 2 * margin, S + 2 * margin, 3), the pixels of the crop and of the margin.
        labels: (S, S), label map of the crop.
        margin: width of the margin in pixels.

    Returns:
        (S + 2 * margin, S + 2 * margin), the extended label map.
    """
    found = np.pad(labels, margin, mode="edge")
    outside = np.ones(found.shape, bool)
    outside[margin:-margin, margin:-margin] = False
    hair: Region = ~outside & (found == _HAIR)
    like = resembles(picture, hair, ~outside & (found == ID["background"]), 1)
    if not like.any():  # too little hair or background to compare
        above = above_border(labels)[-margin:]
        like[margin - len(above) : margin, margin:-margin] = above
    possible = np.isin(found, _BACKDROP) & outside
    pieces, _ = ndimage.label(hair | (possible & like))
    there = outside & np.isin(pieces, np.unique(pieces[hair])) & (pieces > 0)
    found[there] = _HAIR
    lost = possible & (found == _HAIR) & ~there
    if lost.any():
        nearest = ndimage.distance_transform_edt(found == _HAIR, return_distances=False, return_indices=True)
        found[lost] = found[tuple(nearest)][lost]
    return found
