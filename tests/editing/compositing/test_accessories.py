"""Accessories drawn over photos: the fit of the head, pixels that change, and pixels that do not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from maskgan_cli.editing.compositing.accessories.inpaint import has_dark_lenses, without_frames
from maskgan_cli.editing.compositing.accessories.put_on import HatCover, hair_under_hats, put_on
from maskgan_cli.editing.masks import library
from maskgan_cli.editing.masks.head_fit import HeadFit, fit_head
from maskgan_cli.editing.masks.shapes import wear
from maskgan_cli.editing.masks.take_off import without
from maskgan_cli.files import Picture, read_image, read_label_map, read_note, write_image
from maskgan_cli.labels import ID, LabelMap, flip
from maskgan_cli.synth import render, sample_identity, sample_scene
from maskgan_cli.synth.parameters import Glasses
from tests.conftest import Command


@pytest.fixture(scope="module")
def photo() -> tuple[Picture, LabelMap]:
    """A rendered face (256, 256) without accessories, and its mask."""
    file = library.read_library()
    return file["example-1-picture"], file["example-1-labels"]


def _turned(yaw: float, pitch: float) -> LabelMap:
    person, scene = sample_identity(3, 1), sample_scene(3, 1, sample_identity(3, 1))
    plain = replace(
        scene, yaw=yaw, pitch=pitch, roll=0.0, lean=0.0, hat=None, glasses=None, expression=(), mouth_open=False
    )
    return render(person, plain, 128).labels


def test_the_fit_follows_the_pose_of_a_rendered_head() -> None:
    fits = [fit_head(_turned(yaw, 0)) for yaw in (-25, 0, 25)]
    assert fits[0].yaw < fits[1].yaw - 8 and fits[1].yaw < fits[2].yaw - 8
    assert abs(fits[1].yaw) < 6
    up, down = (fit_head(_turned(0, pitch)) for pitch in (-12, 12))
    assert up.pitch < down.pitch - 8


def test_a_mirrored_mask_gives_the_mirrored_fit_and_a_larger_one_a_larger_head(photo: tuple[Picture, LabelMap]) -> None:
    _, labels = photo
    fit, mirrored = fit_head(labels), fit_head(flip(labels))
    assert mirrored.yaw == pytest.approx(-fit.yaw, abs=1.5)
    assert mirrored.roll == pytest.approx(-fit.roll, abs=1.0)
    larger = fit_head(labels.repeat(2, 0).repeat(2, 1))
    assert larger.camera.scale == pytest.approx(2 * fit.camera.scale, rel=0.02)
    assert larger.yaw == pytest.approx(fit.yaw, abs=1.0)


def test_the_fitted_eyes_are_at_the_masks_eyes(photo: tuple[Picture, LabelMap]) -> None:
    _, labels = photo
    fit = fit_head(labels)
    found, _ = fit.camera.project(fit.posed.eyes + fit.posed.turn[:, 2] * 0.12)
    for place, eye in zip(found, ("l_eye", "r_eye"), strict=True):
        rows, columns = np.nonzero(labels == ID[eye])
        assert np.hypot(*(place - [columns.mean() + 0.5, rows.mean() + 0.5])) < 0.012 * len(labels)


def test_a_fit_in_another_picture_projects_to_the_transformed_positions() -> None:
    fit: HeadFit = fit_head(np.zeros((64, 64), np.uint8))  # an empty mask: a face framed like CelebA-HQ
    matrix = np.array([[1.2, -0.4, 30.0], [0.4, 1.2, -5.0]])
    places, depth = fit.camera.project(fit.posed.eyes)
    moved, same = fit.after(matrix).camera.project(fit.posed.eyes)
    assert np.allclose(moved, places @ matrix[:, :2].T + matrix[:, 2], atol=1e-3)
    assert np.array_equal(depth, same)


@pytest.mark.parametrize("name", ["glasses-round", "glasses-square", "glasses-sun"])
def test_glasses_are_drawn_around_the_eyes_and_nowhere_else(name: str, photo: tuple[Picture, LabelMap]) -> None:
    picture, labels = photo
    worn = put_on(picture, labels, [name])
    eyes = np.isin(labels, [ID["l_eye"], ID["r_eye"]])
    rows, columns = np.nonzero(worn.labels == ID["eye_g"])
    middle = np.argwhere(eyes).mean(0)
    assert np.hypot(rows.mean() - middle[0], columns.mean() - middle[1]) < 0.05 * len(labels)
    assert ((worn.labels > 0) & eyes).any() == (name == "glasses-sun"), "only sunglasses cover the eyes in the mask"
    changed = (worn.picture != picture).any(-1)
    assert changed[worn.labels > 0].mean() > 0.8
    assert not changed[int(middle[0] + 0.35 * len(labels)) :].any(), "the chin or pixels below it changed"
    dark = picture[eyes].astype(float).mean() - worn.picture[eyes].astype(float).mean()
    assert (dark > 30) == (name == "glasses-sun")


def test_a_grey_photo_stays_grey(photo: tuple[Picture, LabelMap]) -> None:
    picture, labels = photo
    grey = picture.mean(-1, keepdims=True).round().astype(np.uint8).repeat(3, -1)
    worn = put_on(grey, labels, ["glasses-round"])
    changed = (worn.picture != grey).any(-1)
    assert changed.any()
    assert np.ptp(worn.picture[changed].astype(int), axis=-1).max() <= 3


def test_the_matrix_gives_the_position_in_a_larger_photo(photo: tuple[Picture, LabelMap]) -> None:
    picture, labels = photo
    large = np.full((400, 500, 3), 90, np.uint8)
    large[50:306, 120:376] = picture
    alone = put_on(picture, labels, ["glasses-square"])
    within = put_on(large, labels, ["glasses-square"], np.array([[1.0, 0, 120], [0, 1, 50]]))
    assert np.array_equal(within.labels[50:306, 120:376], alone.labels)
    assert not (within.picture != large)[:60].any()


@pytest.mark.parametrize("name", ["hat-beanie", "hat-fedora", "hat-sun"])
def test_a_hat_lies_above_the_eyes_and_extends_beyond_the_crop(name: str, photo: tuple[Picture, LabelMap]) -> None:
    picture, labels = photo
    large = np.full((406, 456, 3), 90, np.uint8)
    large[150:406, 100:356] = picture
    worn = put_on(large, labels, [name], np.array([[1.0, 0, 100], [0, 1, 150]]))
    hat = worn.labels == ID["hat"]
    eyes = np.argwhere(np.isin(labels, [ID["l_eye"], ID["r_eye"]])) + np.array([150, 100])
    assert hat[:150].any(), "the hat ends at the crop's border"
    assert not hat[eyes[:, 0].min() :].any()
    columns = np.flatnonzero(hat.any(0))
    assert abs(columns.mean() - eyes[:, 1].mean()) < 25
    face = np.flatnonzero((labels == ID["skin"]).any(0)) + 100
    assert columns[0] <= face[0] and columns[-1] >= face[-1], "it is narrower than the face"
    assert not (worn.picture != large)[eyes[:, 0].max() + 60 :].any()


def test_hair_beside_a_hat_is_removed_and_hair_below_it_is_kept(photo: tuple[Picture, LabelMap]) -> None:
    _, labels = photo
    bare = hair_under_hats(labels, ["hat-beanie"], HatCover(labels))
    worn = put_on(np.zeros((256, 256, 3), np.uint8), labels, ["hat-beanie"]).labels > 0
    rim = np.flatnonzero(worn.any(1)).max()
    hair = labels == ID["hair"]
    assert not ((bare == ID["hair"]) & ~worn)[: rim - 24].any()
    assert np.array_equal((bare == ID["hair"])[rim:], hair[rim:])
    assert np.array_equal(hair_under_hats(labels, ["glasses-round"], HatCover(labels)), labels)


def test_removing_glasses_from_a_mask_adds_eyes_hidden_by_sunglasses(photo: tuple[Picture, LabelMap]) -> None:
    _, labels = photo
    clear, dark = (wear(labels, library.item(name)) for name in ("glasses-round", "glasses-sun"))
    assert not (dark == ID["l_eye"]).any()
    for worn in (clear, dark):
        bare = without(worn, ["glasses"])
        assert not (bare == ID["eye_g"]).any()
        for eye in ("l_eye", "r_eye"):
            found, wanted = np.argwhere(bare == ID[eye]), np.argwhere(labels == ID[eye])
            assert np.hypot(*(found.mean(0) - wanted.mean(0))) < 0.04 * len(labels)
    assert np.array_equal(without(labels, ["glasses"]), labels)


def test_filled_frames_resemble_the_same_face_without_glasses() -> None:
    person, scene = sample_identity(3, 1), sample_scene(3, 1, sample_identity(3, 1))
    spec = Glasses(0.25, 0.19, 2.4, 0.02, (0.01, 0.01, 0.01), 0.0, (0.1, 0.1, 0.1), 0.0)
    scene = replace(scene, yaw=4.0, pitch=0.0, hat=None)
    worn, bare = (render(person, replace(scene, glasses=one), 256) for one in (spec, None))
    assert not has_dark_lenses(worn.picture, worn.labels)
    filled = without_frames(worn.picture, worn.labels)
    frame = np.abs(worn.picture.astype(float) - bare.picture).mean(-1) > 40
    before, after = (np.abs(one.astype(float) - bare.picture)[frame].mean() for one in (worn.picture, filled))
    assert after < 0.5 * before
    far = ~ndimage.binary_dilation(worn.labels == ID["eye_g"], iterations=20)
    assert np.array_equal(filled[far], worn.picture[far])
    dark = replace(scene, glasses=replace(spec, dark=0.97))
    sunglasses = render(person, dark, 128)
    assert has_dark_lenses(sunglasses.picture, sunglasses.labels)


def test_temples_that_the_mask_lacks_are_filled_but_other_dark_bars_are_not() -> None:
    side, grain = 256, np.random.default_rng(0).normal(0, 2, (256, 256, 1))
    labels, picture = np.full((side, side), ID["skin"], np.uint8), np.full((side, side, 3), (200.0, 160, 140)) + grain
    y, x = np.mgrid[:side, :side]
    for middle in (96, 160):
        ring = np.abs(np.hypot(x - middle, y - 120) - 24) < 2.5
        labels[np.hypot(x - middle, y - 120) < 26] = ID["eye_g"]
        labels[np.hypot(x - middle, (y - 120) * 2) < 10] = ID["r_eye" if middle < 128 else "l_eye"]
        picture[ring] = 30
    temple, brow = (slice(110, 116), slice(186, 225)), (slice(60, 64), slice(80, 110))
    picture[temple] = picture[brow] = 30
    filled = without_frames(picture.clip(0, 255).astype(np.uint8), labels)
    assert filled[temple].mean() > 140
    assert filled[brow].mean() < 60


def test_the_command_removes_glasses_from_the_photo_before_it_adds_others(
    photo: tuple[Picture, LabelMap], weights: Path, tmp_path: Path, maskgan: Command
) -> None:
    worn = put_on(*photo, ["glasses-square"])
    write_image(tmp_path / "face.png", worn.picture)
    Image.fromarray(np.where(worn.labels > 0, worn.labels, photo[1])).save(tmp_path / "face.mask.png")
    for number, options in enumerate((["--remove", "glasses"], ["--add", "glasses-round"])):
        path = tmp_path / f"{number}.png"
        outcome = maskgan(
            "reshape",
            tmp_path / "face.png",
            "--crop",
            *options,
            "-w",
            weights,
            "--device",
            "cpu",
            "--save-masks",
            "-q",
            "-o",
            path,
        )
        assert outcome.code == 0, outcome.err
        assert (read_label_map(tmp_path / f"{number}.mask.png") == ID["eye_g"]).any() == bool(number)
        edited = read_image(path)
        assert np.array_equal(edited[230:], worn.picture[230:])
        if not number:
            frame = (worn.labels > 0) & (np.abs(worn.picture.astype(float) - photo[0]).mean(-1) > 30)
            error = np.abs(edited.astype(float) - photo[0])[frame].mean()
            assert error < 0.6 * np.abs(worn.picture.astype(float) - photo[0])[frame].mean()
    outcome = maskgan("reshape", tmp_path / "face.png", "--crop", "--remove", "wig", "-w", weights)
    assert outcome.code == 2 and "--remove: expected glasses or hat or earrings or necklace" in outcome.err


def test_the_command_draws_or_paints_as_requested(
    photo: tuple[Picture, LabelMap], weights: Path, tmp_path: Path, maskgan: Command
) -> None:
    picture, labels = photo
    face = tmp_path / "face.png"
    write_image(face, picture)
    Image.fromarray(labels).save(tmp_path / "face.mask.png")
    seen = {}
    for how in ("drawn", "painted"):
        outcome = maskgan(
            "reshape",
            face,
            "--crop",
            "--add",
            "glasses",
            "--accessories",
            how,
            "-w",
            weights,
            "--device",
            "cpu",
            "--save-masks",
            "-q",
            "-o",
            tmp_path / f"{how}.png",
        )
        assert outcome.code == 0, outcome.err
        assert read_note(tmp_path / f"{how}.png")["accessories"] == how
        assert (read_label_map(tmp_path / f"{how}.mask.png") == ID["eye_g"]).any()
        seen[how] = read_image(tmp_path / f"{how}.png")
    assert np.array_equal(seen["drawn"], put_on(picture, labels, ["glasses-round"]).picture)
    assert not np.array_equal(seen["drawn"], seen["painted"])
