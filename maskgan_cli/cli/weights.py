"""``weights ...``: published checkpoints in, portable models out."""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.shell import Shell, emit_csv, stage
from maskgan_cli.networks import exported, imported, published

app = typer.Typer(
    name="weights",
    help="Published checkpoints in, portable models out.",
    no_args_is_help=True,
    rich_help_panel="Weights",
)

Size = Annotated[
    int | None,
    typer.Option(
        "--size",
        min=32,
        help="Side it was trained at, where no shape tells: dmn and parser (512), stargan (128), elegant (256).",
    ),
]
Kind = Annotated[str, typer.Argument(metavar="KIND", help=f"One of {', '.join(imported())}.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="A name that `maskgan weights list` gives.")]


@stage(app, "import")
def import_(
    shell: Shell,
    kind: Kind,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="The checkpoint: .pth, .pt, .pkl or .safetensors. Two for elegant (Enc, Dec), its discriminators "
            "(D1, D2) and spade (net_G, net_E).",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="A .safetensors file; if not given, the cache, where commands look."),
    ] = None,
    size: Size = None,
    attributes: Annotated[
        str, typer.Option("--attributes", help="What StarGAN or ELEGANT changes, in its order, e.g. Smiling,Male.")
    ] = "",
    overwrite: options.Overwrite = False,
) -> None:
    """Convert a published checkpoint: every tensor under our names, or one line on what does not fit."""
    from maskgan_cli.files import unreadable

    for file in files:
        if not file.exists():
            raise unreadable(file, FileNotFoundError(), "a published checkpoint")
    from maskgan_cli.weights.card import card_path
    from maskgan_cli.weights.convert import import_weights

    unsaid: dict[str, Any] = {} if size is None else {"image_size": size}
    if attributes:
        unsaid["attributes"] = tuple(name.strip() for name in attributes.split(","))
    written = import_weights(kind, files, out, unsaid=unsaid, overwrite=overwrite, say=shell.say)
    shell.wrote(written)
    shell.wrote(card_path(written))
    shell.finish({"weights": str(written)})


@stage(app, "list")
def list_(shell: Shell) -> None:
    """What is published, under which licence, what needs it, whether it is here.

    A table on a terminal, CSV for programs, or JSON.
    """
    rows: list[dict[str, Any]] = [
        {
            "name": name, "here": _here(name), "pull": bool(entry.urls), "megabytes": entry.megabytes,
            "what": entry.what, "needed_by": entry.needed_by, "licence": entry.licence,
            "sha256": entry.sha256 or "unknown", "check": _check(entry.sha256),
            "source": entry.urls[0] if entry.urls else entry.page,
        }
        for name, entry in published().items()
    ]  # fmt: skip
    if not shell.as_json:
        shown = [{name: _yes_or_no(value) for name, value in row.items()} for row in rows]
        if sys.stdout.isatty():
            _table(shown)
        else:
            emit_csv(shown)
    shell.finish({"weights": rows})


def _here(kind: str) -> bool:
    """Whether the cache holds weights of a kind; one that cannot be read holds nothing."""
    from maskgan_cli.weights.cache import NoCacheFolder, in_cache

    with contextlib.suppress(OSError, NoCacheFolder):
        return in_cache(kind) is not None
    return False


def _check(sha256: str) -> str:
    """What a download of it can be checked against."""
    if not sha256:
        return "nothing published: the first download is remembered"
    return "the whole SHA-256" if len(sha256) == 64 else f"weak: {len(sha256)} of 64 digits published"


def _yes_or_no(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _table(rows: list[dict[str, str]]) -> None:
    """For people: what fits their terminal; everything is in the CSV."""
    from rich.console import Console
    from rich.table import Column, Table

    console = Console()
    shown = ["here", "pull", "megabytes", "needed_by"]
    shown += [name for name, width in (("check", 100), ("licence", 130)) if console.width >= width]
    table = Table(Column("name", no_wrap=True), *(name.replace("_", " ") for name in shown))
    for row in rows:
        table.add_row(row["name"], *(row[name] for name in shown))
    console.print(table)
    if len(shown) < 6:
        console.print("A wider terminal also shows what downloads are checked against, and licences; so does --json.")


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
    weights: Annotated[
        Path, typer.Argument(metavar="WEIGHTS", help=f"A run folder or .safetensors file: {', '.join(exported())}.")
    ],
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


@stage(app, "pack")
def pack(
    shell: Shell,
    weights: Annotated[
        Path, typer.Argument(metavar="WEIGHTS", help="A run folder or .safetensors file: dmn, parser or vae.")
    ],
    data: Annotated[Path, typer.Argument(metavar="DATA", help="A prepared data set to compare the answers on.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The .safetensors file to write.")],
    licence: Annotated[str, typer.Option("--licence", help="Recorded in the file and its card.")] = "",
    overwrite: options.Overwrite = False,
) -> None:
    """Write weights as 16-bit floats, half the size, if faces come out as before."""
    from maskgan_cli.data.prepared import PreparedData
    from maskgan_cli.weights.card import card_path
    from maskgan_cli.weights.pack import pack as pack_weights

    change = pack_weights(weights, PreparedData.load(data), out, licence=licence, overwrite=overwrite)
    shell.say(f"largest change on validation faces: {change:.3g}")
    shell.wrote(out)
    shell.wrote(card_path(out))
    shell.finish({"weights": str(out), "change": change})


@stage(app, "average")
def average(
    shell: Shell,
    first: Annotated[Path, typer.Argument(metavar="FIRST", help="A run folder or .safetensors file.")],
    second: Annotated[Path, typer.Argument(metavar="SECOND", help="What training on from FIRST led to.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The .safetensors file to write.")],
    share: Annotated[float, typer.Option("--share", help="How much of SECOND, 0 to 1.")] = 0.5,
    overwrite: options.Overwrite = False,
) -> None:
    """Average two networks' weights: one that was trained on may do best between what it was and what it became."""
    from maskgan_cli.weights.average import average as average_weights
    from maskgan_cli.weights.card import card_path

    average_weights(first, second, out, share=share, overwrite=overwrite)
    shell.wrote(out)
    shell.wrote(card_path(out))
    shell.finish({"weights": str(out), "share": share})
