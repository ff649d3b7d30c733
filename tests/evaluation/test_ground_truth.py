"""Ground truth of pairs of rendered faces, compared with the ground truth that was rendered with the data set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from maskgan_cli.files import read_csv, read_image, read_json, read_label_map, write_json
from maskgan_cli.synth import read_plan, write_dataset
from tests.conftest import Command


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six rendered faces and two pairs with ground truth."""
    return write_dataset(tmp_path_factory.mktemp("faces") / "raw", 6, 64, 6, counterfactuals=2, seed=3, workers=1)


@pytest.fixture(scope="module")
def data(faces: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from maskgan_cli.cli.app import app
    from maskgan_cli.cli.shell import run

    out = tmp_path_factory.mktemp("data") / "data"
    assert run(app, ["prep-data", str(faces), str(out), "--size", "64", "--workers", "1", "--quiet"]) == 0
    return out


def test_the_ground_truth_equals_that_of_the_data_set(
    faces: Path, data: Path, tmp_path: Path, maskgan: Command
) -> None:
    pairs, out = tmp_path / "pairs.csv", tmp_path / "truth"
    assert maskgan("eval", "pairs", data, "--protocol", "counterfactual", "--truths", faces, "-o", pairs).code == 0
    outcome = maskgan("eval", "truths", faces, pairs, "-o", out)
    assert outcome.lines == [str(out / "pairs.csv")]
    before, after = read_csv(pairs), read_csv(out / "pairs.csv")
    assert len(after) == 2
    for old, new in zip(before, after, strict=True):
        assert new["truth"] == str(out / new["output"])
        assert np.array_equal(read_image(Path(new["truth"])), read_image(Path(old["truth"])))
        assert np.array_equal(read_label_map(Path(new["truth_mask"])), read_label_map(Path(old["truth_mask"])))
        assert {k: v for k, v in new.items() if "truth" not in k} == {k: v for k, v in old.items() if "truth" not in k}


def test_the_ground_truth_as_a_method_has_perfect_values(
    faces: Path, data: Path, tmp_path: Path, maskgan: Command
) -> None:
    pairs, out = tmp_path / "pairs.csv", tmp_path / "truth"
    maskgan("eval", "pairs", data, "--protocol", "counterfactual", "--truths", faces, "-n", "1", "-o", pairs)
    maskgan("eval", "truths", faces, pairs, "-o", out)
    found = maskgan("eval", "counterfactual", out, "--pairs", out / "pairs.csv", "-o", tmp_path / "truth.json")
    assert found.code == 0
    result = read_json(tmp_path / "truth.json")
    assert {"psnr_inside", "psnr_outside"} <= set(result["infinite"])
    assert result["values"]["ssim_inside"] == 1
    second = maskgan("eval", "truths", faces, pairs, "-o", out)
    assert (second.code, "already holds this output" in second.err) == (0, True), second.err
    write_json(out / "pairs.csv", "mine")
    third = maskgan("eval", "truths", faces, pairs, "-o", out)
    assert third.code == 2
    assert "--overwrite" in third.err
    assert maskgan("eval", "truths", faces, pairs, "-o", out, "--overwrite").code == 0


def test_wrong_faces_raise_errors(faces: Path, data: Path, prepared: Path, tmp_path: Path, maskgan: Command) -> None:
    pairs, few = tmp_path / "pairs.csv", tmp_path / "few"
    maskgan("eval", "pairs", data, "--protocol", "counterfactual", "--truths", faces, "-n", "1", "-o", pairs)
    other = maskgan("eval", "truths", prepared, pairs, "-o", tmp_path / "x")
    assert other.code == 2
    assert other.err.strip() == f"maskgan: {prepared}: expected a folder of `maskgan synth`, found no synth.json"
    settings = read_json(faces / "synth.json")
    write_json(few / "synth.json", settings | {"count": 0})
    assert "expected one of the 0 rendered faces" in maskgan("eval", "truths", few, pairs, "-o", tmp_path / "x").err
    write_json(few / "synth.json", settings | {"version": 0})
    assert (
        "expected faces of version 1, found version 0"
        in maskgan("eval", "truths", few, pairs, "-o", tmp_path / "x").err
    )
    write_json(few / "synth.json", [])
    assert (
        "synth.json: expected the settings of a folder of `maskgan synth`"
        in maskgan("eval", "truths", few, pairs, "-o", tmp_path / "x").err
    )
    assert not (tmp_path / "x").exists()
    assert read_plan(faces).count == 6
