"""Builds meshes of glasses, earrings, collars and scarves; hats are in hats.py."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskgan_cli.labels import ID
from maskgan_cli.synth.geometry import F32, I32, bump, f32, ramp, unit
from maskgan_cli.synth.parameters import Clothes, Colour, Earring, Glasses
from maskgan_cli.synth.shape import PIVOT, Posed, head

AROUND = 48  # directions around head and neck in which hats and collars have vertices


@dataclass(frozen=True)
class Piece:
    """The mesh of a piece of clothing or jewellery, with its class and material.

    Attributes:
        vertices: (V, 3) in world coordinates.
        triangles: vertex indices (T, 3).
        label: class id.
        colour: main colour.
        finish: material: cloth, metal or plastic.
        texture: positions of the vertices on the cloth (V, 2) in decimetres.
        pattern: stripe, check, dots, knit, rib or plain.
        second: second colour of the pattern.
        pitch: pattern repeats per decimetre.
    """

    vertices: F32
    triangles: I32
    label: int
    colour: Colour
    finish: str
    texture: F32
    pattern: str = "plain"
    second: Colour = (0.0, 0.0, 0.0)
    pitch: float = 5.0


def grid_triangles(rows: int, columns: int, *, closed: bool) -> I32:
    """Return the triangles (T, 3) of a grid of vertices, as vertex indices; the vertices are numbered row by row.

    If ``closed`` is true, the last column is joined to the first column.
    """
    r, c = np.mgrid[0 : rows - 1, 0 : columns if closed else columns - 1]
    n = (c + 1) % columns
    a, b, d, e = r * columns + c, r * columns + n, (r + 1) * columns + c, (r + 1) * columns + n
    return np.stack([np.stack([a, d, b], -1), np.stack([b, d, e], -1)], -2).reshape(-1, 3).astype(np.int32)


def tube(path: F32, radius: F32 | float, *, closed: bool, sides: int = 8) -> tuple[F32, I32]:
    """Build the mesh of a round tube along a path.

    Args:
        path: points of the centre line (N, 3).
        radius: one radius, or one for each point (N,).
        closed: join the last point to the first point.
        sides: number of vertices around the tube.

    Returns:
        vertices (N * sides, 3) and triangles (T, 3).
    """
    back, on = (np.roll(path, 1, 0), np.roll(path, -1, 0)) if closed else (path, path)
    tangent = unit(on - back) if closed else unit(np.gradient(path, axis=0))
    u = unit(np.cross(tangent, f32([0.13, 0.97, 0.2])))
    v = np.cross(tangent, u)
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False, dtype=np.float32)
    thick = f32(np.broadcast_to(radius, (len(path),)))[:, None, None]
    ring = np.cos(angle)[:, None] * u[:, None] + np.sin(angle)[:, None] * v[:, None]
    vertices = (path[:, None] + thick * ring).reshape(-1, 3)
    rows = np.concatenate([grid_triangles(len(path), sides, closed=True)])
    if closed:
        last, k = (len(path) - 1) * sides, np.arange(sides)
        n = (k + 1) % sides
        rows = np.concatenate([rows, np.stack([last + k, k, last + n], 1), np.stack([last + n, k, n], 1)])
    return f32(vertices), rows.astype(np.int32)


def _piece(mesh: tuple[F32, I32], label: str, colour: Colour, finish: str, **look: object) -> Piece:
    """Build a `Piece` of clothing or jewellery from a mesh (vertices, triangles).

    The world x and y of a vertex become its position on the cloth. ``label`` is the name of a class; ``look`` are
    further attributes of the piece, e.g. ``pattern``.
    """
    vertices, triangles = mesh
    return Piece(vertices, triangles, ID[label], colour, finish, f32(vertices[:, :2]), **look)  # type: ignore[arg-type]


def glasses(spec: Glasses, posed: Posed) -> tuple[list[Piece], list[tuple[F32, I32]]]:
    """Build the meshes of glasses on a head.

    Args:
        spec: shape and colours of the glasses.
        posed: the head.

    Returns:
        the parts of the frame, and the two lenses as (vertices, triangles).
    """
    x, y, z = (posed.turn[:, k] for k in range(3))
    pieces: list[Piece] = []
    lenses = []
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False, dtype=np.float32)
    cos, sin = np.cos(angle), np.sin(angle)

    def bent(value: F32) -> F32:
        return f32(np.sign(value) * np.abs(value) ** np.float32(2 / spec.exponent))

    middle = posed.eyes.mean(0)
    half = float(np.sqrt(((posed.eyes[0] - posed.eyes[1]) ** 2).sum())) / 2
    ahead = 0.33
    fan = np.stack([np.arange(40), (np.arange(40) + 1) % 40, np.full(40, 40)], 1).astype(np.int32)
    for eye, side in zip(posed.eyes, (1.0, -1.0), strict=True):
        across, up = bent(cos) * spec.width, bent(sin) * spec.height
        up = up - spec.droop * np.clip(side * cos, -1, 1) * (sin < 0.4)
        wrap = -0.09 * np.clip(side * cos, 0, 1) ** 2
        centre = eye + x * (side * 0.015) + z * ahead - y * 0.035
        ring = f32(centre + across[:, None] * x + up[:, None] * y + wrap[:, None] * z)
        pieces.append(_piece(tube(ring, spec.thickness, closed=True), "eye_g", spec.frame, "plastic"))
        lenses.append((f32(np.concatenate([ring, ring.mean(0, keepdims=True)])), fan))
        hinge = eye + x * (side * (spec.width + 0.025)) + z * (ahead - 0.1) + y * 0.03
        ear = posed.from_head(f32([side * 0.78, 7.52 - PIVOT[1], 0.5 - PIVOT[2]]))
        share = np.linspace(0, 1, 8, dtype=np.float32)[:, None]
        pieces.append(
            _piece(
                tube(f32(hinge * (1 - share) + ear * share), spec.thickness, closed=False, sides=6),
                "eye_g",
                spec.frame,
                "plastic",
            )
        )
    share = np.linspace(-1, 1, 9, dtype=np.float32)[:, None]
    reach = max(half - spec.width + 0.02, 0.03)
    bridge = middle + x * share * reach + z * (ahead + 0.05 * (1 - share**2)) + y * (0.04 + 0.02 * (1 - share**2))
    pieces.append(_piece(tube(f32(bridge), spec.thickness, closed=False, sides=6), "eye_g", spec.frame, "plastic"))
    return pieces, lenses


def ball(centre: F32, radius: float, rows: int = 7, columns: int = 14) -> tuple[F32, I32]:
    """Build the mesh of a sphere from ``rows`` rings of ``columns`` vertices.

    ``centre`` (3,) and ``radius`` are in world coordinates. Return vertices (rows * columns, 3) and triangles (T, 3).
    """
    polar = np.linspace(0.02, np.pi - 0.02, rows, dtype=np.float32)[:, None]
    angle = np.linspace(0, 2 * np.pi, columns, endpoint=False, dtype=np.float32)[None]
    sphere = np.stack([np.sin(polar) * np.sin(angle), np.cos(polar) + 0 * angle, np.sin(polar) * np.cos(angle)], -1)
    return f32(centre + radius * sphere.reshape(-1, 3)), grid_triangles(rows, columns, closed=True)


def earrings(spec: Earring, posed: Posed) -> list[Piece]:
    """Build the meshes of two earrings, one at each ear lobe; each drop earring consists of three meshes."""
    model = head()
    pieces = []
    for side in (1.0, -1.0):
        x, y = model.canonical[:, 0] * side, model.canonical[:, 1]
        lobe = np.flatnonzero(model.on_body & (x > 0.66) & (y > 7.0) & (y < 7.15))
        lobe = lobe[np.argsort(y[lobe], kind="stable")[:4]]
        hole = posed.vertices[lobe].mean(0) + posed.turn[:, 0] * side * 0.03 + posed.turn[:, 2] * 0.03
        down = f32([0, -1, 0])
        angle = np.linspace(0, 2 * np.pi, 28, endpoint=False, dtype=np.float32)
        if spec.kind == "stud":
            pieces.append(_piece(ball(hole, 0.05 * spec.size), "ear_r", spec.colour, "metal"))
        elif spec.kind == "hoop":
            r = 0.2 * spec.size
            ring = np.stack([np.sin(angle) * 0.35, np.cos(angle), np.sin(angle) * 0.93], 1) * r
            ring = ring * f32([side, 1, 1]) + down * r
            pieces.append(_piece(tube(f32(hole + ring), 0.02, closed=True), "ear_r", spec.colour, "metal"))
        else:
            at = hole
            for radius in (0.03, 0.045 * spec.size, 0.065 * spec.size):
                pieces.append(_piece(ball(at, radius), "ear_r", spec.colour, "metal"))
                at = at + down * (radius + 0.085 * spec.size)
    return pieces


def neckwear(spec: Clothes, posed: Posed, rng: np.random.Generator) -> list[Piece]:
    """Build the meshes of a collar (of a shirt or jacket), a hood (of a hoodie) or a scarf around the neck.

    Other clothes give an empty list. ``spec`` are the clothes, ``posed`` is the person, and ``rng`` varies the details.
    """
    if spec.kind not in ("shirt", "jacket", "hoodie", "scarf"):
        return []
    angle = np.linspace(-np.pi, np.pi, AROUND, endpoint=False, dtype=np.float32)
    base, out = _neckline(spec, posed, angle)
    fabric = {"pattern": spec.pattern, "second": spec.second, "pitch": spec.pitch}
    if spec.kind == "scarf":
        return _scarf(spec, angle, base, out, fabric, rng)
    if spec.kind == "hoodie":
        return [_hood(spec, angle, base, out, fabric)]
    return [_collar(spec, angle, base, out, fabric, rng)]


def _neckline(spec: Clothes, posed: Posed, angle: F32) -> tuple[F32, F32]:
    """Return a closed line on the skin around the neck, on which a collar is built.

    Args:
        spec: the clothes; ``spec.raised`` raises the line.
        posed: the person.
        angle: directions around the neck (AROUND,) in radians; 0 is ahead.

    Returns:
        points of the line (AROUND, 3), and at each point a horizontal unit vector that points away from the neck.
    """
    ahead = np.cos(angle)
    low = 6.16 + spec.raised - 0.16 * ahead
    axis_z = 0.24 + 0.14 * (6.5 - low)
    model = head()
    ring = np.flatnonzero(model.on_body & (model.canonical[:, 1] > 5.75) & (model.canonical[:, 1] < 6.6))
    points, shape = model.canonical[ring], posed.vertices[ring]
    nearest = []
    for a, y, z in zip(angle, low, axis_z, strict=True):
        # The outermost skin at this height and direction, from the canonical body.
        gap = ((np.arctan2(points[:, 0], points[:, 2] - z) - a + np.pi) % (2 * np.pi) - np.pi) ** 2
        near = np.argsort(gap * 2 + (points[:, 1] - y) ** 2, kind="stable")[:4]
        nearest.append(shape[near].mean(0))
    base: F32 = f32(nearest)
    kernel = [0.25, 0.5, 0.25]
    for _ in range(3):  # smooth the outline of the collar
        base = f32(np.sum([w * np.roll(base, k - 1, 0) for k, w in enumerate(kernel)], 0))
    return base, unit((base - base.mean(0)) * f32([1, 0, 1]))


def _scarf(
    spec: Clothes, angle: F32, base: F32, out: F32, fabric: dict[str, object], rng: np.random.Generator
) -> list[Piece]:
    pieces = []
    for turn_number in range(2):
        wobble = 0.03 * np.sin(angle * 3 + rng.uniform(0, 6)) + 0.02 * np.sin(angle * 7 + rng.uniform(0, 6))
        height = 0.07 + 0.15 * turn_number + wobble
        path = base + out * (0.07 - 0.03 * turn_number) + height[:, None] * f32([0, 1, 0])
        radius = 0.115 + 0.02 * np.sin(angle * 5 + rng.uniform(0, 6))
        pieces.append(
            _piece(tube(f32(path), f32(radius), closed=True, sides=10), "cloth", spec.colour, "cloth", **fabric)
        )
    return pieces


def _hood(spec: Clothes, angle: F32, base: F32, out: F32, fabric: dict[str, object]) -> Piece:
    behind = ramp(0.75, -0.2, np.cos(angle))
    path = base + out * (0.05 + 0.14 * behind)[:, None] + (0.02 + 0.14 * behind)[:, None] * f32([0, 1, 0])
    mesh = tube(f32(path), f32(0.05 + 0.11 * behind), closed=True, sides=10)
    return _piece(mesh, "cloth", spec.colour, "cloth", **fabric)


def _collar(
    spec: Clothes, angle: F32, base: F32, out: F32, fabric: dict[str, object], rng: np.random.Generator
) -> Piece:
    """Build the mesh of a turned-down collar, which goes up the neck, over the fold and down to the tips.

    Args:
        spec: the clothes.
        angle: directions around the neck (AROUND,) in radians; 0 is ahead.
        base, out: points on the skin around the neck and vectors outwards, from `_neckline`.
        fabric: pattern of the cloth: attributes of `Piece` by name.
        rng: generator of the width of the opening.
    """
    white = spec.kind == "jacket"
    colour = spec.second if white else spec.colour
    opening = 0.16 if rng.random() < 0.7 else 0.34
    span = np.flatnonzero(np.abs(angle) > opening)
    order = span[np.argsort(angle[span] % (2 * np.pi), kind="stable")]
    b, o, front = base[order], out[order], np.cos(angle)[order]
    point = bump(np.abs(angle[order]) - opening, 0.05, 0.25)
    up = f32([0, 1, 0])
    rise, fall = (0.13 - 0.02 * front)[:, None], (0.03 + 0.13 * point)[:, None]
    rows = [
        f32(b + o * 0.02 - up * 0.06),
        f32(b + o * 0.025 + up * rise),
        f32(b + o * 0.045 + up * (rise + 0.02)),
        f32(b + o * (0.10 + 0.03 * point)[:, None] - up * fall),
    ]
    mesh = f32(np.stack(rows)).reshape(-1, 3), grid_triangles(4, len(order), closed=False)
    return _piece(mesh, "cloth", colour, "cloth", **(fabric if not white else {}))
