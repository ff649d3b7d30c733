"""Limit how far a face can be moved along an edit direction of MaskVAE's latent space and still look human.

Lengths of the face, such as the width of the mouth, have to stay between the 0.5th and 99.5th percentile of these
lengths in 507 portraits. The limit for open mouths is wider, because people on portraits rarely open their mouths. If
a length is already near or beyond its limit, it may still change by an eighth.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from maskgan_cli.editing.masks.motion import Motion
from maskgan_cli.labels import ID, LabelMap

FARTHEST: Final = 3.0  # largest number of steps, forwards and backwards
_STEP: Final = 0.05  # resolution of the limits, in steps
# Allowed ranges of the measurements of `_figures`. `opening`, `lips`, `sag` and `lips_closed` are shares of the mouth's
# width, and `outline` is the relative motion of the face's outline. All others are shares of the frame's side, which is
# four times the distance of the eyes.
_BOUNDS: Final[dict[str, tuple[float, float]]] = {
    "mouth_width": (0.184, 0.32),
    "opening": (0.0, 0.5),
    "lips": (0.125, 0.42),
    "sag": (-0.093, 0.13),
    "below_lip": (0.065, 1.0),
    "nose_width": (0.145, 0.216),
    "brow_height": (0.025, 0.104),
    "face_width": (0.499, 0.697),
    "face_height": (0.272, 0.39),
    "outline": (-0.16, 0.16),
    "lips_closed": (0.0, 1.0),
}
# A measurement in `_SIZES` may always change by _SPARE of its value, others by _SPARE of their range, and those in
# `_STRICT` not at all beyond their range.
_SIZES: Final = ("mouth_width", "lips", "nose_width", "face_width", "face_height", "below_lip")
_STRICT: Final = ("outline", "lips_closed", "opening")
_SPARE: Final = 0.125
_HAIR: Final = (-2.0, 2.0)  # lowest and highest number of steps for hair
_LEAST_HAIR: Final = 2e-3  # share of the mask; a smaller area of hair counts as no hair
# Rays of an outline (see `outline_shape`) to the right, to the left, and down.
_RIGHT, _LEFT, _DOWN = slice(40, 60), slice(120, 140), slice(85, 95)


def limits(motion: Motion) -> tuple[float, float]:
    """Return the range of steps along an edit direction (e.g. smile) in which a face still looks human.

    The range is the lowest (0 or below) and the highest (0 or above) number of steps.

    Args:
        motion: change of the face's mask for one step along the direction: see `motion.measure_motion`.
    """
    if "borders" in motion.pieces:  # a data set's attribute, which may change any part
        return -FARTHEST, FARTHEST
    begin = _figures(motion, 0.0)
    allowed = {name: _bounds(name.split()[0], value) for name, value in begin.items()}

    def far(sign: int) -> float:
        """Return the largest number of steps at which all measurements are still in their allowed ranges.

        Args:
            sign: 1 for steps forwards; -1 for steps backwards (then the result is 0 or below).
        """
        steps = np.arange(_STEP, FARTHEST + _STEP / 2, _STEP)
        for amount in steps:
            figures = _figures(motion, sign * float(amount))
            if any(not low - 1e-9 <= figures[name] <= high + 1e-9 for name, (low, high) in allowed.items()):
                return sign * round(float(amount) - _STEP, 2) + 0.0
        return sign * FARTHEST

    low, high = far(-1), far(1)
    return (max(low, _HAIR[0]), min(high, _HAIR[1])) if "hair" in motion.pieces else (low, high)


def _bounds(name: str, value: float) -> tuple[float, float]:
    """Return the allowed range of a measurement of one face: the lowest and the highest value.

    Args:
        name: name of the measurement, a key of `_BOUNDS`.
        value: the measurement before the edit. The range always includes this value and, except for measurements in
            `_STRICT`, a margin around this value.
    """
    low, high = _BOUNDS[name]
    spare = _SPARE * (value if name in _SIZES else high - low) if name not in _STRICT else 0.0
    return min(low, value - spare), max(high, value + spare)


def obstacle(motion: Motion, labels: LabelMap) -> str | None:
    """Return why an edit direction (e.g. smile) cannot change a face, e.g. "the mask shows no mouth"; None if it can.

    Args:
        motion: change of the face's mask for one step along the direction.
        labels: (S, S), the face's mask.
    """
    if "hair" in motion.pieces and (labels == ID["hair"]).mean() < _LEAST_HAIR:
        return "the mask shows no hair"
    if "mouth" in motion.pieces and len(motion.pieces) <= 2 and (motion.mouth is None or motion.mouth_change is None):
        return "the mask shows no mouth"
    if motion.pieces == ("brows",) and (not any(motion.brows.values()) or motion.brow_change is None):
        return "the mask shows no brows"
    if motion.pieces == ("nose",) and (motion.nose is None or motion.nose_change is None):
        return "the mask shows no nose"
    if motion.pieces == ("outline",) and (motion.outline is None or motion.outline_change is None):
        return "the mask shows no face"
    return None


def _figures(motion: Motion, amount: float) -> dict[str, float]:
    """Measure the parts of a face that an edit direction moves, as they are after a number of steps.

    Args:
        motion: change of the face's mask for one step along the direction.
        amount: number of steps, also fractions; below 0 backwards.

    Returns:
        A dict from the name of a measurement, e.g. ``mouth_width``, to its value; for the units see `_BOUNDS`. The
        height is measured for each brow, with the brow's name in the key, e.g. ``brow_height l_brow``.
    """
    side, found = motion.frame.side, dict[str, float]()
    outline = motion.outline
    if outline is not None and motion.outline_change is not None:
        out = amount * motion.outline_change
        reach = outline.reach * (1 + out)
        found |= {"outline": float(out[np.abs(out).argmax()])}
        if "outline" in motion.pieces:
            found["face_width"] = float(reach[_RIGHT].max() + reach[_LEFT].max()) / side
            found["face_height"] = float(reach[_DOWN].mean()) / side
    if motion.mouth is not None and motion.mouth_change is not None:
        mouth = motion.changed_mouth(amount)
        found |= {"mouth_width": mouth.width / side, "opening": mouth.opening / mouth.width}
        found |= {"lips": mouth.lips / mouth.width, "sag": mouth.sag / mouth.width}
        if "chin" in motion.pieces:
            found["lips_closed"] = motion.opening_left(amount)
        if outline is not None:
            chin = outline.middle[1] + float(outline.reach[_DOWN].mean())
            if motion.outline_change is not None:
                chin += float((amount * motion.outline_change * outline.reach)[_DOWN].mean())
            found["below_lip"] = (chin - mouth.bottom) / side
    if motion.nose is not None and motion.nose_change is not None:
        times = np.maximum(1 + amount * motion.nose_change, 0.0)
        found["nose_width"] = 2 * float((motion.nose.half * times).max()) / side
    if motion.brow_change is not None:
        for name, brow in motion.brows.items():
            if brow is not None and name in motion.eyes:
                down = amount * float(motion.brow_change.mean())
                found[f"brow_height {name}"] = (motion.eyes[name] - float(brow.line.mean()) - down) / side
    return found
