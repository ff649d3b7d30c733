"""What is a face crop by its mask, and what is not."""

from __future__ import annotations

import numpy as np
import pytest

from maskgan_cli.data.alignment import crop_points
from maskgan_cli.editing.framing import framed, misplaced, oddity
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


def test_where_the_mask_shows_too_few_points_the_face_is_looked_for() -> None:
    """Skin enough, dark glasses, no mouth: a crop where a face is found all over it or none at all, else a photo."""
    labels, never = draw_face(0)[2], lambda: pytest.fail("the mask shows where the face is")
    assert all(framed(draw_face(i)[2], never) for i in range(8))
    blank = np.where(np.isin(labels, part_ids("mouth,eyes,brows,nose")), ID["skin"], labels)
    blank[np.isin(labels, part_ids("eyes"))] = ID["eye_g"]
    assert oddity(blank) == ""
    points = crop_points(len(labels))
    assert framed(blank, lambda: points + 0.1 * len(labels)) and framed(blank, lambda: None)
    assert not framed(blank, lambda: 0.4 * points)
    assert not framed(np.zeros_like(labels), never)


def test_a_face_beside_its_place_is_told() -> None:
    labels = draw_face(0)[2]
    assert misplaced(labels) == ""
    shift = len(labels) // 4
    aside = np.pad(labels, ((0, 0), (shift, 0)), mode="edge")[:, : len(labels)]
    assert oddity(aside) == "" and misplaced(aside).endswith("of its side from their places")
    assert "eyes, nose or mouth 2" in misplaced(aside)
