"""``bench``: how fast this machine is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maskgan_cli.bench.table import MEASUREMENTS
from maskgan_cli.cli import options
from maskgan_cli.cli.shell import Shell, emit, stage
from maskgan_cli.errors import InputError

if TYPE_CHECKING:
    from maskgan_cli.bench.figure import Figure


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    stage(app, "bench", rich_help_panel="Networks")(bench)


def bench(
    shell: Shell,
    what: Annotated[
        list[str] | None, typer.Argument(metavar="[WHAT]...", help=f"Any of {', '.join(MEASUREMENTS)}; all of them.")
    ] = None,
    weights: Annotated[Path | None, options.weights_of("dmn", "--weights", "-w")] = None,
    device: options.Device = "auto",
    thorough: Annotated[
        bool, typer.Option("--thorough", help="The paper's sizes too, and more rounds: minutes instead of one.")
    ] = False,
    save: Annotated[Path | None, typer.Option("--save", help="Also write the report (JSON) to this file.")] = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Measure painting, preparation, training, rendering, FID and start-up on this machine.

    Prints a line a case: the median and the 95th percentile of a round, things a second, processor time of each and
    peak memory. Every case runs in a process of its own; OMP_NUM_THREADS sets their threads. Needs no download.
    """
    from maskgan_cli.bench.machine import machine
    from maskgan_cli.bench.report import report, take
    from maskgan_cli.files import refuse_existing, write_json

    chosen = what or list(MEASUREMENTS)
    for name in chosen:
        if name not in MEASUREMENTS:
            raise InputError("WHAT", expected=f"any of {', '.join(MEASUREMENTS)}", found=name)
    if save is not None and not overwrite:
        refuse_existing(save)
    about = machine(device)
    _describe(shell, about)
    figures = []
    for figure in take(list(dict.fromkeys(chosen)), weights, device, thorough=thorough, watch=shell.track):
        figures.append(figure)
        if not shell.as_json:
            emit(line(figure))
    document = report(figures, about, thorough=thorough)
    if save is not None:
        write_json(save, document, overwrite=overwrite)
        shell.written.append(str(save))
    shell.finish(document)


def line(figure: Figure) -> str:
    """A figure for people."""
    name = f"{figure.case.what}: {figure.case.name}"
    memory = "" if figure.peak_mb is None else f"  {figure.peak_mb:6.0f} MB"
    return (
        f"{name:42}  p50 {1e3 * figure.p50:8.1f} ms  p95 {1e3 * figure.p95:8.1f} ms  "
        f"{figure.per_second:7.2f} {figure.unit}s/s  {1e3 * figure.processor_each:8.1f} ms of processor each{memory}"
    )


def _describe(shell: Shell, about: dict[str, Any]) -> None:
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items() if version)
    place = f"{about['device']} ({about['gpu']})" if about["gpu"] else about["device"]
    shell.say(f"{place}; {about['processor']}, {about['cores']} cores, {about['threads']} threads; {versions}")
