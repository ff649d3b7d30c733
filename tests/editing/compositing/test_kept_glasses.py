"""Glasses keep their place while eyes and brows behind them are edited."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from maskgan_cli.editing.compositing.accessories.inpaint import frame_region
from maskgan_cli.editing.compositing.accessories.put_on import put_on
from maskgan_cli.editing.compositing.compose import Place, paste_moved
from maskgan_cli.editing.compositing.kept_glasses import kept_glasses
from maskgan_cli.editing.masks import library
from maskgan_cli.files import Picture
from maskgan_cli.labels import ID, LabelMap

_EYES = [ID["l_eye"], ID["r_eye"]]


@pytest.fixture(scope="module")
def worn() -> tuple[Picture, LabelMap, LabelMap]:
    """A rendered face (256, 256) with glasses, its mask, and a mask with larger eyes."""
    file = library.read_library()
    face = put_on(file["example-1-picture"], file["example-1-labels"], ["glasses-square"])
    before = np.where(face.labels > 0, face.labels, file["example-1-labels"])
    after = before.copy()
    for eye in _EYES:
        after[ndimage.binary_dilation(before == eye, iterations=4) & np.isin(before, [ID["skin"], ID["eye_g"]])] = eye
    return face.picture, before, after


def test_frames_stay_while_eyes_grow(worn: tuple[Picture, LabelMap, LabelMap]) -> None:
    picture, before, after = worn
    result = paste_moved(picture, picture, before, after)
    kept = kept_glasses(picture, before, after)
    assert kept is not None and not (kept.before == ID["eye_g"]).any()
    frames = ndimage.binary_erosion(frame_region(picture, before))
    assert frames.sum() > 200
    assert np.abs(result[frames].astype(int) - picture[frames]).max() <= 2
    eyes = ndimage.binary_dilation(np.isin(before, _EYES), iterations=3)
    assert np.abs(result[eyes].astype(int) - picture[eyes]).mean() > 2
    far = ndimage.distance_transform_edt(before == after) > 0.3 * len(before)
    assert np.array_equal(result[far], picture[far])


def test_frames_stay_in_the_whole_photo(worn: tuple[Picture, LabelMap, LabelMap]) -> None:
    picture, before, after = worn
    photo = np.pad(picture, ((20, 20), (30, 30), (0, 0)), mode="edge")
    square = np.array([[30, 20], [30, 276], [286, 276], [286, 20]], float)
    result = paste_moved(picture, picture, before, after, Place(photo, square))
    frames = ndimage.binary_erosion(frame_region(picture, before))
    assert np.abs(result[20:276, 30:286][frames].astype(int) - picture[frames]).max() <= 3
    assert np.array_equal(result[:20], photo[:20])


def test_other_edits_move_glasses_with_the_face(worn: tuple[Picture, LabelMap, LabelMap]) -> None:
    picture, before, after = worn
    wider = np.where(np.roll(before, 3, axis=1) == ID["skin"], ID["skin"], after).astype(np.uint8)
    bare = np.where(before == ID["eye_g"], ID["skin"], after).astype(np.uint8)
    assert kept_glasses(picture, before, wider) is None, "the outline changes"
    assert kept_glasses(picture, before, bare) is None, "the glasses go"
    assert kept_glasses(picture, bare, after) is None, "there were no glasses"
    assert kept_glasses(picture, before, before) is None
