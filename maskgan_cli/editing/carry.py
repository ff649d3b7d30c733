"""A face's own texture, carried to the new shape of its parts: lips keep their creases wherever they go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from maskgan_cli.editing.membrane import Field, Region
from maskgan_cli.files import Picture
from maskgan_cli.labels import ID, LabelMap

Line = npt.NDArray[np.float64]

# Parts that are bands, by the feature that gives them their axis: from corner to corner, from rim to rim.
_BANDS: Final = (("u_lip", "l_lip", "mouth"), ("l_brow",), ("r_brow",))
_BINS: Final = 48  # places along a feature where its rims are measured
_LEAST: Final = 20  # pixels of a feature, and
_STEEPEST: Final = 0.6  # radians from the horizontal: a steeper axis is a mistake
_OPEN: Final = (0.5, 0.01)  # a mouth is open enough for another: this share of its height, and this of the side
_SOFT: Final = 0.004  # of the side: width of the change from part to part


@dataclass(frozen=True)
class Axis:
    """A feature's middle (x, y), its direction, and where along that it begins and ends, in pixels from the middle."""

    middle: Line
    along: Line
    begin: float
    end: float

    def across(self) -> Line:
        return np.array([-self.along[1], self.along[0]])

    def coordinates(self, x: Any, y: Any) -> tuple[Line, Line]:
        """Pixels -> how far along (0 to 1 within the feature) and how far across, in pixels downwards."""
        offset = np.stack([x, y], axis=-1) - self.middle
        return (offset @ self.along - self.begin) / (self.end - self.begin), offset @ self.across()

    def pixels(self, along: Line, across: Line) -> tuple[Line, Line]:
        """The inverse of `coordinates`: x and y."""
        at = self.middle + np.outer(self.begin + along * (self.end - self.begin), self.along)
        x, y = (at + np.outer(across, self.across())).T
        return x, y


@dataclass(frozen=True)
class Band:
    """One part: its upper and lower rim at `_BINS` places along the feature, and from where to where it reaches."""

    top: Line
    bottom: Line
    reach: tuple[float, float]

    def rims(self, along: Line) -> tuple[Line, Line]:
        places = (np.arange(_BINS) + 0.5) / _BINS
        return np.interp(along, places, self.top), np.interp(along, places, self.bottom)

    def height(self) -> float:
        return float((self.bottom - self.top).mean())


def carry_parts(photo: Picture, before: LabelMap, after: LabelMap, region: Region) -> tuple[Field, Field]:
    """The photo's lips, mouth and brows in the shape that a mask asks for.

    Each part is a band along its feature's axis. A place in the new band shows what the photo has at the same place
    in the old one: as far from corner to corner, as far from rim to rim. The inside of a mouth is carried only where
    the photo's is about as open: nobody's teeth can be stretched out of a closed mouth.

    Args:
        photo, before: (S, S, 3) and its label map.
        after: (S, S), the mask asked for.
        region: (S, S), where the parts are wanted; elsewhere they may not be there.

    Returns:
        The carried parts (S, S, 3), 0 to 255, and how far they count (S, S), 0 to 1.
    """
    carried, weight = np.zeros(photo.shape), np.zeros(before.shape)
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
            carried[y, x] = sample_band(photo, x, y, (old, source), (new, target))
            weight = np.maximum(weight, soft)
    return carried, weight


def sample_band(photo: Picture, x: Any, y: Any, old: tuple[Axis, Band], new: tuple[Axis, Band]) -> Field:
    """What the photo has where pixels of the new band come from, (n, 3); beyond the rims it goes on as it was."""
    (old_axis, source), (new_axis, target) = old, new
    along, across = new_axis.coordinates(x, y)
    place = (along - target.reach[0]) / (target.reach[1] - target.reach[0])
    from_along = source.reach[0] + place * (source.reach[1] - source.reach[0])
    (top, bottom), (from_top, from_bottom) = target.rims(along), source.rims(from_along)
    share = np.clip((across - top) / (bottom - top), 0.0, 1.0)
    beyond = across - top - share * (bottom - top)
    from_x, from_y = old_axis.pixels(from_along, from_top + share * (from_bottom - from_top) + beyond)
    planes = [ndimage.map_coordinates(photo[..., c].astype(float), [from_y, from_x], order=1, mode="nearest")
              for c in range(3)]  # fmt: skip
    return np.stack(planes, axis=-1)


def axis_of(labels: LabelMap, names: tuple[str, ...]) -> Axis | None:
    """The direction in which a feature's pixels spread most; None if there are too few to tell."""
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
    """Where a part's rims are; None if there is too little of it."""
    y, x = np.nonzero(labels == ID[name])
    if len(x) < _LEAST // 2:
        return None
    along, across = axis.coordinates(x, y)
    bins = np.clip((along * _BINS).astype(int), 0, _BINS - 1)
    top, bottom = np.full(_BINS, np.inf), np.full(_BINS, -np.inf)
    np.minimum.at(top, bins, across - 0.5)
    np.maximum.at(bottom, bins, across + 0.5)
    seen = np.flatnonzero(np.isfinite(top))
    top, bottom = (
        ndimage.gaussian_filter1d(np.interp(np.arange(_BINS), seen, rim[seen]), 1.5, mode="nearest")
        for rim in (top, bottom)
    )
    return Band(top, np.maximum(bottom, top + 1.0), (seen[0] / _BINS, (seen[-1] + 1) / _BINS))


def as_open(source: Band, target: Band, side: int) -> bool:
    share, least = _OPEN
    return source.height() >= max(share * target.height(), least * side)
