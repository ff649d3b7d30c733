"""Composition: the photo's pixels move once, at the photo's resolution, and only missing regions are painted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskgan_cli.data.crop import cut, square_of
from maskgan_cli.editing.compositing.compose import Place, motion_between, paste_back, paste_moved
from maskgan_cli.editing.compositing.moving import moved_photo, moved_picture, photo_motion
from maskgan_cli.editing.options import Blend, Edge
from maskgan_cli.files import read_note, write_image, write_label_map
from maskgan_cli.labels import ID
from tests.conftest import Command
from tests.drawn_faces import draw_face

_SIDE = 192
_PAINT = np.full((_SIDE, _SIDE, 3), (0, 255, 0), np.uint8)


def _texture(side: int = _SIDE, step: float = 9.0) -> np.ndarray:
    """A smooth pattern without repetitions."""
    y, x = np.mgrid[:side, :side] * (_SIDE / side)
    planes = [128 + 60 * np.sin(x / step + 0.3 * k) + 50 * np.cos(y / step * (1 + 0.1 * k)) for k in range(3)]
    return np.clip(np.stack(planes, -1), 0, 255).round().astype(np.uint8)


def _disc(column: int, radius: int = 30, part: str = "nose") -> np.ndarray:
    y, x = np.mgrid[:_SIDE, :_SIDE]
    return np.where((y - 96) ** 2 + (x - column) ** 2 <= radius**2, ID[part], ID["skin"]).astype(np.uint8)


def test_the_pixels_of_a_part_move_with_it() -> None:
    photo = _texture()
    result = paste_moved(photo, _PAINT, _disc(96), _disc(106)).astype(int)
    expected = np.roll(photo, 10, axis=1)
    rim = slice(80, 112), slice(106 + 24, 106 + 30)
    assert np.abs(result[rim] - expected[rim]).mean() < 9
    assert np.abs(photo[rim].astype(int) - expected[rim]).mean() > 20, "without motion the test must fail"
    assert (result[:8] == photo[:8]).all()
    assert (result[..., 1] < 250).any()


def test_pixels_that_do_not_move_are_unchanged() -> None:
    photo, before, after = _texture(), _disc(96), _disc(106)
    still = np.abs(photo_motion(before, after).field).max(0) == 0
    assert still.any()
    assert (paste_moved(photo, _PAINT, before, after)[still] == photo[still]).all()


def test_whole_pixels_are_moved_exactly() -> None:
    photo, field = _texture(), np.zeros((2, _SIDE, _SIDE), np.float32)
    field[0, 40:90, 50:120], field[1, 40:90, 50:120] = 3, -5
    moved = moved_picture(photo, field)
    assert (moved[40:90, 50:120] == photo[43:93, 45:115]).all()
    field[:] = 0
    assert (moved_picture(photo, field) == photo).all()


def test_only_missing_regions_are_painted() -> None:
    photo, before = np.full((_SIDE, _SIDE, 3), 128, np.uint8), _disc(96)
    after = before.copy()
    after[150:170, 60:140] = ID["hat"]
    painting = photo.copy()
    painting[148:172, 58:142] = (0, 255, 0)
    result = paste_moved(photo, painting, before, after)
    assert (result[155:165, 70:130, 1] > 200).all()
    assert (result[:140] == photo[:140]).all()


def test_in_a_large_photo_its_own_pixels_move_not_the_crops() -> None:
    """The photo has four times the crop's resolution, with a texture finer than the crop's pixels."""
    fine = 4 * _SIDE
    photo = np.random.default_rng(0).integers(0, 256, (fine + 200, fine + 100, 3)).astype(np.uint8)
    square = square_of(np.array([[4.0, 0, 50], [0, 4.0, 100]]), _SIDE)
    before, after = _disc(96), _disc(106)
    result = paste_moved(cut(photo, square, _SIDE), _PAINT, before, after, Place(photo, square))
    part = result[100 + 4 * 80 : 100 + 4 * 112, 50 + 4 * 100 : 50 + 4 * 130].astype(float)
    assert part.std() > 0.7 * photo.std(), "blurred"
    assert (result[:100] == photo[:100]).all()
    assert (result != photo).any()


def test_the_field_in_the_photo_is_that_of_the_crop_after_scale_and_rotation() -> None:
    photo = _texture(400, step=14.0)
    matrix = 1.3 * np.array([[np.cos(0.4), -np.sin(0.4), 0], [np.sin(0.4), np.cos(0.4), 0]])
    matrix[:, 2] = np.array([200, 200]) - matrix[:, :2] @ [96, 96]
    square = square_of(matrix, _SIDE)
    field = photo_motion(_disc(96), _disc(104)).field
    found = cut(moved_photo(photo, square, _SIDE, field, 0), square, _SIDE).astype(int)
    expected = moved_picture(cut(photo, square, _SIDE), field).astype(int)
    inner = slice(20, -20), slice(20, -20)
    assert np.abs(found[inner] - expected[inner]).mean() < 1.5
    assert np.abs(found[inner] - cut(photo, square, _SIDE).astype(int)[inner]).mean() > 4


def test_an_edit_at_the_crops_edge_continues_in_the_photo() -> None:
    photo = np.zeros((300, 300, 3), np.uint8)
    photo[:, 100:180] = 200  # long hair that leaves the crop below
    square = square_of(np.array([[1.0, 0, 50], [0, 1.0, 50]]), _SIDE)
    before, after = np.zeros((_SIDE, _SIDE), np.uint8), np.zeros((_SIDE, _SIDE), np.uint8)
    before[60:, 50:130], after[60:, 42:138] = ID["hair"], ID["hair"]
    result = paste_moved(cut(photo, square, _SIDE), _PAINT, before, after, Place(photo, square))
    width = (result[:, :, 0] > 100).sum(1).astype(int)
    assert width[50 + _SIDE - 3] >= 92
    assert width[50 + _SIDE + 3] >= 88, "cut off at the crop's edge"
    assert width[299] == 80
    assert np.abs(np.diff(width[150:])).max() <= 3


def test_the_mask_of_another_person_is_painted() -> None:
    photo, before = _texture(), np.full((_SIDE, _SIDE), ID["skin"], np.uint8)
    after = np.kron(np.random.default_rng(1).integers(0, 19, (8, 8)), np.ones((24, 24))).astype(np.uint8)
    result = paste_moved(photo, np.full_like(photo, 77), before, after)
    assert result.shape == photo.shape
    seamless = paste_back(photo, np.full_like(photo, 77), before, after, Blend(edge=Edge.SEAMLESS))
    assert (result == seamless).all()


def test_the_painter_is_called_only_if_a_region_is_missing() -> None:
    photo, before = _texture(), _disc(96)
    calls: list[int] = []

    def painter() -> np.ndarray:
        calls.append(1)
        return _PAINT

    moved = paste_moved(photo, painter, before, _disc(98))
    assert not calls
    assert (moved == paste_moved(photo, _PAINT, before, _disc(98))).all()
    hat = np.where(np.arange(_SIDE)[:, None] < 20, ID["hat"], before).astype(np.uint8)
    assert (paste_moved(photo, painter, before, hat) == paste_moved(photo, _PAINT, before, hat)).all()
    assert len(calls) == 1


def test_a_given_motion_gives_the_same_picture() -> None:
    photo, before, after = _texture(), _disc(96), _disc(106)
    motion = motion_between(before, after)
    assert (paste_moved(photo, _PAINT, before, after, motion=motion) == paste_moved(photo, _PAINT, before, after)).all()


def test_a_motion_at_half_the_size_is_half_as_far() -> None:
    motion = motion_between(_disc(96), _disc(106))
    half = motion.resized(_SIDE // 2)
    assert half.field.shape == (2, _SIDE // 2, _SIDE // 2)
    assert np.abs(half.field - motion.field[:, ::2, ::2] / 2).max() < 0.5
    assert abs(np.abs(half.field).max() - np.abs(motion.field).max() / 2) < 0.2
    assert half.labels.shape == half.missing.shape == (_SIDE // 2, _SIDE // 2)
    assert motion_between(_disc(96), _disc(106), in_photo=True).resized(_SIDE).field.shape == (2, _SIDE, _SIDE)


@pytest.mark.parametrize("another", [False, True])
def test_the_record_has_the_method_of_blending(another: bool, weights: Path, tmp_path: Path, maskgan: Command) -> None:
    picture, _, labels = draw_face(0)
    shape = labels.copy()
    shape[labels == ID["u_lip"]] = ID["l_lip"]
    if another:
        tiles = np.random.default_rng(1).integers(0, 19, (8, 8))
        shape = np.asarray(Image.fromarray(tiles.astype(np.uint8)).resize(labels.shape, Image.Resampling.NEAREST))
    image, mask = write_image(tmp_path / "face.png", picture), write_label_map(tmp_path / "face.mask.png", labels)
    edited = write_label_map(tmp_path / "edited.png", shape)
    out = tmp_path / "out.png"
    outcome = maskgan("render", edited, image, "--style-mask", mask, "--blend", "-w", weights, "-o", out, "--force")
    assert outcome.code == 0, outcome.err
    note = read_note(out)
    assert note["blend"] == ("seamless" if another else "move")
    assert "inside" not in note or not another


@pytest.mark.parametrize("size", [64, 130, 256])
def test_any_size_of_face_is_composed(size: int) -> None:
    drawn, _, labels = draw_face(0)
    picture, before = (np.asarray(Image.fromarray(part).resize((size, size), 0)) for part in (drawn, labels))
    after = before.copy()
    lips = np.isin(before, [ID["u_lip"], ID["l_lip"], ID["mouth"]])
    after[lips] = ID["skin"]
    after[np.roll(lips, 2, axis=0)] = ID["u_lip"]
    result = paste_back(picture, 255 - picture, before, after, Blend())
    assert result.shape == picture.shape
    assert result.dtype == np.uint8
    assert (result != picture).any()
