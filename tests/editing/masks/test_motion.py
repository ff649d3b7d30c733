"""Directions: masks move in the head's own frame, keep smooth borders, and stay within the range of human faces."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from maskgan_cli.data.alignment import CROP, points_of_mask
from maskgan_cli.editing.masks import library
from maskgan_cli.editing.masks.borders import depths
from maskgan_cli.editing.masks.direction_limits import FARTHEST
from maskgan_cli.editing.masks.directions import REACH, Directions
from maskgan_cli.editing.masks.hair_shape import lengthened
from maskgan_cli.editing.masks.interpolate import MaskManifold
from maskgan_cli.editing.masks.mouth_shape import MouthChange, changed_mouth, draw_mouth, measure_mouth, mouth_change
from maskgan_cli.editing.masks.outline_shape import Outline, measure_outline, move_outline
from maskgan_cli.editing.masks.part_shapes import measure_brow, measure_nose, move_brows, widen_nose
from maskgan_cli.editing.masks.upright import Upright
from maskgan_cli.labels import GROUPS, ID, LabelMap
from maskgan_cli.weights.lookup import find_weights


@pytest.fixture(scope="module")
def directions() -> Directions:
    """Directions of the bundled MaskVAE."""
    return Directions(MaskManifold(find_weights(None, "vae"), "cpu"))


def _drawn(side: int = 512, degrees: float = 0.0) -> LabelMap:
    """A face of ellipses with smooth outlines, rotated around the middle of the picture."""
    angle, places = np.radians(degrees), (np.arange(side) + 0.5) / side - 0.5
    x0, y0 = np.meshgrid(places, places)
    x, y = np.cos(angle) * x0 + np.sin(angle) * y0 + 0.5, -np.sin(angle) * x0 + np.cos(angle) * y0 + 0.5

    def ellipse(cx: float, cy: float, rx: float, ry: float) -> np.ndarray:
        return ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1

    labels = np.zeros((side, side), np.uint8)
    labels[ellipse(0.5, 0.42, 0.33, 0.38)] = ID["hair"]
    labels[(np.abs(x - 0.5) < 0.13) & (y > 0.8)] = ID["neck"]
    labels[ellipse(0.5, 0.58, 0.26, 0.35)] = ID["skin"]
    for cx, eye, brow in ((0.378, "r_eye", "r_brow"), (0.627, "l_eye", "l_brow")):
        labels[ellipse(cx, 0.476, 0.045, 0.018)] = ID[eye]
        labels[ellipse(cx, 0.476 - 0.064, 0.065, 0.014)] = ID[brow]
    labels[ellipse(0.5, 0.6, 0.07, 0.09)] = ID["nose"]
    mouth = ellipse(0.5, 0.752, 0.115, 0.035)
    labels[mouth] = np.where(y < 0.747, ID["u_lip"], ID["l_lip"])[mouth]
    return labels


def _turned(labels: LabelMap, degrees: float) -> LabelMap:
    return np.asarray(Image.fromarray(labels).rotate(-degrees, Image.Resampling.NEAREST))


def _alike(first: np.ndarray, second: np.ndarray) -> float:
    return float((first & second).sum() / max((first | second).sum(), 1))


@pytest.mark.parametrize("degrees", [-25.0, 12.0])
@pytest.mark.parametrize("name", list(library.DIRECTIONS))
def test_a_tilted_face_moves_in_its_own_frame(directions: Directions, name: str, degrees: float) -> None:
    """Moving the rotated mask gives the rotated result of moving the mask."""
    upright, tilted = _drawn(), _drawn(degrees=degrees)
    moved = directions.move(upright, name, 0.7, beyond=True)
    wanted, got = _turned(moved, degrees), directions.move(tilted, name, 0.7, beyond=True)
    inside = np.hypot(*(np.mgrid[:512, :512] - 255.5)) < 250  # excludes corners that the rotation fills
    for part in {"hair-length": ("hair",), "face-width": ("skin",)}.get(name, REACH[name]):
        regions = [(labels == ID[part]) & inside for labels in (wanted, got, tilted)]
        if part in ("background", "cloth") or regions[0].sum() < 200:
            continue
        thin = part in GROUPS["mouth"]  # ten pixels high, so half a pixel at the border is a tenth of the area
        assert _alike(regions[0], regions[1]) > (0.88 if thin else 0.94), part
    first, second = (_alike((wanted == got) & inside, inside), _alike((wanted == tilted) & inside, inside))
    assert first > 0.985 and first > second


def test_the_upright_frame_has_eyes_and_mouth_at_the_positions_of_celeba_hq() -> None:
    for degrees in (0.0, 30.0):
        face = _drawn(degrees=degrees)
        points = points_of_mask(Upright.of(face, 256).labels(face)) / 256
        assert np.abs(points[:2] - CROP[:2]).max() < 0.01
        assert np.abs(points[3:].mean(0) - CROP[3:].mean(0)).max() < 0.01
    empty = np.zeros((100, 100), np.uint8)
    assert np.allclose(Upright.of(empty, 50).matrix, [[0.5, 0, 0], [0, 0.5, 0]])


def _roughness(region: np.ndarray) -> float:
    """Relative length of a region's border compared with the smoothed region's, minus 1: 0 for a smooth border."""
    from skimage.measure import find_contours

    def length(plane: np.ndarray) -> float:
        return sum(float(np.hypot(*np.diff(line, axis=0).T).sum()) for line in find_contours(plane, 0.5))

    soft = ndimage.gaussian_filter(region.astype(float), 1.0)
    smooth = ndimage.gaussian_filter(region.astype(float), 4.0)
    return length(soft) / max(length(smooth), 1e-6) - 1


@pytest.mark.parametrize("name", list(library.DIRECTIONS))
def test_borders_stay_as_smooth_as_they_were(directions: Directions, name: str) -> None:
    """Masks have four times the network's side. The result is as symmetric as the face."""
    face = _drawn(1024)
    for amount in (-0.8, 0.8):
        moved = directions.move(face, name, amount)
        parts = ("hair",) if name == "hair-length" else ("skin",) if name == "face-width" else REACH[name]
        for part in (*parts, *GROUPS["mouth"]) if "mouth" in name else parts:
            region = moved == ID[part]
            if region.sum() > 500:
                own = _roughness(face == ID[part]) if (face == ID[part]).any() else 0.0
                assert _roughness(region) < own + 0.06, (amount, part)
        mirrored = moved[:, ::-1].copy()
        swapped = mirrored.copy()
        for left, right in (("l_eye", "r_eye"), ("l_brow", "r_brow"), ("l_ear", "r_ear")):
            swapped[mirrored == ID[left]], swapped[mirrored == ID[right]] = ID[right], ID[left]
        assert (swapped != moved).mean() < (0.05 if name == "hair-length" else 0.004), amount


