"""``demo``: everything at once."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.shell import Shell, stage
from maskgan_cli.errors import WorkError


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
    """Edit a real photo and rendered faces, measure, and show it all on one page to look at.

    Prints the page's path. Under a minute on two processor cores; needs no download. The page lists the commands
    that made it.
    """
    from maskgan_cli.demo.run import run_demo

    def perform(words: Sequence[str]) -> str:
        return _perform([*words, "--quiet"] if shell.quiet else list(words))

    chosen = None if device == "auto" else device
    page, numbers = run_demo(
        out, train=train, smallest=smallest, seed=seed, workers=workers, device=chosen, perform=perform, watch=shell
    )
    shell.wrote(page)
    shell.say(f"next: open {page} in a browser")
    shell.finish(numbers)


def _perform(words: list[str]) -> str:
    """Run another command in this process; returns what it prints."""
    from maskgan_cli.cli.app import app

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = app(words, prog_name="maskgan", standalone_mode=False)
    if code:
        raise WorkError(f"maskgan {' '.join(words)}: ended with {code}")
    return printed.getvalue()
