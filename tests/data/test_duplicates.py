"""Tests of near duplicates: changed copies of a picture are found, other faces are not."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from maskgan_cli.data.duplicates import NEAR, fingerprint, near_pairs
from maskgan_cli.files import Picture
from maskgan_cli.synth import face


@pytest.fixture(scope="module")
def faces() -> list[Picture]:
    return [face(3, number, 128, 8).picture for number in range(8)]


def _compressed(picture: Picture, quality: int = 30) -> Picture:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def _cropped(picture: Picture, left: int, top: int, right: int, bottom: int) -> Picture:
    height, width = picture.shape[:2]
    image = Image.fromarray(picture).crop((left, top, width - right, height - bottom))
    return np.asarray(image.resize((width, height), Image.Resampling.LANCZOS))


@pytest.mark.parametrize(
    "change",
    [
        lambda p: np.rint(0.6 * p).astype(np.uint8),
        lambda p: np.rint(0.8 * p + 40).astype(np.uint8),
        _compressed,
        lambda p: np.asarray(Image.fromarray(p).resize((70, 70), Image.Resampling.LANCZOS)),
        lambda p: _cropped(p, 3, 3, 3, 3),
        lambda p: _cropped(p, 8, 8, 8, 8),
        lambda p: _cropped(p, 2, 1, 1, 2),
        lambda p: _compressed(_cropped(p, 5, 5, 5, 5), 80),
    ],
    ids=["darker", "paler", "jpeg", "smaller", "crop-2%", "crop-6%", "crop-uneven", "crop-jpeg"],
)
def test_changed_copies_are_found(faces: list[Picture], change: Callable[[Picture], Picture]) -> None:
    pairs = list(near_pairs([fingerprint(p) for p in [*faces, *map(change, faces)]]))
    assert [(i, j) for i, j, _ in pairs] == [(i, i + len(faces)) for i in range(len(faces))]
    assert all(bits <= NEAR for *_, bits in pairs)


def test_other_faces_and_mirrored_copies_are_not_found(faces: list[Picture]) -> None:
    assert not list(near_pairs([fingerprint(p) for p in [*faces, *(p[:, ::-1].copy() for p in faces)]]))
    assert not list(near_pairs([]))


def test_matrix_products_count_different_bits() -> None:
    rng = np.random.default_rng(0)
    one = rng.integers(0, 256, (4, 32), np.uint8)
    other = rng.integers(0, 256, (4, 32), np.uint8)
    other[0] = one[2]  # the whole of one is the other at its third framing
    flipped = one.copy()
    flipped[:, :3] ^= 0b10101010  # 12 bits
    assert list(near_pairs([one, other, flipped])) == [(0, 1, 0), (0, 2, 12), (1, 2, 12)]


def test_pairs_across_blocks_are_found() -> None:
    rng = np.random.default_rng(1)
    many = list(rng.integers(0, 256, (600, 4, 32), np.uint8))
    many[599] = many[3]
    many[300] = many[299]
    assert list(near_pairs(many)) == [(3, 599, 0), (299, 300, 0)]
