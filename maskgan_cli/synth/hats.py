"""Hats as profiles swept around the head."""

from __future__ import annotations

import numpy as np

from maskgan_cli.labels import ID
from maskgan_cli.synth.geometry import F32, f32
from maskgan_cli.synth.parameters import Colour, Hat
from maskgan_cli.synth.shape import PIVOT, Posed, head
from maskgan_cli.synth.wardrobe import AROUND, Piece, grid_triangles


def _skull_radius(posed: Posed, angle: F32, low: float, high: float, centre: F32) -> F32:
    """Radius of the head around an axis per direction, in head coordinates."""
    model = head()
    ring = model.on_body & (model.canonical[:, 1] > low) & (model.canonical[:, 1] < high)
    points = posed.to_head(posed.vertices[ring]) - centre
    turned = np.arctan2(points[:, 0], points[:, 2])
    reach = np.sqrt(points[:, 0] ** 2 + points[:, 2] ** 2)
    order = np.argsort(turned, kind="stable")
    at, far = turned[order], reach[order]
    around = np.concatenate([at - 2 * np.pi, at, at + 2 * np.pi])
    widest = np.concatenate([far, far, far])
    return f32([widest[np.abs(around - a) < 0.22].max(initial=0.5) for a in angle])


def hat(spec: Hat, posed: Posed, hair_volume: float, rng: np.random.Generator) -> tuple[list[Piece], float]:
    """The meshes of a hat and the canonical height of its band, above which hair is covered."""
    band = 7.86 + spec.low
    tilt = rng.normal(0, 0.04)
    centre = f32([0, band - PIVOT[1], 0.1])
    angle = np.linspace(-np.pi, np.pi, AROUND, endpoint=False, dtype=np.float32)
    margin = 0.035 + min(hair_volume, 0.09)
    around = _skull_radius(posed, angle, band - 0.12, band + 0.25, centre) + margin
    crown = float(posed.to_head(posed.vertices[head().on_body])[:, 1].max()) - centre[1] + margin
    back = 0.12 * np.cos(angle) + tilt * np.sin(angle)  # a hat sits lower behind than in front

    def surface(profile: list[tuple[float, float, float]]) -> F32:
        """Rows of (height, share of the band's radius, extra radius)."""
        rows = []
        for height, share, extra in profile:
            radius = around * share + extra
            rise = height + back * max(0.0, 1 - height / crown)
            rows.append(np.stack([np.sin(angle) * radius, rise, np.cos(angle) * radius], 1))
        points = f32(np.stack(rows))
        return posed.from_head((points + centre).reshape(-1, 3))

    def dome(top: float, power: float = 2.0, start: float = 0.0) -> list[tuple[float, float, float]]:
        t = np.linspace(0, 1, 10)
        return [
            (start + (top - start) * float(np.sin(a * np.pi / 2)), float(max(1 - a**power, 0.02)) ** 0.5, 0.0)
            for a in t
        ]

    def build(profile: list[tuple[float, float, float]], colour: Colour, pattern: str, pitch: float) -> Piece:
        vertices = surface(profile)
        u = np.tile(angle * 0.75, len(profile))
        v = np.repeat([p[0] for p in profile], AROUND)
        return Piece(
            vertices,
            grid_triangles(len(profile), AROUND, closed=True),
            ID["hat"],
            colour,
            "cloth",
            f32(np.stack([u, v], 1)),
            pattern,
            spec.trim,
            pitch,
        )

    pieces: list[Piece] = []
    if spec.kind == "beanie":
        pieces.append(build(dome(crown + rng.uniform(0.05, 0.3), 2.2), spec.colour, "rib", 16))
        pieces.append(
            build([(-0.06, 1, 0.03), (-0.03, 1, 0.05), (0.18, 1, 0.05), (0.22, 1, 0.02)], spec.colour, "rib", 16)
        )
    elif spec.kind in ("cap", "bucket", "fedora", "sunhat"):
        flat = {"cap": 2.4, "bucket": 5.0, "fedora": 4.5, "sunhat": 3.0}[spec.kind]
        tall = crown + {"cap": 0.04, "bucket": 0.06, "fedora": 0.3, "sunhat": 0.1}[spec.kind]
        weave = "knit" if spec.kind == "sunhat" else "plain"
        pieces.append(build(dome(tall, flat), spec.colour, weave, 12))
        if spec.kind in ("fedora", "sunhat"):
            pieces.append(build([(0.0, 1, 0.012), (0.16, 0.995, 0.012)], spec.trim, "plain", 5))
        if spec.kind == "cap":
            pieces.append(_visor(posed, centre, around, angle, spec, f32(back)))
        else:
            droop = {"bucket": 0.28, "fedora": 0.02, "sunhat": 0.12}[spec.kind]
            wide = spec.wide * {"bucket": 0.24, "fedora": 0.38, "sunhat": 0.62}[spec.kind]
            wave = rng.uniform(-0.03, 0.06)
            pieces.append(
                build(
                    [(0.0, 1, 0.0), (-droop * 0.4 + wave, 1, wide * 0.5), (-droop, 1, wide)],
                    spec.colour,
                    weave,
                    12,
                )
            )
    elif spec.kind == "headband":
        pieces.append(
            build(
                [(-0.02, 1, -0.03), (0.0, 1, 0.015), (0.2, 0.985, 0.02), (0.24, 0.96, -0.03)],
                spec.colour,
                "knit",
                8,
            )
        )
        return pieces, 99.0
    else:  # a scarf tied over the hair
        pieces.append(
            build(dome(crown + 0.05, 2.3, -0.05), spec.colour, str(rng.choice(["dots", "plain", "stripe"])), 5)
        )
    return pieces, band + 0.05


def _visor(posed: Posed, centre: F32, around: F32, angle: F32, spec: Hat, back: F32) -> Piece:
    """The visor of a cap."""
    ahead = np.linspace(-1.15, 1.15, 21, dtype=np.float32)
    base = np.interp(ahead, angle, around)
    height = np.interp(ahead, angle, back)
    rows = []
    for share in (0.0, 0.35, 0.7, 1.0):
        reach = share * 0.62 * spec.wide * np.cos(ahead / 1.15 * np.pi / 2).clip(0) ** 0.6
        drop = -0.16 * share * spec.wide - 0.10 * np.sin(ahead) ** 2 * share
        rows.append(
            np.stack(
                [
                    np.sin(ahead) * base * (1 - 0.02 * share),
                    height + drop + 0.01,
                    np.cos(ahead) * base + reach,
                ],
                1,
            )
        )
    vertices = posed.from_head(f32(np.stack(rows) + centre).reshape(-1, 3))
    texture = f32(np.stack([np.tile(ahead, 4), np.repeat([0, 0.2, 0.4, 0.6], 21)], 1))
    return Piece(
        vertices,
        grid_triangles(4, 21, closed=False),
        ID["hat"],
        spec.trim if spec.low > 0.08 else spec.colour,
        "cloth",
        texture,
    )
