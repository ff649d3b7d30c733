"""Closing of a mouth: a displacement that removes the strip between the lips, so that they meet along a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from maskgan_cli.labels import ID, LabelMap

Plane = npt.NDArray[np.float32]

_LIPS: Final = (ID["u_lip"], ID["l_lip"])
_INSIDE: Final = ID["mouth"]
_LEFT: Final = 0.12  # a mouth closes if less than this share of its inside remains
_SPECK: Final = 1e-4  # share of the picture; a smaller inside is ignored
_THIN: Final = 0.007  # share of the side; if the inside is less high, it shows no teeth, and the lips count as closed
_UPPER: Final = 0.3  # share of the strip's height by which the upper lip moves down; the lower lip moves up the rest
_RIM: Final = 0.005  # share of the side; the strip includes this much of each lip, where teeth are visible
_REACH: Final = (0.1, 3.0)  # the motion fades out over this share of the side or, if more, this many strip heights
_SOFT: Final = 0.012  # share of the side; blur of the line


@dataclass(frozen=True)
class Closing:
    """The line along which the lips meet, and the strip to remove, for each column of a label map (S, S).

    Attributes:
        line: (S,), the row in which the lips meet.
        height: (S,), the number of rows to remove; 0 beside the mouth.
        reach: number of rows above and below the line over which the motion fades out.
    """

    line: Plane
    height: Plane
    reach: float

    def rows(self, rows: Any, columns: Any) -> Plane:
        """Return the vertical displacement at the positions (rows, columns): how much lower to sample the picture."""
        places = np.arange(len(self.line))
        line, height = (np.interp(columns, places, values) for values in (self.line, self.height))
        away = rows - line
        share = np.clip(1 - np.abs(away) / self.reach, 0, 1)
        fading = share * share * (3 - 2 * share)
        return np.asarray(np.where(away < 0, -_UPPER, 1 - _UPPER) * height * fading, np.float32)


def closing(before: LabelMap, after: LabelMap) -> Closing | None:
    """Find where the lips meet if an edit of a label map (S, S) closes the mouth; None if the mouth does not close."""
    inside, left = before == _INSIDE, (after == _INSIDE).sum()
    if inside.sum() < max(8, _SPECK * before.size) or left > _LEFT * inside.sum() or not np.isin(after, _LIPS).any():
        return None
    side = len(before)
    columns = np.flatnonzero(inside.any(0))
    top = inside[:, columns].argmax(0)
    bottom = side - inside[::-1, columns].argmax(0)
    if (bottom - top).max() < _THIN * side:
        return None
    rim, places = _RIM * side, np.arange(side)
    height = np.interp(places, columns, bottom - top + 2 * rim, left=0, right=0)
    line = np.interp(places, columns, top - rim + _UPPER * (bottom - top + 2 * rim))
    soft = _SOFT * side / 2
    height, line = (ndimage.gaussian_filter1d(values, soft, mode="nearest") for values in (height, line))
    reach = max(_REACH[0] * side, _REACH[1] * float(height.max()))
    return Closing(line.astype(np.float32), height.astype(np.float32), reach)
