"""Reshaped masks: lengths, centres and areas equal values computed by hand, and other pixels are unchanged."""

from __future__ import annotations

import numpy as np

from maskgan_cli.editing.masks.reshape import Reshaping, close_mouth, open_mouth, reshape
from maskgan_cli.labels import ID, LabelMap, part_ids


def _face() -> LabelMap:
    """A face of 128 px, where a length of 4 is one pixel."""
    labels = np.zeros((128, 128), np.uint8)
    labels[10:60, 20:108] = ID["hair"]
    labels[30:118, 28:100] = ID["skin"]
    labels[66:82, 58:70] = ID["nose"]
    labels[88:92, 50:79], labels[92:96, 50:79] = ID["u_lip"], ID["l_lip"]
    return labels


def test_hair_grows_over_the_background_and_not_over_the_face() -> None:
    face = _face()
    grown = reshape(face, Reshaping(part_ids("hair"), grow=12))
    assert (grown[7:10, 20:108] == ID["hair"]).all()
    assert (grown[:7] == 0).all()
    assert np.array_equal(grown == ID["skin"], face == ID["skin"])


def test_a_part_that_shrinks_uncovers_the_class_behind_it() -> None:
    smaller = reshape(_face(), Reshaping(part_ids("nose"), grow=-8))
    assert (smaller == ID["nose"]).sum() == (16 - 4) * (12 - 4)
    assert (smaller[66:68, 58:70] == ID["skin"]).all()


def test_parts_move_and_scale_around_their_own_middle() -> None:
    moved = reshape(_face(), Reshaping(part_ids("nose"), move=(8, -4)))
    rows, columns = np.nonzero(moved == ID["nose"])
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (65, 80, 60, 71)
    wider = reshape(_face(), Reshaping(part_ids("nose"), scale=1.5))
    rows, columns = np.nonzero(wider == ID["nose"])
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (62, 85, 55, 72)
    assert np.array_equal(moved[:60], _face()[:60])


def test_a_mouth_opens_in_the_middle_and_closes_again() -> None:
    face = _face()
    opened = open_mouth(face, 6)
    assert (opened[92:98, 64] == ID["mouth"]).all()
    assert (opened[98:102, 64] == ID["l_lip"]).all()
    assert np.array_equal(opened[:, 50], face[:, 50])
    closed = close_mouth(opened)
    assert not (closed == ID["mouth"]).any()
    assert np.array_equal(closed, face)


def test_missing_parts_change_nothing() -> None:
    face = _face()
    for how in (Reshaping(part_ids("hat"), grow=9, scale=2.0), Reshaping()):
        assert np.array_equal(reshape(face, how), face)
    bare = np.full((32, 32), ID["skin"], np.uint8)
    assert np.array_equal(close_mouth(open_mouth(bare, 5)), bare)
