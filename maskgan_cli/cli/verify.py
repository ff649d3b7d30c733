"""``eval verify``: does an identity network tell people apart that it never saw?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.evaluate import Out, SplitOf, keep, refuse_early, watched
from maskgan_cli.cli.shell import Shell, emit, stage
from maskgan_cli.evaluation.choices import Points, Split


def register(app: typer.Typer) -> None:
    """Add this module's command to ``eval``."""
    stage(app, "verify")(verify)


def verify(
    shell: Shell,
    data: options.Data,
    weights: Annotated[
        Path, typer.Option("--weights", "-w", help="Of `maskgan train identity`, of facenet-pytorch (.pt), or .onnx.")
    ],
    pairs: Annotated[int, typer.Option("--pairs", min=20, help="How many, half of one person.")] = 1000,
    split: SplitOf = Split.TEST,
    points: Annotated[
        Points | None,
        typer.Option("--points", help="Align by each face's mask, by mtcnn, or by the crop; mask if there are masks."),
    ] = None,
    out: Out = None,
    seed: options.Seed = 0,
    device: options.Device = "auto",
    overwrite: options.Overwrite = False,
) -> None:
    """Verification on pairs of faces: accuracy, ROC and the threshold, as one JSON document."""
    refuse_early(out, overwrite, data=data)
    from maskgan_cli.data.prepared import PreparedData
    from maskgan_cli.devices import pick_device
    from maskgan_cli.evaluation.verification import verify_samples
    from maskgan_cli.judges.identity import load_identity
    from maskgan_cli.metrics.intervals import wilson

    prepared = PreparedData.load(data)
    samples = prepared.split(split.value)
    judge = load_identity(weights, pick_device(device))
    way = points.value if points else ("mask" if samples[0].mask_file else "crop")
    measured = verify_samples(
        samples, judge, pairs=pairs, seed=seed, points=way,
        track=watched(shell, "verifying"),
    )  # fmt: skip
    # Cross-validated folds are of one size, so the mean of their shares is a share of the pairs.
    sure = wilson(round(measured["accuracy"] * measured["pairs"]), measured["pairs"])
    document = {"metric": "verification", "value": measured["accuracy"], "interval_95": sure,
                "n": measured["pairs"], "split": split.value,
                "data": {"name": prepared.info.get("name"), "hash": prepared.hash}, **measured}  # fmt: skip
    shell.say(
        f"accuracy {measured['accuracy']:.3f} (95 % from {sure[0]:.3f} to {sure[1]:.3f}) "
        f"on {measured['pairs']} pairs; one person from cosine "
        f"{measured['threshold']:.3f}; TAR {measured['tar_at_far_0.01']:.3f} at FAR 0.01"
    )
    finish(shell, document, out, overwrite)


def finish(shell: Shell, document: dict[str, Any], out: Path | None, overwrite: bool) -> None:
    """stdout has the file's path, or the document where there is no file or --json asks for it."""
    if out is not None:
        from maskgan_cli.files import encode_json

        keep(shell, out, encode_json(document), overwrite)
        shell.wrote(out)
    elif not shell.as_json:
        emit(json.dumps(document, indent=2))
    shell.finish(document)
