"""Another person's hair in a photo: its opacity, the photo behind it, its alignment with a face, and its colours."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from maskgan_cli.editing.compositing.compose import Place, paste_moved
from maskgan_cli.editing.compositing.extension import extended
from maskgan_cli.editing.compositing.hair_base import without_hair
from maskgan_cli.editing.compositing.hair_colour import as_sharp, recoloured, without_light_rim
from maskgan_cli.editing.compositing.hair_fit import HairFit, above_border, cut_rows, fit_hair, fitted_hair, tidy_hair
from maskgan_cli.editing.compositing.hair_photo import hair_in_photo, labels_beyond, with_hair
from maskgan_cli.editing.compositing.hair_swap import hair_matte, hair_source, hair_to_take, lay_hair
from maskgan_cli.editing.compositing.matting import alpha_matte
from maskgan_cli.editing.compositing.mouths import ReferenceFace
from maskgan_cli.editing.compositing.paste import paste_crop
from maskgan_cli.editing.edit import Edit
from maskgan_cli.editing.file_edits import Row, swap_edits
from maskgan_cli.editing.jobs import run_edits
from maskgan_cli.editing.methods import Request
from maskgan_cli.editing.options import Blend
from maskgan_cli.files import read_image, write_image, write_label_map
from maskgan_cli.labels import ID, part_ids
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


def test_known_pixels_are_kept_and_extrapolated() -> None:
    rows = np.arange(64.0)[:, None, None] * np.ones((64, 48, 1))
    known = np.zeros((64, 48), bool)
    known[:, :20] = True
    found = extended(rows, known)
    assert (found[:, :20] == rows[:, :20]).all()
    assert np.abs(found[8:56, 20:26] - rows[8:56, 20:26]).max() < 6, "the border is not extrapolated"
    assert found.min() >= 0
    assert found.max() <= 63
    assert (extended(rows, np.zeros((64, 48), bool)) == 0).all()
    odd = extended(np.full((37, 53, 2), 7.0), np.eye(37, 53, dtype=bool))
    assert np.abs(odd - 7).max() < 1e-4


def test_the_opacity_of_a_known_mixture_is_found() -> None:
    """Two uniform colours are mixed by a ramp. Opacity is then linear in the colours of each window, so it is exact."""
    ramp = np.clip((np.arange(60) - 20) / 20, 0, 1)[None] * np.ones((40, 1))
    picture = np.rint(ramp[..., None] * [200, 60, 40] + (1 - ramp[..., None]) * [40, 90, 180]).astype(np.uint8)
    columns = np.arange(60)[None] * np.ones((40, 1))
    found = alpha_matte(picture, columns > 44, columns < 15)
    assert np.abs(found - ramp)[1:-1].max() < 0.03
    assert (found[:, 45:] == 1).all()
    assert (found[:, :15] == 0).all()


def test_a_face_is_aligned_with_itself(faces: list[Rendered]) -> None:
    labels = faces[0].labels
    fit = fit_hair(labels, labels)
    assert fit is not None
    assert np.abs(fit.ratio - 1).max() < 1e-9
    x, y = np.array([10.0, 80.0]), np.array([20.0, 90.0])
    assert np.allclose(fit.source_of(x, y), [x, y])
    assert (fitted_hair(labels, labels, fit) == labels).mean() > 0.995


def _round_face(radius: float, ring: float, centre: float = 0.0) -> np.ndarray:
    """A round face in round hair whose centre is ``centre`` pixels to the right of the face's, as in a turned head."""
    y, x = np.mgrid[:_SIDE, :_SIDE] + 0.5 - 80
    away = np.hypot(x, y)
    labels = np.where(np.hypot(x - centre, y) < ring, _HAIR, 0).astype(np.uint8)
    labels[away < radius] = ID["skin"]
    for name, left, down in (("r_eye", -15, -8), ("l_eye", 15, -8), ("nose", 0, 4)):
        labels[np.hypot(x - left, y - down) < 4] = ID[name]
    labels[(np.abs(x) < 12) & (np.abs(y - 18) < 4)] = ID["u_lip"]
    return labels


def _ends(labels: np.ndarray, row: int) -> tuple[int, int]:
    columns = np.flatnonzero(labels[row] == _HAIR)
    return int(columns[0]), int(columns[-1])


