"""The class order of a label map, judged by where its parts lie."""

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
def test_another_order_is_suspected_and_the_right_one_never(number: int) -> None:
    labels = draw_face(number)[2]
    stored = convert(labels, "celebamask", "parser")  # what BiSeNet writes
    assert suspected_order(labels) == ""
    assert suspected_order(stored) == "parser"
    assert suspected_order(convert(stored, "parser"), "parser") == ""
    assert suspected_order(convert(labels, "parser"), "parser") == "celebamask", "ours, read as BiSeNet's"


def test_a_mask_without_parts_is_in_any_order() -> None:
    assert suspected_order(np.zeros((32, 32), np.uint8)) == ""


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_face_is_no_other_order(turns: int) -> None:
    assert suspected_order(np.rot90(draw_face(0)[2], turns)) == ""


def test_the_editor_reads_a_mask_in_the_order_of_its_parts() -> None:
    labels, file = draw_face(0)[2], io.BytesIO()
    Image.fromarray(convert(labels, "celebamask", "parser")).save(file, "PNG")
    read = decode_mask(file.getvalue())
    assert read is not None
    assert np.array_equal(read, labels)
