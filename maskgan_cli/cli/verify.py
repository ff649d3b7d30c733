"""``eval verify``: does an identity network tell people apart that it never saw?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.shell import Shell, stage
from maskgan_cli.errors import InputError


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
    split: Annotated[str, typer.Option("--split", help="train, val or test.")] = "test",
    points: Annotated[
        str | None,
        typer.Option("--points", help="Align by each face's mask, by mtcnn, or by the crop; mask if there are masks."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Also write the JSON document to this file.")] = None,
    seed: options.Seed = 0,
    device: options.Device = "auto",
    overwrite: options.Overwrite = False,
) -> None:
    """Verification on pairs of faces: accuracy, ROC and the threshold, as one JSON document."""
    from maskgan_cli.data.prepared import PreparedData
    from maskgan_cli.devices import pick_device
    from maskgan_cli.evaluation.verification import WAYS, verify_samples
    from maskgan_cli.files import refuse_existing, write_json
    from maskgan_cli.judges.identity import load_identity

    if points not in (*WAYS, None):
        raise InputError("--points", expected=" or ".join(WAYS), found=str(points))
    if out is not None and not overwrite:
        refuse_existing(out)
    prepared = PreparedData.load(data)
    samples = prepared.split(split)
    judge = load_identity(weights, pick_device(device))
    way = points or ("mask" if samples[0].mask_file else "crop")
    measured = verify_samples(
        samples, judge, pairs=pairs, seed=seed, points=way,
        track=lambda batches, total: shell.track(batches, total, "verifying"),
    )  # fmt: skip
    document = {"metric": "verification", "value": measured["accuracy"], "n": measured["pairs"], "split": split,
                "data": {"name": prepared.info.get("name"), "hash": prepared.hash}, **measured}  # fmt: skip
    shell.say(
        f"accuracy {measured['accuracy']:.3f} on {measured['pairs']} pairs; one person from cosine "
        f"{measured['threshold']:.3f}; TAR {measured['tar_at_far_0.01']:.3f} at FAR 0.01"
    )
    if out is not None:
        write_json(out, document, overwrite=overwrite)
    _finish(shell, document, out)


def _finish(shell: Shell, document: dict[str, object], out: Path | None) -> None:
    """stdout has the file's path, or the document where there is no file or --json asks for it."""
    import json

    from maskgan_cli.cli.shell import emit

    if out is not None:
        shell.wrote(out)
    elif not shell.as_json:
        emit(json.dumps(document, indent=2))
    shell.finish(document)
