"""Tests of the z-buffers against a slow reference."""

from __future__ import annotations

import numpy as np

from maskgan_cli.synth.raster import FAR, strands, triangles


def slow(points, depth, faces, size):
    nearest = np.full((size, size), FAR)
    for a, b, c in faces:
        (ax, ay), (bx, by), (cx, cy) = points[[a, b, c]].astype(float)
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area >= -1e-6:
            continue
        for y in range(size):
            for x in range(size):
                px, py = x + 0.5, y + 0.5
                u = ((bx - px) * (cy - py) - (by - py) * (cx - px)) / area
                v = ((cx - px) * (ay - py) - (cy - py) * (ax - px)) / area
                w = 1 - u - v
                if min(u, v, w) >= 0:
                    nearest[y, x] = max(nearest[y, x], u * depth[a] + v * depth[b] + w * depth[c])
    return nearest


def test_triangles_match_a_slow_reference():
    rng = np.random.default_rng(0)
    points = rng.uniform(-4, 20, (40, 2)).astype(np.float32)
    depth = rng.uniform(-1, 1, 40).astype(np.float32)
    faces = rng.integers(0, 40, (60, 3)).astype(np.int32)
    layer = triangles(points, depth, faces, 16)
    np.testing.assert_allclose(layer.depth, slow(points, depth, faces, 16), atol=1e-4)
    hit = layer.triangle >= 0
    corner = faces[layer.triangle[hit]]
    np.testing.assert_allclose((depth[corner] * layer.bary[hit]).sum(-1), layer.depth[hit], atol=1e-5)
    np.testing.assert_allclose(layer.bary[hit].sum(-1), 1, atol=1e-5)


def test_two_sided_triangles_are_visible_from_behind():
    points = np.array([[1, 1], [1, 9], [9, 1]], np.float32)
    face = np.array([[0, 1, 2]], np.int32)
    back = face[:, ::-1].copy()
    depth = np.zeros(3, np.float32)
    front = (triangles(points, depth, face, 10).triangle >= 0).sum()
    assert front > 20
    assert (triangles(points, depth, back, 10).triangle >= 0).sum() == 0
    both = triangles(points, depth, back, 10, two_sided=np.array([True]))
    assert (both.triangle >= 0).sum() == front


def test_strand_covers_its_line_and_is_hidden_by_nearer_surfaces():
    points = np.array([[[0.5, 4.5], [9.5, 4.5]]], np.float32)
    behind = np.full((10, 10), FAR)
    behind[:, 5:] = 2  # a wall in front of the right half
    dots = strands(points, np.ones((1, 2), np.float32), behind, slack=0.1, spacing=0.9)
    assert dots.pixel.tolist() == [40, 41, 42, 43, 44]
    np.testing.assert_allclose(dots.depth, 1)


def test_nearer_strand_is_visible():
    points = np.array([[[2, 0], [2, 8]], [[0, 4], [8, 4]]], np.float32) + 0.5
    depth = np.array([[1, 1], [3, 3]], np.float32)
    dots = strands(points, depth, np.full((9, 9), FAR), slack=0, spacing=0.9)
    crossing = dots.pixel.tolist().index(4 * 9 + 2)
    assert dots.strand[crossing] == 1
