"""``eval judge``: measures the accuracy of an evaluation network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.eval.options import Out, SplitOf, check_early, watched
from maskgan_cli.cli.eval.verify import finish
from maskgan_cli.cli.shell import Shell, add_command
from maskgan_cli.evaluation.choices import Split, TestedJudge


def register(app: typer.Typer) -> None:
    """Add this module's command to ``eval``."""
    add_command(app, "judge")(judge)


def judge(
    shell: Shell,
    kind: Annotated[
        TestedJudge,
        typer.Argument(metavar="KIND", help="parser, attributes or pose; use `eval verify` for identity networks."),
    ],
    data: options.Data,
    weights: Annotated[
        Path | None, typer.Option("--weights", "-w", help="Run folder or .safetensors file of the network.")
    ] = None,
    split: SplitOf = Split.TEST,
    out: Out = None,
    device: options.Device = "auto",
    overwrite: options.Overwrite = False,
) -> None:
    """Measure the accuracy of an evaluation network against a data set's labels.

    Prints one JSON document, or with -o the path of its file.
    """
    check_early(out, overwrite, data=data)
    from maskgan_cli.data.prepared import PreparedData
    from maskgan_cli.devices import pick_device
    from maskgan_cli.evaluation.judge_accuracy import JUDGE_ACCURACY
    from maskgan_cli.evaluation.judging import load_judge
    from maskgan_cli.evaluation.results import weights_of

    prepared = PreparedData.load(data)
    samples = prepared.split(split.value)
    network, where = load_judge(kind.value, weights, pick_device(device))
    headline, measure = JUDGE_ACCURACY[kind.value]
    value, values, details = measure(network, samples, watched(shell, f"evaluating {where}"))
    document = {
        "metric": f"{kind.value} {headline}",
        "value": value,
        "n": len(samples),
        "split": split.value,
        "size": prepared.size,
        "data": {"name": prepared.info.get("name"), "hash": prepared.hash},
        "weights": {kind.value: weights_of(network, where)},
        "values": values,
        "details": details,
    }
    _show_table(shell, values, f"{headline}: {value:.3f} ({len(samples)} faces of the {split.value} split)")
    finish(shell, document, out, overwrite)


def _show_table(shell: Shell, values: dict[str, Any], title: str) -> None:
    """Print values named ``COLUMN/ROW`` as a table on stderr."""
    from rich.table import Table

    rows: dict[str, dict[str, float]] = {}
    for name, number in values.items():
        column, _, row = name.partition("/")
        rows.setdefault(row or "all", {})[column] = number
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    table = Table("", *columns, title=title)
    for name, numbers in rows.items():
        table.add_row(name, *(f"{numbers[column]:.3f}" if column in numbers else "" for column in columns))
    shell.console.print(table)