def test_outlines_are_aligned() -> None:
    """Hair in a ring around a face of 48 pixels is moved to the outline of a face of 40 pixels."""
    y, x = np.mgrid[:_SIDE, :_SIDE] + 0.5 - 80
    own, other = _round_face(40, 0), _round_face(48, 60)
    fit = fit_hair(other, own)
    assert fit is not None
    found = fitted_hair(other, own, fit)
    hair = np.hypot(x, y)[found == _HAIR]
    assert 38 < hair.min() < 42, "the hair does not begin at the outline of the face"
    assert (found[np.hypot(x, y) < 38] == own[np.hypot(x, y) < 38]).all()


def test_hair_of_a_turned_head_is_centred_on_the_other_head() -> None:
    own, other = _round_face(40, 50), _round_face(40, 54, centre=9)
    fit = fit_hair(other, own)
    assert fit is not None
    assert fit.back[0, 0] > 0
    assert abs(fit.shift - 9) < 1
    found = fitted_hair(other, own, fit)
    left, right = _ends(found, 70)
    assert abs((left + right) / 2 - 79.5) < 3.5, "the hair is not centred"
    assert abs(np.diff(_ends(other, 70))[0] - (right - left)) < 8, "the width of the head changed"
    plain = HairFit(fit.back, fit.middle, fit.outline, fit.ratio, fit.scale, fit.axis, 0.0, 0.0)
    left, right = _ends(fitted_hair(other, own, plain), 70)
    assert (left + right) / 2 - 79.5 > 7


def test_hair_of_a_head_turned_to_the_other_side_is_mirrored() -> None:
    own, other = _round_face(40, 52, centre=-8), _round_face(40, 52, centre=8)
    fit = fit_hair(other, own)
    assert fit is not None
    assert fit.back[0, 0] < 0
    assert abs(fit.shift) < 1
    x, y = fit.source_of(np.array([80.0, 60.0]), np.array([30.0, 80.0]))
    assert np.allclose(x, [80, 100], atol=1)
    assert np.allclose(y, [30, 80], atol=1)
    assert (fitted_hair(other, own, fit) == own).mean() > 0.99


def test_a_head_does_not_get_narrower() -> None:
    own, other = _round_face(40, 56), _round_face(40, 48)
    fit = fit_hair(other, own)
    assert fit is not None
    assert fit.spread < -2
    left, right = _ends(fitted_hair(other, own, fit), 70)
    assert right - left > np.diff(_ends(other, 70))[0] + 6


def test_glasses_beyond_a_face_do_not_change_its_outline() -> None:
    own = _round_face(40, 50)
    wearing = own.copy()
    wearing[76:80, 20:140] = ID["eye_g"]
    plain, found = fit_hair(own, own), fit_hair(wearing, own)
    assert plain is not None
    assert found is not None
    assert np.abs(found.ratio - plain.ratio).max() < 0.06


def test_upper_rows_that_hair_reaches_are_left_out() -> None:
    labels = np.zeros((100, 100), np.uint8)
    labels[4:50, 30:70] = _HAIR
    assert cut_rows(labels) == 0
    labels[1, 40:60] = _HAIR
    assert cut_rows(labels) == 2


def test_hair_missing_in_the_mask_is_added() -> None:
    """The mask's hair ends 12 pixels below the picture's hair, which would otherwise be cut off."""
    rng = np.random.default_rng(2)
    labels = np.zeros((200, 200), np.uint8)
    labels[60:150, 50:150] = _HAIR
    hair = labels == _HAIR
    hair[48:60, 60:140] = True
    picture = np.where(hair[..., None], [60, 40, 30], [90, 120, 200]) + rng.normal(0, 4, (200, 200, 1))
    alpha = hair_matte(np.clip(picture, 0, 255).astype(np.uint8), labels)
    assert alpha[50:58, 70:130].min() > 0.7
    assert alpha[:44].max() < 0.1


def test_a_uniform_backdrop_is_continued_behind_removed_hair() -> None:
    """The backdrop gets darker downwards, and is continued where hair is removed."""
    photo, after = _round_face(40, 60), _round_face(40, 42)
    y, x = np.mgrid[:_SIDE, :_SIDE]
    backdrop = 200 - 0.5 * y[..., None] + 0.1 * x[..., None] + np.array([0, 10, 20])
    picture = np.where((photo == _HAIR)[..., None], [50, 40, 30], backdrop)
    picture = np.where(np.isin(photo, [0, _HAIR])[..., None], picture, [190, 150, 130]).astype(np.uint8)
    alpha = (photo == _HAIR).astype(np.float32)
    found = without_hair(picture, photo, after, alpha, np.full_like(picture, 150, np.float32), 0 * alpha)
    ring = (photo == _HAIR) & (after == 0) & (np.hypot(x - 80, y - 80) > 46)
    assert np.abs(found - backdrop)[ring].max() < 6


