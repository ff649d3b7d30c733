"""Detection of the class order of a label map from the positions of its parts."""

from __future__ import annotations

from typing import Final

import numpy as np

from maskgan_cli.labels import GROUPS, ID, ORDERS, LabelMap, convert

# Pairs of parts; in an upright face, the first is above the second.
_ABOVE: Final = (
    ("brows", "eyes"), ("brows", "nose"), ("eyes", "nose"), ("nose", "lips"), ("eyes", "mouth"), ("u_lip", "l_lip"),
    ("eyes", "neck"), ("lips", "neck"), ("lips", "cloth"), ("hat", "nose"), ("hair", "cloth"),
)  # fmt: skip
_LEAST: Final = 4  # pixels; smaller parts are ignored
_MARGIN: Final = 3  # number of pairs by which another order must be better
_FEW: Final = 2  # wrong pairs that make an order doubtful; a hand over a face can cause one


def suspected_order(labels: LabelMap, order: str = "celebamask") -> str:
    """The more plausible class order of a label map; an empty string if ``order`` is plausible.

    Args:
        labels: label map (H, W) that was read with the class order ``order``.
        order: a key of `labels.ORDERS`.
    """
    stored = convert(labels, "celebamask", order)
    right, wrong = _fit(labels)
    if wrong < _FEW:
        return ""
    for other in ORDERS:
        if other != order:
            fits, misfits = _fit(convert(stored, other))
            if misfits < _FEW and (fits - misfits) - (right - wrong) >= _MARGIN:
                return other
    return ""


def _fit(labels: LabelMap) -> tuple[int, int]:
    """The number of pairs of parts in the order of an upright face, and in the reverse order."""
    rows = np.stack([np.bincount(np.nonzero(labels == i)[0], minlength=len(labels)) for i in range(len(ID))])
    heights = np.arange(len(labels))

    def height_of(name: str) -> float | None:
        counts = rows[[ID[part] for part in GROUPS.get(name, (name,))]].sum(0)
        return float(counts @ heights / counts.sum()) if counts.sum() >= _LEAST else None

    right = wrong = 0
    for above, below in _ABOVE:
        upper, lower = height_of(above), height_of(below)
        if upper is not None and lower is not None:
            right, wrong = right + (upper < lower), wrong + (upper > lower)
    return right, wrong
