"""``weights ...``: published checkpoints in, portable models out."""

from __future__ import annotations

import contextlib
import functools
import io
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.shell import Shell, emit, stage

app = typer.Typer(
    name="weights",
    help="Published checkpoints in, portable models out.",
    no_args_is_help=True,
    rich_help_panel="Weights",
)

Size = Annotated[
    int | None,
    typer.Option("--size", min=32, help="Side it was trained at, where no shape tells: generator and parser (512)."),
]
Kind = Annotated[
    str,
    typer.Argument(
        metavar="KIND",
        help="generator, discriminator, blender, vae, parser, hopenet, arcface, vgg19, resnet18 or inception.",
    ),
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="A name that `maskgan weights list` gives.")]


@stage(app, "import")
def import_(
    shell: Shell,
    kind: Kind,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The checkpoint: .pth, .pt, .pkl or .safetensors.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="A .safetensors file; if not given, the cache, where commands look."),
    ] = None,
    size: Size = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Convert a published checkpoint: every tensor under our names, or one line on what does not fit."""
    from maskgan_cli.weights.card import card_path
    from maskgan_cli.weights.convert import import_weights

    unsaid = {} if size is None else {"image_size": size}
    written = import_weights(kind, file, out, unsaid=unsaid, overwrite=overwrite, say=shell.say)
    shell.wrote(written)
    shell.wrote(card_path(written))
    shell.finish({"weights": str(written)})


@stage(app, "list")
def list_(shell: Shell) -> None:
    """What is published, under which licence, what needs it, whether it is here: CSV, or JSON."""
    from maskgan_cli.weights.published import REGISTRY

    rows: list[dict[str, Any]] = [
        {
            "name": name, "here": entry.here, "pull": bool(entry.urls), "megabytes": entry.megabytes,
            "what": entry.what, "needed_by": entry.needed_by, "licence": entry.licence,
            "sha256": entry.sha256 or "unknown", "source": entry.urls[0] if entry.urls else entry.page,
        }
        for name, entry in REGISTRY.items()
    ]  # fmt: skip
    if not shell.as_json:
        import csv

        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, "here": "yes" if row["here"] else "no", "pull": "yes" if row["pull"] else "no"}
                         for row in rows)  # fmt: skip
        emit(text.getvalue().rstrip())
    shell.finish({"weights": rows})


@stage(app, "pull")
def pull(shell: Shell, name: Name, overwrite: options.Overwrite = False) -> None:
    """Download published weights, check them, and import them into the cache, where commands look.

    Weights that only a browser can fetch are answered with where they are and what to do then.
    """
    from maskgan_cli.weights.pull import pull_weights

    with contextlib.ExitStack() as shown:  # a bar once there is something to show

        @functools.cache
        def bar() -> Callable[[int, int], None]:
            return shown.enter_context(shell.progress(f"pulling {name} (MB)"))

        def report(done: int, total: int) -> None:
            bar()(done, total)

        written = pull_weights(name, overwrite=overwrite, report=report, say=shell.say)
    shell.wrote(written)
    shell.finish({"weights": str(written)})


@stage(app, "export")
def export(
    shell: Shell,
    weights: Annotated[Path, typer.Argument(metavar="WEIGHTS", help="A run folder or .safetensors file: dmn, parser.")],
    onnx: Annotated[Path, typer.Option("--onnx", help="The .onnx file to write.")],
    overwrite: options.Overwrite = False,
) -> None:
    """Write a network as ONNX, compared with onnxruntime's answer before it gets its name."""
    from maskgan_cli.weights.card import card_path
    from maskgan_cli.weights.export import export_onnx

    difference = export_onnx(weights, onnx, overwrite=overwrite)
    shell.say(f"onnxruntime's answer differs by {difference:.1e} at most")
    shell.wrote(onnx)
    shell.wrote(card_path(onnx))
    shell.finish({"onnx": str(onnx), "difference": difference})
