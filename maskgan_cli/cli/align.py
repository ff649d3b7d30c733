"""``align``: photos to square crops framed like CelebA-HQ."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.shell import Shell, stage
from maskgan_cli.errors import InputError


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    stage(app, "align", rich_help_panel="Data")(align)


def align(
    shell: Shell,
    photos: Annotated[list[Path], typer.Argument(metavar="PHOTO...", help="Photos with a face.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the crops, named NAME.png.")],
    size: Annotated[int, typer.Option("--size", min=32, max=2048, help="Side of the crops.")] = 512,
    device: options.Device = "auto",
    overwrite: options.Overwrite = False,
) -> None:
    """Cut the largest face out of each photo, upright and framed like CelebA-HQ.

    Prints one path per photo; photos without a face are named once the others are done.
    """
    from maskgan_cli.editing.faces import check_files
    from maskgan_cli.files import read_image, refuse_existing, write_image

    paths = [out / f"{photo.stem}.png" for photo in photos]
    if len(set(paths)) < len(paths):
        twice = next(path for path in paths if paths.count(path) > 1)
        raise InputError(twice, found="two photos for one result", hint="give the photos different names")
    for path in paths if not overwrite else []:
        refuse_existing(path)
    check_files(photos)
    from maskgan_cli.data.crop import cut, oriented_square
    from maskgan_cli.devices import pick_device
    from maskgan_cli.judges.finder import FaceFinder

    finder = FaceFinder(pick_device(device))
    records, faceless = [], []
    for photo, path in shell.track(zip(photos, paths, strict=True), len(photos), "aligning"):
        picture = read_image(photo)
        points = finder.find(picture)
        if points is None:
            faceless.append(photo)
            continue
        square = oriented_square(points)
        shell.wrote(write_image(path, cut(picture, square, size), overwrite=overwrite))
        records.append({"photo": str(photo), "image": str(path), "points": points.round(2).tolist()})
    if faceless:
        others = f" (nor in {len(faceless) - 1} others)" if faceless[1:] else ""
        raise InputError(faceless[0], expected="a photo with a face", found=f"no face{others}", hint="leave it out")
    shell.finish({"results": records}, next_command=f"maskgan parse {paths[0]} -o {out}")
