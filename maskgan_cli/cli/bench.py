"""``bench``: measures the speed of the commands on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maskgan_cli.bench.table import MEASUREMENTS
from maskgan_cli.cli import options
from maskgan_cli.cli.shell import Shell, emit
from maskgan_cli.errors import InputError

if TYPE_CHECKING:
    from maskgan_cli.bench.figure import Figure


def bench(
    shell: Shell,
    what: Annotated[
        list[str] | None,
        typer.Argument(metavar="WHAT", help=f"Any of {', '.join(MEASUREMENTS)}. Default: all of them."),
    ] = None,
    weights: Annotated[Path | None, options.weights_of("dmn", "--weights", "-w")] = None,
    device: options.Device = "auto",
    thorough: Annotated[
        bool, typer.Option("--thorough", help="Also measure the paper's sizes, with more rounds: takes minutes.")
    ] = False,
    save: Annotated[Path | None, typer.Option("--save", help="Also write the report (JSON) to this file.")] = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Measure the speed of inference, data preparation, training, rendering, FID and start-up on this machine.

    Prints one line per case: median and 95th percentile of a round, items per second, CPU time per item, and peak
    memory. Every case runs in its own process; OMP_NUM_THREADS sets the number of threads. Needs no download.
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
    description = machine(device)
    _describe(shell, description)
    figures = []
    for figure in take(list(dict.fromkeys(chosen)), weights, device, thorough=thorough, watch=shell.track):
        figures.append(figure)
        if not shell.as_json:
            emit(line(figure))
    document = report(figures, description, thorough=thorough)
    if save is not None:
        write_json(save, document, overwrite=overwrite)
        shell.written.append(str(save))
    shell.finish(document)


def line(figure: Figure) -> str:
    """Return a measurement as one line of text: name, time, rate, CPU time and memory."""
    name = f"{figure.case.what}: {figure.case.name}"
    memory = "" if figure.peak_mb is None else f"  {figure.peak_mb:6.0f} MB"
    return (
        f"{name:42}  p50 {1e3 * figure.p50:8.1f} ms  p95 {1e3 * figure.p95:8.1f} ms  "
        f"{figure.per_second:7.2f} {figure.unit}s/s  {1e3 * figure.processor_each:8.1f} ms CPU each{memory}"
    )


def _describe(shell: Shell, machine: dict[str, Any]) -> None:
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items() if version)
    device = f"{machine['device']} ({machine['gpu']})" if machine["gpu"] else machine["device"]
    shell.say(f"{device}; {machine['processor']}, {machine['cores']} cores, {machine['threads']} threads; {versions}")
