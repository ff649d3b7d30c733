"""Earrings and necklaces drawn over photos: their position, occlusion, and unchanged pixels."""

from __future__ import annotations

import numpy as np
import pytest

from maskgan_cli.editing.compositing.accessories.jewellery import JEWELLERY, can_hang, down_direction, jewels
from maskgan_cli.editing.compositing.accessories.put_on import drawable, put_on
from maskgan_cli.editing.masks.head_fit import fitted
from maskgan_cli.labels import ID, LabelMap

_SIDE = 256


def _mask(*, ears: bool = True, collar: int = 256) -> LabelMap:
    """A face that looks ahead, with ears and a neck, and clothes below row ``collar``."""
    y, x = np.mgrid[:_SIDE, :_SIDE] + 0.5
    labels = np.zeros((_SIDE, _SIDE), np.uint8)
    labels[(np.abs(x - 128) < 45) & (y > 170)] = ID["neck"]
    if ears:
        for ear, middle in (("r_ear", 62), ("l_ear", 194)):
            labels[((x - middle) / 12) ** 2 + ((y - 130) / 26) ** 2 < 1] = ID[ear]
    labels[((x - 128) / 64) ** 2 + ((y - 130) / 84) ** 2 < 1] = ID["skin"]
    for name, column, row, wide, high in (
        ("r_eye", 97, 122, 12, 5),
        ("l_eye", 159, 122, 12, 5),
        ("nose", 128, 150, 12, 18),
        ("u_lip", 128, 185, 24, 4),
        ("l_lip", 128, 191, 22, 5),
    ):
        labels[((x - column) / wide) ** 2 + ((y - row) / high) ** 2 < 1] = ID[name]
    labels[collar:] = ID["cloth"]
    return labels


def _photo(labels: LabelMap) -> np.ndarray:
    picture = np.full((*labels.shape, 3), 120, np.uint8)
    picture[labels > 0] = (190, 150, 125)
    return picture


@pytest.mark.parametrize("name", ["earrings-hoop", "earrings-drop"])
def test_earrings_hang_at_both_lobes(name: str) -> None:
    labels = _mask()
    photo = _photo(labels)
    found = put_on(photo, labels, [name])
    rows, columns = np.nonzero(found.labels == ID["ear_r"])
    for lobe in (62, 194):
        here = np.abs(columns - lobe) < 30
        assert here.sum() > 12, "no earring"
        assert 140 < rows[here].min() < 160, "it does not begin at the lobe, whose lowest point is at 156"
        assert rows[here].max() < 156 + 40
    assert (np.abs(columns - 62) < 30).sum() + (np.abs(columns - 194) < 30).sum() == len(columns)
    far = np.ones(labels.shape, bool)
    far[120:230] = False
    assert (found.picture[far] == photo[far]).all()


def test_hair_hides_earrings_and_ears() -> None:
    labels = _mask()
    labels[90:, 174:] = ID["hair"]
    found = put_on(_photo(labels), labels, ["earrings-hoop"]).labels
    assert (found[:, :128] == ID["ear_r"]).any()
    assert not (found[:, 128:] == ID["ear_r"]).any()


def test_earrings_lie_over_the_hair_that_hides_both_ears() -> None:
    labels = _mask(ears=False)
    y, x = np.mgrid[:_SIDE, :_SIDE] + 0.5
    labels[(labels == 0) & (np.abs(x - 128) < 90) & (y < 220)] = ID["hair"]
    rows, columns = np.nonzero(put_on(_photo(labels), labels, ["earrings-hoop"]).labels == ID["ear_r"])
    assert can_hang("earrings-hoop", labels)
    assert (columns < 100).any() and (columns > 156).any()
    assert 130 < rows.min() < rows.max() < 215


def test_pearls_hang_in_a_curve_on_the_neck_and_under_clothes() -> None:
    labels = _mask()
    rows, columns = np.nonzero(put_on(_photo(labels), labels, ["necklace-pearls"]).labels == ID["neck_l"])
    middle, side = rows[np.abs(columns - 128) < 6].mean(), rows[np.abs(columns - 90) < 6].mean()
    assert middle > side + 8, "it does not sag"
    assert columns.min() > 78
    assert columns.max() < 178
    collar = round(middle) - 6
    dressed = _mask(collar=collar)
    found = put_on(_photo(dressed), dressed, ["necklace-pearls"]).labels
    assert not (found[collar + 3 :] == ID["neck_l"]).any()


def test_masks_without_ears_or_neck_get_no_jewellery() -> None:
    bare = _mask(ears=False, collar=200)
    assert not can_hang("earrings-hoop", bare)
    assert not can_hang("necklace-pearls", np.where(bare == ID["neck"], ID["cloth"], bare))
    assert not drawable("earrings-drop", bare)
    photo = _photo(bare)
    assert (put_on(photo, bare, ["earrings-hoop"]).picture == photo).all()
    assert all(drawable(name, _mask()) for name in JEWELLERY)


def test_earrings_hang_down_in_a_photo_whose_crop_is_rotated() -> None:
    """The crop is rotated by 90 degrees in its photo, and the drop hangs down in the photo."""
    labels = _mask()
    matrix = np.array([[0.0, -1.0, _SIDE], [1.0, 0.0, 0.0]])
    photo = np.full((_SIDE, _SIDE, 3), 128, np.uint8)
    own = fitted(labels)
    assert np.allclose(down_direction(own), [0, -1, 0], atol=0.05)
    stud, _, drop = (
        jewel.mesh.vertices.mean(0)
        for jewel in jewels("earrings-drop", labels, own, down_direction(own.after(matrix)))[:3]
    )
    places, _ = own.after(matrix).camera.project(np.stack([stud, drop]))
    assert places[1, 1] > places[0, 1] + 10
    assert abs(places[1, 0] - places[0, 0]) < 2
    assert put_on(photo, labels, ["earrings-drop"], matrix).labels.any()
