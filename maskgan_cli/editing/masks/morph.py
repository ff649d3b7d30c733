"""Interpolate between the masks of two photos with MaskVAE, starting and ending exactly at the photos' own masks.

MaskVAE's reconstructions are coarser than the masks, so there would be a jump between a photo's own mask and MaskVAE's
first interpolated mask. To avoid the jump, the lost detail is added back. For both photos, the difference between the
signed distances (see `borders`) of the own mask and of its reconstruction is computed. Both differences are added to
the signed distances of an interpolated mask, each with a weight that falls linearly from 1 at its own photo to 0 at the
other photo. All this is done in the faces' upright frames (see `upright`), which are interpolated too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from maskgan_cli.data.resize import resize_labels
from maskgan_cli.editing.masks.borders import depths, smooth
from maskgan_cli.editing.masks.interpolate import MaskManifold, between
from maskgan_cli.editing.masks.upright import Box, Field, Upright, sample
from maskgan_cli.labels import LabelMap


def morph(first: LabelMap, second: LabelMap, where: Sequence[float], manifold: MaskManifold) -> Iterator[LabelMap]:
    """Interpolate between two masks, and yield one mask (S, S) for each position.

    Args:
        first, second: (S, S) and (T, T), the two masks.
        where: positions of the masks, 0 to 1. At 0 the result is exactly ``first``, at 1 it is ``second``, resized.
        manifold: a trained MaskVAE.
    """
    side = len(first)
    ends = (first, resize_labels(second, side))
    frames = [Upright.of(labels, manifold.size) for labels in ends]
    upright = [frame.labels(labels) for frame, labels in zip(frames, ends, strict=True)]
    codes = [manifold.encode(labels) for labels in upright]
    own = [next(manifold.decode(code, manifold.size)) for code in codes]
    middle = [next(manifold.decode(codes[0] + float(share) * (codes[1] - codes[0]), manifold.size)) for share in where]
    ids = np.unique(np.stack([*upright, *own, *middle])).tolist()
    rest = [
        smooth(depths(labels, ids), 1.0) - smooth(depths(reconstruction, ids), 1.0)
        for labels, reconstruction in zip(upright, own, strict=True)
    ]
    for share, labels in zip(where, middle, strict=True):
        if share in (0, 1):
            yield ends[int(share)].copy()
            continue
        planes = smooth(depths(labels, ids), 1.0) + (1 - share) * rest[0] + share * rest[1]
        yield _in_mask(planes, _frame(frames[0], frames[1], share), side, ids)


def masks_between(
    first: LabelMap, second: LabelMap, where: Sequence[float], manifold: MaskManifold, *, keep_ends: bool, photos: bool
) -> list[LabelMap]:
    """Interpolate between two masks, and return one mask (S, S) for each position.

    Args:
        first, second: (S, S) and (T, T), the two masks.
        where: positions of the masks; 0 is ``first``, 1 is ``second``. With ``keep_ends``, positions are from 0 to 1.
        manifold: a trained MaskVAE.
        keep_ends: the first and the last mask are ``first`` and ``second`` themselves. Otherwise they are MaskVAE's
            reconstructions, as in the paper.
        photos: whether both are masks of photos. For photos with ``keep_ends``, `morph` is used, so that the sequence
            has no jumps at its ends.
    """
    if keep_ends and photos:
        return list(morph(first, second, where, manifold))
    masks = list(manifold.decode(between(manifold.encode(first), manifold.encode(second), where), len(first)))
    if keep_ends:
        masks[0], masks[-1] = first, resize_labels(second, len(first))
    return masks


def _frame(first: Upright, second: Upright, share: float) -> Upright:
    """Interpolate between the rotations, scales and centres of two upright frames; return the frame in between.

    Args:
        first, second: the upright frames of two faces (see `upright`), with the same side.
        share: position between the frames: 0 for ``first``, 1 for ``second``.
    """
    turns = [complex(frame.matrix[0, 0], frame.matrix[1, 0]) for frame in (first, second)]
    turn = turns[0] * (turns[1] / turns[0]) ** share
    linear, centre = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]]), np.full(2, first.side / 2)
    middles = [frame.back[:, :2] @ centre + frame.back[:, 2] for frame in (first, second)]
    offset = centre - linear @ ((1 - share) * middles[0] + share * middles[1])
    return Upright(np.concatenate([linear, offset[:, None]], 1), first.side)


def _in_mask(planes: Field, frame: Upright, side: int, ids: Sequence[int]) -> LabelMap:
    """Return a mask (side, side) in which each pixel has the class with the largest signed distance.

    Args:
        planes: (N, frame.side, frame.side), signed distances of the N classes in the upright frame of the face.
        frame: the upright frame of the face in the returned mask.
        side: side of the mask.
        ids: the N class ids.
    """
    x, y = frame.places(Box(0, side, 0, side))
    result: LabelMap = np.array(ids, np.uint8)[sample(planes, x, y).argmax(0)]
    return result
