"""Tests of ``runs``: values and curves of run folders with known metrics."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from maskgan_cli.files import read_image
from tests.conftest import Command


@pytest.fixture
def two(tmp_path: Path) -> list[Path]:
    """Two runs with known metrics; the last line of the second is incomplete, as after a kill."""
    folders = []
    for name, shift in (("first", 0.0), ("second", 5.0)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "config.yaml").write_text("task: dmn\nschedule: {steps: 300}\n")
        lines = [{"step": s, "pixel": 1.0 / s, "lr": 0.1} for s in (50, 100, 150)]
        psnr = zip((50, 100, 150), (10.0 + shift, 30.0 + shift, 20.0 + shift), strict=True)
        lines += [{"step": s, "val_psnr": p, "val_l1": 1 / p, "val_iou/hair": 0.5} for s, p in psnr]
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / "metrics.jsonl").write_text(text + ('{"step": 20' if shift else ""))
        folders.append(folder)
    return folders


def test_last_and_best_value_of_each_metric(two: list[Path], maskgan: Command) -> None:
    outcome = maskgan("runs", *two)
    assert outcome.code == 0, outcome.err
    rows = list(csv.DictReader(outcome.out.splitlines()))
    assert [row["run"] for row in rows] == [str(folder) for folder in two]
    assert list(rows[0])[1:] == ["task", "step", "val_psnr", "best val_psnr", "val_l1", "best val_l1"]
    assert (rows[0]["step"], rows[0]["val_psnr"], rows[0]["best val_psnr"]) == ("150/300", "20", "30 at 100")
    assert (rows[1]["val_l1"], rows[1]["best val_l1"]) == ("0.04", "0.02857 at 100"), "less is better"
    document = json.loads(maskgan("runs", *two, "--metric", "pixel", "--json").out)
    assert document["runs"][0]["metrics"] == {"pixel": {"last": 1 / 150, "best": 1 / 150, "best_step": 150}}


def test_each_run_has_its_colour_in_the_curves(two: list[Path], tmp_path: Path, maskgan: Command) -> None:
    out = tmp_path / "curves.png"
    outcome = maskgan("runs", *two, "-o", out)
    assert (outcome.code, outcome.lines) == (0, [str(out)])
    picture = read_image(out)
    for colour in ((31, 119, 180), (214, 39, 40)):
        assert (picture == np.array(colour)).all(-1).sum() > 100
    assert not (picture == np.array((44, 160, 44))).all(-1).any(), "there is no third run"
    assert maskgan("runs", *two, "-o", out).code == 2, "it is there already"


def test_runs_that_cannot_be_compared_are_rejected(two: list[Path], tmp_path: Path, maskgan: Command) -> None:
    wrong = maskgan("runs", two[0], "--metric", "beauty")
    assert wrong.code == 2
    assert "--metric: expected one of pixel, lr, val_psnr" in wrong.err
    nothing = maskgan("runs", tmp_path)
    assert nothing.code == 2
    assert "expected a run folder of `maskgan train` with metrics.jsonl" in nothing.err
    (two[0] / "metrics.jsonl").write_text("")
    assert "expected lines of metrics, found none" in maskgan("runs", two[0]).err
