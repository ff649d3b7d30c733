"""Run the benchmark cases of several measurements, and build the JSON report."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from maskgan_cli.bench.figure import RESULT_SCHEMA, Case, Figure
from maskgan_cli.bench.measure import QUICK, THOROUGH, measure
from maskgan_cli.bench.table import MEASUREMENTS, BenchOptions
from maskgan_cli.networks import resolve

# Shows a progress bar: receives the cases, their number and a title, and yields the cases unchanged.
Watch = Callable[[Iterable[Case], int, str], Iterator[Case]]


def take(names: Sequence[str], weights: Path | None, device: str, *, thorough: bool, watch: Watch) -> Iterator[Figure]:
    """Measure all benchmark cases of some measurements one after another, and yield one result per case.

    Args:
        names: names of the measurements, keys of `MEASUREMENTS`.
        weights: weights file of the Dense Mapping Network; None for the default weights.
        device: see `devices.pick_device`.
        thorough: measure more and larger cases, and measure each case for a longer time.
        watch: shows the progress, see `Watch`.

    Raises:
        InputError, WorkError: a case cannot run on this machine.
    """
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            (where := Path(folder) / name).mkdir()
            cases: list[Case] = resolve(MEASUREMENTS[name].cases)(BenchOptions(thorough, weights, device, where))
            for case in watch(cases, len(cases), MEASUREMENTS[name].title):
                yield measure(case, THOROUGH if thorough else QUICK)


def report(figures: Sequence[Figure], machine: Mapping[str, Any], *, thorough: bool) -> dict[str, Any]:
    """Return the benchmark report as a JSON object, which ``maskgan bench --json`` prints and ``benchmarks/`` writes.

    Args:
        figures: the results of the cases.
        machine: description of the machine, see `machine.machine`.
        thorough: whether the run was thorough.
    """
    documents = [figure.document() for figure in figures]
    return {"schema": RESULT_SCHEMA, "machine": dict(machine), "thorough": thorough, "figures": documents}
