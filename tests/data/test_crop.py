"""Tests of face crops: the rule of Karras et al. (2018) computed by hand, and known pixels."""

from __future__ import annotations

import numpy as np
import pytest

from maskgan_cli.data.crop import cut, oriented_square

UPRIGHT = np.array([[40.0, 50], [60, 50], [np.nan, np.nan], [45, 70], [55, 70]])


def test_the_square_of_an_upright_face() -> None:
    """Eyes 20 px apart, mouth 20 px below: half the side is max(40, 36), the centre is 2 px below the eyes."""
    assert np.allclose(oriented_square(UPRIGHT), [[10, 12], [10, 92], [90, 92], [90, 12]])


def test_the_crop_of_a_long_face_follows_its_height() -> None:
    tall = UPRIGHT.copy()
    tall[3:, 1] = 90
    square = oriented_square(tall)
    assert np.hypot(*(square[3] - square[0])) == pytest.approx(3.6 * 40)


@pytest.mark.parametrize("degrees", [-50.0, 30.0, 180.0])
def test_the_square_rotates_with_the_face(degrees: float) -> None:
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    assert np.allclose(oriented_square(UPRIGHT @ turn.T), oriented_square(UPRIGHT) @ turn.T)


def test_the_direction_is_the_mean_of_eyes_and_mouth() -> None:
    """Level eyes and a mouth at 45 degrees: the direction is the mean weighted by the lengths."""
    leaning = np.array([[40.0, 50], [60, 50], [0, 0], [65, 65], [65, 65]])
    square = oriented_square(leaning)
    along = square[3] - square[0]
    assert along / np.hypot(*along) == pytest.approx(np.array([20 + 15, -15]) / np.hypot(35, 15))


def test_an_upright_square_is_cropped_exactly() -> None:
    rng = np.random.default_rng(0)
    smooth = np.kron(rng.integers(0, 256, (8, 8, 3)), np.ones((16, 16, 1))).astype(np.uint8)
    square = np.array([[16.0, 32], [16, 96], [80, 96], [80, 32]])
    back = cut(smooth, square, 64)
    inner = np.zeros((16, 16), bool)
    inner[3:-3, 3:-3] = True  # filters smear the borders of the blocks
    where = np.tile(inner, (4, 4))
    assert np.abs(back[where].astype(int) - smooth[32:96, 16:80][where]).max() <= 1


def test_outside_of_the_picture_the_crop_is_mirrored() -> None:
    ramp = np.repeat(np.arange(0, 128, 2, dtype=np.uint8)[None, :, None], 64, 0).repeat(3, 2)
    square = np.array([[-32.0, 0], [-32, 64], [32, 64], [32, 0]])
    row = cut(ramp, square, 64)[32, :, 0].astype(int)
    assert np.abs(row - row[::-1]).max() <= 1
    assert np.abs(row[33:63] - ramp[0, 1:31, 0]).max() <= 1


def test_a_large_photo_is_reduced_without_aliasing() -> None:
    fine = np.indices((512, 512)).sum(0) % 2 * 255  # a checkerboard of single pixels is grey from afar
    photo = np.repeat(fine[..., None], 3, 2).astype(np.uint8)
    square = np.array([[0.0, 0], [0, 512], [512, 512], [512, 0]])
    assert np.abs(cut(photo, square, 64).astype(int) - 127).max() <= 2


@pytest.mark.parametrize("side", [30.0, 90.0, 210.0])
@pytest.mark.parametrize("corner", [(60, 60), (-20, 150)])
def test_pixels_far_from_the_square_have_no_influence(side: float, corner: tuple[int, int]) -> None:
    """A large photo and its region around the square give the same crop for all reduction factors."""
    rng, size = np.random.default_rng(0), 16
    photo = rng.integers(0, 256, (480, 520, 3)).astype(np.uint8)
    square = np.array([[0.0, 0], [0, 1], [1, 1], [1, 0]]) * side + corner
    part = photo[:, :420] if corner[0] < 0 else photo[24:396, 24:444]  # 24: 1, 2 and 6 pixels are averaged
    moved = square if corner[0] < 0 else square - 24
    assert np.array_equal(cut(photo, square, size), cut(part, moved, size))
    other = photo.copy()
    other[400:], other[:, 450:] = 0, 0
    assert np.array_equal(cut(photo, square, size), cut(other, square, size))
