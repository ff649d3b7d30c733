"""Restrict a change of a mask to longer or shorter hair, and remove artefacts such as holes and isolated strands."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import ndimage

from maskgan_cli.labels import GROUPS, ID, LabelMap, Region

_HOLE: Final = 2e-3  # share of the mask's area; smaller holes in new hair are filled
_STRAND: Final = 0.012  # share of the side; thinner strands of new hair are removed
_COVERED: Final = 0.5  # an ear of which new hair leaves a smaller share visible is covered completely
# Half the width of old hair, as a share of the mask's side. Hair thinner than the first value does not grow. Hair
# thicker than the second value grows no farther than hair of that width.
_THICK: Final = 0.018
_THICKEST: Final = 0.12
_GROWTH: Final = 1.9  # hair grows up to this multiple of half its width, measured from its middle
_HAIR: Final = ID["hair"]
_BEHIND: Final = [ID[name] for name in ("background", "cloth", "neck", *GROUPS["ears"])]


def lengthened(labels: LabelMap, moved: LabelMap, *, longer: bool) -> LabelMap:
    """Return a mask that takes only the longer (or shorter) hair from a changed mask, and all else from the old mask.

    Longer hair grows where the old hair is thick, not from thin sideburns. The new hair is connected with the old hair,
    does not cover the skin of the face, and has no small holes or remnants of ears. Shorter hair leaves no isolated
    strands.

    Args:
        labels: (S, S), the mask before the change.
        moved: (S, S), the mask after the change.
        longer: True: use only added hair; False: use only removed hair.

    Returns:
        (S, S), a new mask.
    """
    old, new = labels == _HAIR, moved == _HAIR
    if not longer:
        left = old & new
        pieces, count = ndimage.label(left)
        sizes = np.bincount(pieces.ravel(), minlength=count + 1)
        strands = left & (sizes < _HOLE * labels.size)[pieces] & (ndimage.label(old)[0] == _largest_label(old))
        gone = old & (~new | strands)
        nearest = ndimage.distance_transform_edt(gone & new, return_distances=False, return_indices=True)
        return np.where(gone, moved[tuple(nearest)], labels).astype(np.uint8) if gone.any() else labels.copy()
    new = new & (old | _reached(old))
    smooth = ndimage.gaussian_filter((old | new).astype(np.float32), _STRAND * len(labels), truncate=3) > 0.5
    hair = old | (smooth & np.isin(labels, _BEHIND))
    for ear in (ID[name] for name in GROUPS["ears"]):
        region = labels == ear
        if region.any() and (region & ~hair).sum() < _COVERED * region.sum():
            hair |= region
    pieces, _ = ndimage.label(hair)
    hair &= np.isin(pieces, np.unique(pieces[old]))
    holes, count = ndimage.label(~hair)
    small = np.bincount(holes.ravel(), minlength=count + 1) < _HOLE * labels.size
    small[0] = False
    new_rim = np.bincount(holes[ndimage.binary_dilation(hair & ~old, iterations=2)], minlength=count + 1) > 0
    hair |= (small & new_rim)[holes] & np.isin(labels, _BEHIND)
    result: LabelMap = np.where(hair, _HAIR, labels).astype(np.uint8)
    return result


def _reached(hair: Region) -> Region:
    """Return the region (S, S) into which hair may grow. The thicker a part of the hair is, the farther it may grow.

    Args:
        hair: (S, S), the region of the hair.
    """
    side = len(hair)
    step = max(1, side // 128)
    padded = np.pad(hair[::step, ::step], round(_THICKEST * side / step), mode="edge")
    depth = ndimage.distance_transform_edt(padded) * (step / side)
    found = padded.copy()
    for thick in np.geomspace(_THICK, _THICKEST, 10):
        if not (depth >= thick).any():
            break
        found |= ndimage.distance_transform_edt(depth < thick) * (step / side) <= _GROWTH * thick
    edge = round(_THICKEST * side / step)
    found = found[edge:-edge, edge:-edge]
    rows, columns = (np.minimum(np.arange(length) // step, len(found) - 1) for length in hair.shape)
    return np.asarray(found[rows[:, None], columns])


def _largest_label(region: LabelMap) -> int:
    """Return the number that `ndimage.label` gives the largest connected piece of a region; 0 for an empty region."""
    sizes = np.bincount(ndimage.label(region)[0].ravel())[1:]
    return 1 + int(sizes.argmax()) if len(sizes) else 0
