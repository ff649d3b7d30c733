"""Two rasterisers with z-buffers in NumPy: one for triangles, one for hair, which is drawn as dots along its strands.

A fragment is one candidate for a pixel: the point of a triangle or strand that is projected to the pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from maskgan_cli.synth.geometry import F32, I32, Bools, f32

FAR = np.float32(-1e9)  # depth of empty pixels


@dataclass(frozen=True)
class Layer:
    """The result of rasterising triangles: the nearest triangle at each pixel centre.

    Attributes:
        triangle: index of the nearest triangle (H, W); -1 for empty pixels.
        bary: barycentric weights (H, W, 3) of the pixel centre in this triangle.
        depth: (H, W), larger for nearer surfaces; ``FAR`` for empty pixels.
    """

    triangle: I32
    bary: F32
    depth: F32


def winners(pixel: npt.NDArray[np.int64], depth: F32, count: int) -> npt.NDArray[np.int64]:
    """Find the nearest fragment of every pixel; if depths are equal, the fragment with the higher index wins.

    A fragment is one candidate for a pixel. Depth and fragment index are packed into one integer, so that a single
    ``maximum`` resolves both and the result does not depend on the order of evaluation.

    Args:
        pixel: flat index of each fragment's pixel (F,).
        depth: depth of each fragment (F,), larger for nearer fragments.
        count: number of pixels.

    Returns:
        index of the nearest fragment of each pixel (count,); -1 for pixels without a fragment.
    """
    best = np.full(count, -1, np.int64)
    if len(pixel):
        low, high = depth.min(), depth.max()
        steps = (depth - low) * np.float32((1 << 24) / max(float(high - low), 1e-6))
        key = (steps.astype(np.int64) << 32) | np.arange(len(pixel))
        np.maximum.at(best, pixel, key)
    return np.where(best >= 0, best & 0xFFFFFFFF, -1)


def fragments(counts: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the owner of each fragment, and the fragment's number among the fragments of this owner, from 0.

    A fragment is one candidate for a pixel; its owner is the triangle or hair segment that it is a point of. Owner i
    has ``counts[i]`` fragments. Both returned arrays have the shape (sum(counts),).
    """
    owner = np.repeat(np.arange(len(counts)), counts)
    start = np.cumsum(counts) - counts
    return owner, np.arange(len(owner)) - start[owner]