def test_uncovered_skin_has_no_shadow_of_the_hair() -> None:
    """Hair casts a shadow on the forehead. After its removal the skin is as light as below."""
    labels = _round_face(60, 0)
    y, x = np.mgrid[:_SIDE, :_SIDE]
    fringe = (y < 50) & (labels == ID["skin"])
    before = np.where(fringe, _HAIR, labels).astype(np.uint8)
    skin = np.full((_SIDE, _SIDE, 3), [190.0, 150, 130])
    shaded = np.where(((y < 52) & (y >= 50))[..., None], 0.75 * skin, skin)
    picture = np.where(fringe[..., None], [50, 40, 30], np.where((labels > 0)[..., None], shaded, 90)).astype(np.uint8)
    other = np.full((_SIDE, _SIDE, 3), [120.0, 90, 70], np.float32)
    found = without_hair(picture, before, labels, fringe.astype(np.float32), other, np.zeros(labels.shape, np.float32))
    forehead = (labels == ID["skin"]) & (np.hypot(x - 80, y - 80) < 50) & (y < 56)
    assert np.abs(found[forehead] - [190, 150, 130]).max() < 16


def test_the_thin_border_of_hair_over_skin_is_not_lighter_than_the_hair() -> None:
    hair = np.full((100, 100, 3), 60, np.float32)
    alpha = np.zeros((100, 100), np.float32)
    alpha[20:80, 20:80] = 1
    hair[20:22, 20:80] = 140
    found = without_light_rim(hair, alpha)
    assert found[20, 30:70].max() < 90
    assert (found[40:60, 40:60] == 60).all()


def test_temples_of_glasses_are_not_taken_with_the_hair() -> None:
    own, labels = _round_face(40, 60), _round_face(40, 62)
    rng = np.random.default_rng(4)
    colours = np.full((_SIDE, _SIDE, 3), [90, 120, 200], float)
    colours[labels == _HAIR] = [70, 50, 40]
    colours[~np.isin(labels, [0, _HAIR])] = [190, 150, 130]
    picture = np.clip(colours + rng.normal(0, 5, (_SIDE, _SIDE, 1)), 0, 255).astype(np.uint8)
    photo = picture.copy()
    labels[71:74, 42:118] = ID["eye_g"]
    temple = np.zeros(labels.shape, bool)
    temple[71:74] = labels[71:74] == _HAIR
    temple[:, :28] = temple[:, -28:] = False
    picture[temple] = [255, 0, 255]
    fit = hair_to_take(labels, own)
    assert fit is not None
    found = lay_hair(photo, own, fitted_hair(labels, own, fit), hair_source(picture, labels), fit).astype(int)
    assert ((found[..., 0] + found[..., 2] - 2 * found[..., 1]) > 150).sum() == 0


