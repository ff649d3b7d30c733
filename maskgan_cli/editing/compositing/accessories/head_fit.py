"""The renderer's head, fitted to a face by its mask: pose, scale and the width of the face."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from maskgan_cli.data.alignment import Points, points_of_mask
from maskgan_cli.labels import ID, LabelMap
from maskgan_cli.synth.camera import HEIGHT, Camera
from maskgan_cli.synth.geometry import F32, f32, ramp, rotation, turn
from maskgan_cli.synth.shape import PIVOT, Posed, head, pose

Floats = npt.NDArray[np.float64]

_DISTANCE: Final = 14.0  # decimetres from the camera to the head, as portraits are taken
_NOSE_Z: Final = 1.42  # a mask's nose is placed by the middle of its region, which is less deep than the tip
_EYE_Y: Final = 7.49  # height of the eyes on the canonical head
_FACE: Final = [ID[name] for name in ("skin", "nose", "eye_g", "l_eye", "r_eye", "l_brow", "r_brow", "mouth", "u_lip",
                                      "l_lip")]  # fmt: skip
# How far the fit may be from a measured point, in distances between the eyes, and how far people differ from the mean
# head: degrees for yaw and pitch, shares for the proportions.
_EYE, _NOSE, _MOUTH, _EDGE, _CHIN = 0.01, 0.03, 0.04, 0.1, 0.1
_PRIOR: Final = {"yaw": 20.0, "pitch": 7.0, "wide": 0.12, "long": 0.10}
# Of yaw, pitch, wide, long, roll, logarithm of the scale, x and y: how far they may go from the start, and steps of
# differences, which are coarse because the edges of the head are those of a mesh.
_REACH: Final = np.array([60.0, 25.0, 0.3, 0.25, 0.7, 0.8, 1.0, 1.0])
_STEPS: Final = np.array([2.0, 2.0, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02])
_ROUNDS: Final = 12
_LEVELS: Final = (0.0, 0.5)  # where the width of the face is measured: shares of the way from the eyes to the mouth


@dataclass(frozen=True)
class HeadFit:
    """A head in a picture.

    Attributes:
        yaw, pitch: degrees, as `geometry.rotation` takes them: positive yaw looks to the right of the picture,
            positive pitch looks down.
        wide, long: the width of the face at its edges, and the length of its lower half, relative to the mean head.
        camera: projects the renderer's coordinates to pixels of the picture.
    """

    yaw: float
    pitch: float
    wide: float
    long: float
    camera: Camera

    @cached_property
    def posed(self) -> Posed:
        """The head, shaped and turned."""
        return pose(_shaped(head().canonical, self.wide, self.long), self.yaw, self.pitch)

    @property
    def roll(self) -> float:
        """Degrees by which the head leans clockwise in the picture."""
        return float(np.degrees(np.arctan2(self.camera.matrix[1, 0], self.camera.matrix[0, 0])))

    def after(self, matrix: Floats) -> HeadFit:
        """The same head in another picture, whose pixels are ``matrix`` (2, 3) times (x, y, 1)."""
        camera = self.camera
        together = matrix[:, :2] @ camera.matrix
        centre = camera.centre - np.linalg.solve(together, matrix[:, 2])
        scale = camera.scale * float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
        return replace(self, camera=replace(camera, matrix=f32(together), centre=f32(centre), scale=scale))


def fit_head(labels: LabelMap) -> HeadFit:
    """Fit the mean head to a mask (S, S) by eyes, nose, mouth, chin and the edges of the face.

    The five points of the face, the lowest point of the face and its edges beside the eyes and the cheeks are compared
    with those of the head. Yaw, pitch, roll, scale, place and two proportions are found by least squares, with priors
    that keep them near those of people. A mask without eyes or mouth gives the pose of a face framed like CelebA-HQ.
    """
    points = points_of_mask(labels)
    known = points.copy()
    if not np.isfinite(points[:2]).all():  # one eye is hidden: the other mirrored at the line from nose to mouth
        known = _both_eyes(points)
    between = float(np.hypot(*(known[1] - known[0])))
    edges = _edges(labels, known)

    def residuals(values: Floats) -> Floats:
        yaw, pitch, wide, long, roll, log_scale, x, y = values
        seen = _seen(yaw, pitch, wide, long)
        turned = np.exp(log_scale) * between * np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
        place = known[:2].mean(0) + between * np.array([x, y])
        five = seen["points"] @ turned.T + place
        off = (five - known) / between
        weights = 1 / np.array([_EYE, _EYE, _NOSE, _MOUTH, _MOUTH])
        found = [np.where(np.isfinite(off), off, 0.0) * weights[:, None]]
        # Edges and chin are compared in the head's own upright frame.
        for name, value in edges.items():
            found.append(np.array([[(seen[name] - (value @ np.linalg.inv(turned).T - place @ np.linalg.inv(turned).T)[
                int(name == "chin")]) / (_CHIN if name == "chin" else _EDGE)]]))  # fmt: skip
        prior = [yaw / _PRIOR["yaw"], pitch / _PRIOR["pitch"], (wide - 1) / _PRIOR["wide"], (long - 1) / _PRIOR["long"]]
        return np.concatenate([*(part.ravel() for part in found), prior])

    tilt = float(np.arctan2(*(known[1] - known[0])[::-1]))
    start = np.array([0.0, 0.0, 1.0, 1.0, tilt, 0.0, 0.0, 0.0])
    found = _least_squares(residuals, start, start - _REACH, start + _REACH)
    yaw, pitch, wide, long, roll, log_scale, x, y = (float(value) for value in found)
    unit_length = _unit()
    matrix = np.exp(log_scale) * between / unit_length * np.array([
        [np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])  # fmt: skip
    place = known[:2].mean(0) + between * np.array([x, y])
    middle = _projected(_eye_points(yaw, pitch, wide, long)).mean(0)
    centre = middle - np.linalg.solve(matrix, place)
    scale = float(np.exp(log_scale) * between / unit_length)
    camera = Camera(f32([0, HEIGHT, _DISTANCE]), f32(matrix), f32(centre), scale, 0)
    return HeadFit(yaw, pitch, wide, long, camera)


def _least_squares(residuals: Callable[[Floats], Floats], start: Floats, low: Floats, high: Floats) -> Floats:
    """The values (N,) between ``low`` and ``high`` with the least sum of squares, by Levenberg and Marquardt."""
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
    """Vertices (..., 3) with the edges of the face further out and the face below the eyes longer."""
    x, y, z = (vertices[..., k] for k in range(3))
    out = 1 + (wide - 1) * ramp(0.3, 0.7, np.abs(x))
    low = np.minimum(y - _EYE_Y, 0) * ramp(6.2, 6.6, y) * (long - 1)
    return f32(np.stack([x * out, y + low, z], -1))


@lru_cache(maxsize=1)
def _marks() -> dict[str, F32]:
    """Places on the canonical head: the five points, candidates for the edges of the face, and for the chin."""
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
        "skull": skull, "chin": chin[chin[:, 1].argsort()[:6]],
    }  # fmt: skip


def _turned(points: F32, yaw: float, pitch: float) -> F32:
    return f32(turn(points - PIVOT, rotation(yaw, pitch, 0)) + PIVOT)


def _projected(points: F32) -> Floats:
    """World points (..., 3) -> places on the plane through the origin, y down, before the camera's matrix."""
    far = _DISTANCE / (_DISTANCE - points[..., 2].astype(np.float64))
    return np.stack([points[..., 0] * far, -(points[..., 1] - HEIGHT) * far], -1)


