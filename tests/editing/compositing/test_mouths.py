"""Mouths of a moved photo: where the inside comes from, its light, the line of closed lips, and the chin."""

from __future__ import annotations

import numpy as np
import pytest

from maskgan_cli.editing.compositing.closing import closing
from maskgan_cli.editing.compositing.compose import paste_moved
from maskgan_cli.editing.compositing.mouths import ReferenceFace, insert_inside, source_of_inside, with_jaw
from maskgan_cli.editing.compositing.registration import displacement
from maskgan_cli.editing.options import Inside
from maskgan_cli.labels import ID, LabelMap

_SIDE = 256
_SKIN, _LIP, _TEETH, _EYE = (200, 150, 120), (170, 80, 80), (240, 235, 220), (210, 210, 210)


def _mouth(inside: int, chin: int = 230) -> LabelMap:
    """A face with eyes, a mouth whose inside has a given number of rows, and a neck below the chin."""
    labels = np.full((_SIDE, _SIDE), ID["skin"], np.uint8)
    labels[60:70, 60:90] = labels[60:70, 160:190] = ID["l_eye"]
    labels[150:160, 90:166] = ID["u_lip"]
    labels[160 : 160 + inside, 90:166] = ID["mouth"]
    labels[160 + inside : 172 + inside, 90:166] = ID["l_lip"]
    labels[chin:] = ID["neck"]
    return labels


def _picture(labels: LabelMap, teeth: tuple[int, int, int] = _TEETH, light: float = 1.0) -> np.ndarray:
    colours = np.zeros((19, 3))
    colours[:] = _SKIN
    colours[[ID["u_lip"], ID["l_lip"]]], colours[ID["mouth"]], colours[ID["l_eye"]] = _LIP, teeth, _EYE
    return np.clip(colours[labels] * light, 0, 255).round().astype(np.uint8)


@pytest.mark.parametrize(
    ("own", "other", "wanted", "found"),
    [
        (0, 12, Inside.AUTO, Inside.REFERENCE),
        (0, None, Inside.AUTO, Inside.PHOTO),
        (0, 2, Inside.AUTO, Inside.PHOTO),
        (0, 12, Inside.PAINTED, Inside.PAINTED),
        (10, 12, Inside.AUTO, Inside.PHOTO),
        (4, 12, Inside.AUTO, Inside.REFERENCE),
        (4, None, Inside.AUTO, Inside.PHOTO),
        (10, 12, Inside.REFERENCE, Inside.REFERENCE),
        (10, 12, Inside.PAINTED, Inside.PAINTED),
        (4, 12, Inside.PHOTO, Inside.PHOTO),
    ],
)
def test_the_insides_source_depends_on_both_mouths(own: int, other: int | None, wanted: Inside, found: Inside) -> None:
    reference = None if other is None else _mouth(other)
    assert source_of_inside(_mouth(own), _mouth(12), reference, wanted) is found


def test_an_unchanged_mouth_needs_no_source() -> None:
    assert source_of_inside(_mouth(12), _mouth(12), _mouth(12)) is None
    assert source_of_inside(_mouth(12), _mouth(0), _mouth(12)) is None


def test_closed_lips_that_open_a_little_show_no_inside() -> None:
    assert source_of_inside(_mouth(0), _mouth(1), None) is None
    assert source_of_inside(_mouth(0), _mouth(1), None, Inside.PAINTED) is Inside.PAINTED


def test_a_mouth_that_was_closed_opens_on_a_dark_gap_lighter_at_the_tongue() -> None:
    before, after = _mouth(0), _mouth(14)
    photo = _picture(before)
    picture = np.where((after == ID["mouth"])[..., None], 200, photo).astype(np.uint8)  # painted teeth
    result = insert_inside(picture, photo, before, after, Inside.PHOTO, None)
    upper, lower = (result[rows, 115:140].mean() for rows in (slice(162, 165), slice(170, 173)))
    assert upper < lower < 0.55 * np.mean(_LIP)
    assert upper < 0.3 * np.mean(_LIP)


