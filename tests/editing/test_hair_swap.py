"""Another person's hair on a photo: opacity, what goes on behind it, how it is brought onto a face, and its colours."""

from __future__ import annotations

import numpy as np
import pytest

from maskgan_cli.editing.compose import Place, paste_moved
from maskgan_cli.editing.extension import extended
from maskgan_cli.editing.hair_colour import as_sharp, recoloured
from maskgan_cli.editing.hair_fit import HairFit, above_border, fit_hair, fitted_hair, tidy_hair
from maskgan_cli.editing.hair_swap import hair_to_take, lay_hair
from maskgan_cli.editing.matting import alpha_matte
from maskgan_cli.editing.mouths import Reference
from maskgan_cli.labels import ID
from maskgan_cli.synth import render, sample_identity, sample_scene
from maskgan_cli.synth.render import Rendered

_HAIR, _SIDE = ID["hair"], 160


@pytest.fixture(scope="module")
def faces() -> list[Rendered]:
    """Two rendered faces of different people, with hair."""
    found = []
    for number in range(40):
        who = sample_identity(77, number)
        face = render(who, sample_scene(77, number, who), _SIDE)
        if hair_to_take(face.labels, face.labels) is not None and (face.labels == _HAIR).mean() > 0.05:
            found.append(face)
        if len(found) == 2:
            return found
    raise AssertionError("no two rendered faces with hair")


def test_what_is_known_stays_and_goes_on() -> None:
    rows = np.arange(64.0)[:, None, None] * np.ones((64, 48, 1))
    known = np.zeros((64, 48), bool)
    known[:, :20] = True
    found = extended(rows, known)
    assert (found[:, :20] == rows[:, :20]).all()
    assert np.abs(found[8:56, 20:26] - rows[8:56, 20:26]).max() < 6, "beside the rim, the rim's values"
    assert found.min() >= 0
    assert found.max() <= 63
    assert (extended(rows, np.zeros((64, 48), bool)) == 0).all()
    odd = extended(np.full((37, 53, 2), 7.0), np.eye(37, 53, dtype=bool))
    assert np.abs(odd - 7).max() < 1e-4


def test_opacity_is_that_of_a_known_mixture() -> None:
    """Two plain colours mixed by a ramp: in each window opacity is linear in the colours, so it is found exactly."""
    ramp = np.clip((np.arange(60) - 20) / 20, 0, 1)[None] * np.ones((40, 1))
    picture = np.rint(ramp[..., None] * [200, 60, 40] + (1 - ramp[..., None]) * [40, 90, 180]).astype(np.uint8)
    columns = np.arange(60)[None] * np.ones((40, 1))
    found = alpha_matte(picture, columns > 44, columns < 15)
    assert np.abs(found - ramp)[1:-1].max() < 0.03
    assert (found[:, 45:] == 1).all()
    assert (found[:, :15] == 0).all()


def test_a_face_fits_itself(faces: list[Rendered]) -> None:
    labels = faces[0].labels
    fit = fit_hair(labels, labels)
    assert fit is not None
    assert np.abs(fit.ratio - 1).max() < 1e-9
    x, y = np.array([10.0, 80.0]), np.array([20.0, 90.0])
    assert np.allclose(fit.source_of(x, y), [x, y])
    assert (fitted_hair(labels, labels, fit) == labels).mean() > 0.995


def test_outlines_meet() -> None:
    """A round face of 40 pixels and one of 50 whose hair is a ring around it: the ring comes to the smaller face."""
    y, x = np.mgrid[:_SIDE, :_SIDE] + 0.5 - 80

    def face(radius: float, ring: float) -> np.ndarray:
        away = np.hypot(x, y)
        labels = np.where(away < ring, _HAIR, 0).astype(np.uint8)
        labels[away < radius] = ID["skin"]
        for name, left, down in (("l_eye", -15, -8), ("r_eye", 15, -8), ("nose", 0, 4)):
            labels[np.hypot(x - left, y - down) < 4] = ID[name]
        labels[(np.abs(x) < 12) & (np.abs(y - 18) < 4)] = ID["u_lip"]
        return labels

    own, other = face(40, 0), face(48, 60)
    fit = fit_hair(other, own)
    assert fit is not None
    found = fitted_hair(other, own, fit)
    hair = np.hypot(x, y)[found == _HAIR]
    assert 38 < hair.min() < 42, "the hair begins where the face ends"
    assert (found[np.hypot(x, y) < 38] == own[np.hypot(x, y) < 38]).all()


