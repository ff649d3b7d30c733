"""The upright frame of a face: a similarity transform that moves eyes and mouth to their mean position in CelebA-HQ.

MaskVAE is trained on upright faces. Masks are transformed into this frame before MaskVAE encodes them, and its changes
are measured in this frame, so a tilted head is edited in its own coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from maskgan_cli.data.alignment import CROP, Points, points_of_mask, similarity
from maskgan_cli.labels import LabelMap, Region

Field = npt.NDArray[np.floating[Any]]

_SCALES: Final = (0.2, 5.0)  # limits of the scale; others are due to wrong points


@dataclass(frozen=True)
class Box:
    """Rows ``top`` to ``bottom`` and columns ``left`` to ``right`` of a mask; the ends are excluded."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Slices of rows and columns."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


@dataclass(frozen=True)
class Upright:
    """A face's upright frame.

    Attributes:
        matrix: (2, 3), maps a position (x, y, 1) of the mask to the frame; see `data.alignment`.
        side: of the frame, about four times the distance of the eyes in it.
    """

    matrix: Points
    side: int

    @classmethod
    def of(cls, labels: LabelMap, side: int) -> Upright:
        """The frame of a mask (S, S), from its eyes and the middle of its mouth.

        The nose is not used, because it moves sideways when a head turns. A mask without these points is assumed to
        have the framing of CelebA-HQ.
        """
        matrix = similarity(_three(points_of_mask(labels)), _three(CROP * side))
        scale = float(np.hypot(*matrix[:, 0])) * len(labels) / side
        if not np.isfinite(matrix).all() or not _SCALES[0] < scale < _SCALES[1]:
            matrix = np.array([[side / len(labels), 0.0, 0.0], [0.0, side / len(labels), 0.0]])
        return cls(matrix, side)

    @property
    def scale(self) -> float:
        """Pixels of the upright frame per pixel of the mask."""
        return float(np.hypot(*self.matrix[:, 0]))

    @cached_property
    def back(self) -> Points:
        """(2, 3), maps a position (x, y, 1) of the frame to the mask."""
        turn = np.linalg.inv(self.matrix[:, :2])
        return np.concatenate([turn, -turn @ self.matrix[:, 2:]], 1)

    def labels(self, labels: LabelMap, *, fine: int = 1) -> LabelMap:
        """A mask (S, S) in the frame: (side * fine, side * fine), nearest neighbour, with edges repeated outside."""
        middles = (np.arange(self.side * fine) + 0.5) / fine
        x, y = self.to_mask(middles[None, :], middles[:, None])
        last = len(labels) - 1
        rows, columns = (np.clip(np.floor(v).astype(np.intp), 0, last) for v in (y, x))
        return labels[rows, columns]

    def places(self, box: Box) -> tuple[Field, Field]:
        """Positions in the frame, x and y, of the pixel centres of a mask inside a box."""
        x, y = np.arange(box.left, box.right)[None, :] + 0.5, np.arange(box.top, box.bottom)[:, None] + 0.5
        return self._times(self.matrix, x, y)

    def to_mask(self, x: Field, y: Field) -> tuple[Field, Field]:
        """Positions in the frame -> positions in the mask."""
        return self._times(self.back, x, y)

    def box(self, left: float, right: float, top: float, bottom: float, side: int) -> Box:
        """The smallest box of a mask of ``side`` pixels that contains a rectangle of the frame."""
        x, y = self.to_mask(np.array([left, right, left, right]), np.array([top, top, bottom, bottom]))
        low = [int(np.clip(np.floor(places.min()), 0, side)) for places in (x, y)]
        high = [int(np.clip(np.ceil(places.max()), 0, side)) for places in (x, y)]
        return Box(low[1], high[1], low[0], high[0])

    @staticmethod
    def _times(matrix: Points, x: Field, y: Field) -> tuple[Field, Field]:
        return (
            matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2],
            matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2],
        )


def _three(points: Points) -> Points:
    """Both eyes and the middle of the mouth, as five rows for `similarity`."""
    middle = points[3:].mean(0)
    return np.stack([points[0], points[1], np.full(2, np.nan), middle, middle])


def sample(planes: Field, x: Field, y: Field) -> Field:
    """Sample planes (N, H, W) at positions (x, y), each (h, w), in pixels: (N, h, w) float32, bilinear.

    Outside, the edges are repeated.
    """
    import torch  # imported late, so that commands check their files first
    from torch.nn import functional as F

    height, width = planes.shape[1:]
    grid = torch.from_numpy(np.stack([x * (2 / width) - 1, y * (2 / height) - 1], -1).astype(np.float32))[None]
    source = torch.from_numpy(np.ascontiguousarray(planes, np.float32))[None]
    found = F.grid_sample(source, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return np.asarray(found[0].numpy())


def largest_piece(region: Region) -> Region:
    """The largest connected piece of a region (H, W)."""
    pieces, count = ndimage.label(region)
    if count < 2:
        return region
    largest: Region = pieces == 1 + int(np.argmax(np.bincount(pieces.ravel())[1:]))
    return largest
