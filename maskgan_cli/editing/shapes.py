"""Changes of a label map that need more than a brush: along MaskVAE's manifold, and things to wear."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from maskgan_cli.data.alignment import Points, points_of_mask, similarity
from maskgan_cli.editing.library import Item
from maskgan_cli.editing.membrane import Region
from maskgan_cli.editing.motion import measure_motion
from maskgan_cli.editing.swap import remove_parts
from maskgan_cli.labels import CLASSES, ID, LabelMap

if TYPE_CHECKING:
    from maskgan_cli.editing.interpolate import Codes, MaskManifold


def along(labels: LabelMap, manifold: MaskManifold, step: Codes, *, reach: tuple[str, ...] = CLASSES) -> LabelMap:
    """A label map (S, S) moved along MaskVAE's manifold by ``step`` (1, latent); see `motion`.

    Args:
        labels: where it begins.
        manifold: a trained MaskVAE.
        step: the way in its space of codes.
        reach: names of the classes between which borders may move.
    """
    if not step.any():
        return labels.copy()
    return measure_motion(labels, manifold, step, reach=reach, both=False).apply(labels, 1.0)


def wear(labels: LabelMap, item: Item, face: Points | None = None) -> LabelMap:
    """A label map (S, S) that wears something, brought onto the face by its points.

    What it wore of that kind is taken off first. No hair stands above a hat.

    Args:
        labels: the face's.
        item: what it wears.
        face: (5, 2), its points, where they are known better than from ``labels``: a mouth that was painted wider
            makes no face wider.
    """
    points = points_of_mask(labels) if face is None else face
    turn, kind = similarity(item.points, points), item.kind
    bare = remove_parts(labels, [kind]) if (labels == kind).any() else labels.copy()
    worn = _moved(item.labels == kind, turn, len(labels))
    if kind == ID["hat"] and worn.any():
        bare[(bare == ID["hair"]) & above(worn)] = ID["background"]
    bare[worn] = kind
    return bare


def above(region: Region) -> Region:
    """What lies above the lower rim of a region (S, S), beside it as at its end."""
    columns = np.flatnonzero(region.any(0))
    rim = len(region) - region[::-1].argmax(0)
    across = np.clip(np.arange(region.shape[1]), columns[0], columns[-1])
    nearest = columns[np.abs(columns[:, None] - across).argmin(0)]
    above: Region = np.arange(len(region))[:, None] < rim[nearest]
    return above


def _moved(region: Region, turn: Points, side: int) -> Region:
    """A region (T, T) after a similarity (2, 3), as a region (side, side): each pixel looks up where it came from."""
    back = np.linalg.inv(turn[:, :2])
    rows, columns = np.mgrid[:side, :side] + 0.5
    source = np.floor(np.stack([columns - turn[0, 2], rows - turn[1, 2]], -1) @ back.T).astype(int)
    inside = ((source >= 0) & (source < len(region))).all(-1)
    source = np.where(inside[..., None], source, 0)
    found: Region = region[source[..., 1], source[..., 0]] & inside
    return found
