"""``eval judge``: how often a judge is right on faces whose truth is known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.shell import Shell, emit, stage
from maskgan_cli.errors import InputError


def register(app: typer.Typer) -> None:
    """Add this module's command to ``eval``."""
    stage(app, "judge")(judge)


def judge(
    shell: Shell,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="parser, attributes or pose; identity: eval verify.")],
    data: options.Data,
    weights: Annotated[
        Path | None, typer.Option("--weights", "-w", help="A run folder or a .safetensors file of the judge.")
    ] = None,
    split: Annotated[str, typer.Option("--split", help="train, val or test.")] = "test",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Also write the JSON document to this file.")] = None,
    device: options.Device = "auto",
    overwrite: options.Overwrite = False,
) -> None:
    """Put a data set's faces before a judge and compare with what the data set says of them."""
    if kind not in ("parser", "attributes", "pose"):
        raise InputError("KIND", expected="parser, attributes or pose", found=kind)
    from rich.table import Table

    from maskgan_cli.data.prepared import PreparedData
    from maskgan_cli.devices import pick_device
    from maskgan_cli.evaluation.judging import load_judge
    from maskgan_cli.evaluation.results import weights_of
    from maskgan_cli.evaluation.trust import TRUST
    from maskgan_cli.files import refuse_existing, write_json

    if out is not None and not overwrite:
        refuse_existing(out)
    prepared = PreparedData.load(data)
    samples = prepared.split(split)
    network, where = load_judge(kind, weights, pick_device(device))
    headline, measure = TRUST[kind]
    value, values, details = measure(
        network, samples, lambda batches, total: shell.track(batches, total, f"judging by {where}")
    )
    document = {
        "metric": f"{kind} {headline}", "value": value, "n": len(samples), "split": split, "size": prepared.size,
        "data": {"name": prepared.info.get("name"), "hash": prepared.hash},
        "weights": {kind: weights_of(network, where)}, "values": values, "details": details,
    }  # fmt: skip
    rows: dict[str, dict[str, float]] = {}
    for name, number in values.items():
        column, _, row = name.partition("/")
        rows.setdefault(row or "all", {})[column] = number
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    table = Table("", *columns, title=f"{headline}: {value:.3f} ({len(samples)} faces of the {split} split)")
    for name, numbers in rows.items():
        table.add_row(name, *(f"{numbers[column]:.3f}" if column in numbers else "" for column in columns))
    shell.console.print(table)
    if out is not None:
        shell.wrote(write_json(out, document))
    elif not shell.as_json:
        emit(json.dumps(document))
    shell.finish(document)
