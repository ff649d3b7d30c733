"""Hostile inputs to every reader: each ends well or with one line, soon, and in little memory."""

from __future__ import annotations

import os
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.hard.conftest import Figures
from tests.hard.fuzz import Report, attack, summary
from tests.hard.stock import Stock

pytestmark = pytest.mark.hard


def test_hostile_inputs(stock: Stock, tmp_path: Path, figures: Figures) -> None:
    inputs = int(os.environ.get("HARD_INPUTS", "10000"))
    since = time.monotonic()

    def note(reports: dict[str, Report]) -> None:
        seconds = time.monotonic() - since
        figures(what="hostile inputs", seconds=seconds, readers={n: asdict(r) for n, r in reports.items()})

    reports = attack(stock.root, tmp_path, [], inputs, seed=20, note=note)
    assert sum(report.inputs for report in reports.values()) >= inputs
    assert not summary(reports)
