"""benchmarks/gpu.py, which is made for a GPU: its cases, its table, and on the CPU its steps at the smallest size."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "gpu.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gpu_benchmark", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_training_has_its_cases(script: ModuleType) -> None:
    cases = list(script.cases(tiny=False, only=[]))
    at = {size: {name for name, _, other in cases if other == size} for size in (256, 512)}
    assert at[512] == {"ebst", "dmn", "pix2pixhd-m", "sean", "spade", "vae", "parser"}
    assert at[256] == at[512] | {"stargan", "elegant", "attributes", "identity", "pose"}
    assert cases[0] == ("ebst", "paper-512", 512)


def test_the_table_has_a_line_a_training_and_says_what_failed(script: ModuleType) -> None:
    row = {"training": "dmn", "size": 512, "batch": 8, "seconds": 0.51234, "gib": 18.64}
    rows = [
        {**row, "precision": "bf16"},
        {"training": "dmn", "size": 512, "precision": "no", "failed": "out of memory"},
    ]
    text = script.table({"device": "GPU", "torch": "2", "date": "today", "rows": rows})
    assert text.splitlines()[-1] == "| `dmn` | 512 | 8 | 0.512 | 18.6 | out of memory |  |"


@pytest.mark.slow
def test_its_steps_run_on_the_cpu(script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page, saved = tmp_path / "page.md", tmp_path / "gpu.json"
    page.write_text(f"before\n{script.BEGIN}\nold\n{script.END}\nafter\n")
    monkeypatch.setattr(
        sys,
        "argv",
        [
            "gpu.py",
            "--device",
            "cpu",
            "--tiny",
            "--steps",
            "1",
            "--save",
            str(saved),
            "--write",
            str(page),
            "--only",
            "ebst",
            "vae",
            "attributes",
        ],
    )
    script.main()
    rows = json.loads(saved.read_text())["rows"]
    assert [(row["training"], row["precision"]) for row in rows] == [
        (name, precision) for name in ("ebst", "vae", "attributes") for precision in ("bf16", "no")
    ]
    assert all(row["seconds"] > 0 for row in rows)
    text = page.read_text()
    assert text.startswith(f"before\n{script.BEGIN}\nMeasured on one cpu") and text.endswith(f"{script.END}\nafter\n")
    assert "old" not in text
