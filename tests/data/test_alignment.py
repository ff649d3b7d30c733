"""Tests of alignment: scikit-image's SVD solution, drawn masks with known points, and positions of pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.transform import estimate_transform, warp

from maskgan_cli.data.alignment import CROP, TEMPLATE, align, crop_points, points_of_mask, similarity
from maskgan_cli.labels import ID, flip


def _turned(points: np.ndarray, degrees: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return scale * points @ turn.T + shift


def test_a_known_similarity_is_recovered() -> None:
    points = _turned(TEMPLATE, 23.0, 2.5, (40.0, -7.0))
    matrix = similarity(points, TEMPLATE)
    assert np.allclose(points @ matrix[:, :2].T + matrix[:, 2], TEMPLATE)


def test_least_squares_equals_the_svd_solution() -> None:
    rng = np.random.default_rng(0)
    points = TEMPLATE + rng.normal(0, 5, (4, 5, 2))
    for own, matrix in zip(points, similarity(points, TEMPLATE), strict=True):
        reference = estimate_transform("similarity", own, TEMPLATE)
        assert np.allclose(matrix, reference.params[:2])


def test_nan_points_are_ignored() -> None:
    points = _turned(TEMPLATE, -10.0, 0.7, (3.0, 2.0))
    points[[0, 2]] = np.nan
    matrix = similarity(points, TEMPLATE)
    assert np.allclose(points[1] @ matrix[:, :2].T + matrix[:, 2], TEMPLATE[1])


def _mask(size: int = 100) -> tuple[np.ndarray, np.ndarray]:
    """A mask with known points: squares as eyes, bars as mouth and nose."""
    labels = np.zeros((size, size), np.uint8)
    labels[38:43, 30:41] = ID["r_eye"]
    labels[38:43, 60:71] = ID["l_eye"]
    labels[30:33, 30:41] = ID["r_brow"]
    labels[45:65, 48:53] = ID["nose"]
    labels[75:81, 38:64] = ID["u_lip"]
    points = np.array([[35.5, 40.5], [65.5, 40.5], [50.5, 45 + 0.82 * 19 + 0.5], [38.5, 78], [63.5, 78]])
    return labels, points


def test_points_of_a_mask() -> None:
    labels, points = _mask()
    assert np.allclose(points_of_mask(labels), points)


def test_a_mirrored_mask_has_mirrored_points() -> None:
    labels, _ = _mask()
    mirrored = points_of_mask(flip(labels))[[1, 0, 2, 4, 3]] * [-1, 1] + [100, 0]
    assert np.allclose(mirrored, points_of_mask(labels))


def test_a_hidden_eye_is_estimated_from_its_brow_or_nan() -> None:
    labels, points = _mask()
    labels[labels == ID["r_eye"]] = 0
    guessed = points_of_mask(labels)[0]
    assert guessed == pytest.approx([35.5 + 0.19 * (51 - 35.5), 31.5 + 0.19 * (78 - 31.5)])
    labels[labels == ID["r_brow"]] = 0
    left_out = points_of_mask(labels)
    assert np.isnan(left_out[0]).all()
    assert np.abs(left_out[1:] - points[1:]).max() < 0.1


def test_a_mask_without_a_face_gives_the_mean_points_of_crops() -> None:
    assert np.array_equal(points_of_mask(np.zeros((50, 50), np.uint8)), crop_points(50))
    only_mouth = np.zeros((50, 50), np.uint8)
    only_mouth[30:34, 20:30] = ID["mouth"]
    assert np.array_equal(points_of_mask(only_mouth), CROP * 50)


@pytest.mark.parametrize(("degrees", "scale"), [(0.0, 1.0), (20.0, 2.0), (-15.0, 0.8), (5.0, 4.0)])
def test_dots_at_the_points_move_to_the_template(degrees: float, scale: float) -> None:
    points = _turned(TEMPLATE - 56, degrees, scale, (300.0, 290.0))
    y, x = np.mgrid[0:600, 0:600] + 0.5
    dots = sum(np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * (3 * scale) ** 2)) for px, py in points)
    picture = torch.from_numpy((255 * np.clip(dots, 0, 1)).round().astype(np.uint8)).expand(1, 3, -1, -1)
    aligned = align(picture, points)[0, 0].double().numpy()
    y, x = np.mgrid[0:112, 0:112] + 0.5
    for px, py in TEMPLATE:
        near = aligned * (np.hypot(x - px, y - py) < 8)
        assert (near * x).sum() / near.sum() == pytest.approx(px, abs=0.15)
        assert (near * y).sum() / near.sum() == pytest.approx(py, abs=0.15)


def test_each_face_of_a_batch_is_aligned_by_its_own_points() -> None:
    torch.manual_seed(0)
    images = torch.randint(0, 256, (2, 3, 128, 128), dtype=torch.uint8)
    points = np.stack([TEMPLATE + 3, TEMPLATE + 9])  # whole shifts copy pixels
    aligned = align(images, points)
    assert aligned.shape == (2, 3, 112, 112)
    for k, shift in enumerate((3, 9)):
        assert torch.equal(aligned[k], images[k, :, shift : shift + 112, shift : shift + 112])


def test_alignment_agrees_with_arcfaces_to_the_pixel() -> None:
    """ArcFace's method: a similarity with the origin at the centre of the first pixel, and a warp."""
    published = np.array(
        [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
    )
    y, x = np.mgrid[:160, :160]
    waves = [np.sin(x / 9 + k) * np.cos(y / 7 - k) for k in range(3)]
    picture = (127.5 + 100 * np.stack(waves, -1)).astype(np.uint8)
    counted = _turned(published, 8.0, 0.9, (20.0, 25.0))
    there = estimate_transform("similarity", counted, published)
    expected = warp(picture, there.inverse, output_shape=(112, 112), order=1, preserve_range=True)
    ours = align(torch.from_numpy(picture).permute(2, 0, 1)[None], counted + 0.5)
    difference = np.abs(ours[0].permute(1, 2, 0).numpy() - expected)[8:-8, 8:-8]
    assert difference.max() < 1.0
    shifted = align(torch.from_numpy(picture).permute(2, 0, 1)[None], counted)  # half a pixel off
    assert np.abs(shifted[0].permute(1, 2, 0).numpy() - expected)[8:-8, 8:-8].max() > 3.0
