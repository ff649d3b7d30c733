"""Interpolation between the masks of two photos with MaskVAE, with the photos' own masks at both ends.

MaskVAE's reconstructions are coarser than the masks, so the first step from a mask to MaskVAE's interpolation would
jump. Therefore signed distances of the classes are interpolated: those of MaskVAE's masks, plus the difference between
the own and the reconstructed mask at each end, with a weight that falls linearly to the other end. All of it happens in
the faces' upright frames, and the frames are interpolated too.
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
    """Masks between two masks, of the first one's size; at positions 0 and 1 they are the two masks.

    Args:
        first, second: (S, S) and (T, T).
        where: positions of the masks, 0 to 1.
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
    """Masks between two masks, of the first one's size: MaskVAE's interpolation, as in the paper, or `morph`.

    Args:
        first, second: (S, S) and (T, T).
        where: positions of the masks; 0 to 1 with ``keep_ends``.
        manifold: a trained MaskVAE.
        keep_ends: the first and the last mask are ``first`` and ``second``.
        photos: whether both are masks of photos; with ``keep_ends``, `morph` is used for these.
    """
    if keep_ends and photos:
        return list(morph(first, second, where, manifold))
    masks = list(manifold.decode(between(manifold.encode(first), manifold.encode(second), where), len(first)))
    if keep_ends:
        masks[0], masks[-1] = first, resize_labels(second, len(first))
    return masks


def _frame(first: Upright, second: Upright, share: float) -> Upright:
    """A frame between two: rotation, scale and centre are interpolated."""
    turns = [complex(frame.matrix[0, 0], frame.matrix[1, 0]) for frame in (first, second)]
    turn = turns[0] * (turns[1] / turns[0]) ** share
    linear, centre = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]]), np.full(2, first.side / 2)
    middles = [frame.back[:, :2] @ centre + frame.back[:, 2] for frame in (first, second)]
    offset = centre - linear @ ((1 - share) * middles[0] + share * middles[1])
    return Upright(np.concatenate([linear, offset[:, None]], 1), first.side)


def _in_mask(planes: Field, frame: Upright, side: int, ids: Sequence[int]) -> LabelMap:
    """The mask (side, side) whose classes have the largest signed distance in the frame."""
    x, y = frame.places(Box(0, side, 0, side))
    result: LabelMap = np.array(ids, np.uint8)[sample(planes, x, y).argmax(0)]
    return result
