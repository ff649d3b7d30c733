"""Blending: pixels outside the edit are unchanged; inside, the painting gets the photo's light, colours and grain."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.color import lab2rgb, rgb2lab

from maskgan_cli.editing.compositing.blend import GROWTH, MOUTH_GROWTH, grown, paste_seamless, paste_soft
from maskgan_cli.editing.compositing.compose import paste_back
from maskgan_cli.editing.options import Blend, Edge
from maskgan_cli.labels import ID, part_ids
from tests.drawn_faces import draw_face

_SKIN, _NOSE, _EYE = ID["skin"], ID["nose"], ID["l_eye"]


def _edit(side: int = 96) -> tuple[np.ndarray, np.ndarray]:
    """Masks before and after an edit that adds a nose to skin, near an eye."""
    before = np.full((side, side), _SKIN, np.uint8)
    before[26:29, 40:56] = _EYE
    after = before.copy()
    after[30:50, 30:60] = _NOSE
    return before, after


def _photo(side: int = 96, grain: float = 4.0) -> np.ndarray:
    y, x = np.mgrid[:side, :side]
    smooth = np.stack([100 + 0.3 * x, 90 + 0.2 * y, 80 + 0.1 * (x + y)], axis=-1)
    return np.round(smooth + grain * np.random.default_rng(0).standard_normal(smooth.shape)).astype(np.uint8)


def _paste_soft(softness: float) -> np.ndarray:
    source, result = np.zeros((64, 64, 3), np.uint8), np.full((64, 64, 3), 200, np.uint8)
    before = np.zeros((64, 64), np.uint8)
    after = before.copy()
    after[20:40, 20:40] = 1
    return paste_soft(source, result, before, after, softness=softness)


def test_a_soft_edge_fades_from_the_result_to_the_source() -> None:
    mixed = _paste_soft(softness=8 / 64)
    assert (mixed[20:40, 20:40] == 200).all()
    assert (mixed[:12] == 0).all()
    assert (mixed[48:] == 0).all()
    fade = mixed[30, 39:49, 0].astype(int)
    assert (np.diff(fade) <= 0).all()
    assert 0 < fade[4] < 200


@pytest.mark.parametrize("edge", Edge)
def test_without_an_edit_the_source_is_unchanged(edge: Edge) -> None:
    source, (labels, _) = _photo(), _edit()
    assert (paste_back(source, 255 - source, labels, labels, Blend(edge=edge)) == source).all()


def test_a_painting_of_the_photo_in_another_light_becomes_the_photo() -> None:
    photo, (before, after) = _photo(), _edit()
    y, x = (axis[..., None] for axis in np.mgrid[:96, :96])
    for light in (30, -25, x, y, 60 - x):
        painting = (photo.astype(int) + light).astype(np.uint8)
        assert np.abs(paste_seamless(photo, painting, before, after).astype(int) - photo).max() <= 1


def test_only_the_grown_region_changes_and_shows_the_painting() -> None:
    photo, (before, after) = _photo(), _edit()
    painting = _photo(grain=0.0)
    painting[34:46, 34:56] = (150, 40, 50)
    pasted = paste_seamless(photo, painting, before, after)
    region = grown(before, after)
    assert (pasted[~region] == photo[~region]).all()
    centre = pasted[36:44, 36:54].reshape(-1, 3).mean(axis=0)
    assert np.abs(centre - (150, 40, 50)).max() < 3, "the painting's colours; its light is the photo's"


def test_the_painting_gets_the_photos_grain() -> None:
    photo, (before, after) = _photo(grain=5.0), _edit()
    pasted = paste_seamless(photo, _photo(grain=0.0), before, after).astype(float)
    inside, outside = pasted[33:47, 33:57], pasted[60:90, 10:90]
    rough = [np.abs(np.diff(x, axis=1)).mean() for x in (inside, outside)]
    assert rough[0] == pytest.approx(rough[1], rel=0.2)


def test_lips_keep_most_of_the_photos_colour() -> None:
    photo, lip = _photo(grain=0.0), ID["l_lip"]
    before = np.full((96, 96), _SKIN, np.uint8)
    before[40:50, 30:60] = lip
    after = np.full_like(before, _SKIN)
    after[44:56, 34:64] = lip
    photo[before == lip] = (190, 30, 40)
    faded = _photo(grain=0.0)
    faded[after == lip] = (130, 70, 70)
    pasted = paste_seamless(photo, faded, before, after)
    lips = pasted[48:52, 42:56].reshape(-1, 3).mean(axis=0)
    own, painted = (rgb2lab(np.array(colour) / 255) for colour in ((190, 30, 40), (130, 70, 70)))
    light = 255 * lab2rgb(0.7 * own + 0.3 * painted)  # the painting in the photo's colours
    wanted = (190, 30, 40) + 0.43 * (light - (190, 30, 40))
    assert np.abs(lips - wanted).max() < 4, lips
    assert (pasted[~grown(before, after)] == photo[~grown(before, after)]).all()


def test_the_region_grows_only_over_classes_that_the_edit_touches() -> None:
    before, after = _edit()
    region = grown(before, after)
    assert region[before != after].all()
    assert not region[before == _EYE].any(), "an eye nearby is excluded"
    assert not region[29, 40:56].any(), "with a margin"
    reach = int(GROWTH * 96)
    assert region[49 + reach, 45]
    assert not region[50 + reach, 45]
    assert not grown(before, before).any()


def test_around_a_mouth_the_region_grows_less() -> None:
    before = np.full((96, 96), _SKIN, np.uint8)
    before[40:50, 30:60] = ID["l_lip"]
    after = before.copy()
    after[50:54, 30:60] = ID["l_lip"]
    region = grown(before, after)
    reach = int(MOUTH_GROWTH * 96)
    assert region[40:54, 30:60].all(), "the whole mouth is included"
    assert region[53 + reach, 45]
    assert not region[54 + reach, 45]
    after[20:24, 30:60] = ID["l_brow"]
    assert grown(before, after)[54 + reach, 45], "other parts change too"


def test_the_red_rim_of_lost_lips_is_painted_over() -> None:
    """The red of lips extends beyond their mask by some pixels; the skin that replaces them must not get it."""
    before = np.full((200, 200), ID["skin"], np.uint8)
    before[100:120, 60:140] = ID["l_lip"]
    after = np.full_like(before, ID["skin"])
    after[100:106, 60:140] = ID["l_lip"]
    photo = np.full((200, 200, 3), (200, 150, 130), np.uint8)
    photo[98:123, 57:143] = (190, 70, 80)
    painting = np.full_like(photo, (190, 160, 140))
    result = paste_seamless(photo, painting, before, after).astype(int)
    assert np.abs(result[110:120, 70:130] - (200, 150, 130)).max() <= 12
    assert np.array_equal(result[:92], photo[:92]) and np.array_equal(result[127:], photo[127:])


def test_the_visible_end_of_a_partly_covered_feature_is_unchanged() -> None:
    before = np.full((96, 96), _SKIN, np.uint8)
    before[40:44, 30:50] = ID["l_brow"]
    fringe, gone, moved = before.copy(), before.copy(), before.copy()
    fringe[20:60, 20:34] = ID["hair"]
    assert not grown(before, fringe)[40:44, 34:50].any(), "covered at one end"
    gone[40:44, 30:46] = _SKIN
    assert grown(before, gone)[40:44, 46:49].all(), "most of it is lost, so its shadow is included"
    moved[40:44, 30:34], moved[40:44, 50:54] = _SKIN, ID["l_brow"]
    assert grown(before, moved)[40:44, 34:37].all(), "the edit moves the feature"


def test_edits_at_the_pictures_border_and_of_the_whole_picture() -> None:
    photo = _photo()
    before = np.full((96, 96), ID["background"], np.uint8)
    after = before.copy()
    after[:40] = ID["hair"]
    pasted = paste_seamless(photo, (photo.astype(int) + 20).astype(np.uint8), before, after)
    assert np.abs(pasted.astype(int) - photo).max() <= 1
    whole = paste_seamless(photo, np.full_like(photo, 77), before, np.full_like(before, ID["hair"]))
    assert np.abs(whole.reshape(-1, 3).mean(axis=0) - 77).max() < 1, "the whole picture is the painting"


def test_the_region_of_a_mouth_excludes_other_features() -> None:
    before = draw_face(0)[2]
    after = before.copy()
    after[np.isin(before, part_ids("mouth"))] = _SKIN
    region = grown(before, after)
    assert not np.isin(before[region], part_ids("eyes") + part_ids("brows") + part_ids("hair")).any()