def test_hair_is_not_cut_off_at_the_pictures_border() -> None:
    labels = np.zeros((100, 100), np.uint8)
    for row in range(40):
        labels[row, 30 - row // 2 : 70 + row // 2] = _HAIR
    more = above_border(labels)
    widths = more.sum(1)
    assert widths[-1] in range(36, 41)
    assert (np.diff(widths) >= 0).all(), "the hair does not narrow upwards"
    assert widths[0] == 0
    assert not above_border(np.zeros((100, 100), np.uint8)).any()


def test_isolated_strands_and_specks_are_not_taken() -> None:
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
    theirs = np.clip(np.array([155, 125, 90]) + strands, 0, 255).astype(np.uint8)
    ours = np.clip(np.array([190, 160, 110]) + 1.2 * rng.normal(0, 12, (4000, 1)), 0, 255).astype(np.uint8)
    whole, photo = np.ones((80, 50), np.float32), ours.reshape(80, 50, 3)
    found = recoloured(theirs.reshape(80, 50, 3).astype(np.float32), whole, photo, whole)
    assert np.abs(np.median(found, (0, 1)) - np.median(ours, 0)).max() < 4
    light = [theirs.astype(float).sum(1), found.reshape(-1, 3).sum(1)]
    assert np.corrcoef(light)[0, 1] > 0.97, "the strands differ from the reference's"
    assert (recoloured(found, whole, photo, 0 * whole) == found).all()
    stubble = np.where(np.arange(80)[:, None] < 2, 1, 0 * whole).astype(np.float32)
    assert (recoloured(found, whole, photo, stubble) == found).all(), "the colour of 2.5 % of the picture"


def test_dark_hair_on_a_fair_head_becomes_brown_and_keeps_its_strands() -> None:
    rng = np.random.default_rng(4)
    theirs = np.clip(np.array([24, 20, 20]) + rng.normal(0, 6, (80, 80, 1)), 0, 255)
    ours = np.clip(np.array([215, 180, 130]) + rng.normal(0, 6, (80, 80, 1)), 0, 255).astype(np.uint8)
    whole = np.ones((80, 80), np.float32)
    found = recoloured(theirs.astype(np.float32), whole, ours, whole)
    dark, fair, brown = (float(np.median(one.mean(-1))) for one in (theirs, ours, found))
    assert dark + 20 < brown < (dark + fair) / 2
    assert found[..., 0].mean() > found[..., 2].mean() + 10, "grey, not brown"
    assert found.mean(-1).std() > 3


def test_shades_of_recoloured_hair_are_no_stronger_than_those_of_the_own_hair() -> None:
    rng = np.random.default_rng(6)
    strands = rng.normal(0, 8, (80, 80, 1))
    half = np.where(np.arange(80)[:, None, None] < 40, 40.0, 150.0)  # dark hair with grey temples
    theirs, ours = (np.clip(light + strands, 0, 255) * np.ones(3) for light in (half, 90.0))
    whole = np.ones((80, 80), np.float32)
    found = recoloured(theirs.astype(np.float32), whole, ours.astype(np.uint8), whole)
    assert abs(found[:30].mean() - found[50:].mean()) < 0.4 * 110
    assert found[:30].std() > 4, "the strands are lost"


def test_strands_get_the_contrast_of_the_photos_strands() -> None:
    rng = np.random.default_rng(5)
    soft, sharp = (np.clip(90 + rng.normal(0, by, (60, 60, 1)) * np.ones(3), 0, 255) for by in (10, 12))
    whole = np.ones((60, 60), np.float32)
    found = as_sharp(soft.astype(np.float32), whole, sharp.astype(np.uint8), whole)
    assert abs(found.std() / sharp.std() - 1) < 0.1
    assert (as_sharp(found, 0 * whole, sharp.astype(np.uint8), whole) == found).all()


def test_the_photo_is_unchanged_outside_both_hair_regions(faces: list[Rendered]) -> None:
    photo, other = faces
    fit = hair_to_take(other.labels, photo.labels)
    assert fit is not None
    after = fitted_hair(other.labels, photo.labels, fit)
    result = lay_hair(photo.picture, photo.labels, after, hair_source(other.picture, other.labels), fit)
    eyes = np.isin(photo.labels, [ID["l_eye"], ID["r_eye"], ID["mouth"]]) & (after == photo.labels)
    assert (result[eyes] == photo.picture[eyes]).mean() > 0.98
    hair = (after == _HAIR) & (photo.labels != _HAIR)
    if hair.sum() > 50:
        assert np.abs(result[hair].astype(int) - photo.picture[hair]).mean() > 4


def test_composition_pastes_the_hair_and_paints_nothing(faces: list[Rendered]) -> None:
    photo, other = faces
    fit = hair_to_take(other.labels, photo.labels)
    assert fit is not None
    after = fitted_hair(other.labels, photo.labels, fit)
    reference = ReferenceFace(other.picture, other.labels, fit)

    def painting() -> np.ndarray:
        raise AssertionError("nothing is painted")

    found = paste_moved(photo.picture, painting, photo.labels, after, reference=reference)
    assert (found == lay_hair(photo.picture, photo.labels, after, hair_source(other.picture, other.labels), fit)).all()
    whole = np.full((_SIDE + 120, _SIDE + 140, 3), 90, np.uint8)
    whole[60 : 60 + _SIDE, 70 : 70 + _SIDE] = photo.picture
    square = np.array([[70, 60], [70, 60 + _SIDE], [70 + _SIDE, 60 + _SIDE], [70 + _SIDE, 60]], float)
    placed = paste_moved(photo.picture, painting, photo.labels, after, Place(whole, square), reference)
    outside = np.ones(whole.shape[:2], bool)
    beyond = round(0.2 * _SIDE) + 2  # hair that reaches the crop's border is replaced up to here
    outside[60 - beyond : 60 + _SIDE + beyond, 70 - beyond : 70 + _SIDE + beyond] = False
    assert (placed[outside] == 90).all()
    assert (placed != whole).any()


def test_swapped_hair_needs_no_painting(faces: list[Rendered], tmp_path: Path) -> None:
    """The network is not called for hair alone, but it is called if the nose is swapped too."""

    class Painter:
        size, note = _SIDE, {"weights": "none"}

        def paint(self, requests: Sequence[Request]) -> np.ndarray:
            asked.extend(requests)
            return np.stack([np.full((_SIDE, _SIDE, 3), 90, np.uint8) for _ in requests])

    asked: list[Request] = []
    files = {}
    for role, face in zip(("source", "target"), faces, strict=True):
        files[role] = write_image(tmp_path / f"{role}.png", face.picture)
        files[f"{role}_mask"] = write_label_map(tmp_path / f"{role}.mask.png", face.labels)
    found = {}
    for name, parts in (("hair", "hair"), ("both", "hair,nose")):
        make = functools.partial(swap_edits, parts=part_ids(parts), blend=Blend())
        row = [(files, tmp_path / f"{name}.png")]

        def edits(files: Row, make: Callable[[Row], Edit[Request]] = make) -> list[Edit[Request]]:
            return [make(files)]

        list(run_edits(row, edits, Painter(), batch_size=4, save_masks=False, overwrite=False))
        found[name] = len(asked)
    assert found == {"hair": 0, "both": 1}
    fit = hair_to_take(faces[1].labels, faces[0].labels)
    assert fit is not None
    wanted, _ = with_hair(faces[0].picture, faces[0].labels, ReferenceFace(faces[1].picture, faces[1].labels, fit)) or (
        0,
        0,
    )
    assert (read_image(tmp_path / "hair.png") == wanted).all()


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


def test_hair_above_the_crop_goes_too(faces: list[Rendered]) -> None:
    """The photo's hair ends above the crop: nothing of it stays there, and the crop is that without a photo."""
    photo, other = faces[0].picture, faces[1]
    labels = faces[0].labels
    rows = np.flatnonzero((labels == _HAIR).any(1))
    top = rows[0] + 12  # the crop's upper border cuts the hair
    crop, before = photo[top : top + 128, 16:144], labels[top : top + 128, 16:144]
    square = np.array([[16, top], [16, top + 128], [144, top + 128], [144, top]], float)
    fit = hair_to_take(other.labels, before)
    assert fit is not None
    reference = ReferenceFace(other.picture, other.labels, fit)
    found = labels_beyond(np.pad(crop, ((24, 24), (24, 24), (0, 0)), mode="edge"), before, 24)
    assert np.array_equal(found[24:-24, 24:-24], before)
    wanted = with_hair(crop, before, reference)
    assert wanted is not None
    result = hair_in_photo(photo, square, wanted, before, reference)
    inside = np.abs(result[top + 20 : top + 100, 36:124].astype(int) - wanted[0][20:100, 20:108]).mean()
    assert inside < 4, "nearly the crop's result"
    left = labels_beyond(result[top - 12 : top + 140, 4:156][:152, :152], wanted[1], 12)
    assert left.shape == (152, 152)
    changed = np.abs(result[:top].astype(int) - photo[:top]).max(-1) > 8
    assert changed[(labels == _HAIR)[:top] & (np.arange(top)[:, None] > top - 10)].mean() > 0.5


def test_hair_within_the_crop_changes_the_photo_as_the_crop(faces: list[Rendered]) -> None:
    crop = np.pad(faces[0].picture, ((60, 60), (60, 60), (0, 0)), mode="edge")
    before = np.pad(faces[0].labels, 60)
    side = len(before)
    photo = np.pad(crop, ((10, 10), (10, 10), (0, 0)), mode="edge")
    square = np.array([[10, 10], [10, 10 + side], [10 + side, 10 + side], [10 + side, 10]], float)
    rows, columns = np.mgrid[:_SIDE, :_SIDE]
    cut_off = (rows > 0.6 * _SIDE) | (np.abs(columns - _SIDE / 2) > 0.45 * _SIDE)
    theirs = np.where((faces[1].labels == _HAIR) & cut_off, 0, faces[1].labels)
    fit = hair_to_take(theirs, before)
    assert fit is not None
    reference = ReferenceFace(faces[1].picture, theirs, fit)
    wanted = with_hair(crop, before, reference)
    assert wanted is not None
    border = np.ones(before.shape, bool)
    border[1:-1, 1:-1] = False
    assert not (border & ((before == _HAIR) | (wanted[1] == _HAIR))).any()
    result = hair_in_photo(photo, square, wanted, before, reference)
    assert np.array_equal(result, paste_crop(photo, square, wanted[0]))
