"""Texture transfer: the texture follows the new shape of lips, and a closed mouth gives no teeth."""

from __future__ import annotations

import numpy as np

from maskgan_cli.editing.compositing.texture import transfer_texture
from maskgan_cli.labels import ID

_SIDE = 128
_ALL = np.ones((_SIDE, _SIDE), bool)  # the region is the whole picture
_LIPS = (ID["u_lip"], ID["l_lip"])


def _face(middle: tuple[int, int], width: int, height: int, gap: int = 0, turn: float = 0.0) -> np.ndarray:
    """A label map of skin with two lips, ``gap`` rows of mouth between them, rotated by ``turn`` radians."""
    y, x = np.mgrid[:_SIDE, :_SIDE] - np.array(middle)[:, None, None]
    along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    labels = np.full((_SIDE, _SIDE), ID["skin"], np.uint8)
    inside = np.abs(along) <= width / 2
    labels[inside & (across >= -height - gap / 2) & (across < -gap / 2)] = ID["u_lip"]
    labels[inside & (np.abs(across) <= gap / 2) & (gap > 0)] = ID["mouth"]
    labels[inside & (across >= gap / 2 + (gap > 0)) & (across < height + gap / 2)] = ID["l_lip"]
    return labels


def _ramp(middle: tuple[int, int], width: int) -> np.ndarray:
    """A photo whose red grows from the mouth's left corner to its right one, 50 to 200."""
    x = (np.arange(_SIDE) - middle[1]) / width + 0.5
    red = np.clip(50 + 150 * x, 0, 255)
    return np.broadcast_to(red[None, :, None], (_SIDE, _SIDE, 3)).round().astype(np.uint8)


def test_with_equal_masks_the_photo_is_unchanged() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (_SIDE, _SIDE, 3), dtype=np.uint8)
    labels = _face((70, 60), 50, 9, gap=12)
    result, weight = transfer_texture(photo, labels, labels, _ALL)
    inner = weight > 0.5
    assert np.isin(labels, (*_LIPS, ID["mouth"]))[inner].mean() > 0.95
    assert np.abs(result - photo)[inner].mean() < 16, "smoothing moves the edges by up to half a pixel"


def test_a_moved_and_narrower_mouth_keeps_the_texture_from_corner_to_corner() -> None:
    before, after = _face((70, 60), 60, 10), _face((80, 66), 40, 14)
    result, weight = transfer_texture(_ramp((70, 60), 60), before, after, _ALL)
    for share in (0.2, 0.5, 0.8):
        column = round(66 + (share - 0.5) * 40)
        for row in (74, 86):  # either lip
            assert weight[row, column] > 0.9
            assert abs(result[row, column, 0] - (50 + 150 * share)) < 6


def test_the_texture_of_a_rotated_mouth_is_rotated() -> None:
    before, after = _face((64, 64), 60, 10), _face((64, 64), 60, 10, turn=0.3)
    result, _ = transfer_texture(_ramp((64, 64), 60), before, after, _ALL)
    for share in (0.2, 0.8):
        along = (share - 0.5) * 60
        at = (round(64 + along * np.sin(0.3)), round(64 + along * np.cos(0.3)))
        assert abs(result[(*at, 0)] - (50 + 150 * share)) < 8


def test_a_closed_mouth_gives_no_teeth_and_an_open_one_does() -> None:
    photo = np.full((_SIDE, _SIDE, 3), 120, np.uint8)
    opened = _face((70, 64), 50, 8, gap=16)
    inside = opened == ID["mouth"]
    core = inside & (np.abs(np.arange(_SIDE) - 70) < 5)[:, None] & (np.abs(np.arange(_SIDE) - 64) < 20)
    _, weight = transfer_texture(photo, _face((70, 64), 50, 8), opened, _ALL)
    assert weight[core].max() < 0.05, "a closed mouth has no inside"
    _, weight = transfer_texture(photo, _face((68, 60), 44, 8, gap=12), opened, _ALL)
    assert weight[core].min() > 0.9


def test_a_part_that_is_missing_in_one_mask_has_no_weight() -> None:
    photo = np.zeros((_SIDE, _SIDE, 3), np.uint8)
    skin, lips = np.full((_SIDE, _SIDE), ID["skin"], np.uint8), _face((70, 64), 50, 8)
    for before, after in ((skin, lips), (lips, skin), (skin, skin)):
        _, weight = transfer_texture(photo, before, after, _ALL)
        assert not weight.any()
