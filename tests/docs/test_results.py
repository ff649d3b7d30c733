"""The results' page: read off the JSON beside it, and no number of its own."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest

from maskgan_cli.evaluation.results import MetricResult

DOCS = Path(__file__).parents[2] / "docs"
_spec = importlib.util.spec_from_file_location("results_page", DOCS / "results.py")
assert _spec is not None
assert _spec.loader is not None
results_page = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(results_page)


def _document(values: dict[str, float]) -> dict[str, Any]:
    results = [
        MetricResult(
            "segmentation_accuracy",
            value,
            37,
            name,
            "style-copy",
            "test",
            64,
            0,
            {},
            {},
            intervals={"segmentation_accuracy": (value - 0.01, value + 0.01)},
        ).document()
        for name, value in values.items()
    ]
    rows = {name: {"segmentation_accuracy": {"value": value, "n": 37}} for name, value in values.items()}
    return {
        "command": "maskgan reproduce style-copy --preset tiny",
        "seconds": 600.0,
        "processor_seconds": 480.0,
        "machine": {"processor": "A processor", "cores": 2, "gpus": []},
        "tables": {"style-copy": {"rows": rows, "results": results}},
    }


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ({"spade": 0.9, "maskgan": 0.8}, "yes (spade 90.00, maskgan 80.00)"),
        ({"spade": 0.7, "maskgan": 0.8}, "no (spade 70.00, maskgan 80.00)"),
        ({"spade": 0.8, "maskgan": 0.8}, "a tie (spade 80.00, maskgan 80.00)"),
    ],
)
def test_a_page_shows_the_table_its_command_its_time_and_whether_the_order_holds(
    values: dict[str, float], verdict: str, tmp_path: Path
) -> None:
    (tmp_path / "style-copy.json").write_text(json.dumps(_document(values)))
    page = results_page.page(tmp_path)
    assert "    maskgan reproduce style-copy --preset tiny\n" in page
    assert "A processor, 2 cores, no GPU: 10 minutes of wall time, 8 of processor time" in page
    assert f"| SPADE has it in style copy too | {verdict} |" in page
    assert re.search(r"^\| \**maskgan\** \| .*80\.00", page, re.MULTILINE)
    assert "segmentation acc. (%)" in page
    assert [path.name for path in tmp_path.iterdir()] == ["style-copy.json"]


def test_the_truth_wins_nothing() -> None:
    rows = {
        name: {"frechet/attributes": {"value": v}} for name, v in {"truth": 0.1, "stargan": 1.0, "spade": 2.0}.items()
    }
    claim = results_page.Claim("StarGAN has the best FID", "attribute-transfer", "fid", "stargan")
    assert results_page.judged(claim, rows) == "yes (stargan 1.000, spade 2.000)"


def test_the_page_in_the_docs_is_made_of_the_files_beside_it() -> None:
    kept, page = DOCS / "results", DOCS / "results.md"
    assert page.is_file() == any(kept.glob("*.json"))
    if page.is_file():
        assert page.read_text() == results_page.page(kept)
