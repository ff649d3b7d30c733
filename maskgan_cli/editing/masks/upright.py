"""Transform masks into the upright frame of a face, in which eyes and mouth are at their mean position in CelebA-HQ.

The upright frame is a square coordinate system; a similarity transform (rotation, scale, shift) maps the mask to the
frame. MaskVAE is trained on upright faces. Therefore masks are transformed into the frame before MaskVAE encodes them,
and MaskVAE's changes are measured in the frame. So a tilted head is edited like an upright head.
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

_SCALES: Final = (0.2, 5.0)  # plausible scales of a face crop; others are due to wrong landmarks


@dataclass(frozen=True)
class Box:
    """A rectangle of a mask: rows ``top`` to ``bottom - 1`` and columns ``left`` to ``right - 1``."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Slices of the rows and the columns, to index a mask."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


@dataclass(frozen=True)
class Upright:
    """The upright frame of a face, a square coordinate system in which eyes and mouth are at fixed positions.

    See the module's docstring.

    Attributes:
        matrix: (2, 3), maps a position (x, y, 1) in the mask to a position in the frame; see `data.alignment`.
        side: side of the frame in its own pixels, about four times the distance of the eyes.
    """

    matrix: Points
    side: int

    @classmethod
    def of(cls, labels: LabelMap, side: int) -> Upright:
        """Compute the upright frame of a face from the eyes and the middle of the mouth in its mask.

        The nose is not used, because it moves sideways when a head turns. If the mask does not show eyes and mouth, the
        face is assumed to be framed as in CelebA-HQ.

        Args:
            labels: (S, S), the face's mask.
            side: side of the frame in pixels.
        """
        matrix = similarity(_three(points_of_mask(labels)), _three(CROP * side))
        scale = float(np.hypot(*matrix[:, 0])) * len(labels) / side
        if not np.isfinite(matrix).all() or not _SCALES[0] < scale < _SCALES[1]:
            matrix = np.array([[side / len(labels), 0.0, 0.0], [0.0, side / len(labels), 0.0]])
        return cls(matrix, side)

    @property
    def scale(self) -> float:
        """Number of pixels of the upright frame per pixel of the mask (per side)."""
        return float(np.hypot(*self.matrix[:, 0]))

    @cached_property
    def back(self) -> Points:
        """Inverse of ``matrix``: (2, 3), maps a position (x, y, 1) in the frame to a position in the mask."""
        turn = np.linalg.inv(self.matrix[:, :2])
        return np.concatenate([turn, -turn @ self.matrix[:, 2:]], 1)

    def labels(self, labels: LabelMap, *, fine: int = 1) -> LabelMap:
        """Transform a mask into the upright frame, by nearest neighbour; outside of the mask, edge pixels are repeated.

        Args:
            labels: (S, S), the mask.
            fine: number of pixels of the result per pixel of the frame, along each side.

        Returns:
            (side * fine, side * fine), the upright mask.
        """
        middles = (np.arange(self.side * fine) + 0.5) / fine
        x, y = self.to_mask(middles[None, :], middles[:, None])
        last = len(labels) - 1
        rows, columns = (np.clip(np.floor(v).astype(np.intp), 0, last) for v in (y, x))
        return labels[rows, columns]

    def places(self, box: Box) -> tuple[Field, Field]:
        """Return the positions in the frame of the centres of a mask's pixels.

        Args:
            box: the pixels: a rectangle of h rows and w columns of the mask.

        Returns:
            x (h, w) and y (h, w) of the positions.
        """
        x, y = np.arange(box.left, box.right)[None, :] + 0.5, np.arange(box.top, box.bottom)[:, None] + 0.5
        return self._times(self.matrix, x, y)

    def to_mask(self, x: Field, y: Field) -> tuple[Field, Field]:
        """Convert positions (x, y) in the frame to positions (x, y) in the mask. x and y are arrays of any shape."""
        return self._times(self.back, x, y)

    def box(self, left: float, right: float, top: float, bottom: float, side: int) -> Box:
        """Return the smallest box of a mask that contains a rectangle of the frame.

        Args:
            left, right, top, bottom: edges of the rectangle in the frame.
            side: side of the mask in pixels; the box does not extend beyond the mask.
        """
        x, y = self.to_mask(np.array([left, right, left, right]), np.array([top, top, bottom, bottom]))
        low = [int(np.clip(np.floor(places.min()), 0, side)) for places in (x, y)]
        high = [int(np.clip(np.ceil(places.max()), 0, side)) for places in (x, y)]
        return Box(low[1], high[1], low[0], high[0])

    @staticmethod
    def _times(matrix: Points, x: Field, y: Field) -> tuple[Field, Field]:
        """Apply a matrix (2, 3) to positions (x, y, 1), and return the new x and y."""
        return (
            matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2],
            matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2],
        )


def _three(points: Points) -> Points:
    """Return landmarks (5, 2) with the nose replaced by NaN, and both mouth corners by the middle between them.

    With these points, `similarity` uses only the eyes and the middle of the mouth.
    """
    middle = points[3:].mean(0)
    return np.stack([points[0], points[1], np.full(2, np.nan), middle, middle])


def sample(planes: Field, x: Field, y: Field) -> Field:
    """Sample N arrays at given positions by bilinear interpolation; outside of the arrays, edge values are repeated.

    Args:
        planes: (N, H, W), the arrays.
        x, y: (h, w) each, the positions in pixels; (0.5, 0.5) is the centre of the first pixel.

    Returns:
        (N, h, w) float32, the values at the given positions.
    """
    import torch  # imported late, so that commands check their files first
    from torch.nn import functional as F

    height, width = planes.shape[1:]
    grid = torch.from_numpy(np.stack([x * (2 / width) - 1, y * (2 / height) - 1], -1).astype(np.float32))[None]
    source = torch.from_numpy(np.ascontiguousarray(planes, np.float32))[None]
    found = F.grid_sample(source, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return np.asarray(found[0].numpy())


def largest_piece(region: Region) -> Region:
    """Return the largest connected piece of a region (H, W), as a region of the same shape."""
    pieces, count = ndimage.label(region)
    if count < 2:
        return region
    largest: Region = pieces == 1 + int(np.argmax(np.bincount(pieces.ravel())[1:]))
    return largest
