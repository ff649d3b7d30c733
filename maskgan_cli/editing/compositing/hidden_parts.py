"""Copies brows and ears of another person to a photo, if the old hair hid these parts and the new hair does not.

The other person is the "reference", whose hair is put on.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import ndimage

from maskgan_cli.editing.compositing.extension import Plane
from maskgan_cli.labels import ID, LabelMap, Region

_HAIR: Final = ID["hair"]
_BROWS: Final = {ID["l_brow"]: ID["l_eye"], ID["r_brow"]: ID["r_eye"]}  # brow -> the eye on the same side
_EARS: Final = {ID["l_ear"]: ID["l_eye"], ID["r_ear"]: ID["r_eye"]}
_GAP: Final = 0.012  # share of the side; hair touches a brow if it lies at most this far above the brow
_TOUCHED: Final = 0.5  # a brow counts as hidden if hair touches it in more than this share of its columns
_COVERED: Final = 0.25  # a brow counts as hidden if hair covered more than this share of the reference's brow
# The reference's ear is added if the photo shows at most the first share of the ear's area, and if the removed hair
# covered at least the second share.
_NEW: Final = (0.4, 0.5)
_JOINT: Final = 0.025  # share of the side; gaps between ear and face of up to twice this width are filled with skin
_SMALL: Final = 4e-4  # share of the picture; a smaller brow of the reference is not used
_SOFT: Final = 0.004  # share of the side, standard deviation; blur of the border of a brow
_GAIN: Final = (0.5, 2.0)  # limits of the factor for an ear's colours
_STRENGTH: Final = (0.5, 1.2)  # limits of the factor for a brow's contrast
_TONE: Final = 0.02  # share of the side; standard deviation of the blur that separates skin tone from detail


def with_hidden_brows(result: LabelMap, labels: LabelMap, shown: LabelMap) -> LabelMap:
    """Replace both brows of a face by the reference's brows, if the old hair hid a brow and the new hair does not.

    The reference is the person whose hair was put on. Both brows are replaced because a region labelled "brow" directly
    below a fringe is often part of the fringe.

    Args:
        result: (S, S), the face's label map with the new hair.
        labels: (S, S), the face's original label map.
        shown: (S, S), the reference's label map, aligned to the face.

    Returns:
        The label map (S, S) with the new brows; ``result`` itself if the old hair hid no brow, if an eye of the face is
        missing, or if the reference wears glasses or does not show both brows.
    """
    sides = _sides(labels, _BROWS)
    if sides is None or (shown == ID["eye_g"]).any():
        return result
    places = {brow: np.isin(shown, list(_BROWS)) & near for brow, near in sides.items()}
    if min(place.sum() for place in places.values()) < _SMALL * labels.size:
        return result
    lost = (labels == _HAIR) & (result != _HAIR)
    if not any(_hidden(labels == brow, place, lost) for brow, place in places.items()):
        return result
    found = np.where(np.isin(result, list(_BROWS)), ID["skin"], result).astype(np.uint8)
    for brow, place in places.items():
        found[place & (found == ID["skin"])] = brow
    return found


def _hidden(own: Region, place: Region, lost: Region) -> bool:
    """Return whether the removed hair hid a brow: the hair covered the brow's place, or lay directly above the brow.

    Args:
        own: (S, S), True for the brow in the face's original label map.
        place: (S, S), True for the same brow of the reference, aligned to the face.
        lost: (S, S), True for the removed hair.
    """
    if (place & lost).sum() > _COVERED * place.sum():
        return True
    columns = own.any(0)
    reach = max(1, round(_GAP * len(own)))
    top = own.argmax(0)
    rows = np.arange(len(own))[:, None]
    above = lost & (rows < top) & (rows >= top - reach) & columns
    return bool(above.any(0).sum() > _TOUCHED * max(int(columns.sum()), 1))


def with_hidden_ears(result: LabelMap, labels: LabelMap, shown: LabelMap) -> LabelMap:
    """Add the reference's ears in places where the removed hair hid the face's own ears.

    Args:
        result: (S, S), the face's label map with the new hair.
        labels: (S, S), the face's original label map.
        shown: (S, S), the label map of the reference (the person whose hair was put on), aligned to the face.

    Returns:
        The label map (S, S) with the ears; ``result`` itself if an eye of the face is missing, because then left and
        right cannot be told apart.
    """
    sides = _sides(labels, _EARS)
    if sides is None:
        return result
    found = result.copy()
    lost = (labels == _HAIR) & (result != _HAIR)
    for ear, near in sides.items():
        place = np.isin(shown, list(_EARS)) & near
        size, own, bare = (int(region.sum()) for region in (place, labels == ear, place & lost))
        if size < _SMALL * place.size or own > _NEW[0] * size or bare < _NEW[1] * size:
            continue
        found[place & lost] = ear
        head = np.isin(found, [ear, ID["skin"]])
        joined = ndimage.binary_closing(head, iterations=max(1, round(_JOINT * len(labels))))
        found[joined & lost & (found == ID["background"])] = ID["skin"]
    return found


def added_ears(before: LabelMap, after: LabelMap) -> Region:
    """Return a boolean mask (S, S) of the ears that `with_hidden_ears` added.

    Args:
        before: (S, S), the face's original label map; added ears are hair there.
        after: (S, S), the label map with the new hair and the added ears.
    """
    return np.asarray(np.isin(after, list(_EARS)) & (before == _HAIR))


def lay_ears(base: Plane, reference: Plane, ears: Region, ours: Plane, theirs: Plane) -> Plane:
    """Copy the reference's ears to a picture of a face whose hair was removed, in the skin colour of this face.

    Args:
        base: (S, S, 3), the face without hair.
        reference: (S, S, 3), the picture of the reference (the person whose hair is put on), aligned to the face.
        ears: (S, S), True for the pixels in which the reference's ears must be shown.
        ours, theirs: (3,), median skin colours of the face and of the reference.

    Returns:
        (S, S, 3), the face with the ears.
    """
    gain = np.clip(ours / np.maximum(theirs, 1.0), *_GAIN)
    weight = np.clip(ndimage.gaussian_filter(ears.astype(np.float32), _SOFT * len(ears)), 0, 1)[..., None]
    return np.asarray(base + weight * (reference * gain - base), np.float32)


def replaced_brows(before: LabelMap, after: LabelMap) -> Region:
    """Return a boolean mask (S, S) of the brows in ``after`` if `with_hidden_brows` replaced the brows; else all False.

    The brows were replaced if any pixel became a brow, because new hair alone can only remove pixels of brows.

    Args:
        before: (S, S), the face's original label map.
        after: (S, S), the label map with the new hair.
    """
    brows = np.isin(after, list(_BROWS))
    added = brows & ~np.isin(before, list(_BROWS))
    return brows if added.any() else np.zeros_like(brows)


def lay_brows(base: Plane, skin: Plane, reference: Plane, brows: Region, strength: float) -> Plane:
    """Copy the reference's brows to a picture of a face whose hair was removed, in the skin tone of this face.

    Args:
        base: (S, S, 3), the face without hair, whose own brows have been covered with skin.
        skin: (S, S, 3), the skin of the reference (the person whose hair is put on) without brows, aligned to the face.
        reference: (S, S, 3), the reference's picture, aligned to the face.
        brows: (S, S), True for the pixels in which the reference's brows must be shown.
        strength: factor by which the brows' contrast with the skin is multiplied.

    Returns:
        (S, S, 3), the face with the brows.
    """
    side = len(brows)
    sigma = _TONE * side
    smooth = ndimage.gaussian_filter(np.maximum(skin, 1.0), (sigma, sigma, 0))
    shade = (np.maximum(reference, 1.0) / smooth) ** np.clip(strength, *_STRENGTH)
    tone = ndimage.gaussian_filter(base, (sigma, sigma, 0))
    weight = np.clip(1.6 * ndimage.gaussian_filter(brows.astype(np.float32), _SOFT * side), 0, 1)[..., None]
    return np.asarray(base + weight * (tone * shade - base), np.float32)


def _sides(labels: LabelMap, parts: dict[int, int]) -> dict[int, Region] | None:
    """Return a dict from each part (left and right brow, or ear) to the half of the picture with the eye of this side.

    Args:
        labels: (S, S), label map of the picture.
        parts: maps the class of a part (left and right brow, or ear) to the class of the eye on the same side.

    Returns:
        A dict from the class of each part to a boolean mask (S, S), True in the left or in the right half of the
        picture; None if an eye is missing.
    """
    columns = [np.nonzero(labels == eye)[1] for eye in parts.values()]
    if not all(len(places) for places in columns):
        return None
    first, second = (float(places.mean()) for places in columns)
    left = np.broadcast_to(np.arange(labels.shape[1]) < (first + second) / 2, labels.shape)
    return {
        part: left if (middle < other) else ~left
        for part, middle, other in zip(parts, (first, second), (second, first), strict=True)
    }
