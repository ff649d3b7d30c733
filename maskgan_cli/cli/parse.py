"""``parse``: photos -> label maps."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.batch import Batch, Item, Recursive, pictures
from maskgan_cli.cli.shell import Shell, counted, stage
from maskgan_cli.errors import InputError


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    stage(app, "parse", rich_help_panel="Data")(parse)


def parse(
    shell: Shell,
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGE...", help="Photos, folders of them; - reads paths.")
    ],
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
    recursive: Recursive = False,
    device: options.Device = "auto",
    overwrite: options.Overwrite = False,
) -> None:  # fmt: skip
    """Make the masks of photos with the face parser: exact for programs, coloured for people.

    Prints one label map per photo. A mask that is there already is kept: it may have been painted in. What cannot be
    parsed is named, and the rest is done. A face that fills the picture as in CelebA-HQ is parsed best: see
    `maskgan align`.
    """
    from maskgan_cli.editing.faces import check_files
    from maskgan_cli.editing.framing import FACE_CROP, oddity
    from maskgan_cli.files import write_label_map
    from maskgan_cli.weights.lookup import find_weights, named_with_origin

    if look is not None and look % 16:
        raise InputError("--look", expected="a multiple of 16", found=str(look))
    items = pictures(images, recursive=recursive, say=shell.say)
    masks = {item.path: _mask_of(item, out) for item in items}
    if len(set(masks.values())) < len(masks):
        twice = next(mask for mask in masks.values() if list(masks.values()).count(mask) > 1)
        raise InputError(twice, expected="photos of different names", found="two that would write it")
    batch, wanted = Batch(shell, len(masks)), []
    for path, mask in masks.items():
        with batch.attempt(path):
            check_files([path])
            if overwrite or not mask.exists():
                wanted.append(path)
    kept = len(masks) - len(wanted) - len(batch.failures)
    if kept:
        shell.say(f"{counted(kept, 'mask')} there already, kept; --overwrite makes them anew")
    sha256, made, odd = "", {}, []
    if wanted:
        parser = find_weights(weights, "parser")
        from maskgan_cli.devices import pick_device
        from maskgan_cli.editing.parse import parse_files
        from maskgan_cli.judges.parser import load_parser

        judge = load_parser(parser, pick_device(device), look)
        sha256 = judge.sha256
        shell.say(f"parsing with {named_with_origin(parser, 'parser')}")
        parsed = parse_files(judge, wanted, size=size, batch_size=batch_size, attempt=batch.attempt)
        for path, labels in shell.track(parsed, len(wanted), "parsing"):
            made[path] = write_label_map(masks[path], labels, overwrite=True)
            shell.wrote(masks[path])
            if found := oddity(labels):
                odd.append(path)
                shell.say(f"{path}: {found}, which is not {FACE_CROP}; cut the face out with `maskgan align`")
    failed = {failure["file"] for failure in batch.failures}
    done = {path: mask for path, mask in masks.items() if str(path) not in failed}
    for path, mask in done.items():
        if path not in made:
            shell.wrote(mask)
    batch.finish({"masks": {str(p): str(m) for p, m in done.items()}, "weights": sha256}, next_command=_next(done, odd))


def _mask_of(item: Item, out: Path | None) -> Path:
    """Where the mask of a picture goes."""
    return item.path.with_name(f"{item.path.stem}.mask.png") if out is None else out / f"{item.name}.png"


def _next(done: dict[Path, Path], odd: list[Path]) -> list[object]:
    """An edit of the first faces that have masks now; where none is a face crop, the way to one."""
    faces = [(path, mask) for path, mask in done.items() if path not in odd][:2]
    if odd and not faces:
        return ["maskgan", "align", *odd[:1], "-o", "faces"]
    if len(faces) < 2:
        return [word for path, mask in faces for word in ("maskgan", "reshape", path, "--mask", mask,
                                                          "--open-mouth", 12, "-o", "result.png")]  # fmt: skip
    (source, its), (target, others) = faces
    return ["maskgan", "swap-mouth", source, target, "--src-mask", its, "--tgt-mask", others, "-o", "result.png"]
