"""Brows and foreheads that old hair hid."""

from __future__ import annotations

import numpy as np
import pytest

from maskgan_cli.editing.compositing.hair_base import without_hair
from maskgan_cli.editing.compositing.hidden_parts import (
    added_ears,
    lay_brows,
    lay_ears,
    replaced_brows,
    with_hidden_brows,
    with_hidden_ears,
)
from maskgan_cli.labels import ID, LabelMap

_SIDE = 200
_BROWS = [ID["l_brow"], ID["r_brow"]]


def _face(fringe: int, brows: bool = True) -> LabelMap:
    """A face whose hair ends at a row; its brows are in rows 70 to 75, its eyes in rows 90 to 97."""
    labels = np.zeros((_SIDE, _SIDE), np.uint8)
    labels[30:180, 40:160] = ID["skin"]
    for brow, eye, left in ((_BROWS[0], ID["l_eye"], 60), (_BROWS[1], ID["r_eye"], 110)):
        if brows:
            labels[70:76, left : left + 30] = brow
        labels[90:98, left : left + 30] = eye
    labels[120:140, 90:110] = ID["nose"]
    labels[20:fringe, 30:170] = ID["hair"]
    return labels


def _without_hair(labels: LabelMap) -> LabelMap:
    return np.where(labels == ID["hair"], ID["skin"], labels).astype(np.uint8)


@pytest.mark.parametrize(("fringe", "replaced"), [(74, True), (69, True), (55, False)])
def test_brows_under_a_fringe_are_the_references(fringe: int, replaced: bool) -> None:
    labels, shown = _face(fringe), np.roll(_face(40), 4, axis=0)
    after = _without_hair(labels)
    result = with_hidden_brows(after, labels, shown)
    if not replaced:
        assert result is after
        return
    assert np.array_equal(np.isin(result, _BROWS), np.isin(shown, _BROWS))
    assert set(np.unique(result[:, :100])) & set(_BROWS) == {_BROWS[0]}
    assert np.array_equal(replaced_brows(labels, result), np.isin(result, _BROWS))
    assert not replaced_brows(after, after).any()


def test_a_reference_without_brows_or_with_glasses_gives_none() -> None:
    labels = _face(74)
    after, glasses = _without_hair(labels), _face(40)
    glasses[85:100, 55:145] = ID["eye_g"]
    for shown in (_face(40, brows=False), glasses):
        assert with_hidden_brows(after, labels, shown) is after


def test_brows_have_the_tone_of_the_face_and_the_contrast_asked_for() -> None:
    brows = np.zeros((_SIDE, _SIDE), bool)
    brows[70:80, 60:140] = True
    skin = np.full((_SIDE, _SIDE, 3), 100.0, np.float32)
    reference = np.where(brows[..., None], 50.0, skin).astype(np.float32)
    base = 1.8 * skin
    for strength in (0.5, 1.0):
        found = lay_brows(base, skin, reference, brows, strength)
        assert abs(found[75, 100, 0] - 180 * 0.5**strength) < 2
        assert np.abs(found[:60] - base[:60]).max() < 0.5


@pytest.mark.parametrize("own", [0, 4, 8])
def test_ears_that_hair_hid_are_the_references(own: int) -> None:
    shown = _face(40)
    shown[85:115, 26:38] = ID["l_ear"]
    shown[85:115, 160:172] = ID["r_ear"]
    labels = _face(50)
    labels[50:130, 20:40] = labels[50:130, 160:175] = ID["hair"]
    labels[85:115, 26 : 26 + own] = ID["l_ear"]
    after = np.where(labels == ID["hair"], ID["background"], labels).astype(np.uint8)
    result = with_hidden_ears(after, labels, shown)
    assert np.array_equal(result == ID["r_ear"], shown == ID["r_ear"])
    if own == 8:  # most of the ear is visible
        assert np.array_equal(result[:, :100], after[:, :100])
        return
    assert np.array_equal(result == ID["l_ear"], shown == ID["l_ear"])
    assert (result[95:105, 38:40] == ID["skin"]).all(), "no gap between ear and face"
    ears = added_ears(labels, result)
    assert ears.sum() == 30 * (24 - own)
    base, reference = np.full((_SIDE, _SIDE, 3), 30.0, np.float32), np.full((_SIDE, _SIDE, 3), 120.0, np.float32)
    found = lay_ears(base, reference, ears, np.full(3, 150.0, np.float32), np.full(3, 100.0, np.float32))
    assert abs(found[100, 166, 0] - 180) < 2
    assert np.array_equal(found[:, 70:130], base[:, 70:130])


def test_tips_of_a_fringe_below_the_masks_hair_go_with_it() -> None:
    labels = _face(66, brows=False)
    photo = np.full((_SIDE, _SIDE, 3), 180, np.uint8)
    photo[20:74, 30:170] = 60  # the fringe is longer than in the mask
    alpha = (labels == ID["hair"]).astype(np.float32)
    skin = np.full(photo.shape, 120, np.float32)
    found = without_hair(photo, labels, _without_hair(labels), alpha, skin, np.zeros_like(alpha))
    assert found[68:74, 70:130].mean() > 150
    assert np.array_equal(found[90:98, 62:88], photo[90:98, 62:88].astype(np.float32)), "the eyes keep their pixels"
