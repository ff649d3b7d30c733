"""Alignment of parts with another face: horizontal shifts for other poses, rotation and scale for other crops."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskgan_cli.editing.file_edits import swap_edits
from maskgan_cli.editing.masks.fit import fit_parts
from maskgan_cli.editing.masks.swap import swap_parts
from maskgan_cli.editing.options import Blend
from maskgan_cli.files import read_csv, read_label_map, write_label_map
from maskgan_cli.labels import GROUPS, ID, LabelMap, part_ids
from maskgan_cli.synth import write_dataset
from tests.conftest import Command

MOUTH = part_ids("mouth")


def _face(*, mouth: tuple[int, int] = (64, 94), half: int = 12, nose: int = 66) -> LabelMap:
    """A face of rectangles with CelebA-HQ's framing at 128 px.

    Args:
        mouth: middle of the mouth.
        half: half the mouth's width.
        nose: first row of the nose.
    """
    labels = np.zeros((128, 128), np.uint8)
    labels[30:118, 28:100] = ID["skin"]
    labels[58:64, 42:54], labels[58:64, 74:86] = ID["r_eye"], ID["l_eye"]
    labels[nose : nose + 16, 58:70] = ID["nose"]
    x, y = mouth
    labels[y - 4 : y, x - half : x + half], labels[y : y + 4, x - half : x + half] = ID["u_lip"], ID["l_lip"]
    return labels


def _box(labels: LabelMap, ids: tuple[int, ...] = MOUTH) -> list[int]:
    rows, columns = np.nonzero(np.isin(labels, ids))
    return [int(v) for v in (columns.min(), columns.max() + 1, rows.min(), rows.max() + 1)]


def test_a_face_aligned_with_itself_is_unchanged() -> None:
    face = _face()
    assert np.array_equal(np.isin(fit_parts(face, face, MOUTH), MOUTH), np.isin(face, MOUTH))


def test_a_mouth_is_shifted_horizontally_and_hardly_changes_its_shape_and_height() -> None:
    """The source's head is turned, so its mouth lies 7 px to the right. The target's smile is wider and higher."""
    fitted = fit_parts(_face(mouth=(62, 90), half=16), _face(mouth=(71, 95)), MOUTH)
    assert np.allclose(_box(fitted), [71 - 16, 71 + 16, 86, 94], atol=2)


def test_a_mouth_moves_vertically_with_the_nose() -> None:
    lower = [_box(fit_parts(_face(), _face(nose=top), MOUTH))[2] for top in (62, 66, 70)]
    assert lower[0] + 2 <= lower[1] <= lower[2] - 2


@pytest.mark.parametrize(("factor", "degrees"), [(0.7, 0.0), (1.3, 0.0), (1.0, 20.0)])
def test_a_target_with_another_crop_is_aligned_with_the_source(factor: float, degrees: float) -> None:
    face, angle = _face(), np.radians(degrees)
    back = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) / factor
    offset = np.array([64.0, 64]) - back @ [60.0, 70]
    numbers = (back[0, 0], back[0, 1], offset[0], back[1, 0], back[1, 1], offset[1])
    other = np.asarray(Image.fromarray(face).transform((128, 128), Image.Transform.AFFINE, numbers))
    fitted, parts = fit_parts(other, face, part_ids("face")), [ID[name] for name in GROUPS["face"]]
    wanted, got = np.isin(face, parts), np.isin(fitted, parts)
    assert (wanted & got).sum() / (wanted | got).sum() > 0.85
    direct = np.isin(other, parts)
    assert (wanted & direct).sum() / (wanted | direct).sum() < 0.6


def test_each_part_is_shifted_by_its_own_points() -> None:
    fitted = fit_parts(_face(), _face(mouth=(72, 94)), part_ids("mouth,eyes"))
    assert _box(fitted, part_ids("eyes")) == _box(_face(), part_ids("eyes"))
    assert _box(fitted)[:2] == [60, 84]
    assert not np.isin(fitted, [ID["nose"], ID["skin"]]).any()


def test_faces_without_points_are_hardly_shifted() -> None:
    nothing, face = np.full((128, 128), ID["hair"], np.uint8), _face(mouth=(64, 94))
    moved = fit_parts(face, nothing, MOUTH)
    assert abs(_box(moved)[0] - _box(face)[0]) <= 2
    assert not fit_parts(nothing, face, MOUTH).any()


def test_by_default_parts_are_aligned_for_edits_that_are_pasted_back(prepared: Path) -> None:
    """Bare paintings follow the paper. The mouths of the prepared faces have different positions."""
    row = {"source": prepared / "images" / "0.png", "target": prepared / "images" / "1200.png"}
    source, target = (read_label_map(prepared / "masks" / f"{name}.png") for name in (0, 1200))
    direct, fitted = (swap_parts(source, t, MOUTH) for t in (target, fit_parts(target, source, MOUTH)))
    assert not np.array_equal(direct, fitted)
    for blend, fit, expected in (
        (Blend(), None, direct),
        (Blend(wanted=False), None, direct),
        (Blend(wanted=True), None, fitted),
        (Blend(wanted=True), False, direct),
        (Blend(), True, fitted),
    ):
        edit = swap_edits(row, MOUTH, blend=blend, fit=fit)
        assert edit.labels is not None
        assert np.array_equal(edit.labels, expected)
        assert edit.settings.get("fit", False) == (expected is fitted)


def test_an_eye_that_the_reference_hides_is_kept_and_the_record_says_so(
    prepared: Path, weights: Path, tmp_path: Path, maskgan: Command
) -> None:
    faces = [prepared / "images" / f"{name}.png" for name in (0, 1200)]
    source, target = (read_label_map(prepared / "masks" / f"{name}.png") for name in (0, 1200))
    covered = np.where(np.isin(target, [ID["l_eye"], ID["l_brow"]]), ID["hair"], target).astype(np.uint8)
    write_label_map(tmp_path / "covered.png", covered)
    row = dict(zip(("source", "target"), faces, strict=True)) | {"target_mask": tmp_path / "covered.png"}
    eyes = part_ids("eyes,brows")
    edit = swap_edits(row, eyes, blend=Blend(wanted=True))
    assert edit.labels is not None and edit.settings["kept"] == ["l_eye", "l_brow"]
    for part in (ID["l_eye"], ID["l_brow"]):
        assert np.array_equal(edit.labels == part, source == part)
    assert "kept" not in swap_edits(row, eyes, blend=Blend()).settings, "bare paintings follow the paper"
    call = (
        "swap",
        *faces,
        "--tgt-mask",
        tmp_path / "covered.png",
        "--weights",
        weights,
        "--device",
        "cpu",
        "--blend",
    )
    outcome = maskgan(*call, "--parts", "eyes", "-o", tmp_path / "o.png")
    assert outcome.code == 0 and "l_eye not replaced: hidden in it or in" in outcome.err, outcome.err
    outcome = maskgan(*call, "--parts", "l_eye,l_brow", "-o", tmp_path / "p.png")
    assert outcome.code == 2 and "expected eyes that are visible in both faces" in outcome.err, outcome.err


def _ellipse(side: int, degrees: float = 0.0) -> LabelMap:
    """A face with smooth outlines, rotated around its middle."""
    angle = np.radians(degrees)
    y, x = (np.mgrid[:side, :side] + 0.5) / side - 0.5
    x, y = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    labels = np.full((side, side), ID["skin"], np.uint8)
    for cx, cy, rx, ry, name in (
        (-0.12, -0.02, 0.05, 0.02, "r_eye"),
        (0.12, -0.02, 0.05, 0.02, "l_eye"),
        (0.0, 0.25, 0.12, 0.05, "u_lip"),
    ):
        labels[((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1] = ID[name]
    labels[(labels == ID["u_lip"]) & (y > 0.25)] = ID["l_lip"]
    return labels


@pytest.mark.parametrize("degrees", [2.0, 8.0, -11.0])
def test_a_mouth_follows_the_heads_tilt(degrees: float) -> None:
    """The faces differ only in their tilt, so the aligned mouth equals the source's."""
    target, source = _ellipse(256), _ellipse(256, degrees)
    wanted = np.isin(source, MOUTH)
    fitted = np.isin(fit_parts(target, source, MOUTH), MOUTH)
    assert (wanted & fitted).sum() / (wanted | fitted).sum() > 0.95
    assert abs(degrees) < 5 or (wanted & np.isin(target, MOUTH)).sum() / (wanted | fitted).sum() < 0.85


