"""Hair that gets longer or shorter, and does nothing else."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from maskgan_cli.labels import GROUPS, ID, LabelMap

Region = npt.NDArray[np.bool_]

_HOLE: Final = 2e-3  # of a mask: smaller holes in new hair are filled
_STRAND: Final = 0.012  # of the side: thinner strands are smoothed away
_COVERED: Final = 0.5  # an ear of which less is left is hidden as a whole
# As shares of the side: half the width of hair that is thick enough to grow, and of that from which on it grows no
# farther. Hair grows to where it is this many times as far from its middle.
_THICK: Final = 0.018
_THICKEST: Final = 0.12
_GROWTH: Final = 1.9
_HAIR: Final = ID["hair"]
_BEHIND: Final = [ID[name] for name in ("background", "cloth", "neck", *GROUPS["ears"])]


def lengthened(labels: LabelMap, moved: LabelMap, *, longer: bool) -> LabelMap:
    """What of a change is longer or shorter hair: longer hair loses nothing, shorter hair gains nothing.

    Longer hair grows where hair is thick, not from thin sideburns. It hangs together with the old, covers no skin of
    the face, has no small holes and leaves no remnants of ears. Shorter hair leaves no strand that hangs together with
    nothing.

    Args:
        labels: (S, S), the mask before.
        moved: (S, S), after.
        longer: which of the two.
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
    """Where hair (S, S) may grow: around its thick parts, the farther the thicker they are."""
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
    sizes = np.bincount(ndimage.label(region)[0].ravel())[1:]
    return 1 + int(sizes.argmax()) if len(sizes) else 0
