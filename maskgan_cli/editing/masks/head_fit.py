"""Fit the renderer's 3D head to a face's mask: the head's pose, scale and position, and two proportions of the face.

The canonical head is the renderer's average head, looking straight ahead. Coordinates on this head are in decimetres
(see `synth.shape`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from maskgan_cli.data.alignment import Points, points_of_mask
from maskgan_cli.labels import ID, LabelMap, Region
from maskgan_cli.synth.camera import HEIGHT, Camera
from maskgan_cli.synth.geometry import F32, f32, ramp, rotation, turn
from maskgan_cli.synth.shape import PIVOT, Posed, head, pose

Floats = npt.NDArray[np.float64]

FIT_SIDE: Final = 256  # pixels; side of the mask to which `fitted` fits the head
_DISTANCE: Final = 14.0  # decimetres from the camera to the head, typical of portraits
_NOSE_Z: Final = 1.42  # z of the centre of the nose's region in masks; the tip of the nose lies further in front
_EYE_Y: Final = 7.49  # height of the eyes on the canonical head
_FACE: Final = [
    ID[name] for name in ("skin", "nose", "eye_g", "l_eye", "r_eye", "l_brow", "r_brow", "mouth", "u_lip", "l_lip")
]
# "Eye distances": the unit is the distance between the eyes.
# Tolerances of the measurements, in eye distances: the five points (eyes, nose, mouth), edges of the face, and chin.
_TOLERANCES: Final = (0.01, 0.01, 0.03, 0.04, 0.04)
_EDGE, _CHIN = 0.1, 0.1
_KEPT: Final = 0.06  # eye distances; if eyes, nose and edges move less than this, the pose is unchanged
# Priors: standard deviations from the mean head that looks ahead, in degrees for angles, and as shares for proportions.
_PRIOR: Final = {"yaw": 20.0, "pitch": 7.0, "wide": 0.12, "long": 0.10}
# The fitted values are yaw, pitch (degrees), wide, long, roll (radians), logarithm of the scale, x and y (shift of the
# eyes, in eye distances). For each: its largest difference from the start, and the step of the numerical derivative,
# which is large because the head is a mesh.
_REACH: Final = np.array([60.0, 25.0, 0.3, 0.25, 0.7, 0.8, 1.0, 1.0])
_STEPS: Final = np.array([2.0, 2.0, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02])
_ROUNDS: Final = 12
_LEVELS: Final = (0.0, 0.5)  # heights at which the face's width is measured, from the eyes (0) to the mouth (1)


@dataclass(frozen=True)
class HeadFit:
    """A 3D head that has been fitted to a face in a picture.

    Attributes:
        yaw, pitch: angles in degrees. With positive yaw, the head looks to the right of the picture; with positive
            pitch, the head looks down.
        wide: width of the face, relative to the renderer's average head.
        long: length of the face below the eyes, relative to the renderer's average head.
        camera: projects the renderer's coordinates to pixels of the picture.
    """

    yaw: float
    pitch: float
    wide: float
    long: float
    camera: Camera

    @cached_property
    def posed(self) -> Posed:
        """The 3D head (vertices, normals and eyes) in the fitted proportions and the fitted pose."""
        return pose(_shaped(head().canonical, self.wide, self.long), self.yaw, self.pitch)

    @property
    def roll(self) -> float:
        """Degrees by which the head leans clockwise in the picture."""
        return float(np.degrees(np.arctan2(self.camera.matrix[1, 0], self.camera.matrix[0, 0])))

    @property
    def values(self) -> tuple[float, ...]:
        """All numbers of the fit. Two fits are equal if these numbers are equal."""
        camera = self.camera
        return (self.yaw, self.pitch, self.wide, self.long, *camera.matrix.ravel().tolist(), *camera.centre.tolist())

    def after(self, matrix: Floats) -> HeadFit:
        """Return the fit of this head to another picture of the face, e.g. to the photo that the face was cropped from.

        Args:
            matrix: (2, 3), maps a position (x, y, 1) in the picture of this fit to a position in the other picture.
        """
        camera = self.camera
        together = matrix[:, :2] @ camera.matrix
        centre = camera.centre - np.linalg.solve(together, matrix[:, 2])
        scale = camera.scale * float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
        return replace(self, camera=replace(camera, matrix=f32(together), centre=f32(centre), scale=scale))


def fit_head(labels: LabelMap) -> HeadFit:
    """Fit the 3D head to a mask (S, S), so that eyes, nose, mouth, chin and edges of the face match the mask.

    Yaw, pitch, roll, scale, position and two proportions (`HeadFit.wide` and `HeadFit.long`) are found by least
    squares, with priors for plausible values. If too few features are visible (e.g. no mouth), the pose is that of a
    face framed as in CelebA-HQ.
    """
    points = points_of_mask(labels)
    if not np.isfinite(points[:2]).all():
        points = _with_both_eyes(points)
    edges = _edges(labels, points)
    across = points[1] - points[0]
    start = np.array([0.0, 0.0, 1.0, 1.0, float(np.arctan2(*across[::-1])), 0.0, 0.0, 0.0])
    found = _least_squares(lambda values: _residuals(values, points, edges), start, start - _REACH, start + _REACH)
    yaw, pitch, wide, long, roll, log_scale, x, y = (float(value) for value in found)
    between = float(np.hypot(*across))
    scale = np.exp(log_scale) * between / _unit()
    matrix = scale * _rotation(roll)
    middle = _projected(_eye_points(yaw, pitch, wide, long)).mean(0)
    centre = middle - np.linalg.solve(matrix, points[:2].mean(0) + between * np.array([x, y]))
    camera = Camera(f32([0, HEIGHT, _DISTANCE]), f32(matrix), f32(centre), float(scale), 0)
    return HeadFit(yaw, pitch, wide, long, camera)


def fitted(labels: LabelMap) -> HeadFit:
    """Fit the 3D head to a mask (S, S) faster than `fit_head`, by fitting to a copy of 256 x 256 pixels.

    The camera of the returned fit projects to pixels of the original mask, not of the copy.
    """
    scale = len(labels) / FIT_SIDE
    return fit_head(small(labels, FIT_SIDE)).after(np.array([[scale, 0, 0], [0, scale, 0]]))


def small(labels: LabelMap, side: int) -> LabelMap:
    """Resize a mask (S, S) to (side, side) by nearest neighbour."""
    return np.asarray(Image.fromarray(labels).resize((side, side), Image.Resampling.NEAREST))


def same_pose(before: LabelMap, after: LabelMap) -> bool:
    """Return whether an edit of a mask keeps the head's pose: eyes, nose and edges of the face stay in place.

    If an eye or the nose is missing in one of the masks, return whether both masks are equal.

    Args:
        before, after: (S, S), the mask before and after the edit.
    """
    points, moved = (points_of_mask(labels) for labels in (before, after))
    if not np.isfinite(points[:3]).all() or not np.isfinite(moved[:3]).all():
        return np.array_equal(before, after)
    between = float(np.hypot(*(points[1] - points[0])))
    edges, others = _edges(before, points), _edges(after, moved)
    names = {*edges, *others} - {"chin"}
    if not names <= {*edges} & {*others}:
        return False
    away = [*np.abs(points[:3] - moved[:3]).max(1), *(np.abs(edges[name] - others[name]).max() for name in names)]
    return bool(max(away) <= _KEPT * between)


def _residuals(values: Floats, points: Points, edges: dict[str, Floats]) -> Floats:
    """Compute the residuals of the least-squares fit.

    Args:
        values: (8,), the fitted values: see `_REACH`.
        points: (5, 2), the five points of the mask (eyes, nose, mouth corners).
        edges: positions of the edges of the face and of the chin in the mask, as returned by `_edges`.

    Returns:
        (N,), the residuals. The first N - 4 are differences between positions on the head and in the mask, divided by
        the tolerances of these positions. The last four are differences of pose and proportions from the means of their
        priors, divided by the priors' standard deviations.
    """
    yaw, pitch, wide, long, roll, log_scale, x, y = values
    between = float(np.hypot(*(points[1] - points[0])))
    seen = _seen(yaw, pitch, wide, long)
    matrix = np.exp(log_scale) * between * _rotation(roll)
    place = points[:2].mean(0) + between * np.array([x, y])
    off = (seen["points"] @ matrix.T + place - points) / between
    five = np.where(np.isfinite(off), off, 0.0) * (1 / np.array(_TOLERANCES))[:, None]
    # Edges are compared horizontally and the chin vertically, in the head's upright frame.
    back = np.linalg.inv(matrix).T
    rest = [
        (seen[name] - (edge @ back - place @ back)[int(name == "chin")]) / (_CHIN if name == "chin" else _EDGE)
        for name, edge in edges.items()
    ]
    prior = [yaw / _PRIOR["yaw"], pitch / _PRIOR["pitch"], (wide - 1) / _PRIOR["wide"], (long - 1) / _PRIOR["long"]]
    return np.array([*five.ravel(), *rest, *prior])


def _rotation(roll: float) -> Floats:
    """Return the matrix (2, 2) of a rotation by ``roll`` radians."""
    return np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])


def _least_squares(residuals: Callable[[Floats], Floats], start: Floats, low: Floats, high: Floats) -> Floats:
    """Minimise the sum of squared residuals with the Levenberg-Marquardt method.

    Args:
        residuals: function from values (N,) to residuals (M,).
        start: (N,), the initial values.
        low, high: (N,), bounds of the values.

    Returns:
        (N,), the best values found.
    """
    values, damping = start, 0.01
    here = residuals(values)
    for _ in range(_ROUNDS):
        jacobian = np.stack([(residuals(values + step) - here) / step.sum() for step in np.diag(_STEPS)], 1)
        jacobian *= _STEPS
        normal = jacobian.T @ jacobian
        move = np.linalg.solve(normal + damping * np.diag(np.diag(normal)), -jacobian.T @ here) * _STEPS
        tried = np.clip(values + move, low, high)
        there = residuals(tried)
        if there @ there < here @ here:
            done = here @ here - there @ there < 1e-4 * (here @ here)
            values, here, damping = tried, there, damping / 3
            if done:
                break
        else:
            damping *= 8
    return values


def _shaped(vertices: F32, wide: float, long: float) -> F32:
    """Scale a head's face: the width by the factor ``wide``, and the part below the eyes by the factor ``long``.

    Args:
        vertices: (..., 3), positions on the canonical head (average, looking straight ahead).

    Returns:
        (..., 3), the scaled positions.
    """
    x, y, z = (vertices[..., k] for k in range(3))
    out = 1 + (wide - 1) * ramp(0.3, 0.7, np.abs(x))
    low = np.minimum(y - _EYE_Y, 0) * ramp(6.2, 6.6, y) * (long - 1)
    return f32(np.stack([x * out, y + low, z], -1))


@lru_cache(maxsize=1)
def _marks() -> dict[str, F32]:
    """Return a dict of the positions on the canonical head that `fit_head` compares with a mask.

    ``points`` (5, 3) are eyes, nose and mouth corners. ``skull`` (n, 3) and ``chin`` (6, 3) are vertices of the head,
    among which the edges of the face and the lowest point of the chin are found.
    """
    model = head()
    body, c = model.on_body, model.canonical
    eyes = f32([c[model.points(f"helper-{side}-eye")].mean(0) for side in "rl"]) + f32([0, 0, 0.12])
    front = c[body & (np.abs(c[:, 0]) < 0.08) & (c[:, 1] > 6.95) & (c[:, 1] < 7.4)]
    nose = f32([0, front[front[:, 2].argmax(), 1] - 0.06, _NOSE_Z])
    corner = f32([0.25, 6.84, 1.27])
    mouth = c[body][np.argsort(np.abs(c[body] - corner).sum(1))[:4]].mean(0)
    skull = c[body & (np.abs(c[:, 0]) < 0.74) & (c[:, 1] > 6.7) & (c[:, 1] < 7.7) & (c[:, 2] > 0.45)]
    chin = c[body & (np.abs(c[:, 0]) < 0.15) & (c[:, 1] > 6.3) & (c[:, 1] < 6.75) & (c[:, 2] > 0.9)]
    return {
        "points": f32([eyes[0], eyes[1], nose, mouth * f32([-1, 1, 1]), mouth]),
        "skull": skull,
        "chin": chin[chin[:, 1].argsort()[:6]],
    }


def _turned(points: F32, yaw: float, pitch: float) -> F32:
    """Rotate positions (..., 3) on the head about the head's centre of rotation, by ``yaw`` and ``pitch`` degrees."""
    return f32(turn(points - PIVOT, rotation(yaw, pitch, 0)) + PIVOT)


