"""Brows and ears that a photo's hair hid: with other hair, the reference's are shown in their place."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import ndimage

from maskgan_cli.editing.compositing.extension import Plane
from maskgan_cli.labels import ID, LabelMap, Region

_HAIR: Final = ID["hair"]
_BROWS: Final = {ID["l_brow"]: ID["l_eye"], ID["r_brow"]: ID["r_eye"]}  # and the eye on the same side
_EARS: Final = {ID["l_ear"]: ID["l_eye"], ID["r_ear"]: ID["r_eye"]}
_GAP: Final = 0.012  # share of the side; hair this far above a brow, or nearer, touches it
_TOUCHED: Final = 0.5  # share of a brow's columns; a brow that hair touches in more of them is hidden in part
_COVERED: Final = 0.25  # share of the place of the reference's brow; if hair covers more of it, the brow is hidden
_NEW: Final = (0.4, 0.5)  # an ear is new if the photo shows less than this share of it, and hair that goes was on more
_JOINT: Final = 0.025  # share of the side; a gap between ear and face of up to twice this is skin
_SMALL: Final = 4e-4  # share of the picture; a smaller brow of the reference is not used
_SOFT: Final = 0.004  # share of the side, standard deviation; blur of the border of a brow
_GAIN: Final = (0.5, 2.0)  # limits of the change of an ear's colours
_STRENGTH: Final = (0.5, 1.2)  # limits of the change of a brow's contrast
_TONE: Final = 0.02  # share of the side, standard deviation; scale on which brows get the photo's tone


def with_hidden_brows(result: LabelMap, labels: LabelMap, shown: LabelMap) -> LabelMap:
    """Replace both brows by the reference's if hair hid one of them that is bare now.

    What masks call a brow right below a fringe is often the fringe itself.

    Args:
        result: (S, S), the face's label map with other hair.
        labels: (S, S), the face's own label map.
        shown: (S, S), the reference's label map, aligned to the face.

    Returns:
        (S, S); the same array if no brow was hidden, or if the reference does not show both of its own.
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
    """Whether hair that is lost hid a brow: it covered its place, or lies right above it."""
    if (place & lost).sum() > _COVERED * place.sum():
        return True
    columns = own.any(0)
    reach = max(1, round(_GAP * len(own)))
    top = own.argmax(0)
    rows = np.arange(len(own))[:, None]
    above = lost & (rows < top) & (rows >= top - reach) & columns
    return bool(above.any(0).sum() > _TOUCHED * max(int(columns.sum()), 1))


def with_hidden_ears(result: LabelMap, labels: LabelMap, shown: LabelMap) -> LabelMap:
    """Add the reference's ears where hair that is lost hid the face's own; see `with_hidden_brows`."""
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
    """The ears (S, S) of ``after`` where the face had hair: `with_hidden_ears` added them."""
    return np.asarray(np.isin(after, list(_EARS)) & (before == _HAIR))


def lay_ears(base: Plane, reference: Plane, ears: Region, ours: Plane, theirs: Plane) -> Plane:
    """Show the reference's ears on a face without hair.

    Args:
        base: (S, S, 3), the face.
        reference: (S, S, 3), the reference's picture, aligned to the face.
        ears: (S, S), where its ears are shown.
        ours, theirs: (3,), median colours of the skin of both.
    """
    gain = np.clip(ours / np.maximum(theirs, 1.0), *_GAIN)
    weight = np.clip(ndimage.gaussian_filter(ears.astype(np.float32), _SOFT * len(ears)), 0, 1)[..., None]
    return np.asarray(base + weight * (reference * gain - base), np.float32)


def replaced_brows(before: LabelMap, after: LabelMap) -> Region:
    """The brows (S, S) of ``after`` if `with_hidden_brows` replaced them, which enlarges them; else none.

    New hair can only cover brows, so no other step enlarges them.
    """
    brows = np.isin(after, list(_BROWS))
    added = brows & ~np.isin(before, list(_BROWS))
    return brows if added.any() else np.zeros_like(brows)


def lay_brows(base: Plane, skin: Plane, reference: Plane, brows: Region, strength: float) -> Plane:
    """Show the reference's brows on a face without hair.

    Args:
        base: (S, S, 3), the face, whose brows are covered with skin.
        skin: (S, S, 3), the reference's bare skin.
        reference: (S, S, 3), the reference's picture, aligned to the face.
        brows: (S, S), where its brows are shown.
        strength: factor of their contrast with the skin.
    """
    side = len(brows)
    sigma = _TONE * side
    smooth = ndimage.gaussian_filter(np.maximum(skin, 1.0), (sigma, sigma, 0))
    shade = (np.maximum(reference, 1.0) / smooth) ** np.clip(strength, *_STRENGTH)
    tone = ndimage.gaussian_filter(base, (sigma, sigma, 0))
    weight = np.clip(1.6 * ndimage.gaussian_filter(brows.astype(np.float32), _SOFT * side), 0, 1)[..., None]
    return np.asarray(base + weight * (tone * shade - base), np.float32)


def _sides(labels: LabelMap, parts: dict[int, int]) -> dict[int, Region] | None:
    """For each part, the half (S, S) of the picture in which its eye lies; None if an eye is missing."""
    columns = [np.nonzero(labels == eye)[1] for eye in parts.values()]
    if not all(len(places) for places in columns):
        return None
    first, second = (float(places.mean()) for places in columns)
    left = np.broadcast_to(np.arange(labels.shape[1]) < (first + second) / 2, labels.shape)
    return {part: left if (middle < other) else ~left for part, middle, other in
            zip(parts, (first, second), (second, first), strict=True)}  # fmt: skip
