"""Hair as strands: a few hundred guide strands grow over the head, and thousands of strands follow them.

All strands that follow one guide form a lock. Hair grows in the coordinates of the head (``Posed.to_head``), so that a
hairstyle does not depend on the pose, except for the direction of gravity. The *canonical head* is the mean head model;
heights on it are in decimetres.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from maskgan_cli.synth.geometry import F32, I32, Bools, cross, dot, f32, ramp, turn, unit
from maskgan_cli.synth.hairstyles import HairStyle
from maskgan_cli.synth.regions import beard, brow, hairline
from maskgan_cli.synth.shape import PIVOT, Posed, head

GUIDES = 260
STEP = 0.095  # decimetres between the points of a guide strand
TIE = f32([0, 1.35, -0.62])  # position of the hair tie, in head coordinates about the pivot
SKULL = f32([0, 0.95, 0.1])  # centre of the skull, in head coordinates


@dataclass(frozen=True)
class Strands:
    """The hair of a head: S strands, each a line through K points.

    Attributes:
        points: (S, K, 3) from root to tip, in world coordinates.
        tone: brightness of each strand (S,) relative to the hair colour.
        outward: unit vectors (S, K, 3) that point away from the head.
        depth: layer of each strand (S,), from 0 (innermost) to 1 (outermost).
    """

    points: F32
    tone: F32
    outward: F32
    depth: F32


@dataclass(frozen=True)
class _Roots:
    """The roots of N strands: points on the skin."""

    place: F32  # (N, 3) in head coordinates
    normal: F32  # unit normals of the skin (N, 3) in head coordinates
    canonical: F32  # (N, 3) the same points on the canonical head


def _roots(rng: np.random.Generator, posed: Posed, faces: I32, count: int) -> _Roots:
    """Return random roots of hairs, evenly distributed over triangles of the head.

    Args:
        rng: generator of all random choices.
        posed: the head.
        faces: the triangles, as vertex indices (T, 3).
        count: number of roots.
    """
    corners = posed.vertices[faces]
    area = np.sqrt((np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]) ** 2).sum(1))
    edges = np.cumsum(area.astype(np.float64))
    # Stratified sampling, one root per equal part of the area, avoids bald spots.
    at = (np.arange(count) + rng.random(count)) / count * edges[-1]
    face = np.minimum(np.searchsorted(edges, at), len(faces) - 1)
    u, v = np.sqrt(rng.random(count)), rng.random(count)
    weight = f32(np.stack([1 - u, u * (1 - v), u * v], 1))[..., None]
    chosen = faces[face]
    model = head()
    return _Roots(
        posed.to_head(f32((posed.vertices[chosen] * weight).sum(1))),
        turn(unit((posed.normals[chosen] * weight).sum(1)), posed.turn.T),
        f32((model.canonical[chosen] * weight).sum(1)),
    )


def _scalp(recession: float, covered: float | None, sideburn: float) -> I32:
    """Return the triangles (T, 3) of the scalp on which hair grows.

    Args:
        recession: 0..1; larger values raise the hairline at temples and forehead.
        covered: height on the canonical head above which a hat covers the hair, in decimetres; None without a hat.
        sideburn: decimetres by which the hairline in front of the ears is raised.
    """
    body = head().group("body")
    middle = f32(head().canonical[body].mean(1))
    bearing = hairline(middle, recession, sideburn) > -0.01
    if covered is not None:
        bearing &= middle[:, 1] - 0.12 * (middle[:, 2] - 0.4) < covered + 0.06
    return body[bearing]


def _comb(style: HairStyle, roots: _Roots) -> tuple[F32, F32]:
    """Return direction and length of the hair that grows from N roots in a hairstyle.

    Returns:
        direction (N, 3) in which the hair is combed, in head coordinates; and length of the hair (N,) in decimetres.
    """
    x, y, z = (roots.canonical[:, k] for k in range(3))
    top = ramp(7.7, 8.25, y)
    front = ramp(0.85, 1.3, z)
    side = np.where(x > style.part, 1.0, -1.0)
    over = np.where(np.abs(style.part) > 0.1, -np.sign(style.part), side) if style.top < 1 else side
    zero = np.zeros_like(x)
    if style.comb == "out":
        comb = np.stack([zero, zero + 0.1, zero], 1)
    elif style.comb == "forward":
        comb = np.stack([0.5 * style.sweep * top, -0.8 * (1 - top) - 0.1, 0.8 * top - 0.3 * (1 - top)], 1)
    elif style.comb == "back":
        comb = np.stack([-0.1 * x, 0.25 * front - 0.6 * (1 - top), zero - 1.0], 1)
    elif style.top < 1:
        comb = np.stack([1.0 * over * top, -0.7 * (1 - top) - 0.05, 0.35 * front * top - 0.35 * (1 - top)], 1)
    else:
        comb = np.stack([side, -0.3 + zero, -0.12 - 0.08 * front], 1)
    length = style.side + (style.top - style.side) * top
    if style.top < 1:  # short hair gets shorter towards its edge; otherwise it would leave dots on the cheek
        length = length * np.clip(0.3 + hairline(roots.canonical) / 0.25, 0.3, 1)
    if style.fringe:
        over_face = (front > 0.35) & (np.abs(x) < 0.58)
        comb[over_face] = np.stack([0.35 * x + 0.3 * style.sweep * (style.top < 1), zero - 0.4, zero + 1.3], 1)[
            over_face
        ]
        length = np.where(over_face, style.fringe * (0.75 + 0.55 * (y - 8.0)), length)
    return f32(comb), f32(length)


def _grow(rng: np.random.Generator, style: HairStyle, posed: Posed, roots: _Roots, steps: int) -> tuple[F32, F32]:
    """Grow the guides of hair that is not tied. Guides are a few strands, which all other strands follow.

    The guides grow in small steps that slide over the skin.

    Args:
        rng: generator of all random choices.
        style: the hairstyle.
        posed: the head.
        roots: the G points from which guides grow.
        steps: number of steps of each guide.

    Returns:
        points of the guides (G, steps + 1, 3) in head coordinates, and the layer of each guide (G,), from 0 (innermost)
        to 1 (outermost).
    """
    model = head()
    body = np.flatnonzero(model.on_body & (model.canonical[:, 1] > 5.0))
    skin, out = posed.to_head(posed.vertices[body]), turn(posed.normals[body], posed.turn.T)
    tree = cKDTree(skin)
    comb, length = _comb(style, roots)
    layer = f32(rng.random(len(length)))
    keep_off = style.volume * (0.25 + 0.95 * layer) * (0.5 + ramp(0, 0.3, hairline(roots.canonical)))
    down = turn(f32([[0, -1, 0]]), posed.turn.T)[0]
    over_face = style.fringe * ramp(0.85, 1.3, roots.canonical[:, 2]) * (np.abs(roots.canonical[:, 0]) < 0.58)
    side = np.where(roots.canonical[:, 0] > style.part, 1.0, -1.0)
    curtain = style.curtain + 0.06 * layer
    # Hair stands up on the crown and lies flat at the temples.
    lift = f32(style.lift * (0.3 + 0.7 * ramp(7.75, 8.2, roots.canonical[:, 1])))[:, None]
    lift = np.float32(style.lift) + 0 * lift if style.comb == "out" else lift
    along = unit(roots.normal * lift + comb * (1 - 0.4 * lift) + rng.normal(0, 0.05, comb.shape))
    place, path = roots.place, [roots.place]
    stiff = 0.9 if style.top < 1 else 0.5
    for step in range(steps):
        share = (step + 1) / steps
        pull = style.gravity * min(1.0, 0.15 + 1.6 * share) if style.top > 1 else style.gravity
        along = unit(
            along * stiff + down * pull + comb * (0.34 * max(0.0, 1 - (1.7 if style.top < 1 else 3.2) * share))
        )
        place = f32(place + along * (length / steps)[:, None])
        if style.top > 0.7:  # long hair is kept out of the face
            before = ramp(0.35, 0.65, place[:, 2]) * ramp(1.6, 1.35, place[:, 1]) * (over_face == 0)
            lack = np.maximum(curtain - side * place[:, 0], 0) * before
            place = place + np.stack([side * lack * 0.5, 0 * lack, -0.2 * lack], 1)
        gap, nearest = tree.query(place)
        height = dot(place - skin[nearest], out[nearest])
        lack = np.maximum(keep_off * min(1.0, 3.5 * share) - height, 0) * (gap < 0.6)
        place = f32(place + out[nearest] * lack[:, None])
        if style.comb != "out":
            along = unit(place - path[-1])
        path.append(place)
    return f32(np.stack(path, 1)), layer


def _tied(rng: np.random.Generator, style: HairStyle, posed: Posed, roots: _Roots, steps: int) -> tuple[F32, F32]:
    """Grow the guides of hair that is pulled tightly over the skull to a hair tie.

    Guides are a few strands, which all other strands follow.

    Args:
        rng: generator of all random choices.
        style: the hairstyle.
        posed: the head.
        roots: the G points from which guides grow.
        steps: number of segments of each guide.

    Returns:
        points of the guides (G, steps + 1, 3) in head coordinates, and the layer of each guide (G,), from 0 (innermost)
        to 1 (outermost).
    """
    layer = f32(rng.random(len(roots.place)))
    ray, goal = unit(roots.place - SKULL), unit(TIE - SKULL)
    far = np.sqrt(((roots.place - SKULL) ** 2).sum(1))
    skull = head().on_body & (head().canonical[:, 1] > 6.9)
    points = posed.to_head(posed.vertices[skull]) - SKULL
    radius = np.sqrt((points**2).sum(1))
    tree = cKDTree(points / radius[:, None])
    share = np.linspace(0, 1, steps + 1, dtype=np.float32)
    way = unit(ray[:, None] * (1 - share)[:, None] + goal * share[:, None] + f32([0, 0, 1e-3]))
    _, near = tree.query(way, k=3)
    surface = radius[near].mean(-1)
    surface[:, 0] = far
    lift = style.volume * (0.4 + layer)[:, None] * np.minimum(1, 4 * share) + 0.012
    return f32(SKULL + way * (surface + lift)[..., None]), layer


def _tail(rng: np.random.Generator, style: HairStyle, posed: Posed, count: int, steps: int) -> F32:
    """Grow the strands of a bun (style ``updo``) or a ponytail behind the hair tie.

    Args:
        rng: generator of all random choices.
        style: the hairstyle.
        posed: the head, which determines the direction of gravity.
        count: number of strands.
        steps: number of segments of each strand.

    Returns:
        points of the strands (count, steps + 1, 3) in head coordinates.
    """
    share = np.linspace(0, 1, steps + 1, dtype=np.float32)[None]
    spin = f32(rng.uniform(0, 2 * np.pi, (count, 1)))
    if style.name == "updo":
        size, tilt = rng.uniform(0.24, 0.36), f32(rng.uniform(-1.2, 1.2, (count, 1)))
        angle = spin + share * 3.2
        ring = np.stack([np.cos(angle) * np.cos(tilt), np.sin(angle) * np.cos(tilt), np.sin(tilt) + 0 * angle], -1)
        return f32(TIE + f32([0, 0.1 + rng.uniform(0, 0.35), -0.1]) + size * ring)
    down = turn(f32([[0, -1, 0]]), posed.turn.T)[0]
    away = f32(rng.normal(0, 0.055, (count, 1, 3))) * (0.4 + 2.5 * share[..., None] * (1.2 - share[..., None]))
    arc = f32([0, 0.25, -0.45]) * np.sin(np.minimum(share * 2.5, np.pi / 2))[..., None]
    side = f32([float(rng.choice([-1, 1])) * 0.55, 0, 0.15]) * share[..., None] ** 0.7
    return f32(TIE + arc + side + away + down * (1.9 * np.maximum(share - 0.12, 0)[..., None]))


def grow_hair(
    rng: np.random.Generator,
    style: HairStyle,
    posed: Posed,
    recession: float,
    *,
    strands: int,
    covered: float | None = None,
    sideburn: float = 0.0,
) -> Strands | None:
    """Grow the hair of the head, and return the strands; return None if the style is ``bald``.

    Args:
        rng: generator of all random choices.
        style: the hairstyle.
        posed: the head, with a neutral face.
        recession: 0..1; larger values raise the hairline at temples and forehead.
        strands: number of strands; larger pictures need more.
        covered: height on the canonical (mean) head above which a hat covers the hair, in decimetres; None without a
            hat.
        sideburn: decimetres by which the hairline in front of the ears is raised.
    """
    if style.name == "bald":
        return None
    faces = _scalp(recession, covered, sideburn)
    guides = _roots(rng, posed, faces, GUIDES)
    steps = int(np.clip(style.top / STEP, 5, 24))
    if style.comb == "tied":
        path, layer = _tied(rng, style, posed, guides, 12)
    else:
        path, layer = _grow(rng, style, posed, guides, steps)
    roots = _roots(rng, posed, faces, strands)
    if style.comb == "side":  # more roots near the parting, where the hair would leave the scalp bare
        middle = head().canonical[faces].mean(1)
        close = faces[(np.abs(middle[:, 0] - style.part) < 0.16) & (middle[:, 1] > 7.9) & (middle[:, 2] > 0)]
        if len(close):
            extra = _roots(rng, posed, close, strands // 4)
            pairs = zip(vars(roots).values(), vars(extra).values(), strict=True)
            roots = _Roots(*(np.concatenate(pair)[len(extra.place) :] for pair in pairs))
    gap, near = cKDTree(guides.canonical).query(roots.canonical, k=3)
    same = (guides.canonical[near][..., 0] > style.part) == (roots.canonical[:, :1] > style.part)
    weight = (same + 1e-3) / (gap + 0.02) ** 2
    own = near[np.arange(len(near)), weight.argmax(1)]  # for each strand, the guide that it follows to the tip
    weight = f32(weight / weight.sum(1, keepdims=True))[..., None, None]
    share = np.linspace(0, 1, path.shape[1], dtype=np.float32)[None, :, None]
    local = f32((path[near] * weight).sum(1) - (path[near][:, :, :1] * weight).sum(1))
    # Strands of a lock converge towards their tips; each lock follows one guide.
    lock = path[own] - roots.place[:, None]
    pull = f32(0.55 if style.straight else 0.75) * share**1.3
    offset = local * (1 - pull) + lock * pull if style.comb != "tied" else lock * share + local * (1 - share)
    stray = f32(rng.normal(0, 1, (strands, 1, 3))) * style.frizz * (0.25 + 1.2 * share)
    trim = 1 + f32(rng.normal(0, 0.06, (strands, 1, 1)))
    points = roots.place[:, None] + offset * trim + stray * np.minimum(share * 4, 1)
    if style.wave:
        points = points + _waves(rng, style, points, own)
    if covered is not None:  # hair under a hat is pressed to the head
        over = points[..., 1] + PIVOT[1] - 0.12 * (points[..., 2] - 0.05)
        press = 1 - 0.3 * ramp(covered - 0.06, covered + 0.05, over)
        points[..., 0] *= press
        points[..., 2] = 0.1 + (points[..., 2] - 0.1) * press
    if style.comb == "tied":
        tail = _tail(rng, style, posed, strands // 4, 12)
        points = np.concatenate([points, tail])
        own = np.concatenate([own, rng.integers(0, GUIDES, len(tail))])
    core = np.zeros_like(points)
    core[..., 1], core[..., 2] = np.minimum(points[..., 1], 0.95), 0.1
    outward = points - core
    per_lock = rng.normal(0, 1, GUIDES)
    tone = 1 + 0.17 * rng.normal(0, 1, len(points)) + 0.15 * per_lock[own]
    world = posed.from_head(f32(points))
    return Strands(world, f32(np.clip(tone, 0.5, 1.7)), turn(unit(outward), posed.turn), layer[own])


def _waves(rng: np.random.Generator, style: HairStyle, points: F32, guide: np.ndarray) -> F32:
    """Return displacements (S, K, 3) of the points of strands that turn each strand into a helix (a curl).

    All strands that follow one guide form a lock; their helices have similar phases.

    Args:
        rng: generator of all random choices.
        style: the hairstyle, with the size and frequency of its waves.
        points: points of the strands (S, K, 3).
        guide: index of the guide that each strand follows (S,).
    """
    tangent = unit(np.gradient(points, axis=1))
    across = unit(cross(tangent, f32([0.1, 0.2, 1])))
    other = cross(tangent, across)
    length = np.cumsum(np.sqrt((np.diff(points, axis=1, prepend=points[:, :1]) ** 2).sum(-1)), 1)
    phase = f32(rng.uniform(0, 2 * np.pi, GUIDES))[guide] + f32(rng.normal(0, 0.45, len(points)))
    angle = length * style.turns + phase[:, None]
    size = style.wave * np.clip(length / 0.35, 0, 1)
    return f32((np.cos(angle) * size)[..., None] * across + (0.8 * np.sin(angle) * size)[..., None] * other)


def _patch(rng: np.random.Generator, posed: Posed, faces: I32, density: Bools | F32, count: int) -> _Roots:
    """Return random roots of hairs on some triangles of the head.

    Args:
        rng: generator of all random choices.
        posed: the head.
        faces: triangles (T, 3), as vertex indices.
        density: boolean mask (T,): True for triangles on which hair grows.
        count: number of roots.
    """
    chosen: I32 = faces[density]
    return _roots(rng, posed, chosen, count)


def grow_brows(rng: np.random.Generator, posed: Posed, thickness: float, height: float, arch: float, count: int) -> F32:
    """Grow the hairs of both brows.

    Args:
        rng: generator of all random choices.
        posed: the head.
        thickness: thickness of the brows; 1 is average.
        height: height of the brows in decimetres above average.
        arch: 0 for straight brows, about 1 for strongly arched ones.
        count: approximate number of hairs. Twice as many roots are sampled, and those outside the brows are dropped.

    Returns:
        hairs (N, 4, 3) of four points each, in world coordinates.
    """
    body = head().group("body")
    near = brow(f32(head().canonical[body].mean(1)), thickness * 1.6, height, arch) > -0.6
    roots = _patch(rng, posed, body, near, count * 2)
    kept = rng.random(count * 2) < np.clip(brow(roots.canonical, thickness, height, arch) * 1.6 + 0.35, 0, 1)
    c = roots.canonical[kept]
    outward = np.sign(c[:, :1])
    rise = ramp(0.45, 0.12, np.abs(c[:, 0]))[:, None]
    way = outward * f32([0.9, 0, -0.25]) + rise * f32([0, 0.75, 0]) - (1 - rise) * f32([0, 0.15, 0])
    way = unit(way + 0.2 * roots.normal[kept] + rng.normal(0, 0.12, c.shape))
    return _hairs(rng, posed, roots.place[kept], roots.normal[kept], way, 0.075)


def grow_beard(rng: np.random.Generator, posed: Posed, kind: str, length: float, count: int) -> F32:
    """Grow the hairs of a beard.

    Args:
        rng: generator of all random choices.
        posed: the head.
        kind: full, goatee or mustache.
        length: approximate length of the hairs in decimetres.
        count: number of sampled roots; those outside the beard are dropped.

    Returns:
        hairs (N, 4, 3) of four points each, in world coordinates; N is at most ``count``.
    """
    body = head().group("body")
    near = beard(f32(head().canonical[body].mean(1)), kind) > 0.03
    roots = _patch(rng, posed, body, near, count)
    kept = rng.random(count) < beard(roots.canonical, kind)
    c = roots.canonical[kept]
    way = np.stack([0.5 * c[:, 0], -1 + 0 * c[:, 1], 0.1 + 0 * c[:, 2]], 1)
    way = unit(unit(way) + 0.3 * roots.normal[kept] + rng.normal(0, 0.22, c.shape))
    return _hairs(rng, posed, roots.place[kept], roots.normal[kept], way, length)


def _hairs(rng: np.random.Generator, posed: Posed, place: F32, normal: F32, way: F32, length: float) -> F32:
    """Build short straight hairs from their roots.

    Args:
        rng: generator of the lengths.
        posed: the head.
        place: roots (N, 3) in head coordinates.
        normal: unit normals of the skin at the roots (N, 3).
        way: directions of the hairs (N, 3), unit vectors.
        length: approximate length in decimetres.

    Returns:
        hairs (N, 4, 3) of four points each, in world coordinates.
    """
    share = np.linspace(0, 1, 4, dtype=np.float32)[None, :, None]
    size = f32(length * rng.uniform(0.5, 1.15, (len(place), 1, 1)))
    return posed.from_head(f32(place[:, None] + normal[:, None] * 0.004 + way[:, None] * share * size))


__all__ = ["PIVOT", "Strands", "grow_beard", "grow_brows", "grow_hair"]
