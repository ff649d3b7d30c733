"""``runs``: compares trainings in a table or as curves."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.shell import Shell, emit_csv


def runs(
    shell: Shell,
    folders: Annotated[list[Path], typer.Argument(metavar="RUN", help="Run folders of `maskgan train`.")],
    metrics: Annotated[
        list[str] | None,
        typer.Option(
            "--metric",
            help="Metric of metrics.jsonl; may be repeated. Default: all validation metrics that the runs share.",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Draw the curves into this picture.")] = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Compare trainings: the last and best value of each metric, or curves with --out.

    Prints a table on a terminal, CSV to a file or pipe, or JSON with --json; with --out, the path of the picture.
    """
    from maskgan_cli.files import refuse_existing, write_image
    from maskgan_cli.training.run_comparison import RunMetrics, draw_curves, metrics_of

    if out is not None and not overwrite:
        refuse_existing(out)
    loaded = [RunMetrics.load(folder) for folder in folders]
    chosen = metrics_of(loaded, metrics or [])
    rows: list[dict[str, str]] = []
    document: list[dict[str, Any]] = []
    for folder, run in zip(folders, loaded, strict=True):
        row = {"run": str(folder), "task": run.task, "step": f"{run.step}/{run.steps}"}
        found: dict[str, Any] = {}
        for metric in chosen:
            last, best = run.last(metric), run.best(metric)
            row[metric] = "" if last is None else f"{last:.4g}"
            row[f"best {metric}"] = "" if best is None else f"{best[1]:.4g} at {best[0]}"
            if last is not None and best is not None:
                found[metric] = {"last": last, "best": best[1], "best_step": best[0]}
        rows.append(row)
        document.append({"run": str(folder), "task": run.task, "step": run.step, "steps": run.steps, "metrics": found})
    if out is not None:
        shell.wrote(write_image(out, draw_curves(loaded, chosen)))
    elif not shell.as_json:
        (_table if sys.stdout.isatty() else emit_csv)(rows)
    shell.finish({"runs": document})


def _table(rows: list[dict[str, str]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(*rows[0])
    for row in rows:
        table.add_row(*(escape(value) for value in row.values()))
    Console().print(table)
