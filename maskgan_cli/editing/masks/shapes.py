"""Change a label map: move the face along an edit direction of MaskVAE, or put an accessory on the face."""

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
    """Move a label map by one step along an edit direction of MaskVAE, and return a new label map; see `motion`.

    Args:
        labels: (S, S), the label map.
        manifold: a trained MaskVAE.
        step: (1, latent), vector that is added to the latent code of the mask.
        reach: names of the classes that may change.
    """
    if not step.any():
        return labels.copy()
    return measure_motion(labels, manifold, step, reach=reach, both=False).apply(labels, 1.0)


def wear(labels: LabelMap, item: Accessory, face: Points | None = None) -> LabelMap:
    """Put an accessory on a face in a label map, and return a new label map (S, S).

    The accessory is aligned by the landmarks of the face and of the accessory's own face. If the face already wears an
    accessory of the same kind, the old accessory is taken off. Hair above a hat is removed.

    Args:
        labels: (S, S), label map of the face.
        item: the accessory.
        face: (5, 2), landmarks of the face; None: they are estimated from ``labels``. If an edit has widened the mouth,
            pass the landmarks of the mask before the edit, because the mouth's corners are landmarks.
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
    """Return the region (S, S) of all pixels above the lower edge of ``region`` (S, S), including ``region`` itself.

    A column without pixels of ``region`` uses the edge in the nearest column with such pixels. ``region`` must not be
    empty.
    """
    columns = np.flatnonzero(region.any(0))
    rim = len(region) - region[::-1].argmax(0)
    across = np.clip(np.arange(region.shape[1]), columns[0], columns[-1])
    nearest = columns[np.abs(columns[:, None] - across).argmin(0)]
    above: Region = np.arange(len(region))[:, None] < rim[nearest]
    return above


def _moved(region: Region, turn: Points, side: int) -> Region:
    """Transform a region (T, T) by a similarity transform, and return the transformed region (side, side).

    Args:
        region: the region.
        turn: (2, 3), maps a position (x, y, 1) in the region to a position in the result.
        side: side of the result in pixels.
    """
    back = np.linalg.inv(turn[:, :2])
    rows, columns = np.mgrid[:side, :side] + 0.5
    source = np.floor(np.stack([columns - turn[0, 2], rows - turn[1, 2]], -1) @ back.T).astype(int)
    inside = ((source >= 0) & (source < len(region))).all(-1)
    source = np.where(inside[..., None], source, 0)
    found: Region = region[source[..., 1], source[..., 0]] & inside
    return found
