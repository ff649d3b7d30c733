"""``eval verify``: measures face verification with an identity network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.eval.options import Out, SplitOf, check_early, keep, watched
from maskgan_cli.cli.shell import Shell, add_command, emit
from maskgan_cli.evaluation.choices import Points, Split


def register(app: typer.Typer) -> None:
    """Add this module's command to ``eval``."""
    add_command(app, "verify")(verify)


def verify(
    shell: Shell,
    data: options.Data,
    weights: Annotated[
        Path,
        typer.Option(
            "--weights", "-w", help="Weights of `maskgan train identity`, of facenet-pytorch (.pt), or an .onnx file."
        ),
    ],
    pairs: Annotated[
        int, typer.Option("--pairs", min=20, help="Number of pairs; half of them show one person.")
    ] = 1000,
    split: SplitOf = Split.TEST,
    points: Annotated[
        Points | None,
        typer.Option(
            "--points",
            help="Source of the landmarks for alignment: the mask, MTCNN, or none (the crop is used unaligned). "
            "Default: mask if the data set has masks, else crop.",
        ),
    ] = None,
    out: Out = None,
    seed: options.Seed = 0,
    device: options.Device = "auto",
    overwrite: options.Overwrite = False,
) -> None:
    """Measure an identity network's face verification on pairs of a data set: accuracy, ROC and threshold.

    Prints one JSON document, or with -o the path of its file.
    """
    check_early(out, overwrite, data=data)
    from maskgan_cli.data.prepared import PreparedData
    from maskgan_cli.devices import pick_device
    from maskgan_cli.evaluation.verification import verify_samples
    from maskgan_cli.judges.identity import load_identity
    from maskgan_cli.metrics.intervals import wilson

    prepared = PreparedData.load(data)
    samples = prepared.split(split.value)
    judge = load_identity(weights, pick_device(device))
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
        "split": split.value,
        "data": {"name": prepared.info.get("name"), "hash": prepared.hash},
        **measured,
    }
    shell.say(
        f"accuracy {measured['accuracy']:.3f} (95 % interval {interval[0]:.3f} to {interval[1]:.3f}) on "
        f"{measured['pairs']} pairs; threshold of the cosine {measured['threshold']:.3f}; "
        f"TAR {measured['tar_at_far_0.01']:.3f} at FAR 0.01"
    )
    finish(shell, document, out, overwrite)


def finish(shell: Shell, document: dict[str, Any], out: Path | None, overwrite: bool) -> None:
    """Write a document to a file and print its path; without a file or with ``--json``, print the document."""
    if out is not None:
        from maskgan_cli.files import encode_json

        keep(shell, out, encode_json(document), overwrite)
        shell.wrote(out)
    elif not shell.as_json:
        emit(json.dumps(document, indent=2))
    shell.finish(document)
