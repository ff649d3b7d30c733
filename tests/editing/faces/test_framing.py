"""Checks by the mask whether a picture is a face crop."""

from __future__ import annotations

import numpy as np
import pytest

from maskgan_cli.data.alignment import crop_points
from maskgan_cli.editing.faces.framing import crop_problem, framed, misplaced
from maskgan_cli.labels import ID, part_ids
from tests.drawn_faces import draw_face


def test_drawn_faces_are_face_crops() -> None:
    assert [crop_problem(draw_face(i)[2]) for i in range(8)] == [""] * 8


def test_masks_without_skin_or_eyes_or_with_a_small_face_are_no_face_crops() -> None:
    labels = draw_face(0)[2]
    assert crop_problem(np.zeros_like(labels)) == "skin on 0.0% of it"
    blind = labels.copy()
    blind[np.isin(labels, part_ids("eyes,glasses"))] = ID["skin"]
    assert crop_problem(blind) == "no eyes"
    flat = labels.copy()
    flat[np.isin(labels, part_ids("mouth"))] = ID["skin"]
    assert crop_problem(flat) == "", "the mouth may be hidden"
    row = int(np.nonzero(np.isin(labels, part_ids("eyes")))[0].mean()) + 2
    flat[row, len(labels) // 2] = ID["mouth"]
    assert "of its height below the eyes" in crop_problem(flat)
    small = np.zeros_like(labels)
    small[: len(labels) // 4, : len(labels) // 4] = labels[::4, ::4]
    assert crop_problem(small).startswith("skin on ")


def test_if_the_mask_shows_too_few_points_the_face_is_detected() -> None:
    """With dark glasses and no mouth it is a crop if the detected face fills it or if no face is detected."""
    labels, never = draw_face(0)[2], lambda: pytest.fail("the mask shows where the face is")
    assert all(framed(draw_face(i)[2], never) for i in range(8))
    blank = np.where(np.isin(labels, part_ids("mouth,eyes,brows,nose")), ID["skin"], labels)
    blank[np.isin(labels, part_ids("eyes"))] = ID["eye_g"]
    assert crop_problem(blank) == ""
    points = crop_points(len(labels))
    assert framed(blank, lambda: points + 0.1 * len(labels)) and framed(blank, lambda: None)
    assert not framed(blank, lambda: 0.4 * points)
    assert not framed(np.zeros_like(labels), never)


def test_a_face_far_from_its_usual_position_is_reported() -> None:
    labels = draw_face(0)[2]
    assert misplaced(labels) == ""
    shift = len(labels) // 4
    aside = np.pad(labels, ((0, 0), (shift, 0)), mode="edge")[:, : len(labels)]
    assert crop_problem(aside) == "" and misplaced(aside).endswith("of its side from their places")
    assert "eyes, nose or mouth 2" in misplaced(aside)
