"""Tests of ``bench``: printed lines, JSON document and saved report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from maskgan_cli.bench import report
from maskgan_cli.bench.figure import Case, Figure
from maskgan_cli.bench.measure import Effort
from tests.conftest import Command


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[Case]:
    """Replace every measurement by two seconds of a fake clock; returns the list of measured cases."""
    seen: list[Case] = []

    def measured(case: Case, effort: object) -> Figure:
        seen.append(case)
        return Figure(case, "face", 1, {}, (2.0, 2.0), (1.0, 1.0), None, None)

    monkeypatch.setattr(report, "measure", measured)
    return seen


def test_output_is_lines_or_one_json_document(quick: list[Case], maskgan: Command, tmp_path: Path) -> None:
    lines = maskgan("bench", "synth", "--device", "cpu").lines
    assert len(lines) == 1
    assert lines[0].split()[:6] == ["synth:", "128", "px", "p50", "2000.0", "ms"]
    outcome = maskgan("bench", "synth", "synth", "--json", "-q", "--save", tmp_path / "b.json", "--device", "cpu")
    document = json.loads(outcome.out)
    assert [figure["p50_ms"] for figure in document["figures"]] == [2000.0]  # asked for twice, measured once
    assert document["machine"]["device"] == "cpu"
    assert document["machine"]["threads"] >= 1
    assert document["machine"]["versions"]["torch"]
    assert outcome.err == ""
    assert document.pop("written") == [str(tmp_path / "b.json")]
    assert json.loads((tmp_path / "b.json").read_text()) == document
    refused = maskgan("bench", "synth", "--save", tmp_path / "b.json")
    assert refused.code == 2
    assert len(quick) == 2


def test_thorough_measures_more(quick: list[Case], maskgan: Command) -> None:
    maskgan("bench", "synth", "--thorough", "--device", "cpu")
    assert [case.settings["size"] for case in quick] == [128, 256, 512]


def test_an_unknown_measurement_is_one_line(maskgan: Command) -> None:
    outcome = maskgan("bench", "speed")
    assert outcome.code == 2
    assert outcome.err == (
        "maskgan: WHAT: expected any of painting, preparation, training, synth, fid, start, found speed\n"
    )


def test_a_case_is_really_measured(maskgan: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "QUICK", Effort(seconds=0.0, least=1))
    document: dict[str, Any] = json.loads(maskgan("bench", "synth", "--json", "-q", "--device", "cpu").out)
    (figure,) = document["figures"]
    assert figure["rounds"] == 1
    assert 0 < figure["p50_ms"] < 60_000
    assert figure["processor_ms_each"] > 0
