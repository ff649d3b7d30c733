"""Transform a mouth from the pose of one head to the pose of another, by means of 3D heads fitted to both masks."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np

from maskgan_cli.data.alignment import Points
from maskgan_cli.editing.masks.head_fit import fitted
from maskgan_cli.labels import LabelMap, Region
from maskgan_cli.synth.shape import head

# Two sets of rendered faces with the true masks of swapped mouths (47 and 35 pairs): IoU of the mouth 0.626 and 0.627
# for a horizontal shift alone, 0.730 and 0.733 with the values below; 0.729 and 0.680 for the unchanged outline at the
# true position.
_NOSE: Final = 0.5  # the mouth moves vertically by this share of the nose's shift, which no expression changes,
_HEAD: Final = 0.15  # and by this share of the fitted head's shift; the rest of that shift is due to expressions
_HEIGHT: Final = 0.5  # share of the change of height that is not due to expressions
_MOST: Final = 0.35  # largest change of scale and shear
_LEAST: Final = 0.02  # smaller changes are noise of the masks


def mouth_transform(
    target: LabelMap, source: LabelMap, linear: Points, shift: Points, along: Points, points: tuple[Points, Points]
) -> tuple[Points, Points]:
    """Return the affine transform that maps the target's mouth to the pose of the source's head.

    Scale and shear are computed from the region around the mouth on the 3D heads fitted to both masks. Horizontally,
    the middle of the target's mouth moves to the middle of the source's mouth. Vertically, the mouth moves with the
    nose and the fitted head, not to the source's mouth, because expressions also move the mouth vertically.

    Args:
        target: (T, T), mask of the face whose mouth is used.
        source: (S, S), mask of the face that gets the mouth.
        linear, shift: (2, 2) and (2,), the transform p -> ``linear @ p + shift`` that is used if the pose of both heads
            is the same, in pixels of the source.
        along: (2,), the unit vector from eye to eye in the source.
        points: the five points (5, 2) of the target and of the source, in pixels of the source. Eyes and mouth corners
            must not be NaN.

    Returns:
        Matrix (2, 2) and shift (2,) of the transform, in pixels of the source.
    """
    here, there = points
    posed = _between_heads(target, source)
    axes = np.stack([along, [-along[1], along[0]]])
    change = axes @ posed[:, :2] @ np.linalg.inv(linear) @ axes.T - np.eye(2)
    change[1, 1] *= _HEIGHT
    change = np.clip(change, -_MOST, _MOST) * (np.abs(change).max() > _LEAST)
    matrix = axes.T @ (np.eye(2) + change) @ axes @ linear
    middle = here[3:].mean(0)
    upright = linear @ middle + shift
    nose = there[2] - (linear @ here[2] + shift) if np.isfinite([here[2], there[2]]).all() else np.zeros(2)
    with_head = posed[:, :2] @ middle + posed[:, 2] - upright
    move = axes @ np.stack([there[3:].mean(0) - upright, _NOSE * nose + _HEAD * with_head], 1)
    goal = upright + axes.T @ np.array([move[0, 0], move[1, 1]])
    return matrix, goal - matrix @ middle


def _between_heads(target: LabelMap, source: LabelMap) -> Points:
    """Fit 3D heads to two masks, and return the affine transform (2, 3) from one head's mouth region to the other's.

    The transform maps positions (x, y, 1) in the target (T, T), in pixels of the source, to positions in the source
    (S, S).
    """
    if np.array_equal(target, source):
        return np.eye(2, 3)
    side = len(source)
    size = side / len(target)
    here = fitted(target).after(np.array([[size, 0, 0], [0, size, 0]]))
    before, after = (
        one.camera.project(one.posed.vertices[_region()])[0].astype(np.float64) for one in (here, fitted(source))
    )
    found, *_ = np.linalg.lstsq(np.concatenate([before, np.ones((len(before), 1))], 1), after, rcond=None)
    return np.asarray(found.T)


@lru_cache(maxsize=1)
def _region() -> Region:
    """Return a boolean array (V,): whether each vertex of the 3D head lies around the mouth."""
    model = head()
    x, y, z = model.canonical.T
    region: Region = model.on_body & (np.abs(x) < 0.45) & (y > 6.55) & (y < 7.15) & (z > 1.0)
    return region
