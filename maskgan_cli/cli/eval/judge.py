"""``eval judge`` and ``eval verify``: measure the accuracy of evaluation networks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.eval.options import LabelledFaces, keep, watched
from maskgan_cli.cli.shell import Shell, emit
from maskgan_cli.evaluation.choices import Points, TestedJudge


def judge(
    shell: Shell,
    kind: Annotated[
        TestedJudge,
        typer.Argument(metavar="KIND", help="parser, attributes or pose; use `eval verify` for identity networks."),
    ],
    faces: LabelledFaces,
    weights: Annotated[
        Path | None, typer.Option("--weights", "-w", help="Run folder or .safetensors file of the network.")
    ] = None,
) -> None:
    """Measure the accuracy of an evaluation network against a data set's labels.

    Prints one JSON document, or with -o the path of its file.
    """
    prepared, samples = faces.load()
    from maskgan_cli.devices import pick_device
    from maskgan_cli.evaluation.judge_accuracy import JUDGE_ACCURACY
    from maskgan_cli.evaluation.judging import load_judge
    from maskgan_cli.evaluation.results import weights_of

    network, where = load_judge(kind.value, weights, pick_device(faces.device))
    headline, measure = JUDGE_ACCURACY[kind.value]
    value, values, details = measure(network, samples, watched(shell, f"evaluating {where}"))
    document = {
        "metric": f"{kind.value} {headline}",
        "value": value,
        "n": len(samples),
        "split": faces.split.value,
        "size": prepared.size,
        "data": {"name": prepared.info.get("name"), "hash": prepared.hash},
        "weights": {kind.value: weights_of(network, where)},
        "values": values,
        "details": details,
    }
    _show_table(shell, values, f"{headline}: {value:.3f} ({len(samples)} faces of the {faces.split.value} split)")
    _finish(shell, document, faces)


def verify(
    shell: Shell,
    faces: LabelledFaces,
    weights: Annotated[
        Path,
        typer.Option(
            "--weights", "-w", help="Weights of `maskgan train identity`, of facenet-pytorch (.pt), or an .onnx file."
        ),
    ],
    pairs: Annotated[
        int, typer.Option("--pairs", min=20, help="Number of pairs; half of them show one person.")
    ] = 1000,
    points: Annotated[
        Points | None,
        typer.Option(
            "--points",
            help="Source of the landmarks for alignment: the mask, MTCNN, or none (the crop is used unaligned). "
            "Default: mask if the data set has masks, else crop.",
        ),
    ] = None,
    seed: options.Seed = 0,
) -> None:
    """Measure an identity network's face verification on pairs of a data set: accuracy, ROC and threshold.

    Prints one JSON document, or with -o the path of its file.
    """
    prepared, samples = faces.load()
    from maskgan_cli.devices import pick_device
    from maskgan_cli.evaluation.verification import verify_samples
    from maskgan_cli.judges.identity import load_identity
    from maskgan_cli.metrics.intervals import wilson

    judge = load_identity(weights, pick_device(faces.device))
    chosen = points.value if points else ("mask" if samples[0].mask_file else "crop")
    track = watched(shell, "verifying")
    measured = verify_samples(samples, judge, pairs=pairs, seed=seed, points=chosen, track=track)
    # All folds of the cross-validation have the same size, so the mean accuracy is a share of the pairs.
    interval = wilson(round(measured["accuracy"] * measured["pairs"]), measured["pairs"])
    document = {
        "metric": "verification",
        "value": measured["accuracy"],
        "interval_95": interval,
        "n": measured["pairs"],
        "split": faces.split.value,
        "data": {"name": prepared.info.get("name"), "hash": prepared.hash},
        **measured,
    }
    shell.say(
        f"accuracy {measured['accuracy']:.3f} (95 % interval {interval[0]:.3f} to {interval[1]:.3f}) on "
        f"{measured['pairs']} pairs; threshold of the cosine {measured['threshold']:.3f}; "
        f"TAR {measured['tar_at_far_0.01']:.3f} at FAR 0.01"
    )
    _finish(shell, document, faces)


def _show_table(shell: Shell, values: dict[str, Any], title: str) -> None:
    """Print values as a table on stderr; the name ``COLUMN/ROW`` of a value gives its position in the table."""
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


def _finish(shell: Shell, document: dict[str, Any], faces: LabelledFaces) -> None:
    """Write a JSON document to the file of ``-o`` and print its path; without ``-o`` or with ``--json``, print it."""
    if faces.out is not None:
        from maskgan_cli.files import encode_json

        keep(shell, faces.out, encode_json(document), faces.overwrite)
        shell.wrote(faces.out)
    elif not shell.as_json:
        emit(json.dumps(document, indent=2))
    shell.finish(document)