@pytest.mark.parametrize("name", list(library.DIRECTIONS))
def test_a_direction_changes_no_pixel_of_other_parts(directions: Directions, name: str) -> None:
    """The change is connected: it makes no specks, and no holes in the face."""
    face = _drawn()
    for amount in (-1.0, 1.0):
        moved = directions.move(face, name, amount)
        for part in set(ID) - set(REACH[name]):
            assert np.array_equal(moved == ID[part], face == ID[part]), part
        for part in np.unique(moved):
            pieces, _ = ndimage.label(moved == part)
            assert np.bincount(pieces.ravel())[1:].min() >= 12, part
    assert np.array_equal(directions.move(face, name, 0), face)


def test_steps_stay_in_the_range_unless_beyond_is_set(directions: Directions) -> None:
    face = _drawn()
    for name in library.DIRECTIONS:
        low, high = directions.range(face, name)
        assert -FARTHEST <= low <= 0 <= high <= FARTHEST
        step = directions.step(face, name, 2.9)
        assert step.used == min(2.9, high) and step.note["asked"] == 2.9
        assert np.array_equal(step.labels, directions.move(face, name, high if high < 2.9 else 2.9))
        assert (step.line is None) == (step.used == 2.9)
        assert directions.step(face, name, 2.9, beyond=True).used == 2.9
    step = directions.step(face, "smile", 9.0)
    assert step.line == f"smile: 9 asked, {step.used:g} used; farther this face stops looking human"
    assert directions.range(face, "open-mouth")[0] > -0.2, "a closed mouth cannot close further"


