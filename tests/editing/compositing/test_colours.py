"""Colour transfer: known statistics of parts, and regions that must not change."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from skimage.color import lab2rgb, rgb2lab

from maskgan_cli.editing.compositing import colours
from maskgan_cli.editing.compositing.blend import grown
from maskgan_cli.editing.compositing.colours import match_parts
from maskgan_cli.labels import ID

SKIN, LIP, MOUTH = ID["skin"], ID["l_lip"], ID["mouth"]


def _face(part: int, rows: slice) -> tuple[np.ndarray, np.ndarray]:
    """Skin with a part, both with some noise, in CIELAB, and the label map."""
    rng = np.random.default_rng(1)
    labels = np.full((64, 64), SKIN, np.uint8)
    labels[rows, 16:48] = part
    lab = np.array([70.0, 15.0, 18.0]) + rng.normal(0, 1.0, (64, 64, 3))
    lab[labels == part] += np.array([-20.0, 25.0, 5.0])
    return lab, labels


def _picture(lab: np.ndarray) -> np.ndarray:
    return lab2rgb(lab) * 255


def _photo(lab: np.ndarray) -> np.ndarray:
    return np.round(_picture(lab)).astype(np.uint8)


def test_lips_move_towards_the_photos_mean_and_spread() -> None:
    lab, before = _face(LIP, slice(20, 30))
    other, after = _face(LIP, slice(36, 48))
    other[after == LIP] = (other[after == LIP] - other[after == LIP].mean(0)) * 0.7 + np.array([62.0, 8.0, 30.0])
    everywhere = np.ones_like(before, bool)
    result = rgb2lab(match_parts(_picture(other), after, everywhere, _photo(lab), before) / 255)
    core = np.zeros_like(everywhere)
    core[39:45, 19:45] = True  # the transition to other parts is soft
    painted, photo = other[after == LIP], lab[before == LIP]
    expected = 0.3 * painted.mean(0) + 0.7 * photo.mean(0)
    assert np.abs(result[core].mean(0) - expected).max() < 1.0, "seven tenths of the way"
    spread = painted.std(0) ** 0.3 * photo.std(0) ** 0.7
    assert np.abs(result[core].std(0) / spread - 1).max() < 0.15
    far = after == SKIN
    far[34:50, 12:52] = False
    assert np.abs(result - other)[far].max() < 0.5, "painted skin is unchanged"


def test_a_painting_in_the_photos_colours_is_unchanged() -> None:
    lab, labels = _face(LIP, slice(20, 30))
    photo = _photo(lab)
    assert (
        np.abs(match_parts(photo.astype(float), labels, np.ones_like(labels, bool), photo, labels) - photo).max() < 0.1
    )


def test_teeth_that_the_photo_does_not_show_get_the_skins_tint_and_keep_their_lightness() -> None:
    lab, before = _face(LIP, slice(20, 30))
    other, after = _face(MOUTH, slice(20, 30))
    other[after == MOUTH] = np.array([60.0, -20.0, -30.0])  # blue teeth
    result = rgb2lab(match_parts(_picture(other), after, np.ones_like(before, bool), _photo(lab), before) / 255)
    teeth, skin = result[24:26, 20:44].reshape(-1, 3).mean(0), lab[before == SKIN].mean(0)
    assert abs(teeth[0] - 60) < 1
    assert np.abs(teeth[1:] - 0.4 * skin[1:]).max() < 1


def test_the_region_includes_the_whole_mouth() -> None:
    before = np.full((64, 64), SKIN, np.uint8)
    before[20:30, 10:54] = LIP
    after = before.copy()
    after[30:34, 48:54] = LIP  # one corner is lower
    assert grown(before, after)[20:30, 10:54].all()
    assert not grown(before, before).any()


def test_blues_with_negative_z_are_clipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """scikit-image clips them too, with a warning each time."""
    before = np.full((64, 64), SKIN, np.uint8)
    before[20:40, 16:48] = LIP
    photo, painting = np.full((64, 64, 3), 200, np.uint8), np.full((64, 64, 3), 200.0)
    photo[20:30, 16:48], photo[30:40, 16:48] = (255, 128, 128), (0, 255, 0)
    painting[20:38, 16:48], painting[38:40, 16:48] = (30, 128, 255), (30, 0, 0)
    everywhere = np.ones_like(before, bool)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = match_parts(painting, before, everywhere, photo, before)
    monkeypatch.setattr(colours, "_rgb_of", lab2rgb)
    with pytest.warns(UserWarning, match="negative Z"):
        expected = match_parts(painting, before, everywhere, photo, before)
    np.testing.assert_allclose(result, expected, atol=1e-6)
