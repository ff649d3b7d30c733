"""Smooth noise in space; its values depend only on the seed and the position."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from maskgan_cli.synth.geometry import F32, f32

_GRID = 64
_BLUR = 1.1  # cells; one feature is about three cells wide


@lru_cache(maxsize=1)
def _volume() -> F32:
    """A tileable (64, 64, 64) volume of unit variance."""
    white = np.random.default_rng(20200616).normal(size=(_GRID,) * 3).astype(np.float32)
    smooth = gaussian_filter(white, _BLUR, mode="wrap")
    return f32(smooth / smooth.std())


class Noise:
    """Noise fields of unit variance, identified by name."""

    def __init__(self, seed: int, scale: float = 0.0) -> None:
        """``scale``: samples per decimetre of the picture; `fine` interpolates if cells would be visible."""
        self._scale = scale
        self._rng = np.random.default_rng([seed, 3])
        self._offsets: dict[str, F32] = {}

    def _cells(self, name: str, points: F32, frequency: float) -> F32:
        if name not in self._offsets:
            self._offsets[name] = f32(self._rng.uniform(0, _GRID, 3))
        return f32(points * np.float32(3 * frequency) + self._offsets[name])

    def smooth(self, name: str, points: F32, frequency: float) -> F32:
        """Interpolated noise at ``points`` (..., 3); ``frequency`` is features per decimetre."""
        cells = self._cells(name, points, frequency)
        flat = (cells % _GRID).reshape(-1, 3).T
        return f32(map_coordinates(_volume(), flat, order=1, mode="grid-wrap").reshape(cells.shape[:-1]))

    def fine(self, name: str, points: F32, frequency: float) -> F32:
        """Nearest-neighbour noise: much faster, for features of about a pixel; interpolated for larger features."""
        if 3 * frequency < self._scale / 5:
            return self.smooth(name, points, frequency)
        cells = (self._cells(name, points, frequency) + np.float32(64 * _GRID)).astype(np.int32) & (_GRID - 1)
        flat = (cells[..., 0] * _GRID + cells[..., 1]) * _GRID + cells[..., 2]
        return f32(_volume().ravel().take(flat))
