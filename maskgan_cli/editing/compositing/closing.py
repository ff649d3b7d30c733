"""Closing of a mouth: the strip between the lips is removed, and the lips meet along a line."""

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
_THIN: Final = 0.007  # share of the side; an inside that is lower shows no teeth: the lips are closed already
_UPPER: Final = 0.3  # share of the strip's height by which the upper lip moves down; the lower lip moves up the rest
_RIM: Final = 0.005  # share of the side; this much more is removed on each side, where teeth are visible at the lips
_REACH: Final = (0.1, 3.0)  # the motion fades out over this share of the side, or this many heights of the strip
_SOFT: Final = 0.012  # share of the side; blur of the line


@dataclass(frozen=True)
class Closing:
    """The line along which the lips meet, by column of a label map (S, S).

    Attributes:
        line: (S,) row of the line.
        height: (S,) number of rows that are removed; 0 beside the mouth.
        reach: number of rows over which the motion fades out.
    """

    line: Plane
    height: Plane
    reach: float

    def rows(self, rows: Any, columns: Any) -> Plane:
        """Vertical displacement at (rows, columns): the pixel shown there lies this many rows further down."""
        places = np.arange(len(self.line))
        line, height = (np.interp(columns, places, values) for values in (self.line, self.height))
        away = rows - line
        share = np.clip(1 - np.abs(away) / self.reach, 0, 1)
        fading = share * share * (3 - 2 * share)
        return np.asarray(np.where(away < 0, -_UPPER, 1 - _UPPER) * height * fading, np.float32)


def closing(before: LabelMap, after: LabelMap) -> Closing | None:
    """The closing of a mouth between two label maps (S, S); None if the mouth does not close."""
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