def _projected(points: F32) -> Floats:
    """Project positions (..., 3) in perspective to the plane z = 0.

    Returns:
        (..., 2), x and y in decimetres, with y downwards; the camera's matrix maps these coordinates to pixels.
    """
    far = _DISTANCE / (_DISTANCE - points[..., 2].astype(np.float64))
    return np.stack([points[..., 0] * far, -(points[..., 1] - HEIGHT) * far], -1)


def _eye_points(yaw: float, pitch: float, wide: float, long: float) -> F32:
    """Return the 3D positions (2, 3) of both eyes of a head in a given pose, with given proportions.

    For the arguments see `HeadFit`.
    """
    return _turned(_shaped(_marks()["points"], wide, long), yaw, pitch)[:2]


@lru_cache(maxsize=1)
def _unit() -> float:
    """Return the distance, in decimetres, between the projected eyes (see `_projected`) of the canonical head."""
    left, right = _projected(_eye_points(0, 0, 1, 1))
    return float(np.hypot(*(right - left)))


def _seen(yaw: float, pitch: float, wide: float, long: float) -> dict[str, Floats]:
    """Project the landmarks and edges of a head (see `_marks`) in a given pose, with given proportions.

    For the arguments see `HeadFit`.

    Returns:
        A dict: ``points`` (5, 2), the projected eyes, nose and mouth corners; ``chin``, the lowest y of the chin;
        ``left0.0``, ``right0.0``, ``left0.5`` and ``right0.5``, the x of the face's left and right edge at each height
        in `_LEVELS`. The origin is the middle between the eyes; the unit is the distance between the eyes of the
        canonical head.
    """
    five, skull, chin = (
        _projected(_turned(_shaped(_marks()[name], wide, long), yaw, pitch)) for name in ("points", "skull", "chin")
    )
    unit_length, middle = _unit(), five[:2].mean(0)
    five, skull, chin = ((part - middle) / unit_length for part in (five, skull, chin))
    found = {"points": five, "chin": chin[:, 1].max()}
    depth = five[3:, 1].mean()
    for share in _LEVELS:
        near = skull[np.abs(skull[:, 1] - share * depth) < 0.18]
        found[f"left{share}"], found[f"right{share}"] = near[:, 0].min(), near[:, 0].max()
    return found


