"""Tests of poses: conversion, mirroring, and rotation of the picture, with known directions."""

from __future__ import annotations

import pytest
import torch

from maskgan_cli.data.head_pose import angles_of, mirror_pose, rotation, turn_pose

POSES = torch.tensor([[0.0, 0, 0], [40, -20, 10], [-70, 30, -25], [5, 60, 80]])


def test_conversion_to_rotations_and_back() -> None:
    turns = rotation(POSES)
    assert torch.allclose(angles_of(turns), POSES, atol=1e-3)
    assert torch.allclose(turns @ turns.mT, torch.eye(3).expand(4, 3, 3), atol=1e-6)
    assert torch.allclose(torch.linalg.det(turns), torch.ones(4))


@pytest.mark.parametrize(
    ("pose", "axis", "direction"),
    [
        ((90, 0, 0), 2, (-1, 0, 0)),  # positive yaw looks to the picture's left
        ((0, 90, 0), 2, (0, 1, 0)),  # positive pitch looks up
        ((0, 0, 90), 1, (1, 0, 0)),  # positive roll leans clockwise: what was up points right
    ],
)
def test_signs(pose: tuple[float, ...], axis: int, direction: tuple[float, ...]) -> None:
    turn = rotation(torch.tensor([pose], dtype=torch.float32))[0]
    assert turn[:, axis].tolist() == pytest.approx(direction, abs=1e-6)


def test_mirroring_reflects_the_rotation() -> None:
    mirror = torch.diag(torch.tensor([-1.0, 1, 1]))
    mirrored = mirror_pose(POSES, torch.tensor([True, True, True, False]))
    # The picture's x and the head's side both change their sign.
    assert torch.allclose(rotation(mirrored[:3]), mirror @ rotation(POSES[:3]) @ mirror, atol=1e-6)
    assert torch.equal(mirrored[3], POSES[3])


def test_rotating_the_picture_of_an_upright_face_adds_to_its_roll() -> None:
    turned = turn_pose(torch.tensor([[0.0, 0.0, 7.0]]), torch.tensor([20.0]))
    assert turned[0].tolist() == pytest.approx([0, 0, 27], abs=1e-4)


def test_rotating_the_picture_rotates_the_viewing_direction() -> None:
    """A face that looks left looks up after the picture is rotated clockwise by 90 degrees."""
    turned = turn_pose(torch.tensor([[30.0, 0.0, 0.0]]), torch.tensor([90.0]))
    assert rotation(turned)[0, :, 2].tolist() == pytest.approx([0.0, 0.5, 0.75**0.5], abs=1e-5)
    assert torch.allclose(
        turn_pose(turn_pose(POSES, torch.full((4,), 33.0)), torch.full((4,), -33.0)), POSES, atol=1e-3
    )
