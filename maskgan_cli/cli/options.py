"""Options that mean the same in every command that has them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:1 or mps.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Same seed, same result.")]
Workers = Annotated[int | None, typer.Option("--workers", min=0, help="Processes; all cores if not given.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what is there already.")]
Data = Annotated[Path, typer.Argument(metavar="DATA", help="A prepared data set.")]
VAEWeights = Annotated[
    Path | None,
    typer.Option(
        "--weights",
        "-w",
        envvar="MASKGAN_VAE_WEIGHTS",
        help="A run folder or a .safetensors file of `maskgan train vae`.",
    ),
]
ParserWeights = Annotated[
    Path | None,
    typer.Option(
        "--parser-weights",
        envvar="MASKGAN_PARSER_WEIGHTS",
        help="A run folder or a .safetensors file of `maskgan train parser`, for photos without a mask.",
    ),
]
DMNWeights = Annotated[
    Path | None,
    typer.Option(
        "--dmn-weights",
        envvar="MASKGAN_WEIGHTS",
        help="A run folder or a .safetensors file of `maskgan train dmn`, to paint the faces.",
    ),
]


def count_workers(workers: int | None) -> int:
    """``--workers``, or the number of cores this process may use."""
    if workers is not None:
        return workers
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1
