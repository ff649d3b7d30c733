"""Sets the material of surface pixels: colours, highlights and fine relief of skin, lips, eyes, teeth and cloth."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from maskgan_cli.labels import ID
from maskgan_cli.synth.fabrics import Paint, mix, paint_clothes, paint_necklace, paint_piece
from maskgan_cli.synth.geometry import F32, bump, dot, f32, ramp, rotation, turn, unit
from maskgan_cli.synth.noise import Noise
from maskgan_cli.synth.parameters import Identity, Scene
from maskgan_cli.synth.regions import beard
from maskgan_cli.synth.shape import Posed
from maskgan_cli.synth.surface import Classes, Surface
from maskgan_cli.synth.wardrobe import Piece


def apply(
    s: Surface,
    k: Classes,
    identity: Identity,
    scene: Scene,
    pieces: list[Piece],
    posed: Posed,
    light: F32,
    noise: Noise,
    scale: float,
) -> Paint:
    """Return the material of all surface pixels.

    Args:
        s: the surface pixels.
        k: the classes of the surface pixels; for pixels of a necklace, the class is changed in place.
        identity, scene: the parameters of the picture.
        pieces: meshes of clothing and jewellery.
        posed: the head.
        light: unit vector (3,) to the key light.
        noise: random fields for irregularities such as blotches, pores and folds.
        scale: pixels per decimetre of the rendering grid.
    """
    fineness = float(np.clip(scale / 260, 0.25, 1))
    count = len(s.pixel)
    p = Paint(
        np.tile(f32(identity.skin), (count, 1)),
        np.zeros(count, np.float32),
        np.full(count, 30, np.float32),
        np.zeros(count, np.float32),
        s.n.copy(),
        np.zeros(count, bool),
        np.zeros(count, np.float32),
    )
    _skin(p, s, k, identity, scene, noise, fineness)
    _lips(p, s, identity, scene, noise)
    _hair_roots(p, s, k, identity, scene, noise)
    _mouth(p, s, k, scene)
    _eyes(p, s, k, identity, scene, posed, light)
    paint_clothes(p, s, k, scene, noise, fineness)
    paint_necklace(p, s, k, scene)
    for number, piece in enumerate(pieces):
        paint_piece(p, s, s.piece == number, piece, noise, fineness)
    return p


def _groove(c: F32, points: list[tuple[float, float]], width: float) -> F32:
    """Return the strength (N,) of a line on the face, such as a wrinkle: 1 on the line, decreasing to 0 beside it.

    Args:
        c: positions of the pixels on the canonical (mean) head (N, 3), in decimetres.
        points: corners (x, y) of the line on the left half of the face; the right half has its mirror image.
        width: distance from the line, in decimetres, at which the strength is 1 / e.
    """
    x, y = np.abs(c[:, 0]), c[:, 1]
    nearest = np.full(len(c), 9, np.float32)
    for (ax, ay), (bx, by) in pairwise(points):
        dx, dy = bx - ax, by - ay
        t = np.clip(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy), 0, 1)
        nearest = np.minimum(nearest, (x - ax - t * dx) ** 2 + (y - ay - t * dy) ** 2)
    return f32(np.exp(-nearest / np.float32(width * width)) * (c[:, 2] > 0.6))


def _skin(p: Paint, s: Surface, k: Classes, who: Identity, scene: Scene, noise: Noise, fineness: float) -> None:
    """Set the material of the skin: tone, redness, make-up, freckles, moles, shaved hair, wrinkles and pores.

    Args:
        p: material of all surface pixels, changed in place.
        s, k: the surface pixels and their classes.
        who, scene: the parameters of the picture.
        noise: random fields for irregularities.
        fineness: strength of details that only large pictures show, 0.25 to 1.
    """
    body, c = s.body & ~k.eye, s.c
    x, y, z = np.abs(c[:, 0]), c[:, 1], c[:, 2]
    p.skin = body & (k.label != ID["cloth"])
    dark = who.tone / 8
    blotch = noise.smooth("blotch", c, 2.2)
    mottle = noise.fine("mottle", c, 7) * 0.5 + noise.fine("speckle", c, 22) * 0.5
    p.albedo *= (1 + 0.045 * blotch + 0.03 * mottle)[:, None]

    made_up = scene.makeup
    red = 0.75 * bump(x, 0.4, 0.18) * bump(y, 7.14, 0.17) + 0.6 * bump(x, 0, 0.13) * bump(y, 7.12, 0.11) * (z > 1.3)
    red = (
        red
        + 0.55 * s.ears
        + 0.25 * bump(x, 0, 0.2) * bump(y, 6.55, 0.12)
        + 0.2 * bump(y, 7.34, 0.05) * bump(x, 0.33, 0.15)
    )
    red = red * (z > 0.2) * (1 + 0.35 * blotch) * (who.ruddiness + 0.55 * made_up * ramp(0.2, 0.35, x))
    p.albedo *= 1 + red[:, None] * f32([0.05, -0.17, -0.13]) * np.float32(1 - 0.5 * dark)
    # The thin skin around the eyes is darker, increasingly with age.
    socket = bump(np.sqrt(((x - 0.3) / 0.27) ** 2 + ((y - 7.46) / 0.15) ** 2), 0.45, 0.55) * (z > 0.85)
    p.albedo *= 1 - socket[:, None] * f32([0.10, 0.17, 0.16]) * np.float32(0.7 + 0.5 * who.age)
    crease = _groove(c, [(0.17, 7.53), (0.25, 7.575), (0.34, 7.59), (0.42, 7.565), (0.48, 7.52)], 0.016)
    p.albedo *= 1 - crease[:, None] * f32([0.22, 0.28, 0.28])
    if made_up:
        lid = bump(y, 7.575, 0.045) * bump(x, 0.32, 0.15) * (z > 0.9) * ramp(7.5, 7.53, y)
        p.albedo = mix(p.albedo, scene.shadow_colour, 0.5 * made_up * lid * body)
    if who.freckles:
        spots = np.clip(noise.smooth("freckle", c, 16) - 0.9, 0, 1) * bump(x, 0.25, 0.35) * bump(y, 7.2, 0.25)
        p.albedo *= 1 - (0.4 * who.freckles * spots)[:, None] * f32([0.5, 0.8, 1.0])
    for mx, my in who.moles:
        spot = 0.8 * ramp(0.02, 0.008, np.sqrt((c[:, 0] - mx) ** 2 + (y - my) ** 2)) * (z > 0.8)
        p.albedo *= 1 - 0.6 * spot[:, None]
    if who.male:  # a shaved beard remains slightly visible
        shadow = beard(c, "stubble") * body * (s.lips < 0.3) * (1.0 if scene.beard == "stubble" else 0.3)
        grain = np.clip(0.55 + 0.45 * noise.fine("stubble", c, 110), 0, 1.3)
        p.albedo = mix(p.albedo, np.minimum(f32(who.hair), 0.12), 0.42 * shadow * grain)

    smile = 0.5 * scene.smiling
    fold = _groove(c, [(0.19, 7.16), (0.27, 7.05), (0.335, 6.9), (0.36, 6.8)], 0.022)
    depth = fold * (0.15 + 0.6 * who.age + smile) * 0.014
    bag = _groove(c, [(0.17, 7.39), (0.27, 7.345), (0.38, 7.36), (0.46, 7.41)], 0.02) * (0.1 + 0.6 * who.age) * 0.008
    feet = bump(x, 0.58, 0.06) * bump(y, 7.46, 0.1) * np.cos((y - 7.46) * 95 + (x - 0.5) * 20)
    lines = bump(x, 0, 0.38) * ramp(7.72, 7.8, y) * ramp(8.08, 8.0, y) * np.cos((y + 0.03 * blotch) * 72)
    aged = max(0.0, who.age - 0.25)
    depth = depth + bag + (0.004 * aged + 0.003 * smile * who.age) * feet * (z > 0.7) + 0.005 * aged * lines * (z > 1.0)
    p.albedo *= (1 - 9 * np.clip(depth, 0, 0.03))[:, None]
    # Pores smaller than a sample would only add noise.
    pores = noise.fine("pore", c, 34) * 0.0011 + noise.fine("texture", c, 13) * 0.0016 + blotch * 0.002
    p.relief = np.where(p.skin, pores * (0.7 + 0.7 * who.age) * fineness - depth, 0).astype(np.float32)
    oily = 0.055 + 0.07 * bump(x, 0, 0.2) * (z > 1.1) + 0.03 * bump(x, 0.42, 0.14) * bump(y, 7.25, 0.12)
    p.shine = f32(np.where(p.skin, oily * (1 - 0.35 * made_up) * (1 + 0.25 * mottle), 0))
    p.gloss[:] = 22


def _lips(p: Paint, s: Surface, who: Identity, scene: Scene, noise: Noise) -> None:
    """Set the material of the lips in ``p``: colour with lipstick, fine lines and highlights.

    ``s`` are the surface pixels; ``who`` and ``scene`` are the parameters of the picture.
    """
    edge = ramp(0.25, 0.75, s.lips)
    bare = f32(who.skin) * f32([0.84, 0.50, 0.50]) if who.tone < 5 else f32(who.skin) * f32([0.95, 0.62, 0.62])
    colour = bare * (1 - scene.lipstick) + f32(scene.lip_colour) * scene.lipstick
    lines = noise.fine("lip", s.c * f32([1, 0.12, 0.3]), 26)
    # Darker towards the line between the lips.
    p.albedo = mix(p.albedo, f32(colour), edge * (0.85 + 0.1 * lines))
    p.relief = f32(p.relief * (1 - edge) + edge * lines * 0.0022)
    p.shine = f32(p.shine * (1 - edge) + edge * (0.16 + 0.22 * scene.lipstick))
    p.gloss = f32(p.gloss * (1 - edge) + edge * 45)


def _hair_roots(p: Paint, s: Surface, k: Classes, who: Identity, scene: Scene, noise: Noise) -> None:
    """Darken the skin under brows, beard and hair, so that light skin is not visible between the hairs.

    The material in ``p`` is changed in place; ``s`` and ``k`` are the surface pixels and their classes.
    """
    hair = f32(who.hair) * np.float32(min(1.0, 0.16 / max(float(np.mean(who.hair)), 1e-3)))
    thick = np.clip(k.brow * 1.7 + 0.5, 0, 1)
    streak = np.clip(0.74 + 0.2 * noise.fine("brow", s.c * f32([0.35, 1, 0.35]), 22), 0.15, 0.9)
    p.albedo = mix(p.albedo, f32(hair * 0.75 + 0.06 * f32(who.skin)), thick * streak * (0.95 if who.male else 0.85))
    p.shine = f32(p.shine * (1 - 0.7 * thick))
    if scene.beard in ("full", "goatee", "mustache"):
        cover = beard(s.c, scene.beard) * s.body * (s.lips < 0.3) * ~k.eye
        grain = np.clip(0.62 + 0.25 * noise.fine("beard", s.c, 45), 0, 0.9)
        p.albedo = mix(p.albedo, f32(hair * 0.7), cover * grain)
        p.shine = f32(p.shine * (1 - 0.8 * cover))
    under = 0.75 if scene.style.name in ("buzz", "afro_short") else 0.42
    p.albedo = mix(p.albedo, f32(f32(who.hair) * under), (0.93 if under > 0.5 else 0.985) * k.scalp)
    p.shine = f32(p.shine * (1 - 0.9 * k.scalp))
    p.relief = f32(p.relief + 0.004 * k.scalp * noise.fine("scalp", s.c, 20))


def _mouth(p: Paint, s: Surface, k: Classes, scene: Scene) -> None:
    """Set the material of teeth, tongue and inside of the mouth in ``p``; ``s`` and ``k`` are the surface pixels."""
    inside = s.inside > 0.5
    p.albedo[inside], p.shine[inside] = f32([0.09, 0.02, 0.018]), 0.02
    tongue = s.of("helper-tongue")
    p.albedo[tongue], p.shine[tongue] = f32([0.38, 0.10, 0.09]), 0.15
    t = k.teeth
    if t.any():
        x = np.abs(s.c[t, 0])
        # Widths of incisors, canine and premolars; the gaps between them are thin and dark.
        gap = np.minimum.reduce([np.abs(x - at) for at in (0.0, 0.085, 0.155, 0.225, 0.285)])
        shade = (0.62 + 0.38 * ramp(0.0, 0.011, gap)) * ramp(0.31, 0.1, x)
        white = f32([0.80, 0.74, 0.63]) if scene.mouth_open else f32([0.08, 0.03, 0.03])
        p.albedo[t] = white * shade[:, None]
        p.shine[t], p.gloss[t] = 0.25, 60
    p.skin &= ~((k.label == ID["mouth"]) & s.body)


def _eyes(p: Paint, s: Surface, k: Classes, who: Identity, scene: Scene, posed: Posed, light: F32) -> None:
    """Set the material of the eyes: white, iris, pupil and highlight.

    Args:
        p: material of all surface pixels, changed in place.
        s, k: the surface pixels and their classes.
        who, scene: the parameters of the picture.
        posed: the head.
        light: unit vector (3,) to the key light.
    """
    gaze = rotation(scene.gaze[0], scene.gaze[1], 0)
    # The gaze is closer to the camera than the head direction.
    look = turn(unit(turn(gaze[:, 2] + f32([0, 0, 0]), posed.turn) + f32([0, 0, 0.7])), rotation(0, 0, 0))
    right, up = posed.turn[:, 0], posed.turn[:, 1]
    left = s.c[:, 0] > 0
    for centre, side in zip(posed.eyes, (left, ~left), strict=True):
        m = k.eye & side
        if not m.any():
            continue
        d = unit(s.x[m] - centre)
        away = np.degrees(np.arccos(np.clip(dot(d, look), -1, 1)))
        u, v = dot(d - look, right), dot(d - look, up)
        spoke = np.arctan2(v, u)
        white = np.tile(f32([0.72, 0.67, 0.64]), (len(d), 1)) * (1 - 0.22 * ramp(32, 62, away))[:, None]
        veins = f32([0.02, -0.10, -0.10]) * ramp(35, 65, away)[:, None]
        fibres = 1 + 0.22 * np.sin(spoke * 21 + 3 * np.sin(spoke * 7)) + 0.12 * np.sin(spoke * 47)
        iris = f32(who.iris) * ((0.7 + 0.8 * ramp(9, 20, away)) * fibres)[:, None] * 0.95
        iris = iris * (1 - 0.8 * ramp(20.5, 25.5, away))[:, None]
        colour = f32(white + veins)
        share = ramp(27.0, 24.0, away)
        colour = f32(colour + (iris - colour) * share[:, None])
        colour *= (1 - 0.985 * ramp(11.5, 9.0, away))[:, None]
        height = s.c[m, 1]
        lid = 1 - 0.62 * ramp(7.475, 7.545, height) - 0.15 * ramp(7.45, 7.43, height)
        p.albedo[m] = colour * lid[:, None]
        corner = s.socket[m]
        p.albedo[np.flatnonzero(m)[corner]] = f32(who.skin) * f32([0.8, 0.5, 0.5])
        p.normal[m] = d
        # The cornea is convex: its highlight is near the pupil, towards the light, never low.
        towards_x, towards_y = float(dot(light, right)), max(float(dot(light, up)), 0.25)
        spot = unit(look + right * (0.2 * towards_x) + up * (0.26 * towards_y))
        near = dot(d, spot)
        p.glint[m] = 0.9 * ramp(0.994, 0.997, near) + 0.015 * ramp(0.93, 0.985, dot(d, unit(spot - 0.35 * up)))
        p.shine[m], p.gloss[m] = 0.12, 80
    p.relief[k.eye] = 0
    p.skin &= ~k.eye