def test_hair_is_cut_by_no_border() -> None:
    labels = np.zeros((100, 100), np.uint8)
    for row in range(40):
        labels[row, 30 - row // 2 : 70 + row // 2] = _HAIR
    more = above_border(labels)
    widths = more.sum(1)
    assert widths[-1] in range(36, 41)
    assert (np.diff(widths) >= 0).all(), "a dome narrows upwards"
    assert widths[0] == 0
    assert not above_border(np.zeros((100, 100), np.uint8)).any()


def test_strands_and_crumbs_are_not_taken() -> None:
    labels = np.zeros((200, 200), np.uint8)
    labels[40:100, 60:140] = _HAIR
    labels[100:160, 70:72] = labels[10:14, 10:14] = _HAIR
    found = tidy_hair(labels)
    assert (found[45:95, 65:135] == _HAIR).all()
    assert (found[104:] == 0).all()
    assert (found[:20] == 0).all()


def test_colours_become_those_of_the_other_hair() -> None:
    rng = np.random.default_rng(3)
    strands = rng.normal(0, 12, (4000, 1))
    theirs = np.clip(np.array([60, 40, 30]) + strands, 0, 255).astype(np.uint8)
    ours = np.clip(np.array([190, 160, 110]) + 1.2 * rng.normal(0, 12, (4000, 1)), 0, 255).astype(np.uint8)
    found = recoloured(theirs.reshape(80, 50, 3).astype(np.float32), theirs, ours)
    assert np.abs(np.median(found, (0, 1)) - np.median(ours, 0)).max() < 4
    light = [theirs.astype(float).sum(1), found.reshape(-1, 3).sum(1)]
    assert np.corrcoef(light)[0, 1] > 0.97, "the strands are the reference's"
    assert (recoloured(found, theirs, ours[:3]) == found).all()


def test_strands_stand_out_as_the_photos_do() -> None:
    rng = np.random.default_rng(5)
    soft, sharp = (np.clip(90 + rng.normal(0, by, (60, 60, 1)) * np.ones(3), 0, 255) for by in (10, 12))
    whole = np.ones((60, 60), np.float32)
    found = as_sharp(soft.astype(np.float32), whole, sharp.astype(np.uint8), whole)
    assert abs(found.std() / sharp.std() - 1) < 0.1
    assert (as_sharp(found, 0 * whole, sharp.astype(np.uint8), whole) == found).all()


def test_the_photo_stays_away_from_both_hairs(faces: list[Rendered]) -> None:
    photo, other = faces
    fit = hair_to_take(other.labels, photo.labels)
    assert fit is not None
    after = fitted_hair(other.labels, photo.labels, fit)
    result = lay_hair(photo.picture, photo.labels, after, other.picture, other.labels, fit)
    eyes = np.isin(photo.labels, [ID["l_eye"], ID["r_eye"], ID["mouth"]]) & (after == photo.labels)
    assert (result[eyes] == photo.picture[eyes]).mean() > 0.98
    hair = (after == _HAIR) & (photo.labels != _HAIR)
    if hair.sum() > 50:
        assert np.abs(result[hair].astype(int) - photo.picture[hair]).mean() > 4


def test_composition_lays_hair_first_and_paints_nothing(faces: list[Rendered]) -> None:
    photo, other = faces
    fit = hair_to_take(other.labels, photo.labels)
    assert fit is not None
    after = fitted_hair(other.labels, photo.labels, fit)
    reference = Reference(other.picture, other.labels, fit)

    def painting() -> np.ndarray:
        raise AssertionError("nothing is painted")

    found = paste_moved(photo.picture, painting, photo.labels, after, reference=reference)
    assert (found == lay_hair(photo.picture, photo.labels, after, other.picture, other.labels, fit)).all()
    whole = np.full((_SIDE + 40, _SIDE + 60, 3), 90, np.uint8)
    whole[20 : 20 + _SIDE, 30 : 30 + _SIDE] = photo.picture
    square = np.array([[30, 20], [30, 20 + _SIDE], [30 + _SIDE, 20 + _SIDE], [30 + _SIDE, 20]], float)
    placed = paste_moved(photo.picture, painting, photo.labels, after, Place(whole, square), reference)
    outside = np.ones(whole.shape[:2], bool)
    outside[20 : 20 + _SIDE, 30 : 30 + _SIDE] = False
    assert (placed[outside] == 90).all()
    assert (placed != whole).any()


def test_hats_and_bald_heads_have_no_hair_to_take(faces: list[Rendered]) -> None:
    labels = faces[0].labels
    hat = labels.copy()
    hat[:30] = ID["hat"]
    bald = np.where(labels == _HAIR, ID["skin"], labels).astype(np.uint8)
    assert isinstance(hair_to_take(labels, labels), HairFit)
    assert hair_to_take(hat, labels) is None
    assert hair_to_take(labels, hat) is None
    assert hair_to_take(bald, labels) is None
    assert hair_to_take(np.zeros_like(labels), labels) is None
    assert fit_hair(labels, np.zeros_like(labels)) is None
