"""Computes the colours of lit surfaces, hair strands, brows, beards and lashes, in linear RGB."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from maskgan_cli.labels import ID, LabelMap
from maskgan_cli.synth.camera import Camera
from maskgan_cli.synth.fabrics import Paint
from maskgan_cli.synth.geometry import F32, bump, dot, f32, ramp, unit
from maskgan_cli.synth.hair import Strands
from maskgan_cli.synth.lighting import ShadowMap, blur, double, half, occlusion, scatter
from maskgan_cli.synth.parameters import Light
from maskgan_cli.synth.raster import FAR
from maskgan_cli.synth.raster import strands as splat
from maskgan_cli.synth.surface import Classes, Surface


@dataclass
class Canvas:
    """The picture while it is rendered, on a grid of W x W pixels (several for each pixel of the final picture).

    Attributes:
        colour: linear RGB (W, W, 3).
        labels: class ids (W, W).
        depth: (W, W), larger for nearer surfaces; ``FAR`` where only the background is visible.
    """

    colour: F32
    labels: LabelMap
    depth: F32


def key_direction(light: Light) -> F32:
    """Return the unit vector (3,) that points from the head to the key light."""
    a, e = np.radians(light.azimuth), np.radians(light.elevation)
    return f32([np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)])


def shade_surface(
    canvas: Canvas, s: Surface, k: Classes, p: Paint, light: Light, shadows: ShadowMap, camera: Camera
) -> None:
    """Compute the colours of all surface pixels, and write their colours and classes to the canvas.

    Args:
        canvas: the picture, changed in place.
        s, k, p: the surface pixels, their classes and their material.
        light: the lights.
        shadows: shadow map of the key light.
        camera: the camera.
    """
    size = len(canvas.labels)
    key, towards = f32(light.colour) * np.float32(light.key), shadows.direction
    n = _bumped(s, p, camera)
    lit = shadows.visible(s.x)
    seen = np.zeros((size, size), np.float32)
    seen.ravel()[s.pixel] = lit
    there = np.zeros((size, size), np.float32)
    there.ravel()[s.pixel] = 1
    soft = 0.022 * camera.scale
    small = blur(half(seen), soft / 2) / np.maximum(blur(half(there), soft / 2), 1e-3)
    lit = np.clip(small.repeat(2, 0).repeat(2, 1).ravel()[s.pixel], 0, 1)
    open_ = occlusion(canvas.depth, camera.scale).ravel()[s.pixel]

    facing = dot(n, towards)
    wrap = np.where(p.skin, np.float32(0.12), np.float32(0))
    diffuse = np.clip((facing + wrap) / (1 + wrap), 0, 1) * lit
    # Inner mouth and eyes are shadowed by their surroundings but receive some indirect light.
    diffuse = np.where(k.eye, np.maximum(diffuse, 0.3 * np.clip(facing, 0, 1)), diffuse)
    diffuse = np.where(k.teeth, np.maximum(diffuse, 0.45), diffuse)
    sky = 0.55 + 0.45 * (0.5 + 0.5 * n[:, 1]) + 0.12 * n[:, 2]
    around = f32(light.ambient) * (sky * open_)[:, None]
    inside = (s.inside > 0.5) | s.of("helper-tongue")
    fall = np.where(inside, open_**2.2, 1.0).astype(np.float32)
    light_in = np.zeros((size, size, 3), np.float32)
    light_in.reshape(-1, 3)[s.pixel] = key * diffuse[:, None] + around
    skin = np.zeros((size, size), bool)
    skin.ravel()[s.pixel] = p.skin
    gathered = scatter(light_in, skin, camera.scale).reshape(-1, 3)[s.pixel]
    back = unit(f32([-towards[0] * 1.3, 0.35, -0.45]))
    edge = np.clip(dot(n, back), 0, 1) * light.rim * 0.6
    colour = p.albedo * (gathered + edge[:, None] * f32(light.ambient) * 1.5) * fall[:, None]

    halfway = unit(towards + s.view)
    gleam = np.clip(dot(n, halfway), 0, 1)
    rim = (1 - np.clip(dot(n, s.view), 0, 1)) ** 5
    lobe = 0.8 * gleam**p.gloss + 0.5 * gleam ** (p.gloss * 3)
    shine = p.shine * (1 + 2 * rim)
    colour += (shine * lobe * lit)[:, None] * key + (shine * open_ * (0.25 + 1.2 * rim))[:, None] * f32(
        light.ambient
    ) * 0.35
    colour += (p.glint * (0.45 + 0.55 * lit))[:, None] * key
    canvas.colour.reshape(-1, 3)[s.pixel] = colour
    canvas.labels.ravel()[s.pixel] = k.label


def _bumped(s: Surface, p: Paint, camera: Camera) -> F32:
    """Return the unit normals (N, 3) of the surface pixels ``s``, tilted by the slope of the relief (bump mapping)."""
    size = camera.size
    relief = np.zeros((size, size), np.float32)
    relief.ravel()[s.pixel] = p.relief
    down, across = np.gradient(relief * np.float32(camera.scale))
    gx = np.clip(across.ravel()[s.pixel], -0.6, 0.6)
    gy = np.clip(down.ravel()[s.pixel], -0.6, 0.6)
    return unit(p.normal - gx[:, None] * f32([1, 0, 0]) + gy[:, None] * f32([0, 1, 0]))


def shade_hair(
    canvas: Canvas,
    hair: Strands,
    colour: F32,
    light: Light,
    shadows: ShadowMap,
    camera: Camera,
    *,
    straight: bool,
) -> None:
    """Draw the hair on the canvas, with the lighting model of Kajiya and Kay (1989) at each point of the strands.

    Each point is also shaded like a point on the surface of a round object, so that the hair has a bright and a dark
    side.

    Args:
        canvas: the picture, changed in place.
        hair: the strands.
        colour: hair colour (3,), linear RGB.
        light: the lights.
        shadows: shadow map of the key light.
        camera: the camera.
        straight: whether the hair is straight, which gives stronger highlights.
    """
    where, depth = camera.project(hair.points)
    wide = 1 if camera.scale < 150 else 2
    dots = splat(where, depth, canvas.depth, slack=0.03, wide=wide)
    if not len(dots.pixel):
        return
    used = np.unique(dots.strand)
    renumber = np.zeros(len(hair.points), np.int64)
    renumber[used] = np.arange(len(used))
    points, outward = hair.points[used], hair.outward[used]
    tangent = unit(np.gradient(points, axis=1))
    view = unit(camera.place - points)
    key, towards = f32(light.colour) * np.float32(light.key), shadows.direction
    along = dot(tangent, f32(towards))
    shifted = f32((hair.tone[used] - 1)[:, None] * 0.35)
    cylinder = np.sqrt(np.clip(1 - along * along, 0, 1))
    mass = np.clip(0.25 + 0.75 * dot(outward, f32(towards)), 0, 1)
    lit = shadows.visible(points.reshape(-1, 3), bias=0.08, hair_bias=0.03, density=6.0).reshape(mass.shape)
    halfway = dot(tangent, unit(towards + view))
    first = np.sqrt(np.clip(1 - (halfway + shifted - 0.06) ** 2, 0, 1)) ** 90
    second = np.sqrt(np.clip(1 - (halfway + shifted + 0.16) ** 2, 0, 1)) ** 20
    share = np.linspace(0, 1, points.shape[1], dtype=np.float32)
    root = 0.62 + 0.38 * np.minimum(1, share * 3)
    layer = (0.72 + 0.28 * hair.depth[used])[:, None]
    base = colour * (hair.tone[used][:, None] * root * layer)[..., None]
    up = 0.72 + 0.28 * outward[..., 1]
    diffuse = 0.9 * mass * (0.35 + 0.65 * cylinder) * lit
    around = f32(light.ambient) * (0.85 * up * layer)[..., None]
    glow = (second * 1.0 * lit * mass)[..., None] * base * key * 1.3
    gleam = (first * (0.13 if straight else 0.07) * lit * mass)[..., None] * key * np.float32(0.5 + 0.5 * colour.max())
    whole = base * (key * diffuse[..., None] + around) + glow + gleam
    strand, a = renumber[dots.strand], dots.along[:, None]
    shown = whole[strand, dots.segment] * (1 - a) + whole[strand, dots.segment + 1] * a
    _lay_hair(canvas, dots.pixel, f32(shown), dots.depth)


def _lay_hair(canvas: Canvas, pixel: npt.NDArray[np.int64], colour: F32, depth: F32) -> None:
    """Draw hair dots on the canvas, fill gaps within dense hair, and remove isolated dots.

    A few thousand strands represent the hundred thousand of a real head. A gap becomes hair if most of its
    neighbourhood is hair. Isolated dots are removed, because a single hair is not visible in a photo.

    Args:
        canvas: the picture, changed in place.
        pixel: flat index of each dot's pixel (N,).
        colour: linear RGB of the dots (N, 3).
        depth: depth of the dots (N,), larger for nearer dots.
    """
    size = len(canvas.labels)
    layer = np.zeros((size, size, 5), np.float32)
    flat = layer.reshape(-1, 5)
    flat[pixel, :3], flat[pixel, 3], flat[pixel, 4] = colour, depth, 1
    there = layer[..., 4] > 0
    near = double(blur(half(layer), 0.0065 * size / 2))
    cover = near[..., 4]
    mean = near[..., :4] / np.maximum(cover, 1e-3)[..., None]
    on_nothing = canvas.depth <= FAR / 2
    floor = np.where(on_nothing, np.float32(0.12), np.float32(0.32))
    alpha = np.where(there, ramp(0, 1, (cover - floor) / 0.22), 0)[..., None]
    kept = alpha[..., 0] > 0.5
    filled = ~there & (cover > 0.5) & (mean[..., 3] > canvas.depth - 0.02)
    canvas.colour[filled] = mean[filled, :3] * 0.85
    canvas.colour += alpha * (layer[..., :3] - canvas.colour)
    canvas.depth[filled], canvas.depth[kept] = mean[filled, 3], layer[kept, 3]
    canvas.labels[filled | kept] = ID["hair"]


def shade_short_hairs(
    canvas: Canvas,
    points: F32,
    colour: F32,
    opacity: float,
    light: Light,
    camera: Camera,
    rng: np.random.Generator,
) -> None:
    """Draw the short hairs of brows and beards on the canvas. The class ids of the canvas do not change.

    Args:
        canvas: the picture, changed in place.
        points: S hairs of K points (S, K, 3) in world coordinates.
        colour: linear RGB (3,).
        opacity: opacity of the hairs in [0, 1].
        light: the lights.
        camera: the camera.
        rng: generator of the brightness of each hair.
    """
    if not len(points):
        return
    where, depth = camera.project(points)
    dots = splat(where, depth, canvas.depth, slack=0.012, spacing=1.0)
    tone = f32(np.clip(1 + 0.3 * rng.normal(size=len(points)), 0.4, 1.9))[dots.strand]
    level = light.key * 0.55 + float(np.mean(light.ambient))
    shown = colour * (tone * np.float32(level))[:, None]
    flat = canvas.colour.reshape(-1, 3)
    flat[dots.pixel] += (shown - flat[dots.pixel]) * np.float32(opacity)


def shade_lashes(canvas: Canvas, where: npt.NDArray[np.int64], strength: F32) -> None:
    """Darken the pixels that show lashes.

    Args:
        canvas: the picture, changed in place.
        where: flat indices of the pixels (N,).
        strength: opacity of the lashes in these pixels (N,), in [0, 1].
    """
    flat = canvas.colour.reshape(-1, 3)
    flat[where] *= (1 - strength)[:, None]
    flat[where] += 0.004 * strength[:, None]


def lash_line(canvas: Canvas, camera: Camera, strength: float) -> None:
    """Draw the dark line of the upper lashes on the canvas, just above the pixels of the eyes.

    ``strength`` is the opacity of the line in [0, 1].
    """
    eyes = f32((canvas.labels == ID["l_eye"]) | (canvas.labels == ID["r_eye"]))
    reach = max(0.011 * camera.scale, 0.7)
    soft = blur(eyes, reach)
    step = max(round(reach), 1)
    below = np.roll(soft, -step, 0)  # the value below each pixel
    line = ramp(0.12, 0.5, below - np.roll(soft, 2 * step, 0)) * ramp(0.95, 0.6, soft)
    rim = 0.3 * bump(soft, 0.5, 0.25)
    dark = np.clip(strength * line + rim, 0, 0.95)[..., None]
    on_face = np.isin(canvas.labels, [ID["skin"], ID["l_eye"], ID["r_eye"]])[..., None]
    canvas.colour *= np.where(on_face, 1 - dark, 1)
