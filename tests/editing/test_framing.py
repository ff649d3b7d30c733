"""What is a face crop by its mask, and what is not."""

from __future__ import annotations

import numpy as np

from maskgan_cli.editing.framing import oddity
from maskgan_cli.labels import ID, part_ids
from tests.drawn_faces import draw_face


def test_drawn_faces_are_face_crops() -> None:
    assert [oddity(draw_face(i)[2]) for i in range(8)] == [""] * 8


def test_a_mask_without_skin_or_eyes_or_with_a_face_far_too_small_is_not() -> None:
    labels = draw_face(0)[2]
    assert oddity(np.zeros_like(labels)) == "skin on 0.0% of it"
    blind = labels.copy()
    blind[np.isin(labels, part_ids("eyes,glasses"))] = ID["skin"]
    assert oddity(blind) == "no eyes"
    flat = labels.copy()
    flat[np.isin(labels, part_ids("mouth"))] = ID["skin"]
    assert oddity(flat) == "", "a hidden mouth is no reason"
    row = int(np.nonzero(np.isin(labels, part_ids("eyes")))[0].mean()) + 2
    flat[row, len(labels) // 2] = ID["mouth"]
    assert "of its height below the eyes" in oddity(flat)
    small = np.zeros_like(labels)
    small[: len(labels) // 4, : len(labels) // 4] = labels[::4, ::4]
    assert oddity(small).startswith("skin on ")
