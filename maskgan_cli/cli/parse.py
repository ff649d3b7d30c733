"""``parse``: photos -> label maps."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.shell import Shell, stage
from maskgan_cli.errors import InputError


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    stage(app, "parse", rich_help_panel="Data")(parse)


def parse(
    shell: Shell,
    images: Annotated[list[str], typer.Argument(metavar="IMAGE...", help="Photos; - reads paths from standard input.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="A folder; else NAME.mask.png beside each photo.")
    ] = None,
    weights: Annotated[Path | None, options.weights_of("parser", "--weights", "-w")] = None,
    size: Annotated[
        int | None, typer.Option("--size", min=16, max=4096, help="Side of the masks; the photo's own if not given.")
    ] = None,
    look: Annotated[
        int | None, typer.Option("--look", min=32, help="Side at which the parser looks at the photo, times 16.")
    ] = None,
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Photos parsed at once.")] = 8,
    device: options.Device = "auto",
    overwrite: options.Overwrite = False,
) -> None:  # fmt: skip
    """Make the masks of photos with the face parser: exact for programs, coloured for people.

    Prints one label map per photo. A face that fills the picture as in CelebA-HQ is parsed best: see `maskgan align`.
    """
    from maskgan_cli.editing.faces import check_files
    from maskgan_cli.editing.framing import FACE_CROP, oddity
    from maskgan_cli.files import refuse_existing, write_label_map
    from maskgan_cli.weights.lookup import find_weights, named_with_origin

    if look is not None and look % 16:
        raise InputError("--look", expected="a multiple of 16", found=str(look))
    names = [line for name in images for line in (sys.stdin.read().splitlines() if name == "-" else [name])]
    paths = [Path(name) for name in names if name]
    if not paths:
        raise InputError("standard input", expected="paths of photos, one per line", found="nothing")
    check_files(paths)
    masks: dict[Path, Path] = {}
    for path in paths:
        mask = out / f"{path.stem}.png" if out is not None else path.with_name(f"{path.stem}.mask.png")
        if mask in masks.values():
            raise InputError(path, expected="photos of different names", found=f"two that would write {mask}")
        if not overwrite:
            refuse_existing(mask)
        masks[path] = mask
    parser = find_weights(weights, "parser")
    from maskgan_cli.devices import pick_device
    from maskgan_cli.editing.parse import parse_files
    from maskgan_cli.judges.parser import load_parser

    judge = load_parser(parser, pick_device(device), look)
    shell.say(f"parsing with {named_with_origin(parser, 'parser')}")
    parsed = parse_files(judge, paths, size=size, batch_size=batch_size)
    for path, labels in shell.track(parsed, len(paths), "parsing"):
        shell.wrote(write_label_map(masks[path], labels, overwrite=overwrite))
        if found := oddity(labels):
            shell.say(f"{path}: {found}, which is not {FACE_CROP}; cut the face out with `maskgan align`")
    first = paths[0]
    shell.finish(
        {"masks": {str(p): str(m) for p, m in masks.items()}, "weights": judge.sha256},
        next_command=f"maskgan swap-mouth {first} OTHER.png --src-mask {masks[first]} -o result.png",
    )