def _edges(labels: LabelMap, points: Points) -> dict[str, Floats]:
    """Measure the edges of the face beside eyes and mouth, and the chin, in a mask.

    Args:
        labels: (S, S), the mask.
        points: (5, 2), eyes, nose and mouth corners (x, y).

    Returns:
        A dict from name to position (x, y): ``left0.0``, ``right0.0``, ``left0.5`` and ``right0.5`` (edges at each
        height in `_LEVELS`) and ``chin``. Edges at an implausible distance (e.g. because hair covers the face) and a
        chin at the picture's border are left out.
    """
    face = np.isin(labels, _FACE)
    eyes, mouth = points[:2].mean(0), points[3:].mean(0)
    between = np.hypot(*(points[1] - points[0]))
    axis = (points[1] - points[0]) / between
    down = np.array([-axis[1], axis[0]])
    found: dict[str, Floats] = {}
    for share in _LEVELS:
        start = eyes + share * ((mouth - eyes) @ down) * down
        for name, way in (("left", -axis), ("right", axis)):
            edge = _last_inside(face, start, way, between)
            if edge is not None:
                found[f"{name}{share}"] = edge
    chin = _lowest(face, mouth, axis, between)
    if chin is not None:
        found["chin"] = chin
    return found


def _last_inside(face: Region, start: Floats, way: Floats, between: float) -> Floats | None:
    """Return the position (x, y) where a ray leaves the face.

    Args:
        face: (S, S), the region of the face.
        start: (x, y), where the ray starts.
        way: (x, y), unit vector of the ray.
        between: distance between the eyes, in pixels.

    Returns:
        The position; None unless its distance from ``start`` is 0.6 to 1.6 times ``between``.
    """
    shares = np.arange(0.1, 2.0, 0.02)
    columns, rows = np.floor(start + shares[:, None] * between * way).astype(int).T
    inside = (rows >= 0) & (rows < len(face)) & (columns >= 0) & (columns < face.shape[1])
    inside[inside] = face[rows[inside], columns[inside]]
    last = float(shares[inside].max(initial=0.0))
    return start + last * between * way if 0.6 < last < 1.6 else None


