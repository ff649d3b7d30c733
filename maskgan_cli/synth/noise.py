"""Smooth random fields in 3D space, e.g. for blotches and folds.

The value of a field depends only on its name, its seed and the position.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from maskgan_cli.synth.geometry import F32, f32

_GRID = 64
_BLUR = 1.1  # cells; one feature is about three cells wide


@lru_cache(maxsize=1)
def _volume() -> F32:
    """Return a volume (64, 64, 64) of smooth noise with unit variance, which can be tiled without visible seams."""
    white = np.random.default_rng(20200616).normal(size=(_GRID,) * 3).astype(np.float32)
    smooth = gaussian_filter(white, _BLUR, mode="wrap")
    return f32(smooth / smooth.std())


class Noise:
    """Random fields: smooth random functions of a position in space, with unit variance. Each field has a name.

    Args:
        seed: seed of the fields.
        scale: pixels per decimetre in the picture; `fine` interpolates only if this is large.
    """

    def __init__(self, seed: int, scale: float = 0.0) -> None:
        self._scale = scale
        self._rng = np.random.default_rng([seed, 3])
        self._offsets: dict[str, F32] = {}

    def _cells(self, name: str, points: F32, frequency: float) -> F32:
        """Return the coordinates (..., 3) of ``points`` (..., 3) in the noise volume; one unit is one cell (voxel).

        Each field has its own random offset; ``name`` and ``frequency`` are as in `smooth`.
        """
        if name not in self._offsets:
            self._offsets[name] = f32(self._rng.uniform(0, _GRID, 3))
        return f32(points * np.float32(3 * frequency) + self._offsets[name])

    def smooth(self, name: str, points: F32, frequency: float) -> F32:
        """Return the values (...) of a random field at some points, by linear interpolation in the noise volume.

        Args:
            name: name of the field.
            points: positions (..., 3) in decimetres.
            frequency: number of features (light or dark spots) per decimetre.
        """
        cells = self._cells(name, points, frequency)
        flat = (cells % _GRID).reshape(-1, 3).T
        return f32(map_coordinates(_volume(), flat, order=1, mode="grid-wrap").reshape(cells.shape[:-1]))

    def fine(self, name: str, points: F32, frequency: float) -> F32:
        """Return the values (...) of a random field like `smooth`, but faster for fields of high frequency.

        If a cell of the noise volume is at most five pixels wide, each point gets the value of its cell. If a cell is
        wider, the values are interpolated as in `smooth`.
        """
        if 3 * frequency < self._scale / 5:
            return self.smooth(name, points, frequency)
        cells = (self._cells(name, points, frequency) + np.float32(64 * _GRID)).astype(np.int32) & (_GRID - 1)
        flat = (cells[..., 0] * _GRID + cells[..., 1]) * _GRID + cells[..., 2]
        return f32(_volume().ravel().take(flat))
