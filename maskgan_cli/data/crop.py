"""The square that CelebA-HQ and FFHQ cut out of a photo (Karras et al. 2018, appendix C)."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from maskgan_cli.data.alignment import Points
from maskgan_cli.files import Picture

_SUPERSAMPLE: Final = 2  # places looked up per pixel and axis


def oriented_square(points: Points) -> npt.NDArray[np.float64]:
    """The corners (4, 2) of a face's square: top left, bottom left, bottom right, top right.

    Its horizontal runs along the eyes, averaged with the line across from the eyes to the mouth. Its
    side is the larger of 4 times the distance of the eyes and 3.6 times that from eyes to mouth, its
    middle a tenth of the way from eyes to mouth.

    Args:
        points: (5, 2), see `data.alignment`; the nose is not used.
    """
    eyes, mouth = points[:2].mean(0), points[3:].mean(0)
    across, down = points[1] - points[0], mouth - eyes
    horizontal = across + np.array([down[1], -down[0]])  # eyes to mouth, turned a quarter: both point right
    horizontal = horizontal / np.hypot(*horizontal)
    half = max(2.0 * float(np.hypot(*across)), 1.8 * float(np.hypot(*down)))
    right, below = half * horizontal, half * np.array([-horizontal[1], horizontal[0]])
    middle = eyes + 0.1 * down
    return np.stack([middle - right - below, middle - right + below, middle + right + below, middle + right - below])


def cut(picture: Picture, square: npt.NDArray[np.float64], size: int) -> Picture:
    """Cut a square (4, 2) out of a picture and scale it to ``size``.

    Where the square reaches beyond the picture, the picture is mirrored.

    Returns:
        (size, size, 3) ``uint8``.
    """
    side = float(np.hypot(*(square[3] - square[0])))
    shrink = max(1, int(side / (size * _SUPERSAMPLE)))
    square = square / shrink
    low = np.floor(square.min(0)).astype(int) - 3
    high = np.ceil(square.max(0)).astype(int) + 3
    height, width = (-(-length // shrink) for length in picture.shape[:2])
    rows, columns = _mirrored(low[1], high[1], height), _mirrored(low[0], high[0], width)
    top, left = rows.min(), columns.min()  # of what is needed: a photo may be far larger
    needed = picture[top * shrink : (rows.max() + 1) * shrink, left * shrink : (columns.max() + 1) * shrink]
    image = Image.fromarray(np.ascontiguousarray(needed))
    part = np.asarray(image.reduce(shrink) if shrink > 1 else image)[rows - top][:, columns - left]
    corners = tuple(float(value) for value in (square - low).flatten())
    big = (size * _SUPERSAMPLE, size * _SUPERSAMPLE)
    quad = Image.fromarray(part).transform(big, Image.Transform.QUAD, corners, Image.Resampling.BICUBIC)
    return np.asarray(quad.resize((size, size), Image.Resampling.LANCZOS))


def _mirrored(low: int, high: int, length: int) -> npt.NDArray[np.int64]:
    """The places low .. high - 1, those outside 0 .. length - 1 mirrored at the border pixels' edges."""
    places = np.arange(low, high) % (2 * length)
    return np.where(places < length, places, 2 * length - 1 - places)


def matrix_of(square: npt.NDArray[np.float64], size: int) -> npt.NDArray[np.float64]:
    """The matrix (2, 3) that takes (x, y, 1) in a square's crop of ``size`` pixels to its place in the photo."""
    right, below = (square[3] - square[0]) / size, (square[1] - square[0]) / size
    return np.stack([right, below, square[0]], 1)


def square_of(matrix: npt.NDArray[np.float64], size: int) -> npt.NDArray[np.float64]:
    """The corners (4, 2) of the square whose crop of ``size`` pixels has this matrix: see `matrix_of`."""
    corners = np.array([[0, 0, 1], [0, size, 1], [size, size, 1], [size, 0, 1]])
    return np.asarray(corners @ matrix.T)
