"""``demo``: everything at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.shell import Shell, stage


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    stage(app, "demo", rich_help_panel="Start here")(demo)


def demo(
    shell: Shell,
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder for everything the demo makes.")] = Path("demo"),
    train: Annotated[bool, typer.Option("--train", help="Train from nothing, even where weights are bundled.")] = False,
    smallest: Annotated[bool, typer.Option("--smallest", help="A few faces, a few steps: only to see it run.")] = False,
    seed: options.Seed = 0,
    workers: options.Workers = None,
    device: options.Device = "auto",
) -> None:
    """Run the whole loop on rendered faces: data, editing, metrics, and one page to look at.

    Prints the page's path. A few minutes on two processor cores; needs no download.
    """
    from maskgan_cli.demo.run import run_demo

    page, numbers = run_demo(
        out,
        train=train,
        smallest=smallest,
        seed=seed,
        workers=options.count_workers(workers),
        device=device,
        watch=shell,
    )
    shell.wrote(page)
    shell.finish(numbers, next_command=f"open {page} in a browser")
