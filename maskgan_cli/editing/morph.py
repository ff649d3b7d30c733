"""Masks on the way between the masks of two photos: MaskVAE's way, with the photos' own masks at its ends.

MaskVAE's pictures of both masks are coarser than the masks. With the masks at the ends of its way, the first step
would jump. So the classes' depths are interpolated: those of MaskVAE's masks on the way, plus what the own masks'
depths differ from them at the ends, which fades from each end to the other. Each face is seen upright, and its tilt is
interpolated, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from maskgan_cli.data.resize import resize_labels
from maskgan_cli.editing.borders import depths, smooth
from maskgan_cli.editing.interpolate import MaskManifold, between
from maskgan_cli.editing.upright import Box, Field, Upright, sample
from maskgan_cli.labels import LabelMap


def morph(first: LabelMap, second: LabelMap, where: Sequence[float], manifold: MaskManifold) -> Iterator[LabelMap]:
    """Masks on the way from one to another, of the first one's size; at 0 and 1 they are the two themselves.

    Args:
        first, second: (S, S) and (T, T).
        where: how far on the way each mask lies, 0 to 1.
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
    rest = [smooth(depths(labels, ids), 1.0) - smooth(depths(seen, ids), 1.0)
            for labels, seen in zip(upright, own, strict=True)]  # fmt: skip
    for share, labels in zip(where, middle, strict=True):
        if share in (0, 1):
            yield ends[int(share)].copy()
            continue
        planes = smooth(depths(labels, ids), 1.0) + (1 - share) * rest[0] + share * rest[1]
        yield _seen(planes, _frame(frames[0], frames[1], share), side, ids)


def masks_between(
    first: LabelMap, second: LabelMap, where: Sequence[float], manifold: MaskManifold, *, keep_ends: bool, photos: bool
) -> list[LabelMap]:
    """Masks on the way from one to another, of the first one's size: MaskVAE's own, as in the paper, or `morph`.

    Args:
        first, second: (S, S) and (T, T).
        where: how far on the way each mask lies; 0 to 1 with ``keep_ends``.
        manifold: a trained MaskVAE.
        keep_ends: the first and the last mask are ``first`` and ``second``.
        photos: whether both are masks of photos; with ``keep_ends``, these are morphed.
    """
    if keep_ends and photos:
        return list(morph(first, second, where, manifold))
    masks = list(manifold.decode(between(manifold.encode(first), manifold.encode(second), where), len(first)))
    if keep_ends:
        masks[0], masks[-1] = first, resize_labels(second, len(first))
    return masks


def _frame(first: Upright, second: Upright, share: float) -> Upright:
    """A frame between two: turned and scaled by its share of the way, its middle on the line between theirs."""
    turns = [complex(frame.matrix[0, 0], frame.matrix[1, 0]) for frame in (first, second)]
    turn = turns[0] * (turns[1] / turns[0]) ** share
    linear, centre = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]]), np.full(2, first.side / 2)
    middles = [frame.back[:, :2] @ centre + frame.back[:, 2] for frame in (first, second)]
    offset = centre - linear @ ((1 - share) * middles[0] + share * middles[1])
    return Upright(np.concatenate([linear, offset[:, None]], 1), first.side)


def _seen(planes: Field, frame: Upright, side: int, ids: Sequence[int]) -> LabelMap:
    x, y = frame.places(Box(0, side, 0, side))
    result: LabelMap = np.array(ids, np.uint8)[sample(planes, x, y).argmax(0)]
    return result
