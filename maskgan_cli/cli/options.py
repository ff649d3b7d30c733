"""Options that mean the same in every command that has them."""

from __future__ import annotations

import os
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from maskgan_cli.errors import InputError
from maskgan_cli.networks import KINDS


class ClassOrder(str, Enum):
    """`labels.ORDERS`."""

    CELEBAMASK = "celebamask"
    PARSER = "parser"


CELEBAMASK = ClassOrder.CELEBAMASK

Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:1 or mps.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Same seed, same result.")]
Workers = Annotated[int | None, typer.Option("--workers", min=0, help="Processes; all cores if not given.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what is there already.")]
Force = Annotated[bool, typer.Option("--force", help="Go on with a picture that is no face crop by its parsed mask.")]
Order = Annotated[
    ClassOrder,
    typer.Option("--order", help="Class order of given masks that hold ids (see docs/label-maps.md)."),
]
Chosen = Annotated[
    str | None,
    typer.Option("--face", help="Which face of the photo, counted from the left, or all; the largest if not given."),
]
Data = Annotated[Path, typer.Argument(metavar="DATA", help="A prepared data set.")]


def weights_of(kind: str, *names: str, what_for: str = "") -> Any:
    """The option that takes weights of a kind; its variable stands in for it."""
    trained = f"A run folder or a .safetensors file of `maskgan train {kind}`{what_for}."
    return typer.Option(*names, envvar=KINDS[kind].variables[0], help=trained)


VAEWeights = Annotated[Path | None, weights_of("vae", "--weights", "-w")]
ParserWeights = Annotated[Path | None, weights_of("parser", "--parser-weights", what_for=", for photos without a mask")]
DMNWeights = Annotated[Path | None, weights_of("dmn", "--dmn-weights", what_for=", to paint the faces")]


def count_workers(workers: int | None) -> int:
    """``--workers``, or the number of cores this process may use."""
    from maskgan_cli.workers import cores

    return cores() if workers is None else workers


def chosen(face: str | None) -> int | str | None:
    """``--face``: a number from 1, ``all``, or None for the largest.

    Raises:
        InputError: neither.
    """
    if face is None or face == "all":
        return face
    if not face.isdecimal() or not 1 <= int(face) <= 999:
        raise InputError("--face", expected="a number from 1, counted from the left, or all", found=repr(face))
    return int(face)


def own_generator() -> list[str]:
    """``--weights`` for a suggested edit: the generator trained in `runs/dmn`, if no variable names one."""
    run, named = Path("runs/dmn"), any(os.environ.get(name) for name in KINDS["dmn"].variables)
    return ["--weights", str(run)] if not named and (run / "model.safetensors").is_file() else []
