"""Options that several commands share."""

from __future__ import annotations

import os
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from maskgan_cli.errors import InputError
from maskgan_cli.networks import KINDS


class ClassOrder(str, Enum):
    """Names of the class orders in `labels.ORDERS`."""

    CELEBAMASK = "celebamask"
    PARSER = "parser"


CELEBAMASK = ClassOrder.CELEBAMASK

Device = Annotated[str, typer.Option("--device", help="Device to run on: auto, cpu, cuda, cuda:1 or mps.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of the random numbers.")]
Workers = Annotated[int | None, typer.Option("--workers", min=0, help="Number of processes. Default: all cores.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace existing files.")]
Force = Annotated[bool, typer.Option("--force", help="Accept pictures whose parsed masks do not look like face crops.")]
Order = Annotated[
    ClassOrder,
    typer.Option("--order", help="Class order of input masks that hold class numbers (see docs/label-maps.md)."),
]
Chosen = Annotated[
    str | None,
    typer.Option("--face", help="Face of the photo: a number, counted from the left, or all. Default: the largest."),
]
Data = Annotated[Path, typer.Argument(metavar="DATA", help="A prepared data set.")]


def weights_of(kind: str, *names: str, what_for: str = "") -> Any:
    """Return a Typer option for weights, whose default is an environment variable (e.g. ``MASKGAN_WEIGHTS``).

    Args:
        kind: kind of the network, e.g. ``dmn``.
        names: names of the option, e.g. ``--weights`` and ``-w``.
        what_for: end of the help text, which says what the weights are used for.
    """
    trained = f"Run folder or .safetensors file of `maskgan train {kind}`{what_for}."
    return typer.Option(*names, envvar=KINDS[kind].variables[0], help=trained)


VAEWeights = Annotated[Path | None, weights_of("vae", "--weights", "-w")]
ParserWeights = Annotated[Path | None, weights_of("parser", "--parser-weights", what_for=", for photos without a mask")]
DMNWeights = Annotated[Path | None, weights_of("dmn", "--dmn-weights", what_for=", which renders the faces")]


def count_workers(workers: int | None) -> int:
    """Return the value of ``--workers``; by default, the number of cores that this process may use."""
    from maskgan_cli.workers import cores

    return cores() if workers is None else workers


def chosen(face: str | None) -> int | str | None:
    """Parse the value of ``--face``, and return a number from 1, ``all``, or None (the largest face).

    Raises:
        InputError: the value is neither a number from 1 nor ``all``.
    """
    if face is None or face == "all":
        return face
    if not face.isdecimal() or not 1 <= int(face) <= 999:
        raise InputError("--face", expected="a number from 1, counted from the left, or all", found=repr(face))
    return int(face)


def own_generator() -> list[str]:
    """Return the arguments ``--weights runs/dmn`` for a command to suggest, if the folder runs/dmn contains weights.

    If it does not, or if an environment variable names other weights, return an empty list.
    """
    run, named = Path("runs/dmn"), any(os.environ.get(name) for name in KINDS["dmn"].variables)
    return ["--weights", str(run)] if not named and (run / "model.safetensors").is_file() else []
