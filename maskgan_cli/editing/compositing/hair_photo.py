"""Another person's hair in a face crop, and in the photo around it, where hair often leaves the crop."""

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
_BACKDROP: Final = [ID["background"], _HAIR]  # beyond the crop's border, hair is found in front of the background
_BEYOND: Final = 0.2  # share of the side; so far beyond the crop's border hair is replaced


def with_hair(source: Picture, before: LabelMap, reference: ReferenceFace | None) -> tuple[Picture, LabelMap] | None:
    """The source (S, S, 3) and its label map (S, S) with the hair of a reference; None if its hair is not used."""
    if reference is None or reference.hair is None:
        return None
    after = fitted_hair(reference.labels, before, reference.hair)
    if np.array_equal(before, after):
        return source, before
    return lay_hair(source, before, after, reference.hair_source, reference.hair), after


def hair_in_photo(
    photo: Picture, square: Square, dressed: tuple[Picture, LabelMap], before: LabelMap, reference: ReferenceFace
) -> Picture:
    """The photo (H, W, 3) with the hair of a reference, also where hair leaves the face's crop.

    Args:
        photo: the photo.
        square: (4, 2), corners of the crop.
        dressed: the crop (S, S, 3) and its label map (S, S) with the hair of the reference: see `with_hair`.
        before: (S, S), the crop's label map.
        reference: the face whose hair is used.
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
    """A label map continued beyond its border: the nearest classes, and hair where the picture shows hair.

    Args:
        picture: (S + 2 * margin, S + 2 * margin, 3).
        labels: (S, S), of its middle.
        margin: in pixels.
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
