"""Head pose as numbers: what the manifest says, what a mirror and a turn of the picture do to it.

Angles are yaw, pitch and roll in degrees in HopeNet's signs: positive yaw looks to the picture's left,
positive pitch up, positive roll leans clockwise. Yaw is applied after roll and pitch after yaw, so
turning the picture changes all three.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

from maskgan_cli.data.prepared import Sample, poses_of

MIRRORED: Final = (-1.0, 1.0, -1.0)  # what a mirror does to each of them


def pose_of(samples: Sequence[Sample]) -> Tensor:
    """The manifest's angles (N, 3) in degrees.

    Raises:
        InputError: a sample has none.
    """
    return torch.from_numpy(poses_of(samples).astype("float32"))


def mirror_pose(angles: Tensor, mirrored: Tensor) -> Tensor:
    """Angles (N, 3), those of the mirrored (N,) faces as the mirror shows them."""
    return torch.where(mirrored[:, None], angles * angles.new_tensor(MIRRORED), angles)


def rotation(angles: Tensor) -> Tensor:
    """Angles (N, 3) -> rotation matrices (N, 3, 3) whose columns are the head's side, up and front.

    Rows are the picture's x (right), y (up) and z (towards the viewer). The side is the one on the
    picture's right.
    """
    yaw, pitch, roll = torch.deg2rad(angles).unbind(1)
    zero, one = torch.zeros_like(yaw), torch.ones_like(yaw)
    nod = _matrix(one, zero, zero, zero, pitch.cos(), pitch.sin(), zero, -pitch.sin(), pitch.cos())
    look = _matrix(yaw.cos(), zero, -yaw.sin(), zero, one, zero, yaw.sin(), zero, yaw.cos())
    return nod @ look @ _clockwise(roll)


def angles_of(rotations: Tensor) -> Tensor:
    """Rotation matrices (N, 3, 3) -> angles (N, 3): the inverse of `rotation` for yaw within 90 degrees."""
    yaw = -torch.asin(rotations[:, 0, 2].clamp(-1, 1))
    pitch = torch.atan2(rotations[:, 1, 2], rotations[:, 2, 2])
    roll = torch.atan2(rotations[:, 0, 1], rotations[:, 0, 0])
    return torch.rad2deg(torch.stack([yaw, pitch, roll], 1))


def turn_pose(angles: Tensor, degrees: Tensor) -> Tensor:
    """Angles (N, 3) after the picture was turned clockwise by so many degrees (N,)."""
    return angles_of(_clockwise(torch.deg2rad(degrees)) @ rotation(angles))


def _clockwise(radians: Tensor) -> Tensor:
    zero, one = torch.zeros_like(radians), torch.ones_like(radians)
    cos, sin = radians.cos(), radians.sin()
    return _matrix(cos, sin, zero, -sin, cos, zero, zero, zero, one)


def _matrix(*entries: Tensor) -> Tensor:
    return torch.stack(entries, -1).view(-1, 3, 3)
