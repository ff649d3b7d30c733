"""Lighting: shadow maps, ambient occlusion from depth, and subsurface scattering in skin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from maskgan_cli.synth.geometry import F32, I32, Bools, dot, f32, unit
from maskgan_cli.synth.raster import FAR, triangles

_MIDDLE = f32([0, 7.2, 0.4])  # centre of the shadow map in world coordinates
_REACH = 1.9  # half side of the shadow map in decimetres


def half(picture: F32) -> F32:
    """Halve the resolution of a picture (H, W) or (H, W, C): return the means of its 2 x 2 blocks."""
    return f32((picture[::2, ::2] + picture[1::2, ::2] + picture[::2, 1::2] + picture[1::2, 1::2]) * np.float32(0.25))


def double(picture: F32) -> F32:
    """Double the resolution of a picture (H, W) or (H, W, C): repeat every pixel 2 x 2 times."""
    return f32(picture.repeat(2, 0).repeat(2, 1))


def blur(picture: F32, sigma: float) -> F32:
    """Blur a picture (H, W) or (H, W, C) with a Gaussian of standard deviation ``sigma`` in pixels."""
    sigmas = (sigma, sigma) + (0,) * (picture.ndim - 2)
    return f32(gaussian_filter(picture, sigmas, truncate=2.5))


@dataclass(frozen=True)
class ShadowMap:
    """Shadow map: depths of meshes and of hair as seen from the key light (the main light).

    Attributes:
        direction: unit vector (3,) to the light; depths increase along it.
        across, up: unit vectors (3,) along the x and y axes of the maps.
        solid: depth of the nearest mesh (size, size); ``FAR`` for empty pixels.
        hair: depth of the nearest hair (size, size); ``FAR`` for empty pixels.
    """

    direction: F32
    across: F32
    up: F32
    solid: F32
    hair: F32

    @staticmethod
    def build(direction: F32, vertices: F32, faces: I32, two_sided: Bools, hair: F32 | None, size: int) -> ShadowMap:
        """Render the depth maps of a scene.

        Args:
            direction: unit vector (3,) to the light.
            vertices: vertices of the meshes (V, 3) in world coordinates.
            faces: triangles of the meshes (T, 3), as vertex indices.
            two_sided: boolean mask (T,): True for triangles that cast shadows with their back side too.
            hair: points on the strands (N, 3) in world coordinates; None without hair.
            size: side of the maps in pixels.
        """
        across = unit(np.cross(f32([0, 1, 0]), direction))
        up = unit(np.cross(direction, across))
        empty = np.zeros((size, size), np.float32)
        frame = ShadowMap(direction, across, up, empty, np.full((size, size), FAR))
        where, depth = frame._place(vertices)
        solid = triangles(where, depth, faces, size, two_sided=two_sided).depth
        veil = np.full(size * size, FAR)
        if hair is not None:
            where, depth = frame._place(hair)
            cell = where.astype(np.int32)
            inside = ((cell >= 0) & (cell < size)).all(1)
            np.maximum.at(veil, cell[inside, 1] * size + cell[inside, 0], depth[inside])
        return ShadowMap(direction, across, up, solid, veil.reshape(size, size))

    def _place(self, points: F32) -> tuple[F32, F32]:
        """Project world points (N, 3) to the maps; return the points' pixel coordinates (N, 2) and depths (N,)."""
        size, relative = len(self.solid), points - _MIDDLE
        scale = np.float32(size / (2 * _REACH))
        x, y = dot(relative, self.across) * scale + size / 2, size / 2 - dot(relative, self.up) * scale
        return f32(np.stack([x, y], -1)), dot(relative, self.direction)

    def visible(
        self, points: F32, *, bias: float = 0.05, hair_bias: float = 0.05, density: float = 9.0, reach: float = np.inf
    ) -> F32:
        """Return the proportion (N,) of the key light that reaches each of N points, in [0, 1].

        Args:
            points: (N, 3) in world coordinates.
            bias: decimetres by which a mesh must be nearer to the light than a point to cast a shadow on it.
            hair_bias: decimetres by which hair must be nearer to the light than a point to cast a shadow on it.
            density: attenuation of light in hair: at ``1 / density`` decimetres below the hair's surface, 37 % of
                the light remain.
            reach: meshes that are farther than this from a point, in decimetres, cast no shadow on it.
        """
        size = len(self.solid)
        where, depth = self._place(points)
        total = np.zeros(len(points), np.float32)
        for dx, dy in ((-1.2, -0.4), (-0.4, 1.2), (0.4, -1.2), (1.2, 0.4)):
            x = (where[:, 0] + np.float32(dx)).astype(np.int32).clip(0, size - 1)
            y = (where[:, 1] + np.float32(dy)).astype(np.int32).clip(0, size - 1)
            lit = self.solid[y, x] <= depth + np.float32(bias)
            if np.isfinite(reach):
                lit |= self.solid[y, x] > depth + np.float32(reach)
            through = np.exp(-density * np.clip(self.hair[y, x] - depth - np.float32(hair_bias), 0, 0.35))
            total += lit * through
        return f32(total / 4)


def occlusion(depth: F32, scale: float) -> F32:
    """Estimate ambient occlusion: pixels that lie deeper than their neighbours receive less ambient light.

    Args:
        depth: (H, W), larger for nearer surfaces; ``FAR`` for empty pixels.
        scale: pixels per decimetre.

    Returns:
        proportion of the ambient light (H, W) that reaches each pixel, in [0, 1].
    """
    solid = depth > FAR / 2
    floor = depth[solid].min() if solid.any() else np.float32(0)
    ground = half(np.where(solid, depth, floor))
    sunk = np.zeros_like(ground)
    for reach, most in ((0.03, 0.05), (0.08, 0.10), (0.2, 0.16)):
        sunk += np.clip(blur(ground, reach * scale / 2) - ground - 0.003, 0, most)
    return double(f32(np.exp(-3.6 * sunk)))


def scatter(light: F32, skin: Bools, scale: float) -> F32:
    """Simulate subsurface scattering in skin: mix red and green light with its blurred copy, red more than green.

    Args:
        light: received light (H, W, 3), linear RGB.
        skin: boolean mask (H, W): True for skin; the light of other pixels is unchanged.
        scale: pixels per decimetre.

    Returns:
        the light (H, W, 3) after scattering.
    """
    weight = half(f32(skin))
    spread = light.copy()
    small = half(light * skin[..., None])
    for channel, reach, share in ((0, 0.075, 0.75), (1, 0.03, 0.55)):
        sigma = reach * scale / 2
        soft = blur(small[..., channel], sigma) / np.maximum(blur(weight, sigma), 1e-3)
        mixed = (1 - share) * light[..., channel] + share * double(f32(soft))
        spread[..., channel] = np.where(skin, mixed, light[..., channel])
    return spread
