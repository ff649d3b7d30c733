"""Transfers texture from a photo: warps lips, mouth and brows of the photo to their shape in an edited mask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from maskgan_cli.editing.compositing.membrane import Field
from maskgan_cli.files import Picture
from maskgan_cli.labels import ID, LabelMap, Region

Line = npt.NDArray[np.float64]

# Features (mouth, left brow, right brow) and their parts. Each part is a band along the feature's axis.
_BANDS: Final = (("u_lip", "l_lip", "mouth"), ("l_brow",), ("r_brow",))
_BINS: Final = 48  # positions along a feature at which its edges are measured
_LEAST: Final = 20  # pixels; smaller features are ignored
_STEEPEST: Final = 0.6  # radians; an axis that is steeper than this is replaced by a horizontal one
_OPEN: Final = (0.5, 0.01)  # least height of a mouth's inside: share of the target's height, and share of the side
_SOFT: Final = 0.004  # share of the side; blur between parts


@dataclass(frozen=True)
class Axis:
    """The straight axis along a facial feature (mouth or brow), from the feature's left end to its right end.

    Attributes:
        middle: (x, y), the feature's centre in the picture.
        along: (x, y), unit vector of the axis, from left to right.
        begin, end: positions of the two ends on the axis, in pixels from the middle.
    """

    middle: Line
    along: Line
    begin: float
    end: float

    def across(self) -> Line:
        """Return the unit vector (x, y) that is perpendicular to the axis and points downwards."""
        return np.array([-self.along[1], self.along[0]])

    def coordinates(self, x: Any, y: Any) -> tuple[Line, Line]:
        """Convert positions in the picture to coordinates relative to the axis.

        Args:
            x, y: (n,), the positions in pixels.

        Returns:
            The positions along the axis (n,), 0 at the feature's left end and 1 at its right end, and the distances
            below the axis (n,) in pixels.
        """
        offset = np.stack([x, y], axis=-1) - self.middle
        return (offset @ self.along - self.begin) / (self.end - self.begin), offset @ self.across()

    def pixels(self, along: Line, across: Line) -> tuple[Line, Line]:
        """Convert coordinates relative to the axis to positions in the picture; the inverse of `coordinates`.

        Args:
            along: (n,), positions along the axis (0 at the feature's left end, 1 at its right end).
            across: (n,), distances below the axis in pixels.

        Returns:
            x (n,) and y (n,) in pixels of the picture.
        """
        at = self.middle + np.outer(self.begin + along * (self.end - self.begin), self.along)
        x, y = (at + np.outer(across, self.across())).T
        return x, y


@dataclass(frozen=True)
class Band:
    """The shape of a part, such as the upper lip, described by two edges along the axis of the feature (the mouth).

    Attributes:
        top, bottom: (_BINS,), distance of the upper and of the lower edge below the axis, in pixels.
        reach: positions of the part's two ends along the axis (0 to 1).
    """

    top: Line
    bottom: Line
    reach: tuple[float, float]

    def edges(self, along: Line) -> tuple[Line, Line]:
        """Return the distances (n,) of the upper edge, and of the lower edge, below the axis in pixels.

        Args:
            along: (n,), the positions along the axis (0 to 1) at which the edges are needed.
        """
        places = (np.arange(_BINS) + 0.5) / _BINS
        return np.interp(along, places, self.top), np.interp(along, places, self.bottom)

    def height(self) -> float:
        """Return the mean distance between both edges in pixels."""
        return float((self.bottom - self.top).mean())


def transfer_texture(photo: Picture, before: LabelMap, after: LabelMap, region: Region) -> tuple[Field, Field]:
    """Warp the lips, the mouth and the brows of a photo to their shape in an edited mask.

    Each part is described by two edges along the axis of its feature (see `Band`). A pixel of the new part is sampled
    at the same relative position in the old part, along the axis and between the edges. The inside of a mouth is
    transferred only if the photo's mouth is about as open, because teeth cannot be stretched out of a closed mouth.

    Args:
        photo: (S, S, 3).
        before: (S, S), label map of the photo.
        after: (S, S), the edited label map.
        region: (S, S), True for the pixels for which the result is needed; elsewhere, the result may be incomplete.

    Returns:
        The warped parts (S, S, 3), 0 to 255, and their opacity (S, S), 0 to 1.
    """
    result, weight = np.zeros(photo.shape), np.zeros(before.shape)
    for names in _BANDS:
        old, new = axis_of(before, names), axis_of(after, names)
        if old is None or new is None:
            continue
        for name in names:
            here = after == ID[name]
            source, target = band_of(before, name, old), band_of(after, name, new)
            if source is None or target is None or (name == "mouth" and not as_open(source, target, len(before))):
                continue
            soft = ndimage.gaussian_filter(here.astype(float), _SOFT * len(before))
            y, x = np.nonzero((soft > weight) & region)
            result[y, x] = sample_band(photo, x, y, (old, source), (new, target))
            weight = np.maximum(weight, soft)
    return result, weight


def sample_band(photo: Picture, x: Any, y: Any, old: tuple[Axis, Band], new: tuple[Axis, Band]) -> Field:
    """Sample the colours of a part, such as the upper lip, from a photo when the part gets a new shape.

    A pixel of the new shape is sampled at the same relative position in the old shape. Outside the part, the distance
    in pixels between pixel and edge is the same in both shapes.

    Args:
        photo: (S, S, 3).
        x, y: (n,), positions of the pixels in the edited picture.
        old, new: the axis of the feature and the shape of the part; ``old`` in the photo, ``new`` in the edited mask.

    Returns:
        (n, 3), the sampled colours, by bilinear interpolation.
    """
    (old_axis, source), (new_axis, target) = old, new
    along, across = new_axis.coordinates(x, y)
    place = (along - target.reach[0]) / (target.reach[1] - target.reach[0])
    from_along = source.reach[0] + place * (source.reach[1] - source.reach[0])
    (top, bottom), (from_top, from_bottom) = target.edges(along), source.edges(from_along)
    share = np.clip((across - top) / (bottom - top), 0.0, 1.0)
    beyond = across - top - share * (bottom - top)
    from_x, from_y = old_axis.pixels(from_along, from_top + share * (from_bottom - from_top) + beyond)
    channels = (photo[..., c].astype(float) for c in range(3))
    planes = [ndimage.map_coordinates(one, [from_y, from_x], order=1, mode="nearest") for one in channels]
    return np.stack(planes, axis=-1)


def axis_of(labels: LabelMap, names: tuple[str, ...]) -> Axis | None:
    """Return the principal axis of a facial feature, such as the mouth, in a label map.

    Args:
        labels: (S, S), the label map.
        names: names of the classes that the feature consists of.

    Returns:
        The axis; None if the feature has too few pixels.
    """
    y, x = np.nonzero(np.isin(labels, [ID[name] for name in names]))
    if len(x) < _LEAST:
        return None
    points = np.stack([x, y], axis=-1).astype(float)
    middle = points.mean(axis=0)
    _, vectors = np.linalg.eigh(np.cov((points - middle).T))
    along = vectors[:, -1] * (1 if vectors[0, -1] >= 0 else -1)
    if abs(np.arctan2(along[1], along[0])) > _STEEPEST:
        along = np.array([1.0, 0.0])
    places = (points - middle) @ along
    return Axis(middle, along, places.min() - 0.5, places.max() + 0.5)


def band_of(labels: LabelMap, name: str, axis: Axis) -> Band | None:
    """Measure the shape of one part of a feature, such as the upper lip of the mouth, along the feature's axis.

    Args:
        labels: (S, S), the label map.
        name: name of the part's class.
        axis: the axis of the feature.

    Returns:
        The shape; None if the part has too few pixels.
    """
    y, x = np.nonzero(labels == ID[name])
    if len(x) < _LEAST // 2:
        return None
    along, across = axis.coordinates(x, y)
    bins = np.clip((along * _BINS).astype(int), 0, _BINS - 1)
    top, bottom = np.full(_BINS, np.inf), np.full(_BINS, -np.inf)
    np.minimum.at(top, bins, across - 0.5)
    np.maximum.at(bottom, bins, across + 0.5)
    known = np.flatnonzero(np.isfinite(top))
    top, bottom = (
        ndimage.gaussian_filter1d(np.interp(np.arange(_BINS), known, edge[known]), 1.5, mode="nearest")
        for edge in (top, bottom)
    )
    return Band(top, np.maximum(bottom, top + 1.0), (known[0] / _BINS, (known[-1] + 1) / _BINS))


def as_open(source: Band, target: Band, side: int) -> bool:
    """Return whether the inside of the photo's mouth is high enough to be stretched to the inside of the edited mouth.

    Args:
        source, target: shapes of the mouth's inside in the photo and in the edited mask.
        side: side of the picture in pixels.
    """
    share, least = _OPEN
    return source.height() >= max(share * target.height(), least * side)
