"""Regions of the canonical head (the mean head model): brows, nose, hairline, neck, beard, neckline.

Every function takes positions ``c`` (..., 3) on the canonical head in decimetres and returns an array of shape (...).
The regions follow the annotations of CelebAMask-HQ: the nose is a polygon from between the eyes to the nostrils, the
neck starts at the jaw line, and a brow is the region in which its hairs grow.
"""

from __future__ import annotations

import numpy as np

from maskgan_cli.synth.geometry import F32, Bools, bump, curve, f32, ramp

_HAIRLINE_ANGLE = np.radians([0, 15, 30, 40, 50, 60, 67, 74, 82, 96, 110, 130, 155, 180])
_HAIRLINE_HEIGHT = (8.08, 8.09, 8.06, 7.99, 7.87, 7.7, 7.52, 7.36, 7.62, 7.62, 7.36, 7.02, 6.86, 6.84)
_BROW_X = (0.115, 0.20, 0.30, 0.40, 0.48, 0.55)
_BROW_Y = (7.628, 7.64, 7.65, 7.655, 7.637, 7.6)
_BROW_ARCH = (-0.008, 0.0, 0.012, 0.026, 0.018, -0.008)
_BROW_HALF = (0.029, 0.041, 0.041, 0.036, 0.026, 0.011)


def hairline(c: F32, recession: float = 0.0, sideburn: float = 0.0) -> F32:
    """Return the height above the hairline (...) in decimetres: positive on the scalp, negative on bare skin.

    Args:
        c: positions (..., 3) on the canonical (mean) head.
        recession: 0..1; larger values raise the hairline at temples and forehead.
        sideburn: decimetres by which the hairline in front of the ears is raised.
    """
    angle = np.abs(np.arctan2(c[..., 0], c[..., 2] - np.float32(0.45)))
    height = curve(angle, _HAIRLINE_ANGLE, _HAIRLINE_HEIGHT)
    height += np.float32(recession) * (0.3 * bump(angle, 0.7, 0.35) + 0.1 * ramp(1.25, 1.0, angle))
    return f32(c[..., 1] - height - sideburn * bump(angle, 1.27, 0.16))


def brow(c: F32, thickness: float, height: float, arch: float) -> F32:
    """Return how far inside a brow each position is: 1 on the brow's middle line, 0 at the edge, negative outside.

    Args:
        c: positions (..., 3) on the canonical (mean) head.
        thickness: thickness of the brows; 1 is average.
        height: height of the brows in decimetres above average.
        arch: 0 for straight brows, about 1 for strongly arched ones.
    """
    x = np.abs(c[..., 0])
    middle = curve(x, _BROW_X, np.array(_BROW_Y) + height + arch * np.array(_BROW_ARCH))
    half = curve(x, _BROW_X, np.array(_BROW_HALF) * thickness)
    inside = (x > 0.1) & (x < 0.565) & (c[..., 2] > 0.85)
    ends = np.minimum((x - 0.105) / 0.03, (0.565 - x) / 0.05)
    return f32(np.where(inside, np.minimum(1 - np.abs(c[..., 1] - middle) / half, ends), -9))


def nose(c: F32) -> Bools:
    """Return a boolean mask (...): True for positions ``c`` (..., 3) on the mean head that annotators label as nose."""
    half = curve(
        c[..., 1],
        [6.99, 7.03, 7.08, 7.15, 7.22, 7.34, 7.46, 7.56],
        [0.06, 0.13, 0.18, 0.185, 0.155, 0.1, 0.068, 0.05],
    )
    return np.asarray((np.abs(c[..., 0]) < half) & (c[..., 1] > 6.995) & (c[..., 1] < 7.56) & (c[..., 2] > 1.1))


def neck(c: F32) -> Bools:
    """Return a boolean mask (...): True for positions ``c`` (..., 3) on the mean head that lie below the jaw line."""
    line = curve(c[..., 2], [0.3, 0.45, 0.55, 0.65, 0.8, 1.0, 1.2, 1.42], [7.25, 7.1, 7.0, 6.86, 6.7, 6.56, 6.47, 6.41])
    return np.asarray((c[..., 1] < line) & (c[..., 2] < 1.46))


def beard(c: F32, kind: str) -> F32:
    """Return the density (...) of facial hair, 0..1.

    Args:
        c: positions (..., 3) on the canonical (mean) head.
        kind: full, stubble, goatee or mustache; the density of any other kind is 0.
    """
    x, y, z = np.abs(c[..., 0]), c[..., 1], c[..., 2]
    lips = bump(x / 0.27, 0, 1) * bump(y, 6.84, 0.09)
    upper = curve(x, [0, 0.2, 0.32, 0.45, 0.62, 0.72], [6.98, 6.96, 6.93, 6.92, 7.05, 7.3])
    cheek = ramp(0.05, -0.06, y - upper) * ramp(6.22, 6.42, y + 0.3 * (z - 0.7)) * ramp(0.5, 0.66, z)
    moustache = ramp(0.29, 0.22, x) * ramp(6.885, 6.915, y + 0.1 * x) * ramp(7.06, 7.0, y) * (z > 1.15)
    chin = ramp(0.26, 0.18, x) * ramp(6.77, 6.72, y) * ramp(6.36, 6.44, y) * (z > 0.95)
    ring = bump(x, 0.265, 0.05) * ramp(6.95, 6.9, y) * ramp(6.6, 6.7, y) * (z > 1.1)
    open_lips = 1 - ramp(0.3, 0.6, lips)
    if kind in ("full", "stubble"):
        return f32(np.maximum(cheek * open_lips, moustache))
    if kind == "goatee":
        return f32(np.maximum.reduce([chin, moustache, ring * open_lips]))
    return f32(moustache if kind == "mustache" else np.zeros_like(x))


def neckline(c: F32, kind: str, raised: float) -> F32:
    """Return the depth (...) below the upper edge of the clothes in decimetres: positive on cloth, negative on skin.

    Args:
        c: positions (..., 3) on the canonical (mean) head.
        kind: kind of the clothes, see ``parameters.Clothes``.
        raised: decimetres by which the neckline is higher than usual.
    """
    x, y, z = np.abs(c[..., 0]), c[..., 1], c[..., 2]
    top = {
        "crew": 6.27,
        "vneck": 6.27,
        "wide": 6.07,
        "strap": 5.96,
        "turtleneck": 6.52,
        "shirt": 6.37,
        "jacket": 6.36,
        "hoodie": 6.34,
        "scarf": 6.3,
    }[kind]
    edge = top + raised - (0.2 if kind == "turtleneck" else 0.36) * (z - 0.3)
    front = ramp(0.2, 0.5, z)
    if kind in ("vneck", "shirt", "jacket"):
        edge = edge - front * np.clip(1 - x / 0.34, 0, 1) * (0.2 if kind == "shirt" else 0.45)
    elif kind in ("wide", "strap"):
        edge = edge + 0.12 * ramp(0.45, 0.9, x) - (0.25 * ramp(0.9, 1.3, x) if kind == "wide" else 0)
    if kind == "strap":
        strap = bump(x - 0.1 * (y - 5.9), 0.78, 0.09)
        edge = np.where(strap > 0.5, edge + 0.6, edge - 0.12)
    return f32(edge - y)
