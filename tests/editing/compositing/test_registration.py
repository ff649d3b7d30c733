"""Registration: known motions are recovered, fields have no folds, and classes without a counterpart are ignored."""

from __future__ import annotations

import numpy as np
import pytest

from maskgan_cli.editing.compositing.moving import moved_labels
from maskgan_cli.editing.compositing.registration import LEAST_JACOBIAN, displacement, jacobian, stretch
from maskgan_cli.labels import ID, LabelMap

_SIDE, _SKIN, _NOSE, _HAIR, _CLOTH = 192, ID["skin"], ID["nose"], ID["hair"], ID["cloth"]


def _disc(row: float = 96, column: float = 96, high: float = 30, wide: float = 30, turned: float = 0.0) -> LabelMap:
    """An ellipse of nose on skin."""
    y, x = np.mgrid[:_SIDE, :_SIDE] - np.array([row, column])[:, None, None]
    c, s = np.cos(turned), np.sin(turned)
    inside = ((c * y - s * x) / high) ** 2 + ((s * y + c * x) / wide) ** 2 <= 1
    return np.where(inside, _NOSE, _SKIN).astype(np.uint8)


def _iou(found: LabelMap, wanted: LabelMap) -> float:
    a, b = found == _NOSE, wanted == _NOSE
    return float((a & b).sum() / (a | b).sum())


@pytest.mark.parametrize(
    ("before", "after", "was"),
    [
        (_disc(), _disc(row=102, column=106), 0.7),
        (_disc(), _disc(high=36, wide=36), 0.75),
        (_disc(), _disc(high=24, wide=24), 0.7),
        (_disc(high=22, wide=40), _disc(high=22, wide=40, turned=0.35), 0.8),
    ],
    ids=["moved", "larger", "smaller", "turned"],
)
def test_a_disc_is_registered_with_its_new_shape(before: LabelMap, after: LabelMap, was: float) -> None:
    field = displacement(before, after)
    assert _iou(before, after) < was, "the maps hardly differ"
    assert _iou(moved_labels(before, field), after) > 0.95


def test_the_field_of_a_moved_disc_is_its_motion_and_zero_far_away() -> None:
    field = displacement(_disc(), _disc(row=102, column=106))
    edge = np.array([[102 + 30, 106], [102 - 30, 106], [102, 106 + 30], [102, 106 - 30]])
    normal = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])
    for place, out in zip(edge, normal, strict=True):
        assert field[:, place[0], place[1]] @ out == pytest.approx(np.array([-6, -10]) @ out, abs=1.5)
    assert not field[:, :8].any()
    assert not field[:, -8:].any()
    steps = np.abs(np.diff(field, axis=1)).max(), np.abs(np.diff(field, axis=2)).max()
    assert max(steps) < 0.9, "a jump"


def test_equal_maps_give_zero() -> None:
    assert not displacement(_disc(), _disc()).any()


def test_a_coarse_field_is_nearly_the_field_and_leaves_it_as_it_is() -> None:
    before, after = _disc(), _disc(row=102, column=106)
    fine = displacement(before, after)
    coarse = displacement(before, after, coarse=True)
    assert not np.array_equal(coarse, fine)
    assert _iou(moved_labels(before, coarse), after) > 0.93
    assert np.array_equal(displacement(before, after), fine), "the levels that both share were computed once"


def test_a_new_class_moves_nothing() -> None:
    before = _disc()
    after = before.copy()
    after[60:130, 60:80] = ID["eye_g"]
    assert np.abs(displacement(before, after)).max() < 0.3
    assert np.abs(displacement(after, before)).max() < 0.3, "a removed class moves something"


def test_lips_move_apart_if_the_mouth_opens() -> None:
    before = np.full((_SIDE, _SIDE), _SKIN, np.uint8)
    before[90:98, 60:130], before[98:108, 60:130] = ID["u_lip"], ID["l_lip"]
    after = before.copy()
    after[98:108, 66:124], after[108:118, 66:124] = ID["mouth"], ID["l_lip"]
    field = displacement(before, after)
    assert field[0, 113, 95] < -6, "the lower lip does not move down"
    assert abs(field[0, 93, 95]) < 2.5, "the upper lip moves"


def test_random_edits_give_no_folds() -> None:
    random = np.random.default_rng(5)
    for _ in range(6):
        before, after = (
            np.kron(random.choice([0, 1, 2, 4, 13, 18], (n, n)), np.ones((_SIDE // n, _SIDE // n))).astype(np.uint8)
            for n in (6, 8)
        )
        field = displacement(before, after)
        assert np.isfinite(field).all()
        assert jacobian(field).min() >= LEAST_JACOBIAN - 1e-4


def test_backdrop_and_clothes_move_less() -> None:
    before = _disc()
    after = _disc(row=96, column=110)
    free = displacement(before, after)
    held = displacement(*(np.where(m == _SKIN, 0, m).astype(np.uint8) for m in (before, after)))
    far = np.zeros(before.shape, bool)
    far[90:102, 155:165] = True  # a disc's radius beyond the edge
    assert np.abs(held[:, far]).mean() < 0.6 * np.abs(free[:, far]).mean()


def test_nothing_is_sampled_beyond_a_border() -> None:
    before, after = (np.full((_SIDE, _SIDE), 0, np.uint8) for _ in range(2))
    before[:, 40:150], after[:, 30:160] = _HAIR, _HAIR
    before[:40], after[:60] = _CLOTH, _CLOTH
    field = displacement(before, after)
    rows, columns = np.mgrid[:_SIDE, :_SIDE]
    assert (rows + field[0]).min() >= -0.01
    assert (rows + field[0]).max() <= _SIDE - 0.99
    assert (columns + field[1]).max() <= _SIDE - 0.99


def test_beyond_a_crop_the_field_continues_and_fades() -> None:
    before, after = np.zeros((_SIDE, _SIDE), np.uint8), np.zeros((_SIDE, _SIDE), np.uint8)
    before[100:, 60:130], after[100:, 50:140] = _HAIR, _HAIR
    field = displacement(before, after, beyond=40)
    assert field.shape == (2, _SIDE + 80, _SIDE + 80)
    column = field[1, :, 40 + 52]
    assert column[40 + _SIDE - 20] > 4
    assert column[40 + _SIDE + 2] > 2, "a step at the crop's border"
    assert abs(column[-1]) < 0.3 * column[40 + _SIDE - 1]


def test_maps_of_different_sizes_raise_an_error() -> None:
    with pytest.raises(ValueError, match="one size"):
        displacement(_disc(), np.zeros((64, 64), np.uint8))


def test_stretch_and_jacobian_of_a_scaling() -> None:
    rows, columns = np.mgrid[:32, :32].astype(np.float32)
    field = np.stack([-0.5 * rows, 0 * columns])  # shows half as many rows: twice as tall
    assert stretch(field) == pytest.approx(2.0)
    assert jacobian(field) == pytest.approx(0.5)
