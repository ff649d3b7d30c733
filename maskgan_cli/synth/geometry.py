"""Functions for vectors, meshes and smooth curves that several modules of the renderer use, in ``float32``."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
I32 = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]


def f32(value: npt.ArrayLike) -> F32:
    """Convert numbers to a ``float32`` array."""
    return np.asarray(value, np.float32)


def ramp(low: float, high: float, x: npt.ArrayLike) -> F32:
    """Return the smoothstep function of each ``x``: 0 for x <= ``low``, 1 for x >= ``high``, smooth between them.

    If ``low`` is larger than ``high``, the function decreases: 1 for x <= ``high``, 0 for x >= ``low``.
    """
    t = np.clip((f32(x) - np.float32(low)) / np.float32(high - low), 0, 1)
    return f32(t * t * (3 - 2 * t))


def bump(x: npt.ArrayLike, centre: float, width: float) -> F32:
    """Return the Gaussian exp(-((x - centre) / width)^2) at each ``x``; its maximum is 1."""
    t = (f32(x) - np.float32(centre)) / np.float32(width)
    return f32(np.exp(-t * t))


def unit(v: npt.ArrayLike) -> F32:
    """Normalise vectors (..., 3) to length 1; zero vectors stay zero."""
    v = f32(v)
    return f32(v * (1 / np.maximum(np.sqrt(dot(v, v)), np.float32(1e-9)))[..., None])


def dot(a: npt.ArrayLike, b: npt.ArrayLike) -> F32:
    """Return inner products (...) of vectors (..., 3).

    The products are computed without BLAS, because results of BLAS may depend on the number of threads.
    """
    a, b = f32(a), f32(b)
    return f32(a[..., 0] * b[..., 0] + a[..., 1] * b[..., 1] + a[..., 2] * b[..., 2])


def cross(a: F32, b: F32) -> F32:
    """Return cross products (..., 3) of vectors (..., 3); faster than ``numpy.cross``."""
    x = a[..., 1] * b[..., 2] - a[..., 2] * b[..., 1]
    y = a[..., 2] * b[..., 0] - a[..., 0] * b[..., 2]
    z = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return f32(np.stack([x, y, z], -1))


def turn(points: F32, rotation: F32) -> F32:
    """Rotate vectors (..., 3) by the rotation matrix ``rotation`` (3, 3)."""
    return f32(np.stack([dot(points, rotation[i]) for i in range(3)], -1))


def rotation(yaw: float, pitch: float, roll: float) -> F32:
    """Return the rotation matrix (3, 3) of angles in degrees.

    The rotations are applied in this order: yaw about y (positive turns the face to +x), pitch about x (positive turns
    the face down), roll about z.
    """
    a, b, c = np.radians([yaw, pitch, roll])
    about_y = [[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]]
    about_x = [[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]]
    about_z = [[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]]
    return f32(np.array(about_z) @ np.array(about_x) @ np.array(about_y))


def vertex_normals(vertices: F32, triangles: I32) -> F32:
    """Return unit normals (V, 3) of the vertices of a mesh.

    Each normal is the area-weighted mean of the normals of the vertex's triangles. ``triangles`` (T, 3) are vertex
    indices.
    """
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    face = cross(b - a, c - a)
    corners = np.concatenate([triangles[:, k] for k in range(3)])
    sums = [np.bincount(corners, np.tile(face[:, axis], 3), len(vertices)) for axis in range(3)]
    return unit(np.stack(sums, -1))


def curve(x: npt.ArrayLike, knots: npt.ArrayLike, values: npt.ArrayLike) -> F32:
    """Return the value of a piecewise linear function at each ``x``.

    The function goes through the points (``knots[i]``, ``values[i]``), and is constant outside the knots.
    """
    at, left, right = (np.asarray(v, np.float64) for v in (x, knots, values))
    return f32(np.interp(at, left, right))
