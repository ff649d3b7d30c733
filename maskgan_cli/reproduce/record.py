"""The JSON record of a reproduction: results, 95 % intervals, hashes, commands, machine and time."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any, Final

from maskgan_cli import __version__
from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.evaluation.report import ResultTable, build_table
from maskgan_cli.evaluation.results import MetricResult, finite, read_results
from maskgan_cli.files import sha256
from maskgan_cli.reproduce.plan import PlannedTable, ReproductionPlan
from maskgan_cli.reproduce.runner import Stamp
from maskgan_cli.weights.format import MODEL_FILE

# Two-sided 95 % quantiles of Student's t distribution, by degrees of freedom.
_T: Final = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}
CONTROL, TREATED = r"control-\d+", r"maskgan-ebst(-\d+)?"


def results_of(table: PlannedTable, folder: Path) -> list[MetricResult]:
    """Read all results of a table from its JSON files; ``folder`` is the plan's folder."""
    return [result for name in table.results for result in read_results(folder / name)]


def shown(table: PlannedTable, folder: Path) -> ResultTable:
    """Read the JSON results of a table, and arrange them in rows and columns; ``folder`` is the plan's folder."""
    return build_table(results_of(table, folder))


def given(plan: ReproductionPlan) -> str:
    """Return one SHA-256 of the inputs that a plan does not make itself, as hex; "" if there are none.

    These inputs are the given data set and the given weights of judges (evaluation networks).
    """
    held = {"data": PreparedData.load(Path(plan.data)).hash} if plan.data else {}
    for name, where in plan.judges.items():
        files = sorted(Path(where).glob(f"**/{MODEL_FILE}")) if Path(where).is_dir() else [Path(where)]
        held[name] = "".join(sha256(file) for file in files)
    return hashlib.sha256(json.dumps(held, sort_keys=True).encode()).hexdigest() if held else ""


def record(plan: ReproductionPlan, folder: Path, stamps: dict[str, Stamp], asked: dict[str, Any]) -> dict[str, Any]:
    """Build the record of a reproduction as a JSON document.

    Args:
        plan: a plan whose stages (commands) are all finished.
        folder: the plan's folder.
        stamps: dict from the name of each stage to its stamp (hashes and time).
        asked: the command's arguments, which become the first keys of the record.
    """
    tables = {table.name: _table(table, folder) for table in plan.tables}
    weights = {
        f"runs/{name}": sha256(folder / "runs" / name / MODEL_FILE)
        for name in sorted(s.removeprefix("train ") for s in plan.stages if s.startswith("train "))
    }
    spent = [stamp.processor_seconds for stamp in stamps.values()]
    return {
        **asked,
        "version": __version__,
        "preset": plan.preset.model_dump(mode="json"),
        "machine": machine(),
        "seconds": round(sum(stamp.seconds for stamp in stamps.values()), 1),
        "processor_seconds": None if None in spent else round(sum(value or 0 for value in spent), 1),
        "tables": tables,
        "weights": weights,
        "figures": {name: sha256(folder / name) for name in plan.figures},
        "stages": [
            {
                "name": name,
                "command": str(plan.stages[name]),
                "seconds": stamp.seconds,
                "processor_seconds": stamp.processor_seconds,
                "sha256": stamp.digest,
            }
            for name, stamp in stamps.items()
        ],
    }


def _table(table: PlannedTable, folder: Path) -> dict[str, Any]:
    """Return the part of the record about one table as a JSON document.

    Its keys are ``rows`` (for each method, the value and interval of each metric), ``files`` (hash of each file of the
    table), ``results`` (complete results), and ``seeds`` (`over_seeds`) if there are several seeds.
    """
    results = results_of(table, folder)
    rows: dict[str, dict[str, Any]] = {}
    for result in results:
        row = rows.setdefault(result.method, {})
        for name, value in result.numbers().items():
            ends = result.intervals.get(name)
            row[name] = {"value": finite(value), "n": result.n, **({"interval_95": list(ends)} if ends else {})}
    documents = [
        {key: value for key, value in result.document().items() if key != "details"} for result in results
    ]  # details remain in the result files
    found = {
        "rows": rows,
        "files": {name: sha256(folder / name) for name in (*table.files, *table.results)},
        "results": documents,
    }
    return found | ({"seeds": seeds} if (seeds := over_seeds(rows)) else {})


def over_seeds(rows: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Compare the metrics of trainings with simulated edits (EBST) and without (control), over several seeds.

    Args:
        rows: dict from the name of each run to a dict from the name of a metric to ``{"value": ...}``.

    Returns:
        A dict from the name of each metric to a dict with the keys ``ebst`` and ``control`` (means over the seeds),
        ``difference`` (mean of the differences), ``interval_95`` (Student's t interval of this mean) and ``seeds``
        (number of seeds). If the interval contains 0, the difference is not significant. The result is empty if there
        are fewer than two pairs of runs.
    """
    control = [row for name, row in rows.items() if re.fullmatch(CONTROL, name)]
    treated = [row for name, row in rows.items() if re.fullmatch(TREATED, name)]
    if len(control) != len(treated) or len(control) < 2:
        return {}
    found = {}
    for metric in control[0]:
        pairs = [(b[metric]["value"], a[metric]["value"]) for b, a in zip(treated, control, strict=True)]
        if any(None in pair for pair in pairs):
            continue
        differences = [after - before for after, before in pairs]
        half = _T.get(len(pairs) - 1, 1.96) * stdev(differences) / len(pairs) ** 0.5
        found[metric] = {
            "ebst": mean(after for after, _ in pairs),
            "control": mean(before for _, before in pairs),
            "difference": mean(differences),
            "interval_95": [mean(differences) - half, mean(differences) + half],
            "seeds": len(pairs),
        }
    return found


def machine() -> dict[str, Any]:
    """Return a dict that describes the machine: processor, cores, GPUs, system, versions of Python and PyTorch."""
    import torch

    from maskgan_cli.devices import processor

    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "gpus": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def lines(found: ResultTable) -> list[Sequence[str]]:
    """Return the lines of a table, each a list of cells as text; the first line is the heading."""
    body = [[method, *(f"{cell.text} {cell.interval}".rstrip() for cell in cells)] for method, cells in found.rows]
    return [["method", *found.headings], *body]
