"""Builds meshes of hats. For each mesh, a profile (an outline from rim to top) is swept around the head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from maskgan_cli.labels import ID
from maskgan_cli.synth.geometry import F32, f32
from maskgan_cli.synth.parameters import Colour, Hat
from maskgan_cli.synth.shape import PIVOT, Posed, head
from maskgan_cli.synth.wardrobe import AROUND, Piece, grid_triangles

# Rings from rim to top. Each is (height above the band, factor of the band's radius, decimetres added to the radius).
Profile = list[tuple[float, float, float]]


def _skull_radius(posed: Posed, angle: F32, low: float, high: float, centre: F32) -> F32:
    """Return the radius of the head in N directions: the largest distance of its surface from a vertical axis.

    Args:
        posed: the head.
        angle: directions around the axis (N,) in radians; 0 is ahead.
        low, high: the part of the head that is measured lies between these heights on the canonical (mean) head.
        centre: a point of the axis (3,) in head coordinates.

    Returns:
        radius (N,) in decimetres.
    """
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


@dataclass(frozen=True)
class _Crown:
    """The size of the head in all directions, from which the meshes of a hat are built.

    Attributes:
        spec: the hat.
        posed: the head.
        centre: point (3,) in head coordinates, on the axis of the hat at the height of the band.
        angle: directions around the head (AROUND,) in radians; 0 is ahead.
        around: radius of the hat's band in each direction (AROUND,), in decimetres.
        height: height of the head above the band in decimetres.
        back: decimetres by which the band is raised in each direction (AROUND,); negative at the back of the head,
            where a hat sits lower.
    """

    spec: Hat
    posed: Posed
    centre: F32
    angle: F32
    around: F32
    height: float
    back: npt.NDArray[np.float64]

    @classmethod
    def of(cls, spec: Hat, posed: Posed, band: float, hair_volume: float, rng: np.random.Generator) -> _Crown:
        """Measure a head, and return the measurements from which a hat is built.

        Args:
            spec: the hat.
            posed: the head.
            band: height of the hat's band on the canonical (mean) head, in decimetres.
            hair_volume: distance of the hair from the head in decimetres. It is added to the hat's radius, up to 0.09.
            rng: random generator for a slight tilt of the hat.
        """
        tilt = rng.normal(0, 0.04)
        centre = f32([0, band - PIVOT[1], 0.1])
        angle = np.linspace(-np.pi, np.pi, AROUND, endpoint=False, dtype=np.float32)
        margin = 0.035 + min(hair_volume, 0.09)
        around = _skull_radius(posed, angle, band - 0.12, band + 0.25, centre) + margin
        height = float(posed.to_head(posed.vertices[head().on_body])[:, 1].max()) - centre[1] + margin
        back = 0.12 * np.cos(angle) + tilt * np.sin(angle)  # a hat sits lower behind than in front
        return cls(spec, posed, centre, angle, around, height, back)

    def build(self, profile: Profile, colour: Colour, pattern: str, pitch: float) -> Piece:
        """Build a mesh by sweeping a profile (an outline from rim to top) around the head.

        Args:
            profile: the rings of the mesh from rim to top, see `Profile`.
            colour: main colour of the cloth.
            pattern, pitch: pattern of the cloth and its repeats per decimetre.
        """
        u = np.tile(self.angle * 0.75, len(profile))
        v = np.repeat([p[0] for p in profile], AROUND)
        return Piece(
            self._surface(profile),
            grid_triangles(len(profile), AROUND, closed=True),
            ID["hat"],
            colour,
            "cloth",
            f32(np.stack([u, v], 1)),
            pattern,
            self.spec.trim,
            pitch,
        )

    def _surface(self, profile: Profile) -> F32:
        """Sweep a profile (outline) around the head; return the vertices (rings * AROUND, 3) in world coordinates."""
        rows = []
        for height, share, extra in profile:
            radius = self.around * share + extra
            rise = height + self.back * max(0.0, 1 - height / self.height)
            rows.append(np.stack([np.sin(self.angle) * radius, rise, np.cos(self.angle) * radius], 1))
        points = f32(np.stack(rows))
        return self.posed.from_head((points + self.centre).reshape(-1, 3))


def _dome(top: float, power: float = 2.0, start: float = 0.0) -> Profile:
    """Return the profile (outline from rim to top) of a dome.

    ``start`` and ``top`` are the heights of rim and top above the hat's band in decimetres. A larger ``power`` makes
    the dome flatter at the top.
    """
    t = np.linspace(0, 1, 10)
    return [
        (start + (top - start) * float(np.sin(a * np.pi / 2)), float(max(1 - a**power, 0.02)) ** 0.5, 0.0) for a in t
    ]


def hat(spec: Hat, posed: Posed, hair_volume: float, rng: np.random.Generator) -> tuple[list[Piece], float]:
    """Build the meshes of a hat.

    Args:
        spec: the hat.
        posed: the head.
        hair_volume: distance of the hair from the head in decimetres.
        rng: random generator for details of the hat.

    Returns:
        the hat's meshes, and the height on the canonical (mean) head above which the hat covers the hair (99 for a
        headband, which covers no hair).
    """
    band = 7.86 + spec.low
    crown = _Crown.of(spec, posed, band, hair_volume, rng)
    if spec.kind == "headband":
        profile: Profile = [(-0.02, 1, -0.03), (0.0, 1, 0.015), (0.2, 0.985, 0.02), (0.24, 0.96, -0.03)]
        return [crown.build(profile, spec.colour, "knit", 8)], 99.0
    if spec.kind == "beanie":
        rim: Profile = [(-0.06, 1, 0.03), (-0.03, 1, 0.05), (0.18, 1, 0.05), (0.22, 1, 0.02)]
        pieces = [crown.build(_dome(crown.height + rng.uniform(0.05, 0.3), 2.2), spec.colour, "rib", 16)]
        pieces.append(crown.build(rim, spec.colour, "rib", 16))
    elif spec.kind in ("cap", "bucket", "fedora", "sunhat"):
        pieces = _with_brim(spec, crown, rng)
    else:  # a scarf tied over the hair
        pattern = str(rng.choice(["dots", "plain", "stripe"]))
        pieces = [crown.build(_dome(crown.height + 0.05, 2.3, -0.05), spec.colour, pattern, 5)]
    return pieces, band + 0.05


def _with_brim(spec: Hat, crown: _Crown, rng: np.random.Generator) -> list[Piece]:
    """Build the meshes of a cap with a visor, or of a hat with a brim; ``crown`` has the measurements of the head."""
    flat = {"cap": 2.4, "bucket": 5.0, "fedora": 4.5, "sunhat": 3.0}[spec.kind]
    tall = crown.height + {"cap": 0.04, "bucket": 0.06, "fedora": 0.3, "sunhat": 0.1}[spec.kind]
    weave = "knit" if spec.kind == "sunhat" else "plain"
    pieces = [crown.build(_dome(tall, flat), spec.colour, weave, 12)]
    if spec.kind in ("fedora", "sunhat"):
        pieces.append(crown.build([(0.0, 1, 0.012), (0.16, 0.995, 0.012)], spec.trim, "plain", 5))
    if spec.kind == "cap":
        return [*pieces, _visor(crown)]
    droop = {"bucket": 0.28, "fedora": 0.02, "sunhat": 0.12}[spec.kind]
    wide = spec.wide * {"bucket": 0.24, "fedora": 0.38, "sunhat": 0.62}[spec.kind]
    wave = rng.uniform(-0.03, 0.06)
    brim: Profile = [(0.0, 1, 0.0), (-droop * 0.4 + wave, 1, wide * 0.5), (-droop, 1, wide)]
    return [*pieces, crown.build(brim, spec.colour, weave, 12)]


def _visor(crown: _Crown) -> Piece:
    """Build the mesh of a cap's visor; ``crown`` holds the measurements of the head below the cap."""
    spec = crown.spec
    ahead = np.linspace(-1.15, 1.15, 21, dtype=np.float32)
    base = np.interp(ahead, crown.angle, crown.around)
    height = np.interp(ahead, crown.angle, f32(crown.back))
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
    vertices = crown.posed.from_head(f32(np.stack(rows) + crown.centre).reshape(-1, 3))
    texture = f32(np.stack([np.tile(ahead, 4), np.repeat([0, 0.2, 0.4, 0.6], 21)], 1))
    return Piece(
        vertices,
        grid_triangles(4, 21, closed=False),
        ID["hat"],
        spec.trim if spec.low > 0.08 else spec.colour,
        "cloth",
        texture,
    )
