"""The square that a face was cut out of, as pixels of its photo."""

from __future__ import annotations

import numpy as np


def in_square(square: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Which pixels of a photo (H, W, ...) lie in a square of corners (4, 2), as records of crops have them."""
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    place = np.stack([x, y], -1) - square[0]
    right, below = square[3] - square[0], square[1] - square[0]
    along, down = place @ right / (right @ right), place @ below / (below @ below)
    return (along >= 0) & (along <= 1) & (down >= 0) & (down <= 1)
