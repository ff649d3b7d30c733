"""Closes a mouth in a photo: removes the strip between the lips by vertical displacement, so that the lips meet."""

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
    """Describes how to close a mouth: which rows to remove in each column of a picture (S, S), and where the lips meet.

    Attributes:
        line: (S,), the row in which the lips meet, for each column.
        height: (S,), the number of rows to remove in each column; 0 beside the mouth.
        reach: number of rows above and below the line over which the motion fades out.
    """

    line: Plane
    height: Plane
    reach: float

    def rows(self, rows: Any, columns: Any) -> Plane:
        """Return the vertical displacement that closes the mouth, at given positions of the picture.

        Args:
            rows, columns: positions in the picture with the closed mouth, as arrays that can be broadcast to one shape.

        Returns:
            The displacement of each position, in rows. The pixel at (row, column) of the closed mouth is sampled from
            the photo at (row + displacement, column). The displacement is negative above the line between the lips, and
            positive below this line.
        """
        places = np.arange(len(self.line))
        line, height = (np.interp(columns, places, values) for values in (self.line, self.height))
        away = rows - line
        share = np.clip(1 - np.abs(away) / self.reach, 0, 1)
        fading = share * share * (3 - 2 * share)
        return np.asarray(np.where(away < 0, -_UPPER, 1 - _UPPER) * height * fading, np.float32)


def closing(before: LabelMap, after: LabelMap) -> Closing | None:
    """Compute how to close the mouth in a photo, if an edit of its label map closes the mouth.

    Args:
        before, after: (S, S), the label maps before and after the edit.

    Returns:
        Where the lips meet, and how many rows to remove in each column. None if the mouth is almost closed before the
        edit, or if the mouth is open or has no lips after the edit.
    """
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
