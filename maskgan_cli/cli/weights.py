"""``weights ...``: downloads, converts, exports and averages network weights."""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.shell import Shell, add_command, emit_csv
from maskgan_cli.networks import exported, imported, published

app = typer.Typer(
    name="weights",
    help="Download, convert and export network weights.",
    no_args_is_help=True,
)

Size = Annotated[
    int | None,
    typer.Option(
        "--size",
        min=32,
        help="Image size of the network in pixels, if the checkpoint does not show it. Default: 512 for dmn and "
        "parser, 128 for stargan, 256 for elegant and sean.",
    ),
]
Kind = Annotated[str, typer.Argument(metavar="KIND", help=f"One of {', '.join(imported())}.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="A name of `maskgan weights list`.")]


@add_command(app, "import")
def import_(
    shell: Shell,
    kind: Kind,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE",
            help="The checkpoint: .pth, .pt, .pkl or .safetensors. Name two files for elegant (Enc, Dec), its "
            "discriminators (D1, D2) and spade (net_G, net_E).",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="The .safetensors file to write. Default: the cache, where all commands find it."
        ),
    ] = None,
    size: Size = None,
    attributes: Annotated[
        str, typer.Option("--attributes", help="Attributes of StarGAN or ELEGANT in their order, e.g. Smiling,Male.")
    ] = "",
    overwrite: options.Overwrite = False,
) -> None:
    """Convert a published checkpoint to the project's format.

    Prints the paths of the weights and of their model card. All tensors are converted, or the command ends with an
    error.
    """
    from maskgan_cli.files import unreadable

    for file in files:
        if not file.exists():
            raise unreadable(file, FileNotFoundError(), "a published checkpoint")
    from maskgan_cli.weights.card import card_path
    from maskgan_cli.weights.convert import import_weights

    settings: dict[str, Any] = {} if size is None else {"image_size": size}
    if attributes:
        settings["attributes"] = tuple(name.strip() for name in attributes.split(","))
    written = import_weights(kind, files, out, unsaid=settings, overwrite=overwrite, say=shell.say)
    shell.wrote(written)
    shell.wrote(card_path(written))
    shell.finish({"weights": str(written)})


@add_command(app, "list")
def list_(shell: Shell) -> None:
    """List published weights: source, licence, the commands that need them, and whether they are in the cache.

    Prints a table on a terminal, CSV to a file or pipe, or JSON with --json.
    """
    rows: list[dict[str, Any]] = [
        {
            "name": name,
            "here": _in_cache(name),
            "pull": bool(entry.urls),
            "megabytes": entry.megabytes,
            "what": entry.what,
            "needed_by": entry.needed_by,
            "licence": entry.licence,
            "sha256": entry.sha256 or "unknown",
            "check": _check(entry.sha256),
            "source": entry.urls[0] if entry.urls else entry.page,
        }
        for name, entry in published().items()
    ]
    if not shell.as_json:
        shown = [{name: _yes_or_no(value) for name, value in row.items()} for row in rows]
        if sys.stdout.isatty():
            _table(shown)
        else:
            emit_csv(shown)
    shell.finish({"weights": rows})


def _in_cache(kind: str) -> bool:
    """Return whether the cache contains weights of the kind ``kind``; False if the cache is not readable."""
    from maskgan_cli.weights.cache import NoCacheFolder, in_cache

    with contextlib.suppress(OSError, NoCacheFolder):
        return in_cache(kind) is not None
    return False


def _check(sha256: str) -> str:
    """Return a text that says how a download is checked: with a published SHA-256, with a part of one, or with none."""
    if not sha256:
        return "no published hash: later downloads are compared with the first"
    return "the whole SHA-256" if len(sha256) == 64 else f"weak: {len(sha256)} of 64 digits published"


def _yes_or_no(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _table(rows: list[dict[str, str]]) -> None:
    """Print the list of weights as a table, with only those columns that fit the terminal; the CSV has all columns."""
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
        console.print("A wider terminal also shows the check of downloads and the licences; so does --json.")


@add_command(app, "pull")
def pull(shell: Shell, name: Name, overwrite: options.Overwrite = False) -> None:
    """Download published weights, check their hash, and import them into the cache, where all commands find them.

    For weights that need a browser to download, the command prints their address and the command that imports them.
    """
    from maskgan_cli.weights.pull import pull_weights

    with contextlib.ExitStack() as stack:

        @functools.cache
        def bar() -> Callable[[int, int], None]:  # shown from the first progress on
            return stack.enter_context(shell.progress(f"downloading {name} (MB)"))

        def report(done: int, total: int) -> None:
            bar()(done, total)

        written = pull_weights(name, overwrite=overwrite, report=report, say=shell.say)
    shell.wrote(written)
    shell.finish({"weights": str(written)})


@add_command(app, "export")
def export(
    shell: Shell,
    weights: Annotated[
        Path, typer.Argument(metavar="WEIGHTS", help=f"Run folder or .safetensors file of {', '.join(exported())}.")
    ],
    onnx: Annotated[Path, typer.Option("--onnx", help="The .onnx file to write.")],
    overwrite: options.Overwrite = False,
) -> None:
    """Export a network to ONNX. The file is written only if its output in onnxruntime agrees with PyTorch's."""
    from maskgan_cli.weights.card import card_path
    from maskgan_cli.weights.export import export_onnx

    difference = export_onnx(weights, onnx, overwrite=overwrite)
    shell.say(f"largest difference between PyTorch and onnxruntime: {difference:.1e}")
    shell.wrote(onnx)
    shell.wrote(card_path(onnx))
    shell.finish({"onnx": str(onnx), "difference": difference})


@add_command(app, "pack")
def pack(
    shell: Shell,
    weights: Annotated[
        Path, typer.Argument(metavar="WEIGHTS", help="Run folder or .safetensors file of a dmn, parser or vae.")
    ],
    data: Annotated[Path, typer.Argument(metavar="DATA", help="Prepared data set on which outputs are compared.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The .safetensors file to write.")],
    licence: Annotated[str, typer.Option("--licence", help="Licence to record in the file and its card.")] = "",
    overwrite: options.Overwrite = False,
) -> None:
    """Convert weights to 16-bit floats, which halves the file. It is written only if outputs change very little."""
    from maskgan_cli.data.prepared import PreparedData
    from maskgan_cli.weights.card import card_path
    from maskgan_cli.weights.pack import pack as pack_weights

    change = pack_weights(weights, PreparedData.load(data), out, licence=licence, overwrite=overwrite)
    shell.say(f"largest change on validation faces: {change:.3g}")
    shell.wrote(out)
    shell.wrote(card_path(out))
    shell.finish({"weights": str(out), "change": change})


@add_command(app, "average")
def average(
    shell: Shell,
    first: Annotated[Path, typer.Argument(metavar="FIRST", help="Run folder or .safetensors file.")],
    second: Annotated[
        Path,
        typer.Argument(metavar="SECOND", help="Run folder or .safetensors file of a network fine-tuned from FIRST."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The .safetensors file to write.")],
    share: Annotated[float, typer.Option("--share", help="Weight of SECOND in the average, 0 to 1.")] = 0.5,
    overwrite: options.Overwrite = False,
) -> None:
    """Average the weights of a network and of its fine-tuned version, which can be better than both."""
    from maskgan_cli.weights.average import average as average_weights
    from maskgan_cli.weights.card import card_path

    average_weights(first, second, out, share=share, overwrite=overwrite)
    shell.wrote(out)
    shell.wrote(card_path(out))
    shell.finish({"weights": str(out), "share": share})
