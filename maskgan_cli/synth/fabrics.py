"""The material of surface pixels (`Paint`), and the colours and relief of clothes and jewellery."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from maskgan_cli.labels import ID
from maskgan_cli.synth.geometry import F32, Bools, bump, f32, ramp
from maskgan_cli.synth.noise import Noise
from maskgan_cli.synth.parameters import Scene, linear
from maskgan_cli.synth.surface import Classes, Surface
from maskgan_cli.synth.wardrobe import Piece


@dataclass
class Paint:
    """The material of N surface pixels.

    Attributes:
        albedo: reflected proportion of light (N, 3), linear RGB.
        shine: strength of highlights (N,).
        gloss: exponent of highlights (N,); larger values give smaller highlights.
        relief: height of fine structure (N,) in decimetres, for bump mapping.
        normal: unit normals (N, 3).
        skin: boolean mask (N,): True for skin, in which light scatters below the surface.
        glint: brightness of the highlight on the eyes (N,).
    """

    albedo: F32
    shine: F32
    gloss: F32
    relief: F32
    normal: F32
    skin: Bools
    glint: F32


def mix(a: F32, b: npt.ArrayLike, share: npt.ArrayLike) -> F32:
    """Interpolate linearly between colours: return ``a`` (N, 3) for a ``share`` (N,) of 0, and ``b`` for 1.

    ``b`` has the shape (N, 3) or (3,).
    """
    return f32(a + (f32(b) - a) * f32(share)[:, None])


def _pattern(colour: F32, second: F32, pattern: str, u: F32, v: F32, pitch: float) -> F32:
    """Return the colours (N, 3) of N points of a cloth.

    Args:
        colour: main colour (3,), linear RGB.
        second: the other colour of stripes, checks and dots.
        pattern: stripe, check, dots, knit or rib; any other name gives the plain ``colour``.
        u, v: coordinates of the points on the cloth (N,) in decimetres.
        pitch: pattern repeats per decimetre.
    """
    n = len(u)
    a = np.tile(colour, (n, 1))
    if pattern == "stripe":
        return mix(a, f32(second), ramp(0.2, 0.35, np.sin(v * pitch * 6)))
    if pattern == "check":
        return mix(a, f32(second), 0.3 * (np.sin(u * pitch * 5) > 0.3) + 0.3 * (np.sin(v * pitch * 5) > 0.3))
    if pattern == "dots":
        du, dv = (u * pitch) % 1 - 0.5, (v * pitch) % 1 - 0.5
        return mix(a, f32(second), ramp(0.3, 0.2, np.sqrt(du * du + dv * dv)))
    if pattern == "knit":
        return f32(a * (0.78 + 0.3 * np.abs(np.sin(u * pitch * 14 + np.sin(v * pitch * 25))))[:, None])
    if pattern == "rib":
        return f32(a * (0.6 + 0.45 * np.abs(np.sin(u * pitch * 2.2)))[:, None])
    return a


def paint_clothes(p: Paint, s: Surface, k: Classes, scene: Scene, noise: Noise, fineness: float) -> None:
    """Set the material of clothes that cover the body: cloth colours, folds, weave and, under a jacket, a shirt.

    Args:
        p: material of all surface pixels, changed in place.
        s, k: the surface pixels and their classes.
        scene: the parameters of the picture.
        noise: random fields for folds and weave.
        fineness: strength of details that only large pictures show, 0.25 to 1.
    """
    m = (k.label == ID["cloth"]) & s.body
    if not m.any():
        return
    wear, c = scene.clothes, s.c[m]
    x, y = np.abs(c[:, 0]), c[:, 1]
    first, second = f32(wear.colour), f32(wear.second)
    folds = noise.smooth("fold", c * f32([1, 0.45, 1]), 1.6)
    if wear.kind == "jacket":
        cloth = _pattern(
            first,
            second,
            wear.pattern if wear.pattern in ("check", "knit") else "plain",
            c[:, 0],
            y,
            wear.pitch,
        )
        opening = 0.13 + 0.36 * (y - 5.4)
        inner = ramp(0.012, -0.012, x - opening) * (c[:, 2] > 0.3)
        shirt = np.tile(second, (len(c), 1))
        if wear.pitch > 4:
            shirt = mix(
                shirt,
                f32(first * 0.5 + f32([0.05, 0.0, 0.03])),
                ramp(0.01, -0.01, x - 0.07 - 0.04 * (6.1 - y)),
            )
        lapel = bump(x - opening - 0.02, 0, 0.02) + bump(
            x - opening * 1.0 - 0.3 * np.clip(6.1 - y, 0, 0.5) - 0.16, 0, 0.014
        )
        cloth = cloth * (1 - 0.5 * lapel * (1 - inner))[:, None]
        cloth = f32(cloth + (shirt - cloth) * inner[:, None])
    else:
        cloth = _pattern(first, second, wear.pattern, c[:, 0], y, wear.pitch)
    hem = ramp(0.0, 0.035, k.cloth[m])
    p.albedo[m] = cloth * ((0.62 + 0.38 * hem) * (1 + 0.06 * folds))[:, None]
    p.relief[m] = 0.035 * folds + 0.0015 * fineness * noise.fine("weave", c, 30) + 0.02 * hem
    p.shine[m], p.gloss[m] = 0.015, 12


def paint_necklace(p: Paint, s: Surface, k: Classes, scene: Scene) -> None:
    """Paint the necklace, if the scene has one, on the neck.

    In the pixels of the necklace, the material in ``p`` and the class in ``k`` are changed in place. ``s`` are the
    surface pixels.
    """
    if scene.necklace == "none":
        return
    c = s.c
    x = np.abs(c[:, 0])
    hang = {"chain": 0.05, "pearls": 0.0, "pendant": 0.12}[scene.necklace]
    thick = {"chain": 0.022, "pearls": 0.045, "pendant": 0.02}[scene.necklace]
    line = 6.34 - 0.42 * (c[:, 2] - 0.35) - hang * np.clip(1 - x / 0.4, 0, 1)
    off = np.abs(c[:, 1] - line)
    if scene.necklace == "pendant":
        drop = np.sqrt(x**2 + (c[:, 1] - line + 0.06) ** 2) * (1 + 9 * (c[:, 2] < 0.4))
        off = np.minimum(off, drop * thick / 0.065)
    m = s.body & (off < thick) & ((k.label == ID["neck"]) | (k.label == ID["skin"])) & (c[:, 1] < 6.7)
    if not m.any():
        return
    pearls = scene.necklace == "pearls"
    along = np.arctan2(c[m, 0], c[m, 2] - 0.3)
    bead = np.abs(np.sin(along * (30 if pearls else 60)))
    k.label[m] = ID["neck_l"]
    p.albedo[m] = f32(linear((238, 230, 220)) if pearls else scene.metal) * (0.55 + 0.45 * bead)[:, None]
    p.relief[m] = thick * 0.6 * np.sqrt(np.clip(1 - (off[m] / thick) ** 2, 0, 1)) * (0.6 + 0.4 * bead)
    p.shine[m], p.gloss[m] = 0.6, 30
    p.skin[m] = False


def paint_piece(p: Paint, s: Surface, m: Bools, piece: Piece, noise: Noise, fineness: float) -> None:
    """Set the material of the pixels that show a piece of clothing or jewellery.

    Args:
        p: material of all N surface pixels, changed in place.
        s: the surface pixels.
        m: boolean mask (N,): True for pixels that show the piece.
        piece: the piece, with its colours and pattern.
        noise: random fields for folds and weave.
        fineness: strength of details that only large pictures show, 0.25 to 1.
    """
    if not m.any():
        return
    c = s.c[m]
    p.albedo[m] = _pattern(f32(piece.colour), f32(piece.second), piece.pattern, c[:, 0], c[:, 1], piece.pitch)
    p.skin[m] = False
    if piece.finish == "cloth":
        p.relief[m] = 0.012 * noise.smooth("drape", s.x[m], 1.2) + 0.0015 * fineness * noise.fine("weave", s.x[m], 30)
        p.shine[m], p.gloss[m] = 0.015, 10
    else:
        p.relief[m] = 0
        p.shine[m], p.gloss[m] = (0.9, 40) if piece.finish == "metal" else (0.35, 60)
