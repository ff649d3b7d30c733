"""``demo``: edits faces, measures the results and shows them on a page."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.shell import Shell
from maskgan_cli.errors import WorkError


def demo(
    shell: Shell,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the demo's files.")] = Path("demo"),
    train: Annotated[
        bool, typer.Option("--train", help="Train networks instead of using the bundled weights.")
    ] = False,
    smallest: Annotated[
        bool, typer.Option("--smallest", help="Use a few faces and a few training steps, to test the installation.")
    ] = False,
    seed: options.Seed = 0,
    workers: options.Workers = None,
    device: options.Device = "auto",
) -> None:
    """Edit a photo and rendered faces, measure the results, and show them on one HTML page.

    Prints the path of the page, which also lists the commands. Takes less than a minute on two CPU cores and needs no
    download.
    """
    from maskgan_cli.demo.run import run_demo

    def perform(words: Sequence[str]) -> str:
        return _run_command([*words, "--quiet"] if shell.quiet else list(words))

    chosen = None if device == "auto" else device
    page, numbers = run_demo(
        out, train=train, smallest=smallest, seed=seed, workers=workers, device=chosen, perform=perform, watch=shell
    )
    shell.wrote(page)
    shell.say(f"next: open {page} in a browser")
    shell.finish(numbers)


def _run_command(words: list[str]) -> str:
    """Run the maskgan command with the arguments ``words`` in this process, and return its output on stdout.

    Raises:
        WorkError: the command's exit code is not 0.
    """
    from maskgan_cli.cli.app import app

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = app(words, prog_name="maskgan", standalone_mode=False)
    if code:
        raise WorkError(f"maskgan {' '.join(words)}: ended with exit code {code}")
    return printed.getvalue()
