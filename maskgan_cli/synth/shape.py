"""The head model: CC0 MakeHuman geometry as a linear model of shape and expression (a mesh with blend shapes).

Lengths are in decimetres; x points to the person's own left (the picture's right), y up, z out of the face. The
*canonical head* is the mean young adult. Regions such as the brows are defined only on the canonical head. They apply
to every face, because all faces have the same vertices at other positions. The *canonical position* of a point of a
face is the position of the same point on the canonical head.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from maskgan_cli.synth.geometry import F32, I32, Bools, f32, ramp, rotation, turn, vertex_normals

ASSET = Path(__file__).parents[1] / "assets" / "head.npz"
PIVOT = f32([0, 6.55, 0.35])  # pivot of the head on the neck
TORSO_FOLLOWS = 0.45  # proportion of the head's yaw that the shoulders follow
# A local slider is a pair of blend shapes with opposite effects. Their names end in one of these pairs of words.
_OPPOSITE = {
    "incr": "decr",
    "up": "down",
    "out": "in",
    "forward": "backward",
    "convex": "concave",
    "uncompress": "compress",
}
# Standard deviation of the local sliders by region; 0.3 or more gives caricatures.
_SPREAD = {
    "nose": 0.2,
    "mouth": 0.15,
    "eye": 0.13,
    "chin": 0.18,
    "cheek": 0.2,
    "head": 0.13,
    "forehead": 0.18,
    "ear": 0.22,
    "eyebrows": 0.18,
    "neck": 0.1,
}


@dataclass(frozen=True)
class Head:
    """The head model from its asset file: mesh, blend shapes, and masks in texture space.

    Attributes:
        vertices: template mesh (V, 3), before blend shapes.
        triangles: vertex indices (T, 3).
        uvs: texture coordinates (T, 3, 2) of the triangles' corners.
        owner: index into ``groups`` for each triangle (T,).
        groups: names of the parts, e.g. ``body`` or ``helper-l-eye``.
        blends: dict from the name of each blend shape to its index in ``deltas``.
        deltas: displacement (B, V, 3) of each vertex by each of the B blend shapes.
        masks: (512, 512, 4) ``uint8``: lips, ears, eyelids and inside of the mouth in texture space.
        canonical: vertices (V, 3) of the canonical head, the mean young adult.
        on_body: boolean mask (V,): True for vertices of the group ``body``.
        jaw: how far each vertex (V,) follows the jaw, in [0, 1]; separates upper and lower lip.
    """

    vertices: F32
    triangles: I32
    uvs: F32
    owner: npt.NDArray[np.uint8]
    groups: tuple[str, ...]
    blends: dict[str, int]
    deltas: F32
    masks: npt.NDArray[np.uint8]
    canonical: F32
    on_body: Bools
    jaw: F32
    _points: dict[str, npt.NDArray[np.int64]] = field(default_factory=dict)

    def group(self, name: str) -> I32:
        """Return the triangles (N, 3) of one group (a part of the head, see ``groups``), as vertex indices."""
        chosen: I32 = self.triangles[self.owner == self.groups.index(name)]
        return chosen

    def points(self, name: str) -> npt.NDArray[np.int64]:
        """Return the vertex indices (N,) of one group (a part of the head, see ``groups``)."""
        if name not in self._points:
            self._points[name] = np.unique(self.group(name))
        return self._points[name]


@lru_cache(maxsize=1)
def head() -> Head:
    """Return the head model; it is loaded once per process."""
    with np.load(ASSET) as file:
        data = {name: file[name] for name in file.files}
    deltas = f32(data["deltas"])
    blends = {str(name): i for i, name in enumerate(data["blends"])}
    groups = tuple(str(name) for name in data["groups"])
    average = {f"body/{sex}-young-averagemuscle-averageweight": 0.5 for sex in ("female", "male")}
    average |= {f"race/caucasian-{sex}-young": 0.5 for sex in ("female", "male")}
    canonical = data["vertices"] + sum(w * deltas[blends[name]] for name, w in average.items())
    jaw = np.sqrt((deltas[blends["unit/jawOpen"]] ** 2).sum(1))
    on_body = np.zeros(len(canonical), bool)
    on_body[data["triangles"][data["owner"] == groups.index("body")]] = True
    return Head(
        data["vertices"],
        data["triangles"],
        data["uvs"],
        data["owner"],
        groups,
        blends,
        deltas,
        data["masks"],
        f32(canonical),
        on_body,
        f32(jaw / jaw.max()),
    )


@lru_cache(maxsize=1)
def local_sliders() -> tuple[tuple[str, str, float], ...]:
    """List the local sliders, i.e. pairs of blend shapes with opposite effects on one part of the face.

    Sliders of the right side are left out, because the right side follows the left one.

    Returns:
        for each slider: name of the positive blend shape, name of the negative one, and the standard deviation of the
        slider's value.
    """
    found = []
    for name in head().blends:
        stem, _, end = name.rpartition("-")
        if not name.startswith("local/") or name.startswith("local/r-") or end not in _OPPOSITE:
            continue
        opposite = f"{stem}-{_OPPOSITE[end]}"
        region = stem.removeprefix("local/").removeprefix("l-").split("-")[0]
        if opposite in head().blends:
            found.append((name, opposite, _SPREAD[region]))
    return tuple(found)


def body_weights(
    masculinity: float, age: float, muscle: float, weight: float, race: tuple[float, float, float]
) -> dict[str, float]:
    """Return a dict from the name of each blend shape for sex, age, build and ancestry to its weight.

    Each blend shape stands for one combination of properties, e.g. a young woman of average build. Its weight is the
    product of the weights of these properties.

    Args:
        masculinity: 0 (female) .. 1 (male).
        age: 0 (25 years) .. 1 (90 years), the ages of MakeHuman's young and old shapes.
        muscle, weight: -1 (least) .. 1 (most); 0 is average.
        race: proportions of African, Asian and European features, summing to 1.

    """

    def levels(value: float) -> dict[str, float]:
        value = min(max(value, -1.0), 1.0)
        return {"average": 1 - abs(value), "max": max(value, 0.0), "min": max(-value, 0.0)}

    weights: dict[str, float] = {}
    sexes, ages = {"male": masculinity, "female": 1 - masculinity}, {"young": 1 - age, "old": age}
    for (sex, a), (when, b) in itertools.product(sexes.items(), ages.items()):
        for (m, c), (k, d) in itertools.product(levels(muscle).items(), levels(weight).items()):
            weights[f"body/{sex}-{when}-{m}muscle-{k}weight"] = a * b * c * d
        for origin, e in zip(("african", "asian", "caucasian"), race, strict=True):
            weights[f"race/{origin}-{sex}-{when}"] = a * b * e
    return weights


@dataclass(frozen=True)
class Posed:
    """A person with a shape and a pose, in world coordinates.

    Attributes:
        vertices: vertices of the head model (V, 3).
        normals: unit normals of the vertices (V, 3).
        turn: rotation matrix (3, 3) of the head, from head to world coordinates.
        eyes: centres of the person's left and right eyeball (2, 3).
    """

    vertices: F32
    normals: F32
    turn: F32
    eyes: F32

    def to_head(self, points: F32) -> F32:
        """Convert world points (..., 3) to head coordinates, which rotate with the head; their origin is ``PIVOT``."""
        return turn(points - PIVOT, self.turn.T)

    def from_head(self, points: F32) -> F32:
        """Convert head coordinates (..., 3) to world points: the inverse of `to_head`."""
        return turn(points, self.turn) + PIVOT


def blend(weights: Iterable[tuple[str, float]], start: F32 | None = None) -> F32:
    """Return vertices (V, 3) displaced by weighted blend shapes.

    Args:
        weights: name and weight of each blend shape.
        start: vertices (V, 3) before the displacement; by default, those of the template mesh.
    """
    model = head()
    moved = model.vertices.copy() if start is None else start.copy()
    for name, weight in weights:
        moved += np.float32(weight) * model.deltas[model.blends[name]]
    return moved


def placed(moved: F32, like: F32 | None = None) -> F32:
    """Return vertices (V, 3) scaled and shifted so that size and eyes agree with the canonical (mean) head.

    Args:
        moved: vertices (V, 3) from `blend`.
        like: vertices that determine scale and shift; by default ``moved``. For a face with an expression, pass the
            neutral face; otherwise an open jaw would shrink the skull.
    """
    model, expressive = head(), moved
    moved = moved if like is None else like
    mind = model.on_body & (model.canonical[:, 1] > 6.6)
    scale = model.canonical[mind].std(0).mean() / moved[mind].std(0).mean()
    return f32((expressive - _eyes(moved).mean(0)) * scale + _eyes(model.canonical).mean(0))


def _eyes(vertices: F32) -> F32:
    """Return the centres (2, 3) of the left and the right eyeball of a head with these vertices (V, 3)."""
    return f32([vertices[head().points(f"helper-{side}-eye")].mean(0) for side in "lr"])


@lru_cache(maxsize=1)
def _solid() -> I32:
    """Return all triangles (T, 3) of the head model except those of the lashes."""
    model = head()
    solid: I32 = model.triangles[np.array(["lash" not in group for group in model.groups])[model.owner]]
    return solid


def pose(vertices: F32, yaw: float, pitch: float, lean: float = 0.0) -> Posed:
    """Return the person with the head rotated by yaw and pitch, and the shoulders by a part of the yaw.

    The rotation of the neck is interpolated between head and shoulders.

    Args:
        vertices: (V, 3) from `placed`.
        yaw, pitch: degrees, with the signs of ``geometry.rotation``.
        lean: additional yaw of the shoulders in degrees.
    """
    model = head()
    skull, torso = rotation(yaw, pitch, 0), rotation(yaw * TORSO_FOLLOWS + lean, 0, 0)
    height = model.canonical[:, 1] - 0.15 * (model.canonical[:, 2] - 0.4)
    share = np.where(model.on_body, ramp(5.95, 6.75, height), 1)[:, None]
    centred = vertices - PIVOT
    moved = f32(turn(centred, skull) * share + turn(centred, torso) * (1 - share) + PIVOT)
    normals = vertex_normals(moved, _solid())
    return Posed(moved, normals, skull, _eyes(moved))
