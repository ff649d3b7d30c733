"""Pasting of a crop into its photo: only edited pixels change, at their position and inside the square."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from maskgan_cli.data.crop import cut, matrix_of, square_of
from maskgan_cli.editing.compositing.paste import cut_labels, paste_crop, paste_labels

Square = np.ndarray


def _photo(height: int = 240, width: int = 300, *, sigma: float = 3.0) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 1, (height, width, 3))
    smooth = ndimage.gaussian_filter(noise, (sigma, sigma, 0))
    return np.clip(128 + 60 * smooth / smooth.std(), 0, 255).astype(np.uint8)


def _square(middle: tuple[float, float], side: float, degrees: float) -> Square:
    angle = np.radians(degrees)
    right = np.array([np.cos(angle), np.sin(angle)]) * side / 2
    below = np.array([-right[1], right[0]])
    centre = np.array(middle)
    return np.stack([centre - right - below, centre - right + below, centre + right + below, centre + right - below])


def _inside(square: Square, shape: tuple[int, ...]) -> np.ndarray:
    """Pixels whose centre lies in the square, computed independently."""
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    place = np.stack([x, y], -1) - square[0]
    right, below = square[3] - square[0], square[1] - square[0]
    along, down = place @ right / (right @ right), place @ below / (below @ below)
    return (along >= 0) & (along <= 1) & (down >= 0) & (down <= 1)


SQUARES = [
    pytest.param(_square((150, 120), 128, 0), id="upright"),
    pytest.param(_square((150, 120), 130.7, 23), id="turned"),
    pytest.param(_square((140, 110), 60, -170), id="upside down and small"),
    pytest.param(_square((20, 30), 200, 10), id="beyond the photo"),
]


@pytest.mark.parametrize("square", SQUARES)
@pytest.mark.parametrize("size", [64, 256])
def test_without_an_edit_nothing_changes(square: Square, size: int) -> None:
    photo = _photo()
    assert np.array_equal(paste_crop(photo, square, cut(photo, square, size)), photo)


@pytest.mark.parametrize("square", SQUARES)
def test_an_edit_of_the_whole_crop_stays_in_the_square(square: Square) -> None:
    photo = _photo()
    back = paste_crop(photo, square, 255 - cut(photo, square, 96))
    outside = ~_inside(square, photo.shape)
    assert np.array_equal(back[outside], photo[outside])
    assert (back != photo).any(-1).sum() > 0.5 * (~outside).sum()


@pytest.mark.parametrize("square", SQUARES[:3])
def test_a_crop_of_the_result_shows_the_edit(square: Square) -> None:
    """A soft spot is painted into a crop and pasted. A second crop shows the spot, and is unchanged elsewhere."""
    photo, size = _photo(), 128
    crop = cut(photo, square, size)
    y, x = np.mgrid[:size, :size]
    spot = np.exp(-(((x - 70) ** 2 + (y - 50) ** 2) / 150.0)) * 60
    edited = np.clip(np.rint(crop + spot[..., None] * [1, 0, -1]), 0, 255).astype(np.uint8)
    again = cut(paste_crop(photo, square, edited), square, size)
    away = np.abs(again.astype(int) - edited)
    assert away.mean() < 1.5
    far = spot < 0.01
    assert np.abs(again.astype(int) - crop)[far].max() <= 2


@pytest.mark.parametrize("degrees", [0, 23, 90])
@pytest.mark.parametrize(("size", "few"), [(64, 0.01), (100, 0.01), (128, 0.25), (192, 0.45)])
def test_aligned_again_the_edit_is_within_one_level(size: int, few: float, degrees: float) -> None:
    """One pixel in a hundred may differ more if the photo is finer than the crop; a coarser photo blurs the edit."""
    photo, square = _photo(sigma=1.5), _square((150, 120), 128, degrees)
    crop = cut(photo, square, size)
    y, x = (np.mgrid[:size, :size] + 0.5) / size
    inside = np.hypot(x - 0.5, y - 0.5) < 0.35
    other = cut(photo[::-1], square, size)
    edited = np.where(inside[..., None], other, crop)
    back = paste_crop(photo, square, edited)
    off = np.abs(cut(back, square, size).astype(int) - edited).max(-1)
    within = ndimage.binary_erosion(inside, iterations=3)  # pixels at the border blend with pixels that must not change
    assert (off[within] > 1).mean() < few
    assert off[within].max() <= (3 if few < 0.1 else 20)
    beyond = ~ndimage.binary_dilation(inside, iterations=4)
    assert off[beyond].max() <= (2 if few < 0.1 else 4)


def test_unedited_pixels_are_the_photos() -> None:
    photo, square = _photo(), _square((150, 120), 128, 15)
    crop = cut(photo, square, 128)
    edited = crop.copy()
    edited[60:80, 40:90] = 0
    where = (paste_crop(photo, square, edited) != photo).any(-1)
    asked = np.zeros((128, 128), np.uint8)
    asked[60:80, 40:90] = 1
    asked = paste_labels(photo.shape[:2], square, asked)
    assert where[asked > 0].mean() > 0.99
    assert not where[~ndimage.binary_dilation(asked, iterations=4)].any()


def test_painting_replaces_the_detail_of_a_fine_photo() -> None:
    """A stripe is painted over at a quarter of the resolution, and no trace of it remains."""
    photo = np.full((512, 512, 3), 100, np.uint8)
    photo[250:254] = 250  # 4 px: one pixel of the crop
    square = np.array([[0.0, 0], [0, 512], [512, 512], [512, 0]])
    edited = cut(photo, square, 128).copy()
    edited[48:80, 32:96] = 120
    back = paste_crop(photo, square, edited)[:, :, 0].astype(int)
    assert np.abs(back[230:280, 180:330] - 120).max() <= 3
    assert (back[250:254, :100] == 250).all()


def test_an_edit_beyond_the_photo_changes_nothing() -> None:
    photo, square = _photo(), _square((0, 120), 128, 0)
    edited = cut(photo, square, 64).copy()
    edited[20:40, 2:12] = 0
    assert np.array_equal(paste_crop(photo, square, edited), photo)


def test_a_grey_photo_stays_grey() -> None:
    photo = np.repeat(_photo()[..., :1], 3, -1)
    square = _square((150, 120), 128, 0)
    edited = cut(photo, square, 128).copy()
    edited[40:80, 40:80] = [200, 40, 40]
    back = paste_crop(photo, square, edited)
    assert (back == back[..., :1]).all()
    assert (back != photo).any()


def test_jpeg_artefacts_are_not_treated_as_an_edit() -> None:
    photo, square = _photo(), _square((150, 120), 128, 0)
    crop = cut(photo, square, 128).astype(int)
    noisy = np.clip(crop + np.random.default_rng(1).integers(-4, 5, crop.shape), 0, 255).astype(np.uint8)
    assert np.array_equal(paste_crop(photo, square, noisy, tolerance=8), photo)
    assert not np.array_equal(paste_crop(photo, square, noisy), photo)


def test_matrix_and_square_are_inverses() -> None:
    square = _square((33.25, 17.5), 61.3, 41)
    assert np.allclose(square_of(matrix_of(square, 200), 200), square)


def test_label_maps_survive_cropping_and_pasting() -> None:
    square = _square((150, 120), 180.3, -31)
    labels = np.kron(np.random.default_rng(3).integers(0, 19, (8, 8)), np.ones((16, 16))).astype(np.uint8)
    whole = paste_labels((240, 300), square, labels)
    again = cut_labels(whole, square, 128)
    inner = np.zeros((16, 16), bool)
    inner[2:-2, 2:-2] = True
    inner = np.tile(inner, (8, 8)) & (cut_labels(np.ones((240, 300), np.uint8), square, 128) > 0)
    assert np.array_equal(again[inner], labels[inner])
    assert set(np.unique(whole[~_inside(_square((150, 120), 183, -31), whole.shape)])) == {0}