def test_a_direction_without_effect_reports_the_reason(directions: Directions) -> None:
    face, lines = _drawn(), list[str]()
    bare = face.copy()
    bare[np.isin(face, [ID[name] for name in ("hair", *GROUPS["brows"], *GROUPS["mouth"], "nose")])] = ID["skin"]
    telling = Directions(directions._manifold, say=lines.append)
    for name in ("hair-length", "raise-brows", "smile", "nose-width"):
        assert telling.range(bare, name) == (0, 0)
        assert np.array_equal(telling.move(bare, name, 1), bare)
    assert lines == [
        "hair-length changes nothing: the mask shows no hair",
        "raise-brows changes nothing: the mask shows no brows",
        "smile changes nothing: the mask shows no mouth",
        "nose-width changes nothing: the mask shows no nose",
    ]
    assert telling.step(bare, "smile", 1).note == {
        "direction": "smile",
        "asked": 1,
        "used": 0.0,
        "obstacle": "the mask shows no mouth",
    }


def test_a_mouth_is_measured_changed_and_drawn() -> None:
    """A closed mouth with known curves gets a fifth wider, with raised corners and a gap in the middle."""
    face = _drawn(256)
    frame = Upright(np.array([[1.0, 0, 0], [0, 1.0, 0]]), 256)
    mouth = measure_mouth(face)
    assert mouth is not None
    assert abs(mouth.left - 0.385 * 256) < 1.5 and abs(mouth.right - 0.615 * 256) < 1.5
    assert mouth.opening == 0 and abs(mouth.line[32] - 0.747 * 256) < 1
    across = np.linspace(-1, 1, 65)
    change = MouthChange(0.2, -0.1 * across**2, 0.2 * (1 - across**2), 1.0, 1.0)
    wide = changed_mouth(mouth, change, 1.0)
    drawn = draw_mouth(face, frame, mouth, wide)
    columns = np.flatnonzero(np.isin(drawn, [ID[name] for name in GROUPS["mouth"]]).any(0))
    assert abs(np.ptp(columns) + 1 - 1.2 * mouth.width) < 3
    assert abs((drawn[:, 128] == ID["mouth"]).sum() - 0.2 * mouth.width) <= 1.5
    again = measure_mouth(drawn)
    assert again is not None and abs(again.opening - 0.2 * mouth.width) < 1.5
    found = mouth_change(mouth, again)
    assert found is not None and abs(found.wider - 0.2) < 0.03 and np.abs(found.line - change.line).max() < 0.03
    ends = [mouth.line[0] - wide.line[0], mouth.line[32] - wide.line[32]]
    assert np.allclose(ends, [0.1 * mouth.width, 0])
    lifted = MouthChange(0.0, np.full(65, -1.0), np.zeros(65), 1.0, 1.0)
    nose = 0.69 * 256
    free = float((mouth.line - mouth.upper)[16:49].min()) - nose
    high = changed_mouth(mouth, lifted, 1.0, nose)
    assert np.isclose(float((high.line - high.upper)[16:49].min()) - nose, free / 2), "the mouth touches the nose"


def test_brows_move_and_noses_widen_by_the_requested_amount() -> None:
    face = _drawn(256)
    frame = Upright(np.array([[1.0, 0, 0], [0, 1.0, 0]]), 256)
    brows = {name: measure_brow(face, name) for name in GROUPS["brows"]}
    moved = move_brows(face, frame, brows, np.full(33, -6.0))
    for name in GROUPS["brows"]:
        assert np.array_equal(moved == ID[name], np.roll(face == ID[name], -6, axis=0))
    nose = measure_nose(face)
    assert nose is not None
    wide = widen_nose(face, frame, nose, np.full(33, 0.25))
    widths = [(labels == ID["nose"]).any(0).sum() for labels in (face, wide)]
    assert abs(widths[1] - 1.25 * widths[0]) <= 2
    rows = [np.flatnonzero((labels == ID["nose"]).any(1)) for labels in (face, wide)]
    assert np.array_equal(rows[0][[0, -1]], rows[1][[0, -1]])


