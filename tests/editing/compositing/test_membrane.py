"""Harmonic interpolation against a dense solver, and of harmonic functions."""

from __future__ import annotations

import numpy as np

from maskgan_cli.editing.compositing.membrane import harmonic


def _blob(height: int, width: int, seed: int) -> np.ndarray:
    """An irregular region of several pieces, some at the border."""
    noise = np.random.default_rng(seed).random((height, width))
    return (noise + np.roll(noise, 1, 0) + np.roll(noise, 1, 1)) > 1.4


def _dense(values: np.ndarray, region: np.ndarray) -> np.ndarray:
    """The same equations for each pixel, solved by least squares."""
    height, width = region.shape
    matrix, known = np.eye(height * width), values.reshape(height * width, -1).copy()
    for y, x in np.argwhere(region):
        around = [(y + dy, x + dx) for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0))]
        around = [(b, a) for b, a in around if 0 <= b < height and 0 <= a < width]
        row = np.zeros(height * width)
        row[y * width + x] = len(around)
        for b, a in around:
            row[b * width + a] = -1
        matrix[y * width + x], known[y * width + x] = row, 0
    return np.linalg.lstsq(matrix, known, rcond=None)[0].reshape(values.shape)


def test_it_agrees_with_a_dense_solver() -> None:
    for seed in range(4):
        values, region = np.random.default_rng(seed).normal(size=(13, 17, 3)), _blob(13, 17, seed)
        assert region.any()
        assert np.abs(harmonic(values, region) - _dense(values, region)).max() < 1e-9


def test_harmonic_functions_are_reproduced() -> None:
    y, x = np.mgrid[:40, :50].astype(float)
    region = (y - 20) ** 2 + (x - 25) ** 2 < 200
    values = np.stack([np.full_like(x, 7.0), 3 * x - 2 * y, x * x - y * y], axis=-1)
    filled = harmonic(np.where(region[..., None], 99.0, values), region)
    assert np.abs(filled - values).max() < 1e-8


def test_the_normal_derivative_is_zero_at_the_pictures_border() -> None:
    values = np.zeros((6, 9, 1))
    values[:, 0], values[:, 1:] = 5.0, 99.0
    region = np.ones((6, 9), bool)
    region[:, 0] = False
    assert np.abs(harmonic(values, region) - 5.0).max() < 1e-9


def test_a_region_without_boundary_values_becomes_zero() -> None:
    values = np.random.default_rng(0).normal(size=(5, 5, 2))
    assert not harmonic(values, np.ones((5, 5), bool)).any()
    assert (harmonic(values, np.zeros((5, 5), bool)) == values).all()
