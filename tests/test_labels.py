"""Tests of the 19 classes: published order, mirroring, groups and colours."""

from __future__ import annotations

import numpy as np
import pytest

from maskgan_cli import labels
from maskgan_cli.cli.options import ClassOrder
from maskgan_cli.labels import CLASSES, ID, NUM_CLASSES, ORDERS, PALETTE


def test_ids_have_the_published_painting_order() -> None:
    assert [ID[n] for n in ("background", "skin", "nose", "eye_g", "l_eye", "hair", "cloth")] == [0, 1, 2, 3, 4, 13, 18]
    assert NUM_CLASSES == 19
    assert tuple(PALETTE[ID["hat"]]) == (0xFF, 0x33, 0x99)
    assert len({tuple(c) for c in PALETTE}) == NUM_CLASSES


def test_flip_mirrors_and_exchanges_left_and_right_ids() -> None:
    row = np.arange(NUM_CLASSES, dtype=np.uint8)[None]
    expected = [0, 1, 2, 3, 5, 4, 7, 6, 9, 8, *range(10, 19)][::-1]
    assert labels.flip(row).tolist() == [expected]
    assert (labels.flip(labels.flip(row)) == row).all()


def test_class_orders_round_trip_and_have_equal_names() -> None:
    ids = np.arange(NUM_CLASSES, dtype=np.uint8)
    as_parser = labels.convert(ids, "celebamask", "parser")
    assert (labels.convert(as_parser, "parser") == ids).all()
    assert all(ORDERS["parser"][as_parser[i]] == name for i, name in enumerate(CLASSES))
    assert as_parser[ID["hair"]] == 17


def test_part_ids_of_classes_and_groups() -> None:
    assert labels.part_ids("mouth") == (10, 11, 12)
    assert labels.part_ids("inner_mouth") == (10,)
    assert labels.part_ids(" hair, eyes ") == (4, 5, 13)


@pytest.mark.parametrize("wrong", ["", "moustache", "background"])
def test_part_ids_reports_unknown_names(wrong: str) -> None:
    with pytest.raises(ValueError, match="part"):
        labels.part_ids(wrong)


def test_colourise_uses_the_palette() -> None:
    picture = labels.colourise(np.array([[1, 13]], np.uint8))
    assert picture.tolist() == [[[204, 0, 0], [0, 0, 204]]]


def test_the_command_line_offers_every_order() -> None:
    assert [order.value for order in ClassOrder] == list(ORDERS)
