"""Renders meshes to a layer over a photo: colour and opacity of objects, which the head may hide, and their shadow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import ndimage

from maskgan_cli.editing.compositing.accessories.photo_light import PhotoLight
from maskgan_cli.editing.masks.head_fit import HeadFit
from maskgan_cli.labels import Region
from maskgan_cli.synth.geometry import F32, I32, dot, f32, ramp, unit, vertex_normals
from maskgan_cli.synth.lighting import ShadowMap, blur
from maskgan_cli.synth.raster import FAR, Layer, triangles
from maskgan_cli.synth.shape import head

_MOST: Final = 1280  # largest side of the supersampled grid; larger windows get fewer samples per pixel
_SAMPLES: Final = 3  # samples per pixel and axis, if the grid stays below `_MOST`
_REACH: Final = 0.9  # decimetres; longest shadow, because beyond this the head itself blocks the light
_UNDER: Final = 0.5  # share of the light that a hat blocks directly below its rim
_SIDES: Final = 0.25  # z of the head's sides in head coordinates; parts of a mesh with a smaller z are at the back
_SHADOW: Final = 512  # side of the shadow map, in pixels
_LIT: Final = 0.999  # share of the light; above it, a pixel is outside the shadow
Box = tuple[slice, slice]


@dataclass(frozen=True)
class Mesh:
    """A surface to draw. Positions are in the renderer's coordinates (decimetres; x right, y up, z towards the camera).

    Attributes:
        vertices: (V, 3), positions.
        triangles: (T, 3), indices of vertices.
        colour: linear RGB, (3,) for the whole mesh, or (V, 3) for each vertex.
        shine: strength of reflections, 0 (cloth) to 1 (polished metal).
        gloss: exponent of the highlight (Phong); larger values give smaller highlights.
        alpha: opacity, 0 to 1.
        metal: whether reflections have the surface's own colour.
        behind_hair: whether hair in the photo hides the mesh.
        bump: strength of a fine weave in the surface, for cloth.
        ribs: whether the weave consists of ribs that run up the head.
        around_head: whether the mesh surrounds the head, so that the person in the photo hides the back of the mesh.
    """

    vertices: F32
    triangles: I32
    colour: F32
    shine: float = 0.2
    gloss: float = 40.0
    alpha: float = 1.0
    metal: bool = False
    behind_hair: bool = False
    bump: float = 0.0
    ribs: bool = False
    around_head: bool = False


@dataclass(frozen=True)
class Window:
    """A square part of a picture, given by its left column, its top row and its side, all in pixels."""

    left: int
    top: int
    side: int

    @property
    def box(self) -> Box:
        """Slices (rows, columns) of the picture; they may extend beyond the picture."""
        return slice(self.top, self.top + self.side), slice(self.left, self.left + self.side)


@dataclass(frozen=True)
class Drawn:
    """Rendered objects and their shadow, in a rectangle of h x w pixels of a picture.

    Attributes:
        colour: (h, w, 3), linear light of the objects, multiplied by ``alpha``.
        alpha: (h, w), opacity of the objects, 0 to 1.
        shade: (h, w), share of the light that still reaches the photo behind the objects; 1 outside their shadow.
    """

    colour: F32
    alpha: F32
    shade: F32

    @property
    def changed(self) -> Region:
        """Boolean mask (h, w) of the pixels that objects or shadows change."""
        return np.asarray((self.alpha > 1e-3) | (self.shade < _LIT))

    @property
    def clear(self) -> Region:
        """Boolean mask (h, w) of the pixels outside objects and shadows."""
        return np.asarray((self.alpha == 0) & (self.shade > _LIT))


def window_of(meshes: list[Mesh], fit: HeadFit, margin: float, shape: tuple[int, int]) -> Window:
    """Return the square window of the picture that contains the given meshes and a margin around the meshes.

    Args:
        meshes: the surfaces, e.g. of glasses.
        fit: the 3D head fitted to the face, whose camera projects the meshes to the picture.
        margin: width of the margin in decimetres.
        shape: (H, W), size of the picture; parts of the meshes far outside the picture are not included.
    """
    places = np.concatenate([fit.camera.project(mesh.vertices)[0] for mesh in meshes])
    rim = margin * fit.camera.scale
    low = np.maximum(np.floor(places.min(0) - rim), [-8, -8]).astype(int)
    high = np.minimum(np.ceil(places.max(0) + rim), [shape[1] + 8, shape[0] + 8]).astype(int)
    return Window(int(low[0]), int(low[1]), max(int((high - low).max()), 8))


def head_layer(fit: HeadFit, window: Window, samples: float = 1.0) -> tuple[Layer, I32]:
    """Rasterise a 3D head that was fitted to a face, without the lashes, in a window of the picture.

    Args:
        fit: the 3D head, fitted to the face in the picture.
        window: the part of the picture.
        samples: samples per pixel and axis; below 1, the layer is smaller than the window.

    Returns:
        The layer, which holds the number of the nearest triangle and its depth for each pixel, and the head's triangles
        (T, 3), which the numbers refer to.
    """
    model = head()
    faces: I32 = model.triangles[np.array(["lash" not in group for group in model.groups])[model.owner]]
    where, depth = fit.camera.project(fit.posed.vertices)
    size = round(window.side * samples)
    return triangles(f32((where - [window.left, window.top]) * samples), depth, faces, size), faces


def interpolated(layer: Layer, faces: I32, values: F32) -> F32:
    """Interpolate values of a mesh's vertices at the pixels at which the mesh was rasterised.

    Args:
        layer: the rasterised mesh, H x W pixels.
        faces: (T, 3), the mesh's triangles.
        values: (V, C), values of the vertices, e.g. positions or normals.

    Returns:
        (H, W, C), the interpolated values; 0 where the layer is empty.
    """
    seen = layer.triangle >= 0
    result = np.zeros((*layer.triangle.shape, values.shape[-1]), np.float32)
    corner = faces[layer.triangle[seen]]
    result[seen] = sum(layer.bary[seen][:, k, None] * values[corner[:, k]] for k in range(3))
    return result


def draw(
    meshes: list[Mesh],
    fit: HeadFit,
    light: PhotoLight,
    window: Window,
    hair: F32,
    person: F32,
    bare: tuple[Layer, I32] | None = None,
) -> Drawn:
    """Render meshes on a 3D head that was fitted to a face, with the shadow that the meshes cast.

    The head and opaque meshes hide what lies behind them (depth test). Transparent meshes are then blended over opaque
    ones, in the given order.

    Args:
        meshes: the surfaces to render, e.g. of glasses.
        fit: the 3D head and the camera, fitted to the face in the photo.
        light: the photo's light.
        window: the part of the picture to render, h x h pixels.
        hair, person: (h, h), share (0 to 1) of each pixel that the photo's hair, or the whole person, covers.
        bare: the result of `head_layer` for the window; if None, it is computed.

    Returns:
        The rendered meshes and their shadow in the window (h x h pixels).
    """
    samples = float(_SAMPLES if window.side * _SAMPLES <= _MOST else max(1, _MOST // window.side))
    size = round(window.side * samples)
    known = head_layer(fit, window) if bare is None else bare
    finer = int(samples)
    depth, hidden, someone = (np.repeat(np.repeat(one, finer, 0), finer, 1) for one in (known[0].depth, hair, person))
    colour, alpha = np.zeros((size, size, 3), np.float32), np.zeros((size, size), np.float32)
    for mesh in sorted(meshes, key=lambda mesh: mesh.alpha < 1):
        where, far = fit.camera.project(mesh.vertices)
        both = np.ones(len(mesh.triangles), bool)
        layer = triangles(f32((where - [window.left, window.top]) * samples), far, mesh.triangles, size, two_sided=both)
        seen = (layer.triangle >= 0) & (layer.depth > depth)
        if not seen.any():
            continue
        shown, opacity = shade(mesh, layer, seen, fit, light)
        opacity = opacity * (1 - hidden[seen]) if mesh.behind_hair else opacity
        if mesh.around_head:
            opacity = np.where(_at_back(mesh, layer, seen, fit), opacity * (1 - someone[seen]), opacity)
        colour[seen] = colour[seen] * (1 - opacity[:, None]) + light.coloured(shown) * opacity[:, None]
        alpha[seen] = alpha[seen] * (1 - opacity) + opacity
        if mesh.alpha == 1:
            depth = np.where(seen, layer.depth, depth)
    colour, alpha = shrunk(colour, int(samples)), shrunk(alpha, int(samples))
    soft = light.softness
    left = cast_shadow(meshes, fit, light, window, known)
    if any(mesh.around_head for mesh in meshes):  # a hat blocks the sky's light below its rim
        scale = fit.camera.scale
        below = ndimage.shift(alpha, (0.12 * scale, 0), order=1, mode="nearest")
        left = f32(left * (1 - _UNDER * person * blur(f32(below), 0.09 * scale)))
    return Drawn(blur(colour, soft), blur(alpha, soft), left)


def _at_back(mesh: Mesh, layer: Layer, seen: Region, fit: HeadFit) -> Region:
    """Find the visible pixels of a mesh that lie behind the sides of the head.

    Args:
        mesh: the mesh.
        layer: the rasterised mesh, H x W pixels.
        seen: (H, W), True for the N pixels in which the mesh is visible.
        fit: the fitted head.

    Returns:
        (N,), True for visible pixels behind the sides of the head.
    """
    corner, weight = mesh.triangles[layer.triangle[seen]], layer.bary[seen]
    deep = fit.posed.to_head(mesh.vertices)[:, 2]
    found: Region = (weight * deep[corner]).sum(-1) < _SIDES
    return found


def shade(mesh: Mesh, layer: Layer, seen: Region, fit: HeadFit, light: PhotoLight) -> tuple[F32, F32]:
    """Compute the colours of the visible pixels of a mesh: diffuse light, reflections and highlights.

    Args:
        mesh: the mesh.
        layer: the rasterised mesh, H x W pixels.
        seen: (H, W), True for the N pixels in which the mesh is visible.
        fit: the fitted head and its camera.
        light: the photo's light.

    Returns:
        Colours (N, 3) in linear RGB, and opacities (N,).
    """
    corner, weight = mesh.triangles[layer.triangle[seen]], layer.bary[seen]
    normals = vertex_normals(mesh.vertices, mesh.triangles)

    def at(values: F32) -> F32:
        """Interpolate values (V, C) of the vertices at the visible pixels (N, C)."""
        return f32(sum(weight[:, k, None] * values[corner[:, k]] for k in range(3)))

    points, normal = at(mesh.vertices), unit(at(normals))
    view = unit(fit.camera.place - points)
    normal = np.where((dot(normal, view) < 0)[:, None], -normal, normal)
    base = at(mesh.colour) if mesh.colour.ndim == 2 else np.broadcast_to(mesh.colour, points.shape)
    facing = np.clip(dot(normal, light.direction), 0, 1)
    sky = 0.65 + 0.35 * normal[:, 1]
    diffuse = light.share * facing + (1 - light.share) * sky
    if mesh.bump:
        weave = np.sin(points[:, 0] * 95) * np.sin(points[:, 1] * 110 + points[:, 2] * 60)
        if mesh.ribs:
            inside = fit.posed.to_head(points)
            weave = np.sin(np.arctan2(inside[:, 0], inside[:, 2] - 0.1) * 75)
        diffuse = diffuse * (1 + mesh.bump * weave)
    mirrored = 2 * dot(normal, view)[:, None] * normal - view
    gleam = np.clip(dot(mirrored, light.direction), 0, 1) ** mesh.gloss
    # Brightness of the reflected environment: bright above, dim at the sides, and somewhat brighter below.
    around = 0.12 + 0.75 * ramp(0.05, 0.75, mirrored[:, 1]) + 0.25 * ramp(-0.1, -0.8, mirrored[:, 1])
    fresnel = 0.04 + 0.96 * (1 - np.clip(dot(normal, view), 0, 1)) ** 5
    strength = mesh.shine * (np.ones_like(fresnel) * 0.8 if mesh.metal else np.clip(fresnel * 1.5, 0, 1))
    tint = base if mesh.metal else np.ones_like(base)
    glints = (around * strength + gleam * mesh.shine * (1.0 if mesh.metal else 0.35))[:, None] * tint
    body = base * diffuse[:, None] * (1 - 0.7 * mesh.shine if mesh.metal else 1.0)
    return f32((body + glints) * light.level * light.cast), np.full(len(points), mesh.alpha, np.float32)


def cast_shadow(
    meshes: list[Mesh], fit: HeadFit, light: PhotoLight, window: Window, bare: tuple[Layer, I32] | None = None
) -> F32:
    """Compute the soft shadow that opaque meshes cast on the head.

    Args:
        meshes: the meshes; transparent ones cast no shadow.
        fit: the head and its camera, fitted to the face in the photo.
        light: the photo's light.
        window: the part of the picture to compute, h x h pixels.
        bare: the result of `head_layer` for the window; if None, it is computed.

    Returns:
        (h, h), the share of the light (0 to 1) that still reaches each pixel of the window.
    """
    solid = [mesh for mesh in meshes if mesh.alpha > 0.5]
    shade_map = np.ones((window.side, window.side), np.float32)
    if not solid:
        return shade_map
    counts = np.cumsum([0, *(len(mesh.vertices) for mesh in solid)])
    vertices = np.concatenate([mesh.vertices for mesh in solid])
    faces = np.concatenate([mesh.triangles + start for mesh, start in zip(solid, counts, strict=False)])
    shadow = ShadowMap.build(
        light.direction, f32(vertices), faces.astype(np.int32), np.ones(len(faces), bool), None, _SHADOW
    )
    step = max(1, window.side // 400)
    layer, own = bare if bare is not None and step == 1 else head_layer(fit, window, 1 / step)
    there = layer.triangle >= 0
    if not there.any():
        return shade_map
    points = interpolated(layer, own, fit.posed.vertices)[there]
    normals = interpolated(layer, own, fit.posed.normals)[there]
    lit = shadow.visible(points, bias=0.03, reach=_REACH)
    lit = 1 - (1 - lit) * ramp(-0.1, 0.3, dot(normals, light.direction))
    found = np.ones(there.shape, np.float32)
    found[there] = lit
    found = blur(found, 0.025 * fit.camera.scale / step)
    # The objects also block some of the sky's light.
    near = blur(found, 0.07 * fit.camera.scale / step)
    left = 1 - light.share * 0.9 * (1 - found) - (1 - light.share) * 0.3 * (1 - near)
    rows = np.clip(np.arange(window.side) // step, 0, len(left) - 1)
    smooth = left[rows][:, rows]
    return blur(f32(smooth), 0.6 * step) if step > 1 else f32(smooth)


def shrunk(values: F32, samples: int) -> F32:
    """Reduce values (H, W, ...) by the factor ``samples``: each new value is the mean of a square block of values."""
    if samples == 1:
        return values
    height, width = (side // samples for side in values.shape[:2])
    return f32(
        values[: height * samples, : width * samples]
        .reshape(height, samples, width, samples, *values.shape[2:])
        .mean((1, 3))
    )


__all__ = ["FAR", "Drawn", "Mesh", "Window", "cast_shadow", "draw", "head_layer", "interpolated", "window_of"]