def _eye_points(yaw: float, pitch: float, wide: float, long: float) -> F32:
    return _turned(_shaped(_marks()["points"], wide, long), yaw, pitch)[:2]


@lru_cache(maxsize=1)
def _unit() -> float:
    """The distance of the eyes of the mean head that looks ahead, before the camera's matrix."""
    left, right = _projected(_eye_points(0, 0, 1, 1))
    return float(np.hypot(*(right - left)))


def _seen(yaw: float, pitch: float, wide: float, long: float) -> dict[str, Floats]:
    """The head's marks in distances of the eyes, around the middle of the eyes."""
    five, skull, chin = (_projected(_turned(_shaped(_marks()[name], wide, long), yaw, pitch))
                         for name in ("points", "skull", "chin"))  # fmt: skip
    unit_length, middle = _unit(), five[:2].mean(0)
    five, skull, chin = ((part - middle) / unit_length for part in (five, skull, chin))
    found = {"points": five, "chin": chin[:, 1].max()}
    depth = five[3:, 1].mean()
    for share in _LEVELS:
        near = skull[np.abs(skull[:, 1] - share * depth) < 0.18]
        found[f"left{share}"], found[f"right{share}"] = near[:, 0].min(), near[:, 0].max()
    return found


def _edges(labels: LabelMap, points: Points) -> dict[str, Floats]:
    """Measured edges of the face on both sides of the eyes and the cheeks, and the chin: (x, y) by name.

    An edge that ends at the border of the picture, or where hair covers the face far within, is left out.
    """
    face = np.isin(labels, _FACE)
    eyes, mouth = points[:2].mean(0), points[3:].mean(0)
    axis = (points[1] - points[0]) / np.hypot(*(points[1] - points[0]))
    between, down = np.hypot(*(points[1] - points[0])), np.array([-axis[1], axis[0]])
    found: dict[str, Floats] = {}

    def inside(place: Floats) -> bool:
        column, row = np.floor(place).astype(int)
        return bool(0 <= row < len(face) and 0 <= column < face.shape[1] and face[row, column])

    for share in _LEVELS:
        start = eyes + share * ((mouth - eyes) @ down) * down
        for name, way in (("left", -axis), ("right", axis)):
            steps = np.arange(0.1, 2.0, 0.02)
            there = [step for step in steps if inside(start + step * between * way)]
            if there and 0.6 < there[-1] < 1.6:
                found[f"{name}{share}"] = start + there[-1] * between * way
    rows, columns = np.nonzero(face)
    if len(rows):
        places = np.stack([columns, rows], 1) + 0.5
        near = np.abs((places - mouth) @ axis) < 0.25 * between
        if near.any():
            lowest = places[near][((places[near] - mouth) @ down).argmax()]
            if lowest[1] < len(labels) - 2:
                found["chin"] = lowest
    return found


def _both_eyes(points: Points) -> Points:
    """The five points with an eye that is hidden put where the other one mirrors to."""
    known = points.copy()
    mouth = points[3:].mean(0)
    seen = int(np.isfinite(points[1]).all())
    axis = points[4] - points[3]
    axis = axis / max(float(np.hypot(*axis)), 1e-9)
    known[1 - seen] = points[seen] - 2 * ((points[seen] - mouth) @ axis) * axis
    return known