def _lowest(face: Region, mouth: Floats, axis: Floats, between: float) -> Floats | None:
    """Return the lowest position (x, y) of the face below the mouth.

    Args:
        face: (S, S), the region of the face.
        mouth: (x, y), the middle of the mouth.
        axis: (x, y), unit vector from eye to eye.
        between: distance between the eyes, in pixels.

    Returns:
        The position. None if the face is not visible near the line that runs down through the mouth, or if the face
        reaches the picture's lower border.
    """
    places = np.argwhere(face)[:, ::-1] + 0.5
    near = places[np.abs((places - mouth) @ axis) < 0.25 * between]
    if not len(near):
        return None
    lowest: Floats = near[((near - mouth) @ np.array([-axis[1], axis[0]])).argmax()]
    return lowest if lowest[1] < len(face) - 2 else None


def _with_both_eyes(points: Points) -> Points:
    """Return a copy of a face's points (5, 2) in which a hidden eye is replaced by the mirrored other eye.

    The mirror axis passes through the middle of the mouth.
    """
    known = points.copy()
    mouth = points[3:].mean(0)
    seen = int(np.isfinite(points[1]).all())
    axis = points[4] - points[3]
    axis = axis / max(float(np.hypot(*axis)), 1e-9)
    known[1 - seen] = points[seen] - 2 * ((points[seen] - mouth) @ axis) * axis
    return known