def test_a_references_inside_is_pasted_in_the_photos_light() -> None:
    before, after, other = _mouth(0), _mouth(14), _mouth(14)
    photo = _picture(before, light=0.5)
    result = insert_inside(photo, photo, before, after, Inside.REFERENCE, ReferenceFace(_picture(other), other))
    inside = result[167:172, 110:146].astype(float)
    whites = np.array(_EYE).mean() * 0.5
    assert 0.6 * whites < inside.mean() <= 1.12 * whites, "the inside is not scaled to the photo's brightness"
    assert result[164:166, 110:146].mean() < inside.mean(), "no shadow under the upper lip"
    far = np.ones(before.shape, bool)
    far[150:190, 80:176] = False
    assert (result[far] == photo[far]).all()


def test_teeth_of_another_face_get_the_brightness_and_the_cast_that_teeth_have_beside_this_skin() -> None:
    """A reference with darker skin in neutral light, a photo in warm light with dark eyes: teeth must not be grey."""
    before, after, other = _mouth(0), _mouth(14), _mouth(14)
    photo = np.where(np.isin(before, ID["skin"])[..., None], (220, 170, 130), _picture(before)).astype(np.uint8)
    photo[before == ID["l_eye"]] = (90, 80, 80)
    theirs = np.where((other == ID["skin"])[..., None], (110, 90, 80), _picture(other)).astype(np.uint8)
    theirs[other == ID["mouth"]] = (185, 185, 190)
    result = insert_inside(photo, photo, before, after, Inside.REFERENCE, ReferenceFace(theirs, other))
    teeth = np.median(result[170:174, 115:140].reshape(-1, 3), axis=0)
    skin = np.array((220, 170, 130))
    assert 1.0 < teeth.mean() / skin.mean() < 1.5
    cast, own = (np.log(colour[0] / colour[2]) for colour in (teeth, skin))
    assert 0.25 * own < cast < 0.6 * own


def test_the_photos_own_teeth_are_kept_and_a_gap_opens_below_them() -> None:
    before, after = _mouth(6), _mouth(24)
    photo = _picture(before)
    result = insert_inside(photo, photo, before, after, Inside.PHOTO, None)
    assert np.abs(result[162:164, 110:146].astype(int) - _TEETH).max() < 12
    assert result[172:180, 110:146].max() < 100, "teeth all the way down"


def test_a_mouth_that_closes_leaves_no_teeth() -> None:
    before, after = _mouth(14), _mouth(0)
    photo = _picture(before)
    assert (photo[..., 1] > 220).any()
    result = paste_moved(photo, _picture(after), before, after)
    assert (result[..., 1] < 190)[130:200, 80:176].all(), "a bar of teeth is left"
    lips = np.abs(result.astype(int) - _LIP).max(-1) < 25
    assert lips[:, 128].sum() > 0.7 * (10 + 12), "the lips were removed with the teeth"


def test_a_closing_field_is_discontinuous_only_at_the_inside() -> None:
    before, after = _mouth(14), _mouth(0)
    field = displacement(before, after)
    jumps = np.diff(field[0], axis=0) > 1.5
    assert (jumps[:, 100:156].sum(0) == 1).all()
    assert not jumps[:, :70].any()
    assert jumps[:, 128].argmax() == pytest.approx(160, abs=4)
    assert (np.diff(field[0], axis=0) > -0.85).all(), "a fold"


@pytest.mark.parametrize(("own", "asked"), [(0, 12), (12, 10), (12, 12), (0, 0)])
def test_mouths_that_do_not_close_have_no_closing(own: int, asked: int) -> None:
    assert closing(_mouth(own), _mouth(asked)) is None


def test_the_chin_moves_with_the_mouth() -> None:
    opened = with_jaw(_mouth(0), _mouth(20))
    chin = (opened[:, 128] != ID["neck"]).sum()
    assert chin == pytest.approx(230 + 12, abs=1)
    assert (opened[:, 10] == _mouth(20)[:, 10]).all(), "the chin moved beside the mouth"
    closed = with_jaw(_mouth(20), _mouth(0))
    assert (closed[:, 128] != ID["neck"]).sum() == pytest.approx(230 - 5, abs=1)


def test_the_chin_of_a_mask_with_other_changes_is_not_moved() -> None:
    before, after = _mouth(0), _mouth(20)
    after[:20] = ID["hair"]
    assert with_jaw(before, after) is after
    assert with_jaw(before, before) is before
