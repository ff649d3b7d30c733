"""Pasting back: exact where nothing was edited, the result where it was, monotone in between."""

from __future__ import annotations

import numpy as np

from maskgan_cli.editing.blend import paste_back


def _paste(softness: float) -> np.ndarray:
    source, result = np.zeros((64, 64, 3), np.uint8), np.full((64, 64, 3), 200, np.uint8)
    before = np.zeros((64, 64), np.uint8)
    after = before.copy()
    after[20:40, 20:40] = 1
    return paste_back(source, result, before, after, softness=softness)


def test_the_edit_is_the_result_and_far_pixels_are_the_source() -> None:
    mixed = _paste(softness=8 / 64)
    assert (mixed[20:40, 20:40] == 200).all()
    assert (mixed[:12] == 0).all()
    assert (mixed[48:] == 0).all()
    fade = mixed[30, 39:49, 0].astype(int)
    assert (np.diff(fade) <= 0).all()
    assert 0 < fade[4] < 200


def test_no_edit_is_the_source_itself() -> None:
    source = np.random.default_rng(0).integers(0, 255, (8, 8, 3), np.uint8)
    labels = np.ones((8, 8), np.uint8)
    assert (paste_back(source, 255 - source, labels, labels, softness=0.1) == source).all()
