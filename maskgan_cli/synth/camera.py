"""The camera, which frames eyes and mouth like the photos of CelebA-HQ, and the head pose relative to the camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskgan_cli.synth.geometry import F32, f32, unit
from maskgan_cli.synth.parameters import Scene
from maskgan_cli.synth.shape import Posed, head

HEIGHT = 7.2  # height of the camera, decimetres


@dataclass(frozen=True)
class Camera:
    """A perspective projection, followed by a similarity transform to pixels. Lengths are in decimetres.

    Attributes:
        place: position of the camera (3,) in world coordinates.
        matrix: rotation and scale (2, 2) from the projection plane to pixels.
        centre: point (2,) of the projection plane that is mapped to the middle of the picture.
        scale: pixels per decimetre in the plane z = 0, which cuts through the head.
        size: side of the picture in pixels.
    """

    place: F32
    matrix: F32
    centre: F32
    scale: float
    size: int

    def project(self, points: F32) -> tuple[F32, F32]:
        """Project world points (..., 3) to the picture.

        Returns:
            pixel coordinates (..., 2), x to the right and y down; and depths (...), which are larger for nearer points.
        """
        depth = points[..., 2] - self.place[2]
        x = (points[..., 0] - self.place[0]) * (-self.place[2] / depth) - self.centre[0]
        y = (points[..., 1] - self.place[1]) * (self.place[2] / depth) - self.centre[1]
        m = self.matrix
        px = m[0, 0] * x + m[0, 1] * y + np.float32(self.size / 2)
        py = m[1, 0] * x + m[1, 1] * y + np.float32(self.size / 2)
        return f32(np.stack([px, py], -1)), f32(depth)


def frame(posed: Posed, scene: Scene, size: int) -> Camera:
    """Return the camera that frames eyes and mouth like the aligned photos of CelebA-HQ.

    The picture is the square crop of Karras et al. 2018. The x axis of the square is the average of two vectors: the
    vector from one eye to the other, and the vector from the eyes' midpoint to the mouth, rotated by 90 degrees. Half
    the side of the square is the larger of twice the eye distance and 1.8 times the distance from eyes to mouth. The
    centre of the square is a tenth of the way from eyes to mouth. The scene's zoom, shift and roll vary the square,
    because landmarks of photos are inexact.

    Args:
        posed: the head, with a neutral face.
        scene: the parameters of the picture, among them the camera's distance, zoom, shift and roll.
        size: side of the picture in pixels.
    """
    place = f32([0, HEIGHT, scene.distance])
    flat = Camera(place, f32(np.eye(2)), f32([0, 0]), 1.0, 0)
    model = head()
    lips = np.argsort(np.where(model.on_body, np.abs(model.canonical - f32([0, 6.84, 1.45])).sum(1), 9), kind="stable")[
        :6
    ]
    # The eyeball centre lies inside the skull; landmarks are on the surface.
    ahead = posed.turn[:, 2] * 0.12
    (left, right), _ = flat.project(posed.eyes + ahead)
    mouth, _ = flat.project(posed.vertices[lips].mean(0))
    middle = (left + right) / 2
    eyes, down = left - right, mouth - middle
    axis = eyes - f32([-down[1], down[0]])
    axis = axis / np.sqrt((axis**2).sum())
    half = max(2.0 * float(np.sqrt((eyes**2).sum())), 1.8 * float(np.sqrt((down**2).sum()))) * scene.zoom
    scale = size / (2 * half)
    roll = np.radians(scene.roll)
    turned = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    upright = np.array([[axis[0], axis[1]], [-axis[1], axis[0]]])
    centre = middle + down * 0.1 + f32(scene.shift) * 2 * half
    return Camera(place, f32(turned @ upright * scale), f32(centre), float(scale), size)


def head_pose(posed: Posed, camera: Camera) -> tuple[float, float, float]:
    """Return yaw, pitch and roll of the head in degrees, with the conventions of HopeNet and 300W-LP.

    With positive yaw the face turns to the picture's left, with positive pitch the face turns up, and with positive
    roll the head leans clockwise. The angles are relative to the ray from the head to the camera, and include the roll
    of the picture.
    """
    ray = unit(camera.place - posed.eyes.mean(0))
    across = unit(np.cross(f32([0, 1, 0]), ray))
    view = np.stack([across, np.cross(ray, across), ray]).astype(np.float64)
    m = camera.matrix.astype(np.float64) / camera.scale
    # y points down in the picture and up in the view.
    picture = np.array([[m[0, 0], -m[0, 1], 0], [-m[1, 0], m[1, 1], 0], [0, 0, 1]])
    seen = picture @ view @ posed.turn.astype(np.float64)
    side, up, out = seen[:, 0], seen[:, 1], seen[:, 2]
    yaw = -np.arcsin(np.clip(out[0], -1, 1))
    pitch = np.arctan2(out[1], out[2])
    roll = np.arctan2(up[0], side[0])
    return float(np.degrees(yaw)), float(np.degrees(pitch)), float(np.degrees(roll))
