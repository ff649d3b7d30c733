"""Which class order a label map is in, judged by where its parts lie."""

from __future__ import annotations

from typing import Final

import numpy as np

from maskgan_cli.labels import GROUPS, ID, ORDERS, LabelMap, convert

# Each pair of parts lies in this order, from top to bottom, in an upright face.
_ABOVE: Final = (
    ("brows", "eyes"), ("brows", "nose"), ("eyes", "nose"), ("nose", "lips"), ("eyes", "mouth"), ("u_lip", "l_lip"),
    ("eyes", "neck"), ("lips", "neck"), ("lips", "cloth"), ("hat", "nose"), ("hair", "cloth"),
)  # fmt: skip
_LEAST: Final = 4  # pixels; smaller parts are specks
_MARGIN: Final = 3  # by how many pairs another order must fit better
_FEW: Final = 2  # this many pairs the wrong way round make an order doubtful: a hand over a face may turn one


def suspected_order(labels: LabelMap, order: str = "celebamask") -> str:
    """The class order that a label map is rather in; "" if the one it was read by is plausible.

    Args:
        labels: (H, W) in our ids, as read by ``order``.
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
    """How many pairs of parts lie as in an upright face, and how many the other way round."""
    rows = np.stack([np.bincount(np.nonzero(labels == i)[0], minlength=len(labels)) for i in range(len(ID))])
    heights = np.arange(len(labels))

    def middle(name: str) -> float | None:
        counts = rows[[ID[part] for part in GROUPS.get(name, (name,))]].sum(0)
        return float(counts @ heights / counts.sum()) if counts.sum() >= _LEAST else None

    right = wrong = 0
    for above, below in _ABOVE:
        upper, lower = middle(above), middle(below)
        if upper is not None and lower is not None:
            right, wrong = right + (upper < lower), wrong + (upper > lower)
    return right, wrong
