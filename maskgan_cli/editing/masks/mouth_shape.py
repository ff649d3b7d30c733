"""Describe a mouth by curves from corner to corner: measure it in a mask, measure how MaskVAE changes it, and draw it.

The upright frame of a face is explained in `upright`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import ndimage

from maskgan_cli.editing.masks.upright import Field, Upright, largest_piece
from maskgan_cli.labels import GROUPS, ID, LabelMap, Region

_PLACES: Final = 65  # number of positions along a mouth at which the curves are sampled
_SMOOTH: Final = 0.02  # share of a mouth's width; blur of the curves, which removes the steps of pixels
_MIN_WIDTH: Final = 6  # pixels; smaller mouths are ignored
_LIPS: Final = (0.5, 2.0)  # smallest and largest factor by which a lip's thickness may change
_SPECK: Final = 0.03  # share of a mouth's area; a smaller piece of the inside is replaced by the upper lip
_CLOSED: Final = 0.012  # share of a mouth's width; lips at a smaller distance count as closed
_MIDDLE: Final = slice(_PLACES // 4, -_PLACES // 4)
_PARTS: Final = [ID[name] for name in GROUPS["mouth"]]
_ALONG: Final = np.linspace(0.0, 1.0, _PLACES)


@dataclass(frozen=True)
class Mouth:
    """The shape of a mouth in a face's upright frame. All lengths are pixels of the frame.

    Attributes:
        left, right: x of the left and of the right corner in the picture.
        line: y of the upper lip's lower edge at 65 evenly spaced positions from the left to the right corner.
        gap: (65,), vertical distance between the lips at these positions.
        upper, lower: (65,), thickness of the upper and of the lower lip at these positions.
    """

    left: float
    right: float
    line: Field
    gap: Field
    upper: Field
    lower: Field

    @property
    def width(self) -> float:
        """Distance between the corners, in pixels of the upright frame."""
        return self.right - self.left

    @property
    def opening(self) -> float:
        """Largest vertical distance between the lips, in pixels of the upright frame."""
        return float(self.gap.max())

    @property
    def lips(self) -> float:
        """Largest thickness of both lips together, in pixels of the upright frame."""
        return float((self.upper + self.lower).max())

    @property
    def sag(self) -> float:
        """How many pixels the middle of the upper lip's lower edge is below the mouth's corners; negative if above."""
        return float(self.line[_PLACES // 2] - (self.line[0] + self.line[-1]) / 2)

    @property
    def bottom(self) -> float:
        """y of the lower lip's lowest point, in pixels of the upright frame."""
        return float((self.line + self.gap + self.lower).max())


@dataclass(frozen=True)
class MouthChange:
    """The change of a mouth when MaskVAE's latent code moves one step along an edit direction (e.g. smile).

    Attributes:
        wider: increase of the width, as a share of the width.
        line, gap: (65,), values that are added to the curves of `Mouth`, as shares of the mouth's width.
        upper, lower: factors by which the thickness of the upper and of the lower lip is multiplied.
    """

    wider: float
    line: Field
    gap: Field
    upper: float
    lower: float

    @property
    def reversed(self) -> MouthChange:
        """The opposite change: for one step backwards along the edit direction."""
        return MouthChange(-self.wider, -self.line, -self.gap, 1 / self.upper, 1 / self.lower)


def measure_mouth(labels: LabelMap, *, fine: int = 1) -> Mouth | None:
    """Measure the mouth in an upright mask; return None if there is no mouth, or if it is less than 6 pixels wide.

    Args:
        labels: (side * fine, side * fine), the upright mask: see `Upright.labels`.
        fine: number of pixels of the mask per pixel of the upright frame, along each side: see `Upright`.
    """
    whole = largest_piece(np.isin(labels, _PARTS))
    columns = np.flatnonzero(whole.any(0))
    if len(columns) < _MIN_WIDTH:
        return None
    first, last = int(columns[0]), int(columns[-1]) + 1
    part = np.where(whole, labels, 0)[:, first:last]
    shown, upper, lower = part > 0, part == ID["u_lip"], part == ID["l_lip"]
    top, bottom = _first(shown), _end(shown)
    line = np.where(upper.any(0), _end(upper), np.where(lower.any(0), _first(lower), top))
    inside = part == ID["mouth"]
    low = np.where(lower.any(0), _first(lower), bottom)
    low = np.where(inside.any(0), np.maximum(low, line), line)
    known, places = np.asarray(shown.any(0)), np.arange(last - first) + 0.5
    curves = (_smooth(_filled(curve, known)) for curve in (top, line, low, bottom))
    top, line, low, bottom = (np.interp(_ALONG * (last - first), places, curve) / fine for curve in curves)
    line, low = np.clip(line, top, bottom), np.clip(low, np.clip(line, top, bottom), bottom)
    return Mouth(first / fine, last / fine, line, low - line, line - top, bottom - low)


def mouth_change(before: Mouth | None, after: Mouth | None) -> MouthChange | None:
    """Measure how a mouth changes when MaskVAE's latent code moves one step along an edit direction (e.g. smile).

    The left and right halves of the change are made equal, because faces and the package's directions are symmetric.

    Args:
        before, after: the mouths, as returned by `measure_mouth`, of the masks that MaskVAE decodes before and after
            the step.

    Returns:
        The change for one step; None if one of the mouths is None, or if too little of the mouth is left in ``after``.
    """
    if before is None or after is None or after.width < 0.5 * before.width:
        return None
    lips = ((before.upper, after.upper), (before.lower, after.lower))
    ratios = [new_lip.mean() / max(old_lip.mean(), 1e-6) for old_lip, new_lip in lips]
    if min(ratios) < _LIPS[0] / 2:
        return None
    upper, lower = (float(np.clip(ratio, *_LIPS)) for ratio in ratios)
    return MouthChange(
        after.width / before.width - 1,
        _even(after.line - before.line) / before.width,
        _even(after.gap - before.gap) / before.width,
        upper,
        lower,
    )


