"""Face crops as in CelebA-HQ and FFHQ (Karras et al. 2018, appendix C)."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from maskgan_cli.data.alignment import Points
from maskgan_cli.files import Picture

_SUPERSAMPLE: Final = 2  # samples per pixel and axis


def oriented_square(points: Points) -> npt.NDArray[np.float64]:
    """Return the square around a face that CelebA-HQ crops, as its corners (4, 2) in the photo.

    The corners are top left, bottom left, bottom right and top right. The square is rotated like the face.

    The square's horizontal axis is the average of two vectors: from one eye to the other, and from the eyes' midpoint
    to the mouth, rotated by 90 degrees. The side is the larger of 4 times the distance between the eyes and 3.6 times
    the distance from eyes to mouth. The centre is a tenth of the way from eyes to mouth.

    Args:
        points: five landmarks of the face in pixels (5, 2), see `data.alignment`; the nose is not used.
    """
    eyes, mouth = points[:2].mean(0), points[3:].mean(0)
    across, down = points[1] - points[0], mouth - eyes
    horizontal = across + np.array([down[1], -down[0]])  # the second term is `down` rotated by 90 degrees
    horizontal = horizontal / np.hypot(*horizontal)
    half = max(2.0 * float(np.hypot(*across)), 1.8 * float(np.hypot(*down)))
    right, below = half * horizontal, half * np.array([-horizontal[1], horizontal[0]])
    centre = eyes + 0.1 * down
    return np.stack([centre - right - below, centre - right + below, centre + right + below, centre + right - below])


def side_of(square: npt.NDArray[np.float64]) -> float:
    """Return the length of a side of a square with the corners (4, 2), in pixels."""
    return float(np.hypot(*(square[3] - square[0])))


def cut(picture: Picture, square: npt.NDArray[np.float64], size: int) -> Picture:
    """Crop a (rotated) square from a picture, and scale the crop to ``size`` pixels.

    Where the square extends beyond the picture, the crop shows the picture mirrored at the picture's border.

    Args:
        picture: the picture (H, W, 3).
        square: corners (4, 2) of the square in the order of `oriented_square`.
        size: side of the crop in pixels.

    Returns:
        The crop (size, size, 3) ``uint8``.
    """
    side = side_of(square)
    shrink = max(1, int(side / (size * _SUPERSAMPLE)))
    square = square / shrink
    low = np.floor(square.min(0)).astype(int) - 3
    high = np.ceil(square.max(0)).astype(int) + 3
    height, width = (-(-length // shrink) for length in picture.shape[:2])
    rows, columns = _mirrored(low[1], high[1], height), _mirrored(low[0], high[0], width)
    top, left = rows.min(), columns.min()  # use only the needed region of large photos
    region = picture[top * shrink : (rows.max() + 1) * shrink, left * shrink : (columns.max() + 1) * shrink]
    image = Image.fromarray(np.ascontiguousarray(region))
    part = np.asarray(image.reduce(shrink) if shrink > 1 else image)[rows - top][:, columns - left]
    corners = tuple(float(value) for value in (square - low).flatten())
    big = (size * _SUPERSAMPLE, size * _SUPERSAMPLE)
    quad = Image.fromarray(part).transform(big, Image.Transform.QUAD, corners, Image.Resampling.BICUBIC)
    return np.asarray(quad.resize((size, size), Image.Resampling.LANCZOS))


def _mirrored(low: int, high: int, length: int) -> npt.NDArray[np.int64]:
    """Return an array of the indices ``low`` to ``high - 1``, to index a picture's axis of ``length`` pixels.

    Indices outside of the picture are replaced by those of the pixels mirrored at the picture's border.
    """
    indices = np.arange(low, high) % (2 * length)
    return np.where(indices < length, indices, 2 * length - 1 - indices)


def matrix_of(square: npt.NDArray[np.float64], size: int) -> npt.NDArray[np.float64]:
    """Return the matrix (2, 3) that maps a position (x, y, 1) in a crop to its position (x, y) in the photo.

    Args:
        square: corners (4, 2) of the crop in the photo, in the order of `oriented_square`.
        size: side of the crop in pixels.
    """
    right, below = (square[3] - square[0]) / size, (square[1] - square[0]) / size
    return np.stack([right, below, square[0]], 1)


def square_of(matrix: npt.NDArray[np.float64], size: int) -> npt.NDArray[np.float64]:
    """Return the corners (4, 2) of a crop in the photo from the crop's matrix; the inverse of `matrix_of`.

    Args:
        matrix: (2, 3), maps positions in the crop to positions in the photo.
        size: side of the crop in pixels.
    """
    corners = np.array([[0, 0, 1], [0, size, 1], [size, size, 1], [size, 0, 1]])
    return np.asarray(corners @ matrix.T)
