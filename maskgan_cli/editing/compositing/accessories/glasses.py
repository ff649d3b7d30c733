"""Builds meshes of glasses on a 3D head that has been fitted to a face."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from maskgan_cli.editing.compositing.accessories.draw import Mesh
from maskgan_cli.editing.masks.head_fit import HeadFit
from maskgan_cli.synth.geometry import F32, I32, dot, f32, unit
from maskgan_cli.synth.parameters import Colour, linear
from maskgan_cli.synth.shape import PIVOT
from maskgan_cli.synth.wardrobe import grid_triangles

_AROUND: Final = 72  # number of points along a rim


@dataclass(frozen=True)
class Spectacles:
    """The shape and material of a pair of glasses; lengths in decimetres.

    Attributes:
        width, height: half the width and half the height of a lens, whose outline is a superellipse.
        exponent: exponent of the superellipse; 2 is an ellipse, and larger values are closer to a rectangle.
        rim: half the width of the rim, seen from the front, at the sides of a lens.
        brow: half the width of the rim at the top of a lens.
        low: half the width of the rim at the bottom of a lens.
        droop: distance by which the outer lower corner of a lens is lowered.
        colour: colour of the frame in linear RGB.
        metal: whether the frame is made of metal.
        dark: whether these are sunglasses.
    """

    width: float
    height: float
    exponent: float
    rim: float
    brow: float
    low: float
    droop: float
    colour: Colour
    metal: bool = False
    dark: bool = False


GLASSES: Final[dict[str, Spectacles]] = {
    "glasses-round": Spectacles(0.225, 0.205, 2.15, 0.0075, 0.0085, 0.0075, 0.0, linear([112, 98, 80]), metal=True),
    "glasses-square": Spectacles(0.25, 0.165, 3.3, 0.014, 0.020, 0.012, 0.012, linear([30, 25, 23])),
    "glasses-sun": Spectacles(0.265, 0.2, 2.9, 0.017, 0.024, 0.014, 0.03, linear([16, 15, 15]), dark=True),
}


def glasses_meshes(name: str, fit: HeadFit) -> list[Mesh]:
    """Build the meshes (rims, temples, bridge, lenses) of a pair of glasses on the nose of a 3D head.

    Args:
        name: a key of `GLASSES`.
        fit: the 3D head, fitted to a face.

    Returns:
        The meshes; their vertices are in the renderer's coordinates (decimetres).
    """
    spec, posed = GLASSES[name], fit.posed
    x, y, z = (posed.turn[:, k] for k in range(3))
    angle = np.linspace(0, 2 * np.pi, _AROUND, endpoint=False, dtype=np.float32)
    size = float(np.clip(0.5 + 0.5 * fit.wide, 0.88, 1.15))
    ahead = 0.31
    part = partial(Mesh, shine=0.7 if spec.metal else 0.35, gloss=60 if spec.metal else 30, metal=spec.metal)
    colour = f32(spec.colour)
    meshes, lenses, inner = [], [], []
    for eye, side in zip(posed.eyes, (1.0, -1.0), strict=True):
        across = _bent(np.cos(angle), spec.exponent) * spec.width * size
        up = _bent(np.sin(angle), spec.exponent) * spec.height * size
        outer = np.clip(side * np.cos(angle), -1, 1)
        up = up - spec.droop * outer * (np.sin(angle) < 0.3)
        curve = -0.05 * np.clip(outer, 0, 1) ** 2 - 0.012 * np.sin(angle)  # follows the face
        centre = eye + x * (side * 0.028) + z * ahead - y * 0.03
        ring = f32(centre + across[:, None] * x + up[:, None] * y + curve[:, None] * z)
        high = np.sin(angle)
        half = np.where(
            high > 0, spec.rim + (spec.brow - spec.rim) * high**2, spec.rim + (spec.low - spec.rim) * high**2
        )
        meshes.append(part(*_rim(ring, f32(half), z, closed=True), colour))
        lenses.append((ring, f32(centre)))
        inner.append(ring[np.abs(angle - (np.pi - 0.35 if side > 0 else 0.35)).argmin()])
        corner = ring[np.abs(angle - (0.4 if side > 0 else np.pi - 0.4)).argmin()]
        hinge = corner + x * side * 0.035 - z * 0.03
        ear = posed.from_head(f32([side * (0.76 * fit.wide), 7.43 - PIVOT[1], 0.45 - PIVOT[2]]))
        share = np.linspace(0, 1, 12, dtype=np.float32)[:, None]
        path = np.concatenate([corner[None], f32(hinge * (1 - share) + ear * share)])
        meshes.append(
            part(
                *_rim(f32(path), f32(np.full(len(path), max(spec.rim, 0.011))), y, closed=False),
                colour,
                behind_hair=True,
            )
        )
    share = np.linspace(0, 1, 13, dtype=np.float32)[:, None]
    arch = np.sin(share * np.pi)
    bridge = inner[1] * (1 - share) + inner[0] * share + y * 0.03 * arch + z * 0.035 * arch
    meshes.append(part(*_rim(f32(bridge), f32(np.full(13, spec.rim * 0.95)), z, closed=False), colour))
    for ring, centre in lenses:
        meshes.append(_lens(ring, centre, spec))
    return meshes


def _lens(ring: F32, centre: F32, spec: Spectacles) -> Mesh:
    """Build the mesh of a slightly curved lens that fills a rim.

    Args:
        ring: (N, 3), the middle line of the rim.
        centre: (3,), centre of the lens.
        spec: the glasses; sunglasses get a dark lens, which is almost opaque.
    """
    shares = np.linspace(0.001, 1, 9, dtype=np.float32)
    ahead = unit(np.cross(ring[len(ring) // 4] - centre, ring[0] - centre))
    ahead = ahead if ahead[2] > 0 else -ahead
    deep = dot(ring - centre, ahead)[:, None] * ahead
    flat = ring - centre - deep
    rows = [centre + flat * share + deep * share**2 + ahead * 0.02 * (1 - share**2) for share in shares]
    vertices, faces = f32(np.concatenate(rows)), grid_triangles(len(shares), len(ring), closed=True)
    if not spec.dark:
        return Mesh(vertices, faces, f32([0.8, 0.83, 0.85]), shine=0.5, gloss=90, alpha=0.04)
    high = _heights(vertices)
    colour = f32([0.022, 0.021, 0.02]) * (0.6 + 2.2 * (1 - high) ** 2)[:, None]
    return Mesh(vertices, faces, f32(colour), shine=0.8, gloss=25, alpha=0.97)


def _rim(path: F32, half: F32, deep: F32, *, closed: bool) -> tuple[F32, I32]:
    """Build the mesh of a bar with rounded edges along a path, e.g. of a rim or a temple.

    Args:
        path: (N, 3), the middle line of the bar.
        half: (N,), half the width of the bar.
        deep: (3,), unit vector in the direction of the bar's depth; the bar is 1.3 times as deep as it is wide.
        closed: whether the last point is connected to the first.

    Returns:
        Vertices (V, 3) and triangles (T, 3), which are indices of the vertices.
    """
    back, on = (np.roll(path, 1, 0), np.roll(path, -1, 0)) if closed else (path, path)
    tangent = unit(on - back) if closed else unit(np.gradient(path, axis=0))
    out = unit(np.cross(tangent, np.broadcast_to(deep, tangent.shape)))
    angle = np.linspace(0, 2 * np.pi, 12, endpoint=False, dtype=np.float32)
    flat = _bent(np.cos(angle), 3.0)[:, None] * out[:, None], _bent(np.sin(angle), 3.0)[:, None] * 1.3 * deep
    vertices = path[:, None] + half[:, None, None] * (flat[0] + flat[1])
    faces = grid_triangles(len(path), 12, closed=True)
    if closed:
        last, k = (len(path) - 1) * 12, np.arange(12)
        n = (k + 1) % 12
        faces = np.concatenate([faces, np.stack([last + k, k, last + n], 1), np.stack([last + n, k, n], 1)])
    return f32(vertices.reshape(-1, 3)), faces.astype(np.int32)


def _bent(value: F32, exponent: float) -> F32:
    """Map the x (or y) coordinates of points on the unit circle to the coordinates of points on a superellipse.

    Args:
        value: (n,), the coordinates on the circle.
        exponent: exponent of the superellipse; 2 leaves the coordinates unchanged.
    """
    return f32(np.sign(value) * np.abs(value) ** np.float32(2 / exponent))


def _heights(vertices: F32) -> F32:
    """Return the heights (V,) of vertices (V, 3), scaled from 0 (lowest) to 1 (highest)."""
    y = vertices[:, 1]
    return f32((y - y.min()) / max(float(np.ptp(y)), 1e-6))