def mean_change(first: MouthChange, second: MouthChange) -> MouthChange:
    """Return the mean of two changes of a mouth; the factors of the lips' thickness are averaged geometrically."""
    return MouthChange(
        (first.wider + second.wider) / 2,
        (first.line + second.line) / 2,
        (first.gap + second.gap) / 2,
        (first.upper * second.upper) ** 0.5,
        (first.lower * second.lower) ** 0.5,
    )


def changed_mouth(mouth: Mouth, change: MouthChange, amount: float, nose: float | None = None) -> Mouth:
    """Change the shape of a mouth, and return the changed mouth.

    Args:
        mouth: the mouth before the change.
        change: the change of one step.
        amount: number of steps, 0 or more; may be a fraction.
        nose: y of the nose's lower end, in pixels of the mask rotated upright. The distance between nose and mouth
            stays at least half as large as before the change. None: the distance is not limited.
    """
    middle, half = (mouth.left + mouth.right) / 2, mouth.width / 2 * (1 + amount * change.wider)
    upper, lower = (float(np.clip(ratio**amount, *_LIPS)) for ratio in (change.upper, change.lower))
    gap = np.maximum(mouth.gap + amount * mouth.width * change.gap, 0.0)
    # Closed lips open only where their distance is large enough to show the inside.
    apart = np.clip(gap / (_CLOSED * mouth.width) - 1, 0, 1)
    gap = np.where(mouth.gap < _CLOSED * mouth.width, gap * apart, gap)
    line = mouth.line + amount * mouth.width * change.line
    if nose is not None:
        free, changed = (
            float((one - thick)[_MIDDLE].min()) - nose
            for one, thick in ((mouth.line, mouth.upper), (line, mouth.upper * upper))
        )
        line = line + max(min(free, max(0.5 * free, 0.0)) - changed, 0.0)
    return Mouth(middle - half, middle + half, line, gap, mouth.upper * upper, mouth.lower * lower)


def draw_mouth(labels: LabelMap, frame: Upright, old: Mouth, new: Mouth) -> LabelMap:
    """Draw a changed mouth into a mask.

    The new mouth is drawn only over skin and over the old mouth. The rest of the old mouth becomes skin.

    Args:
        labels: (S, S), the mask.
        frame: the coordinate system in which the face is upright: see `Upright`.
        old: the mask's present mouth, in the frame.
        new: the changed mouth, in the frame.

    Returns:
        (S, S), a new mask.
    """
    both = (old, new)
    box = frame.box(
        min(m.left for m in both) - 2,
        max(m.right for m in both) + 2,
        min((m.line - m.upper).min() for m in both) - 2,
        max((m.line + m.gap + m.lower).max() for m in both) + 2,
        len(labels),
    )
    part = labels[box.slices].copy()
    mouth = np.isin(part, _PARTS)
    allowed = mouth | (part == ID["skin"])
    part[mouth] = ID["skin"]
    x, y = frame.places(box)
    along = (x - new.left) / new.width
    line, gap, upper, lower = (np.interp(along, _ALONG, curve) for curve in (new.line, new.gap, new.upper, new.lower))
    allowed &= (along >= 0) & (along <= 1) & (y >= line - upper) & (y < line + gap + lower)
    drawn = np.where(y < line, ID["u_lip"], np.where(y < line + gap, ID["mouth"], ID["l_lip"]))
    inside, count = ndimage.label(allowed & (drawn == ID["mouth"]))
    sizes = np.bincount(inside.ravel(), minlength=count + 1)
    drawn[(sizes < _SPECK * allowed.sum())[inside] & (inside > 0)] = ID["u_lip"]
    part[allowed] = drawn[allowed]
    for lip in (ID["u_lip"], ID["l_lip"]):  # pixels in the corners may be isolated
        shown = part == lip
        part[shown & ~largest_piece(shown) & allowed] = ID["skin"]
    result = labels.copy()
    result[box.slices] = part
    return result


def _first(region: Region) -> Field:
    """Return the first row (W,) of a region (H, W) in each column; 0 for columns without the region."""
    return np.asarray(region.argmax(0), np.float64)


def _end(region: Region) -> Field:
    """Return the last row plus 1 (W,) of a region (H, W) in each column; H for columns without the region."""
    return np.asarray(len(region) - region[::-1].argmax(0), np.float64)


def _filled(curve: Field, known: Region) -> Field:
    """Return a curve (N,) in which values where ``known`` (N,) is False are interpolated linearly from the others."""
    places = np.arange(len(curve))
    return np.asarray(np.interp(places, places[known], curve[known]))


def _smooth(curve: Field) -> Field:
    """Blur a curve (N,), sampled along a mouth, with a Gaussian."""
    return np.asarray(ndimage.gaussian_filter1d(curve, max(_SMOOTH * len(curve), 0.5), mode="nearest"))


def _even(curve: Field) -> Field:
    """Fit an even polynomial of degree 4 around the middle of a curve (65,), and return this symmetric curve (65,)."""
    across = 2 * _ALONG - 1
    basis = np.stack([np.ones_like(across), across**2, across**4], 1)
    return np.asarray(basis @ np.linalg.lstsq(basis, curve, rcond=None)[0])
