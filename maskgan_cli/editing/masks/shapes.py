"""Changes of a label map: steps in MaskVAE's latent space, and accessories."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from maskgan_cli.data.alignment import Points, points_of_mask, similarity
from maskgan_cli.editing.masks.library import Accessory
from maskgan_cli.editing.masks.motion import measure_motion
from maskgan_cli.editing.masks.swap import remove_parts
from maskgan_cli.labels import CLASSES, ID, LabelMap, Region

if TYPE_CHECKING:
    from maskgan_cli.editing.masks.interpolate import Codes, MaskManifold


def along(labels: LabelMap, manifold: MaskManifold, step: Codes, *, reach: tuple[str, ...] = CLASSES) -> LabelMap:
    """Move a label map (S, S) by a step in MaskVAE's latent space; see `motion`.

    Args:
        labels: the label map.
        manifold: a trained MaskVAE.
        step: (1, latent).
        reach: names of the classes that may change.
    """
    if not step.any():
        return labels.copy()
    return measure_motion(labels, manifold, step, reach=reach, both=False).apply(labels, 1.0)


def wear(labels: LabelMap, item: Accessory, face: Points | None = None) -> LabelMap:
    """Put an accessory on the face of a label map (S, S), aligned by the face's points.

    An accessory of the same kind is taken off first. Hair above a hat is removed.

    Args:
        labels: the face's.
        item: the accessory.
        face: (5, 2), the face's points; None: those of ``labels``, which change if a mouth was widened.
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
    """The area above the lower edge of a region (S, S); beside the region, the edge is extended horizontally."""
    columns = np.flatnonzero(region.any(0))
    rim = len(region) - region[::-1].argmax(0)
    across = np.clip(np.arange(region.shape[1]), columns[0], columns[-1])
    nearest = columns[np.abs(columns[:, None] - across).argmin(0)]
    above: Region = np.arange(len(region))[:, None] < rim[nearest]
    return above


def _moved(region: Region, turn: Points, side: int) -> Region:
    """A region (T, T) after a similarity transform (2, 3), as a region (side, side)."""
    back = np.linalg.inv(turn[:, :2])
    rows, columns = np.mgrid[:side, :side] + 0.5
    source = np.floor(np.stack([columns - turn[0, 2], rows - turn[1, 2]], -1) @ back.T).astype(int)
    inside = ((source >= 0) & (source < len(region))).all(-1)
    source = np.where(inside[..., None], source, 0)
    found: Region = region[source[..., 1], source[..., 0]] & inside
    return found