def test_regions_beside_an_outline_move_outwards_with_it() -> None:
    """A disc with an ear gets a tenth wider; its features keep their position."""
    side = 256
    y, x = np.mgrid[:side, :side] + 0.5
    away = np.hypot(x - 128, y - 128)
    labels = np.zeros((side, side), np.uint8)
    labels[(np.abs(y - 128) < 12) & (x > 128) & (away < 78)] = ID["l_ear"]
    labels[away < 70] = ID["skin"]
    labels[away < 10] = ID["nose"]
    outline = measure_outline(labels, middle=(128.0, 128.0))
    assert outline is not None and np.abs(outline.reach - 70).max() < 1.5
    frame = Upright(np.array([[1.0, 0, 0], [0, 1.0, 0]]), side)
    reach = [ID[name] for name in ("background", "skin", "l_ear")]
    exact = Outline((128.0, 128.0), np.full(180, 70.0))
    moved = move_outline(labels, frame, exact, np.full(180, 0.1), reach)
    assert _alike(np.isin(moved, [ID["skin"], ID["nose"]]), away < 77) > 0.98
    assert np.array_equal(moved == ID["nose"], labels == ID["nose"])
    assert abs((moved[128] == ID["l_ear"]).sum() - (labels[128] == ID["l_ear"]).sum()) <= 2
    assert np.array_equal(move_outline(labels, frame, exact, np.zeros(180), reach), labels)


def test_longer_hair_is_connected_and_covers_no_face() -> None:
    face = _drawn(256)
    moved = face.copy()
    moved[100:200, 20:60] = ID["hair"]  # beside the face, below the old hair
    moved[230:250, 200:220] = ID["hair"]  # an isolated strand
    moved[150:160, 120:130] = ID["hair"]  # in the face
    longer = lengthened(face, moved, longer=True)
    gained = (longer == ID["hair"]) & (face != ID["hair"])
    assert gained[116, 40] and not gained[190, 20:60].any(), "hair does not grow in proportion to its thickness"
    assert not gained[230:250, 200:220].any() and not gained[150:160, 120:130].any()
    assert ndimage.label(longer == ID["hair"])[1] == 1
    assert not ((longer != ID["hair"]) & (face == ID["hair"])).any()
    cut = np.where((face == ID["hair"]) & (np.mgrid[:256, :256][0] < 30), ID["background"], moved).astype(np.uint8)
    shorter = lengthened(face, cut, longer=False)
    assert not (shorter[:30] == ID["hair"]).any() and not ((shorter == ID["hair"]) & (face != ID["hair"])).any()


def test_depths_are_signed_distances() -> None:
    labels = np.zeros((200, 200), np.uint8)
    labels[:, 100:] = 1
    found = depths(labels, [0, 1, 2])
    assert np.allclose(found[1, 50], np.clip(np.arange(200) - 99.5, -48, 48))
    assert np.array_equal(found[0], -found[1]) and (found[2] == -48).all()


def test_hair_grows_where_it_is_thick() -> None:
    labels = np.full((256, 256), ID["skin"], np.uint8)
    labels[:] = ID["background"]
    labels[60:140, 100:160] = labels[100:200, 40:44] = ID["hair"]  # a bob, and a narrow sideburn
    moved = labels.copy()
    moved[60:255, 90:170] = moved[100:230, 30:54] = moved[100:140, 200:240] = ID["hair"]
    found = lengthened(labels, moved, longer=True) == ID["hair"]
    assert found[145, 110:150].all(), "thick hair does not grow downwards"
    assert not found[190:, 100:160].any(), "hair grows farther than about its own thickness"
    assert not found[100:230, 30:39].any(), "a sideburn grows"
    assert not found[100:140, 200:240].any(), "hair grows away from other hair"
    assert (found | (labels != ID["hair"])).all(), "hair is lost"
