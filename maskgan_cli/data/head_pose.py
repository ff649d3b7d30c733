"""Head poses: reads angles from the manifest, and adapts them to mirrored or rotated pictures.

Angles are yaw, pitch and roll in degrees with HopeNet's signs: a head with positive yaw is turned to the left of the
picture, with positive pitch up, and with positive roll clockwise. Yaw is applied after roll, and pitch after yaw, so
rotating the picture changes all three angles.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

from maskgan_cli.data.prepared import Sample, poses_of

MIRRORED: Final = (-1.0, 1.0, -1.0)  # factors of yaw, pitch and roll for a mirrored picture


def pose_of(samples: Sequence[Sample]) -> Tensor:
    """Return the head poses of N samples from the manifest as a float32 tensor (N, 3): yaw, pitch, roll in degrees.

    Raises:
        InputError: a sample has no angles.
    """
    return torch.from_numpy(poses_of(samples).astype("float32"))


def mirror_pose(angles: Tensor, mirrored: Tensor) -> Tensor:
    """Adapt head poses to mirrored pictures by negating yaw and roll.

    Args:
        angles: yaw, pitch and roll (N, 3) of the pictures before mirroring.
        mirrored: (N,) ``bool``, true for the pictures that are mirrored; the angles of the others do not change.

    Returns:
        The angles (N, 3).
    """
    return torch.where(mirrored[:, None], angles * angles.new_tensor(MIRRORED), angles)


def rotation(angles: Tensor) -> Tensor:
    """Convert yaw, pitch and roll (N, 3) in degrees to rotation matrices (N, 3, 3).

    The columns of a matrix are the unit vectors to the side, top and front of the head. The coordinates of these
    vectors are along the picture's axes x (right), y (up) and z (towards the viewer). For a frontal head the matrix is
    the identity, so the side vector points to the right of the picture.
    """
    yaw, pitch, roll = torch.deg2rad(angles).unbind(1)
    zero, one = torch.zeros_like(yaw), torch.ones_like(yaw)
    by_pitch = _matrix(one, zero, zero, zero, pitch.cos(), pitch.sin(), zero, -pitch.sin(), pitch.cos())
    by_yaw = _matrix(yaw.cos(), zero, -yaw.sin(), zero, one, zero, yaw.sin(), zero, yaw.cos())
    return by_pitch @ by_yaw @ _clockwise(roll)


def angles_of(rotations: Tensor) -> Tensor:
    """Convert rotation matrices (N, 3, 3) to yaw, pitch and roll (N, 3) in degrees.

    This is the inverse of `rotation` for yaw from -90 to 90 degrees.
    """
    yaw = -torch.asin(rotations[:, 0, 2].clamp(-1, 1))
    pitch = torch.atan2(rotations[:, 1, 2], rotations[:, 2, 2])
    roll = torch.atan2(rotations[:, 0, 1], rotations[:, 0, 0])
    return torch.rad2deg(torch.stack([yaw, pitch, roll], 1))


def turn_pose(angles: Tensor, degrees: Tensor) -> Tensor:
    """Return the yaw, pitch and roll (N, 3) that heads have after their pictures are rotated clockwise.

    Args:
        angles: yaw, pitch and roll (N, 3) in degrees before the rotation.
        degrees: clockwise rotation of each picture in degrees (N,).
    """
    return angles_of(_clockwise(torch.deg2rad(degrees)) @ rotation(angles))


def _clockwise(radians: Tensor) -> Tensor:
    """Return the matrices (N, 3, 3) of clockwise rotations in the picture plane by angles (N,) in radians."""
    zero, one = torch.zeros_like(radians), torch.ones_like(radians)
    cos, sin = radians.cos(), radians.sin()
    return _matrix(cos, sin, zero, -sin, cos, zero, zero, zero, one)


def _matrix(*entries: Tensor) -> Tensor:
    return torch.stack(entries, -1).view(-1, 3, 3)
