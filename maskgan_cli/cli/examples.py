"""``examples``: writes two example faces."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.shell import Shell


def examples(
    shell: Shell,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the two pictures.")] = Path(),
    overwrite: options.Overwrite = False,
) -> None:
    """Write two example faces: photo.png, a photograph, and other.png, a rendered face.

    Prints their paths. The photograph shows the astronaut Eileen Collins (NASA, public domain). The rendered face is
    not of a real person.
    """
    from maskgan_cli.editing.masks.library import example_faces
    from maskgan_cli.files import encode_image, keep_or_write_all

    files = {out / name: encode_image(picture, ".png") for name, picture in example_faces().items()}
    if keep_or_write_all(files, overwrite=overwrite):
        shell.say("kept both pictures, which exist already")
    for path in files:
        shell.wrote(path)
    photo, other = files
    shell.finish(next_command=("maskgan", "swap-mouth", photo, other, "-o", out / "result.png"))
