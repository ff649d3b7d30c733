"""Tests of the detection of a label map's class order."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from maskgan_cli.data.class_order import suspected_order
from maskgan_cli.editor.uploads import decode_mask
from maskgan_cli.labels import convert
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
    assert suspected_order(np.rot90(draw_face(0)[2], turns)) == ""


def test_the_editor_detects_the_order_of_a_mask() -> None:
    labels, file = draw_face(0)[2], io.BytesIO()
    Image.fromarray(convert(labels, "celebamask", "parser")).save(file, "PNG")
    read = decode_mask(file.getvalue())
    assert read is not None
    assert np.array_equal(read, labels)