def test_outlines_of_a_smaller_mask_are_enlarged_without_steps() -> None:
    """From 64 to 512 pixels; nearest neighbour would give steps of eight pixels."""
    small, source = _ellipse(64), _ellipse(512)
    fitted, exact = fit_parts(small, source, MOUTH), np.isin(source, MOUTH)
    smooth, steps = np.isin(fitted, MOUTH), np.isin(np.kron(small, np.ones((8, 8), np.uint8)), MOUTH)
    assert fitted.shape == source.shape
    assert (smooth ^ exact).sum() < 0.6 * (steps ^ exact).sum()
    top = smooth.argmax(0)[smooth.any(0)][20:-20]
    assert np.abs(np.diff(top)).max() <= 4, "nearest neighbour would give steps of eight pixels"


def test_mouths_are_near_the_true_ones_of_rendered_faces(tmp_path: Path, maskgan: Command) -> None:
    """Rendered faces with the expressions of others, as ground truth; heads are turned differently."""
    raw, data = write_dataset(tmp_path / "raw", 24, 128, 12, counterfactuals=8, seed=4, workers=1), tmp_path / "data"
    assert maskgan("prep-data", raw, data, "--size", "128", "--workers", "1").code == 0
    overlaps: list[list[float]] = []
    for row in read_csv(raw / "counterfactuals" / "pairs.csv"):
        names = [Path(row[name]).stem for name in ("source", "target")]
        source, target = (read_label_map(data / "masks" / f"{name}.png") for name in names)
        truth = np.isin(read_label_map(raw / row["truth_mask"]), MOUTH)
        mouths = [np.isin(mask, MOUTH) for mask in (target, fit_parts(target, source, MOUTH))]
        overlaps.append([float((mouth & truth).sum() / (mouth | truth).sum()) for mouth in mouths])
    copied, fitted = np.mean(overlaps, 0)
    assert fitted > copied + 0.05, (copied, fitted)
