"""``eval judge``: how often a judge is right on faces whose truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.evaluate import Out, SplitOf, refuse_early, watched
from maskgan_cli.cli.shell import Shell, stage
from maskgan_cli.cli.verify import finish
from maskgan_cli.evaluation.choices import Split, Trusted


def register(app: typer.Typer) -> None:
    """Add this module's command to ``eval``."""
    stage(app, "judge")(judge)


def judge(
    shell: Shell,
    kind: Annotated[Trusted, typer.Argument(metavar="KIND", help="parser, attributes or pose; identity: eval verify.")],
    data: options.Data,
    weights: Annotated[
        Path | None, typer.Option("--weights", "-w", help="A run folder or a .safetensors file of the judge.")
    ] = None,
    split: SplitOf = Split.TEST,
    out: Out = None,
    device: options.Device = "auto",
    overwrite: options.Overwrite = False,
) -> None:
    """Put a data set's faces before a judge and compare with what the data set says of them."""
    refuse_early(out, overwrite, data=data)
    from rich.table import Table

    from maskgan_cli.data.prepared import PreparedData
    from maskgan_cli.devices import pick_device
    from maskgan_cli.evaluation.judging import load_judge
    from maskgan_cli.evaluation.results import weights_of
    from maskgan_cli.evaluation.trust import TRUST

    prepared = PreparedData.load(data)
    samples = prepared.split(split.value)
    network, where = load_judge(kind.value, weights, pick_device(device))
    headline, measure = TRUST[kind.value]
    value, values, details = measure(network, samples, watched(shell, f"judging by {where}"))
    document = {
        "metric": f"{kind.value} {headline}", "value": value, "n": len(samples), "split": split.value,
        "size": prepared.size,
        "data": {"name": prepared.info.get("name"), "hash": prepared.hash},
        "weights": {kind.value: weights_of(network, where)}, "values": values, "details": details,
    }  # fmt: skip
    rows: dict[str, dict[str, float]] = {}
    for name, number in values.items():
        column, _, row = name.partition("/")
        rows.setdefault(row or "all", {})[column] = number
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    table = Table("", *columns, title=f"{headline}: {value:.3f} ({len(samples)} faces of the {split.value} split)")
    for name, numbers in rows.items():
        table.add_row(name, *(f"{numbers[column]:.3f}" if column in numbers else "" for column in columns))
    shell.console.print(table)
    finish(shell, document, out, overwrite)
