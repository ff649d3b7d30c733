"""A mouth as four curves from corner to corner: measuring it, its change by MaskVAE, and drawing it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import ndimage

from maskgan_cli.editing.masks.upright import Field, Upright, largest_piece
from maskgan_cli.labels import GROUPS, ID, LabelMap, Region

_PLACES: Final = 65  # positions along a mouth
_SMOOTH: Final = 0.02  # share of a mouth's width; blur of the curves, which removes the steps of pixels
_MIN_WIDTH: Final = 6  # pixels; smaller mouths are ignored
_LIPS: Final = (0.5, 2.0)  # limits of the change of a lip's thickness
_SPECK: Final = 0.03  # share of a mouth; a smaller inside is removed
_CLOSED: Final = 0.012  # share of a mouth's width; lips at this distance or less are closed
_MIDDLE: Final = slice(_PLACES // 4, -_PLACES // 4)
_PARTS: Final = [ID[name] for name in GROUPS["mouth"]]
_ALONG: Final = np.linspace(0.0, 1.0, _PLACES)


@dataclass(frozen=True)
class Mouth:
    """A mouth in an upright frame, in that frame's pixels.

    Attributes:
        left, right: x of the corners.
        line: (65,), y of the upper lip's lower edge, at evenly spaced positions from corner to corner.
        gap, upper, lower: (65,), distance of the lips, and thickness of each lip.
    """

    left: float
    right: float
    line: Field
    gap: Field
    upper: Field
    lower: Field

    @property
    def width(self) -> float:
        """From corner to corner."""
        return self.right - self.left

    @property
    def opening(self) -> float:
        """The largest distance between the lips."""
        return float(self.gap.max())

    @property
    def lips(self) -> float:
        """The largest thickness of both lips together."""
        return float((self.upper + self.lower).max())

    @property
    def sag(self) -> float:
        """Vertical distance of the upper lip's edge below the corners, in the middle."""
        return float(self.line[_PLACES // 2] - (self.line[0] + self.line[-1]) / 2)

    @property
    def bottom(self) -> float:
        """The lower lip's lowest point."""
        return float((self.line + self.gap + self.lower).max())


@dataclass(frozen=True)
class MouthChange:
    """The change of a mouth for one step in a direction.

    Attributes:
        wider: added to the width, as a share of it.
        line, gap: (65,), added to the curves, as shares of the mouth's width.
        upper, lower: factors of the lips' thickness.
    """

    wider: float
    line: Field
    gap: Field
    upper: float
    lower: float

    @property
    def reversed(self) -> MouthChange:
        """The change that undoes this one."""
        return MouthChange(-self.wider, -self.line, -self.gap, 1 / self.upper, 1 / self.lower)


def measure_mouth(labels: LabelMap, *, fine: int = 1) -> Mouth | None:
    """The mouth of an upright mask, whose pixels are ``fine`` to one of the frame; None without one."""
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
    """The change of a mouth between two masks of MaskVAE; None if one of them has no mouth or only a remnant.

    The change is made symmetric, because faces and the package's directions are symmetric.
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
    """The mean of two changes."""
    return MouthChange(
        (first.wider + second.wider) / 2,
        (first.line + second.line) / 2,
        (first.gap + second.gap) / 2,
        (first.upper * second.upper) ** 0.5,
        (first.lower * second.lower) ** 0.5,
    )


def changed_mouth(mouth: Mouth, change: MouthChange, amount: float, nose: float | None = None) -> Mouth:
    """A mouth after ``amount`` (0 or more) times a change; it keeps half of its distance to the nose's lower end."""
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
    """Replace the mouth ``old`` of a mask (S, S) by ``new``, which covers skin and the old mouth; the rest is skin."""
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
    return np.asarray(region.argmax(0), np.float64)


def _end(region: Region) -> Field:
    return np.asarray(len(region) - region[::-1].argmax(0), np.float64)


def _filled(curve: Field, known: Region) -> Field:
    places = np.arange(len(curve))
    return np.asarray(np.interp(places, places[known], curve[known]))


def _smooth(curve: Field) -> Field:
    return np.asarray(ndimage.gaussian_filter1d(curve, max(_SMOOTH * len(curve), 0.5), mode="nearest"))


def _even(curve: Field) -> Field:
    """The best fit of a curve (65,) by an even polynomial of degree 4 around the middle."""
    across = 2 * _ALONG - 1
    basis = np.stack([np.ones_like(across), across**2, across**4], 1)
    return np.asarray(basis @ np.linalg.lstsq(basis, curve, rcond=None)[0])