def triangles(points: F32, depth: F32, faces: I32, size: int, *, two_sided: Bools | None = None) -> Layer:
    """Rasterise triangles on a size x size grid, and return the nearest triangle of each pixel.

    Args:
        points: vertices (V, 2) in pixels, x to the right and y down; the centre of pixel (0, 0) is (0.5, 0.5).
        depth: (V,), larger for nearer vertices.
        faces: vertex indices (T, 3), counter-clockwise as seen from outside.
        size: side of the grid in pixels.
        two_sided: boolean mask (T,): True for triangles that are visible from behind too; none by default.
    """
    a, b, c = (points[faces[:, k]] for k in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    low = np.ceil(np.minimum(np.minimum(a, b), c) - 0.5).astype(np.int64).clip(0)
    high = np.floor(np.maximum(np.maximum(a, b), c) - 0.5).astype(np.int64).clip(None, size - 1)
    seen = (area < -1e-6) if two_sided is None else (area < -1e-6) | (two_sided & (area > 1e-6))
    kept = np.flatnonzero(seen & (high >= low).all(1))
    width = (high - low + 1)[kept, 0]
    owner, number = fragments(width * (high - low + 1)[kept, 1])
    row = number // width[owner]
    tri = kept[owner]
    px, py = low[tri, 0] + (number - row * width[owner]), low[tri, 1] + row
    # Barycentric weights are affine in the pixel; coordinates relative to corner c keep them exact.
    with np.errstate(divide="ignore"):
        per = np.where(seen, 1 / area, 0)
    dx = px.astype(np.float32) - (c[:, 0] - np.float32(0.5)).take(tri)
    dy = py.astype(np.float32) - (c[:, 1] - np.float32(0.5)).take(tri)
    w0 = ((b[:, 1] - c[:, 1]) * per).take(tri) * dx + ((c[:, 0] - b[:, 0]) * per).take(tri) * dy
    w1 = ((c[:, 1] - a[:, 1]) * per).take(tri) * dx + ((a[:, 0] - c[:, 0]) * per).take(tri) * dy
    w2 = 1 - w0 - w1
    inside = np.flatnonzero(np.minimum(np.minimum(w0, w1), w2) >= np.float32(-1e-5))
    tri, w0, w1, w2 = tri[inside], w0[inside], w1[inside], w2[inside]
    corner = faces[tri]
    z = f32(w0 * depth[corner[:, 0]] + w1 * depth[corner[:, 1]] + w2 * depth[corner[:, 2]])
    first = winners(py[inside] * size + px[inside], z, size * size)
    hit = first >= 0
    first = first[hit]
    triangle = np.full(size * size, -1, np.int32)
    bary = np.zeros((size * size, 3), np.float32)
    nearest = np.full(size * size, FAR)
    triangle[hit], nearest[hit] = tri[first], z[first]
    bary[hit] = np.stack([w0[first], w1[first], w2[first]], 1)
    return Layer(triangle.reshape(size, size), bary.reshape(size, size, 3), nearest.reshape(size, size))


@dataclass(frozen=True)
class Dots:
    """The visible dots of hair strands, at most one for each pixel; all arrays are (N,).

    Attributes:
        pixel: flat index of the pixel.
        strand: index of the strand.
        segment: index of the strand's segment; segment i joins the points i and i + 1.
        along: position on the segment, from 0 (start) to 1 (end).
        depth: depth of the dot, larger for nearer dots.
    """

    pixel: npt.NDArray[np.int64]
    strand: npt.NDArray[np.int64]
    segment: npt.NDArray[np.int64]
    along: F32
    depth: F32


def strands(points: F32, depth: F32, behind: F32, *, slack: float, wide: int = 1, spacing: float = 1.2) -> Dots:
    """Rasterise hair strands as dots, and return the nearest dot of every pixel that has one.

    Args:
        points: points of S strands (S, K, 2) in pixels.
        depth: depths of the points (S, K), larger for nearer points.
        behind: depth (size, size) of the scene without these strands; dots behind the scene's surface are hidden.
        slack: decimetres by which a dot may lie behind the scene's surface and still be visible.
        wide: width of a dot in pixels, 1 or 2.
        spacing: largest distance between the dots of a segment in pixels.
    """
    size = len(behind)
    start, end = points[:, :-1], points[:, 1:]
    near = ((np.maximum(start, end) > 0) & (np.minimum(start, end) < size)).all(2)
    strand, segment = np.nonzero(near)
    p, d = start[strand, segment], (end - start)[strand, segment]
    z, dz = depth[:, :-1][strand, segment], (depth[:, 1:] - depth[:, :-1])[strand, segment]
    count = np.maximum(1, np.ceil(np.sqrt((d * d).sum(1)) / spacing)).astype(np.int64)
    owner, number = fragments(count)
    along = (number.astype(np.float32) + np.float32(0.5)) * (1 / f32(count)).take(owner)
    x = (p[:, 0].take(owner) + d[:, 0].take(owner) * along).astype(np.int32)
    y = (p[:, 1].take(owner) + d[:, 1].take(owner) * along).astype(np.int32)
    dot = z.take(owner) + dz.take(owner) * along
    seen = np.flatnonzero((x >= 0) & (x < size) & (y >= 0) & (y < size))
    pixel = y.take(seen).astype(np.int64) * size + x.take(seen)
    before = dot.take(seen) > behind.ravel().take(pixel) - np.float32(slack)
    seen, pixel = seen[before], pixel[before]
    if wide > 1:
        inner = pixel % size < size - 1  # dots do not wrap around the edge
        pixel, seen = np.concatenate([pixel, pixel[inner] + 1]), np.concatenate([seen, seen[inner]])
    first = winners(pixel, f32(dot[seen]), size * size)
    where = np.flatnonzero(first >= 0)
    seen = seen[first[where]]
    return Dots(where, strand[owner[seen]], segment[owner[seen]], f32(along[seen]), f32(dot[seen]))
