"""The page of reliability holds the figures of one run, those of the JSON beside it, and no others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.hard.report import document, page

DOCS = Path(__file__).parents[2] / "docs"


def _figures(findings: int = 0) -> list[dict[str, Any]]:
    reader = {
        "inputs": 1200,
        "fine": 200,
        "refused": 1000 - findings,
        "slowest": 1.25,
        "most_memory": 900_000_000,
        "findings": [{"number": 3, "what": "Traceback"}] * findings,
    }
    return [
        {"test": "a", "what": "hostile inputs", "seconds": 3.0, "readers": {"pictures": reader}},
        {"test": "b", "what": "SIGKILL at random moments, run again", "of": "synth", "tries": 20, "hit": 7, "fine": 19},
        {
            "test": "c",
            "what": "memory over many pictures",
            "of": "prep-data",
            "pictures": 8000,
            "early": 1e8,
            "most": 2e8,
        },
    ]


def test_every_figure_is_on_the_page() -> None:
    text = page(document(_figures(2)))
    assert "| pictures | 1,200 | 200 | 998 | 2 | 1.2 s | 900 MB |" in text
    assert "| synth | 20 | 7 | 19 of 20 |" in text
    assert "| prep-data | 8,000 | 100 MB | 200 MB |" in text
    assert "Traceback" not in json.dumps(document(_figures(1)))


def test_what_was_not_run_has_no_part() -> None:
    text = page(document(_figures()[1:2]))
    assert "Hostile inputs" not in text
    assert "Memory" not in text


def test_the_page_is_that_of_the_json_beside_it() -> None:
    made = json.loads((DOCS / "reliability.json").read_text())
    assert page(made) == (DOCS / "reliability.md").read_text()
