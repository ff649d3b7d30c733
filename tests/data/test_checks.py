"""Tests of ``check-data``: counts, suspicious samples, and changes since the preparation."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskgan_cli.files import read_json, read_label_map, write_image, write_label_map
from tests.conftest import Command


@pytest.fixture
def copy(prepared: Path, tmp_path: Path) -> Path:
    earlier = shutil.ignore_patterns("report.json", "contact-sheet.png")
    return Path(shutil.copytree(prepared, tmp_path / "data", ignore=earlier))


def test_an_unchanged_data_set_has_its_hash(copy: Path, maskgan: Command) -> None:
    outcome = maskgan("check-data", copy, "--workers", 1, "--json")
    assert outcome.code == 0
    document = json.loads(outcome.out)
    assert document["hash"] == document["hash_now"] == read_json(copy / "dataset.json")["hash"]
    assert (document["images"], document["unreadable"]) == (20, [])
    labels = np.stack([read_label_map(path) for path in (copy / "masks").iterdir()])
    assert document["per_class"]["hair"]["share_of_pixels"] == pytest.approx((labels == 13).mean())
    assert document["per_class"]["hat"]["images"] == 0


def test_unreadable_files_end_with_exit_code_1(copy: Path, maskgan: Command) -> None:
    (copy / "images" / "0.png").write_bytes(b"")
    (copy / "masks" / "400.png").write_bytes((copy / "masks" / "400.png").read_bytes()[:60])
    outcome = maskgan("check-data", copy, "--workers", 1, "--json", "-q")
    assert outcome.code == 1
    assert json.loads(outcome.out)["unreadable"] == ["0", "400"]
    assert outcome.err.startswith(f"maskgan: {copy}: 2 of 20 samples cannot be read ({copy / 'images' / '0.png'}: ")
    assert len(outcome.err.splitlines()) == 1


def _repaint(copy: Path) -> None:
    write_image(copy / "images" / "0.png", np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8))


def _flatten(copy: Path) -> None:
    write_image(copy / "images" / "0.png", np.zeros((40, 64, 3), np.uint8))


def _relabel(copy: Path) -> None:
    write_label_map(copy / "masks" / "0.png", read_label_map(copy / "masks" / "400.png"))


def _move(copy: Path) -> None:
    manifest = copy / "manifest.csv"
    manifest.write_text(manifest.read_text().replace("0,train", "0,val", 1))


@pytest.mark.parametrize("change", [_repaint, _flatten, _relabel, _move])
def test_changed_files_end_with_exit_code_1(copy: Path, maskgan: Command, change: object) -> None:
    change(copy)  # type: ignore[operator]
    outcome = maskgan("check-data", copy, "--workers", 1, "-q")
    assert outcome.code == 1
    assert "files changed since the preparation" in outcome.err
    assert (copy / "report.json").is_file(), "the report is there all the same"


def test_duplicates_are_reported_with_the_first_sample(copy: Path, maskgan: Command) -> None:
    images = copy / "images"
    shutil.copy(images / "0.png", images / "2000.png")
    dark = np.rint(np.asarray(Image.open(images / "400.png")) * 0.7).astype(np.uint8)
    write_image(images / "2400.png", dark)
    write_image(images / "800.png", np.full((64, 64, 3), 9, np.uint8))
    write_image(images / "2800.png", np.full((64, 64, 3), 200, np.uint8))
    outcome = maskgan("check-data", copy, "--workers", 1, "--json", "-q")
    found = json.loads(outcome.out)["suspicious"]
    assert "same file as 0" in found["2000"]
    assert any(problem.startswith("looks the same") and problem.endswith("as 400") for problem in found["2400"])
    assert found["2800"] == ["almost one colour (standard deviation 0.0 of 255)"]
    doubles = [name for name, problems in found.items() if "same" in " ".join(problems)]
    assert doubles == ["2000", "2400"]


def test_other_reports_are_not_replaced_without_overwrite(copy: Path, tmp_path: Path, maskgan: Command) -> None:
    sheet, report = tmp_path / "s.png", tmp_path / "r.json"
    arguments = ("check-data", copy, "--workers", 1, "-q", "--sheet", sheet, "--report", report)
    assert maskgan(*arguments).lines == [str(report), str(sheet)]
    assert not (copy / "report.json").exists()
    report.write_text("mine")
    outcome = maskgan(*arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert "--overwrite" in outcome.err
    report.unlink()
    assert maskgan(*arguments).code == 2, "nor is the sheet"
    assert not report.exists()
    assert maskgan(*arguments, "--overwrite").code == 0
    for _ in range(2):  # a check of its own renews what the last one left in the data set
        assert maskgan("check-data", copy, "--workers", 1, "-q").code == 0


def test_a_read_only_data_set_is_checked(
    copy: Path, tmp_path: Path, maskgan: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    outcome = maskgan("check-data", copy, "--workers", 1)
    assert (outcome.code, outcome.out) == (0, "")
    assert "is not writable: name other files with --report and --sheet" in outcome.err
    assert not (copy / "report.json").exists()
    outcome = maskgan("check-data", copy, "--workers", 1, "--report", tmp_path / "r.json")
    assert outcome.lines == [str(tmp_path / "r.json")]
