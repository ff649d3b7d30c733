"""``examples``: two faces to try the commands with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.shell import Shell, stage


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    stage(app, "examples", rich_help_panel="Start here")(examples)


def examples(
    shell: Shell,
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder for the two pictures.")] = Path(),
    overwrite: options.Overwrite = False,
) -> None:
    """Write two faces to try the commands with: photo.png, a photograph, and other.png, a rendered face.

    The photograph shows the astronaut Eileen Collins (NASA, public domain). The rendered face shows nobody.
    """
    from maskgan_cli.editing.library import example_faces
    from maskgan_cli.files import encode_image, keep_or_write_all

    files = {out / name: encode_image(picture, ".png") for name, picture in example_faces().items()}
    if keep_or_write_all(files, overwrite=overwrite):
        shell.say("both pictures are there already")
    for path in files:
        shell.wrote(path)
    photo, other = files
    shell.finish(next_command=("maskgan", "swap-mouth", photo, other, "-o", out / "result.png"))
