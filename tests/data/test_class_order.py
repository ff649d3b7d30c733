"""Tests of the detection of a label map's class order."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskgan_cli.data.class_order import contradictions, suspected_order
from maskgan_cli.data.given_masks import MaskRules, mask_rules, read_given_mask
from maskgan_cli.editor.uploads import decode_mask
from maskgan_cli.errors import InputError
from maskgan_cli.files import write_label_map
from maskgan_cli.labels import CLASSES, FLIP_IDS, ID, convert
from tests.drawn_faces import draw_face


@pytest.mark.parametrize("number", range(8))
def test_wrong_orders_are_detected_and_the_right_one_is_accepted(number: int) -> None:
    labels = draw_face(number)[2]
    stored = convert(labels, "celebamask", "parser")  # what BiSeNet writes
    assert suspected_order(labels) == ""
    assert suspected_order(stored) == "parser"
    assert suspected_order(convert(stored, "parser"), "parser") == ""
    assert suspected_order(convert(labels, "parser"), "parser") == "celebamask", "ours, read as BiSeNet's"


def test_a_mask_without_parts_fits_any_order() -> None:
    assert suspected_order(np.zeros((32, 32), np.uint8)) == ""


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_rotated_face_is_accepted(turns: int) -> None:
    labels = np.rot90(draw_face(0)[2], turns)
    assert suspected_order(labels) == ""
    assert contradictions(labels) == []


@pytest.mark.parametrize("number", range(8))
def test_a_face_has_no_contradictions(number: int) -> None:
    assert contradictions(draw_face(number)[2]) == []


def test_exchanged_sides_are_contradictions() -> None:
    """CelebAMask-HQ's l_eye is the person's own left eye, on the right of the picture."""
    assert contradictions(FLIP_IDS[draw_face(0)[2]]) == ["r_eye right of l_eye", "r_brow right of l_brow"]
    assert contradictions(np.fliplr(draw_face(0)[2])) == ["r_eye right of l_eye", "r_brow right of l_brow"]


def test_skin_is_the_largest_part_of_a_face() -> None:
    labels = draw_face(0)[2]
    exchanged = np.arange(256, dtype=np.uint8)
    exchanged[[ID["skin"], ID["nose"]]] = ID["nose"], ID["skin"]
    assert "nose larger than skin" in contradictions(exchanged[labels])


def test_an_unknown_order_is_a_contradiction() -> None:
    numbers = np.zeros(256, np.uint8)
    numbers[: len(CLASSES)] = [0, *(sorted(CLASSES[1:]).index(name) + 1 for name in CLASSES[1:])]
    labels = numbers[draw_face(0)[2]]
    assert suspected_order(labels) == ""
    assert contradictions(labels)


def test_contradictions_end_the_reading_of_a_given_mask_without_force(tmp_path: Path) -> None:
    labels = FLIP_IDS[draw_face(0)[2]]
    path = write_label_map(tmp_path / "mask.png", labels)
    with pytest.raises(InputError, match=r"as in no face: r_eye right of l_eye.*--force"):
        read_given_mask(path)
    for rules in (MaskRules(force=True), MaskRules(any_shape=True)):
        with mask_rules(rules):
            assert np.array_equal(read_given_mask(path), labels)


def test_the_editor_detects_the_order_of_a_mask() -> None:
    labels, file = draw_face(0)[2], io.BytesIO()
    Image.fromarray(convert(labels, "celebamask", "parser")).save(file, "PNG")
    read = decode_mask(file.getvalue())
    assert read is not None
    assert np.array_equal(read, labels)
