"""Painted glasses: the photo behind clear panes, and the contrast of frames."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from maskgan_cli.editing.compositing.blend import paste_seamless
from maskgan_cli.editing.compositing.painted_glasses import refine_glasses
from maskgan_cli.labels import ID, LabelMap

SIDE = 200


def _glasses(*, dark: bool) -> tuple[LabelMap, LabelMap]:
    """A face without and with two round panes in front of the eyes."""
    before = np.full((SIDE, SIDE), ID["skin"], np.uint8)
    y, x = np.mgrid[:SIDE, :SIDE]
    after = before.copy()
    for middle, eye in ((60, "r_eye"), (140, "l_eye")):
        after[np.hypot(x - middle, y - 100) < 30] = ID["eye_g"]
        for labels in (before,) if dark else (before, after):
            labels[np.hypot(x - middle, y - 100) < 6] = ID[eye]
    return before, after


def test_clear_panes_show_the_photo_and_frames_get_one_and_a_half_times_the_contrast() -> None:
    before, after = _glasses(dark=False)
    rng = np.random.default_rng(0)
    photo, painting = rng.uniform(100, 200, (2, SIDE, SIDE, 3))
    result = refine_glasses(painting, photo, before, after, SIDE)
    deep = ndimage.distance_transform_edt(ndimage.binary_fill_holes(after == ID["eye_g"]))
    assert np.allclose(result[deep > 7], photo[deep > 7]) and (deep > 7).sum() > 1000
    frame = (deep > 1) & (deep < 5)
    np.testing.assert_allclose((result - photo)[frame], 1.5 * (painting - photo)[frame], rtol=0.02, atol=1)
    far = ndimage.distance_transform_edt(after != ID["eye_g"]) > 4
    far &= deep == 0
    np.testing.assert_allclose(result[far], painting[far], atol=0.01)


@pytest.mark.parametrize("case", ["dark panes", "the same glasses before", "no glasses"])
def test_in_other_cases_the_painting_is_unchanged(case: str) -> None:
    before, after = _glasses(dark=case == "dark panes")
    if case == "the same glasses before":
        before = after
    elif case == "no glasses":
        after = before
    photo, painting = np.random.default_rng(0).uniform(100, 200, (2, SIDE, SIDE, 3))
    assert np.array_equal(refine_glasses(painting, photo, before, after, SIDE), painting)


def test_eyes_behind_glasses_are_the_photos_bit_for_bit() -> None:
    before, after = _glasses(dark=False)
    photo, painting = np.random.default_rng(0).integers(60, 200, (2, SIDE, SIDE, 3), np.uint8)
    result = paste_seamless(photo, painting, before, after)
    eyes = np.isin(after, (ID["l_eye"], ID["r_eye"]))
    assert np.array_equal(result[eyes], photo[eyes])
    assert (result != photo).any()
