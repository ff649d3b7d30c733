"""``parse``: predicts the label maps (masks) of photos."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.batch import FileBatch, InputPicture, Recursive, pictures
from maskgan_cli.cli.shell import Shell, counted
from maskgan_cli.errors import InputError


@dataclass(frozen=True)
class Prediction:
    """Options of the face parser and of the masks that it predicts."""

    weights: Annotated[Path | None, options.weights_of("parser", "--weights", "-w")] = None
    size: Annotated[
        int | None, typer.Option("--size", min=16, max=4096, help="Side of the masks in pixels. Default: the photo's.")
    ] = None
    parser_size: Annotated[
        int | None,
        typer.Option(
            "--parser-size",
            min=32,
            help="Input size of the parser in pixels, a multiple of 16. Default: the size of its training.",
        ),
    ] = None
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Photos in a batch.")] = 8
    look: Annotated[int | None, typer.Option("--look", min=32, hidden=True, help="Former name of --parser-size.")] = (
        None
    )

    def input_size(self) -> int | None:
        """Return the input size of the parser in pixels; None for the size with which the parser was trained.

        Raises:
            InputError: the given size is not a multiple of 16.
        """
        size = self.look if self.parser_size is None else self.parser_size
        if size is not None and size % 16:
            raise InputError("--parser-size", expected="a multiple of 16", found=str(size))
        return size


def parse(
    shell: Shell,
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGE", help="Photos, or folders of photos; - reads paths from stdin.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for the masks. Default: NAME.mask.png beside each photo.")
    ] = None,
    recursive: Recursive = False,
    device: options.Device = "auto",
    overwrite: options.Overwrite = False,
    *,
    prediction: Prediction,
) -> None:
    """Predict the masks of photos with the face parser.

    Prints the path of one label map per photo, a PNG with class numbers and a colour palette. Existing masks are kept,
    because they may have been edited by hand. The parser works best on faces framed like CelebA-HQ: see
    `maskgan align`.
    """
    from maskgan_cli.editing.faces.face import check_files
    from maskgan_cli.editing.faces.framing import FACE_CROP, crop_problem
    from maskgan_cli.files import write_label_map
    from maskgan_cli.weights.lookup import find_weights, named_with_origin

    input_size = prediction.input_size()
    masks = _mask_paths(pictures(images, recursive=recursive, say=shell.say), out)
    batch, missing = FileBatch(shell, len(masks)), []
    for path, mask in masks.items():
        with batch.attempt(path):
            check_files([path])
            if overwrite or not mask.exists():
                missing.append(path)
    if kept := len(masks) - len(missing) - len(batch.failures):
        shell.say(f"kept {counted(kept, 'existing mask')}; --overwrite replaces them")
    sha256, made, not_crops = "", {}, []
    if missing:
        parser = find_weights(prediction.weights, "parser")
        from maskgan_cli.devices import pick_device
        from maskgan_cli.editing.faces.parse import parse_files
        from maskgan_cli.judges.parser import load_parser

        judge = load_parser(parser, pick_device(device), input_size)
        sha256 = judge.careful_sha256
        shell.say(f"parsing with {named_with_origin(parser, 'parser')}")
        size, batch_size = prediction.size, prediction.batch_size
        parsed = parse_files(judge, missing, size=size, batch_size=batch_size, attempt=batch.attempt)
        for path, labels in shell.track(parsed, len(missing), "parsing"):
            made[path] = write_label_map(masks[path], labels, overwrite=True)
            shell.wrote(masks[path])
            if found := crop_problem(labels):
                not_crops.append(path)
                shell.say(f"{path}: {found}, which is not {FACE_CROP}; cut the face out with `maskgan align`")
    failed = {failure["file"] for failure in batch.failures}
    done = {path: mask for path, mask in masks.items() if str(path) not in failed}
    for path, mask in done.items():
        if path not in made:
            shell.wrote(mask)
    document = {"masks": {str(path): str(mask) for path, mask in done.items()}, "weights": sha256}
    batch.finish(document, next_command=_next_command(done, not_crops))


def _mask_paths(items: list[InputPicture], out: Path | None) -> dict[Path, Path]:
    """Return a dict from the path of each picture to the path of its mask.

    Args:
        items: the pictures.
        out: folder for the masks; None: each mask is beside its picture.

    Raises:
        InputError: two pictures have the same mask path.
    """
    masks = {
        item.path: item.path.with_name(f"{item.path.stem}.mask.png") if out is None else out / f"{item.name}.png"
        for item in items
    }
    if len(set(masks.values())) < len(masks):
        twice = next(mask for mask in masks.values() if list(masks.values()).count(mask) > 1)
        raise InputError(twice, found="two photos with this mask", hint="rename one of the photos")
    return masks


def _next_command(done: dict[Path, Path], not_crops: list[Path]) -> list[object]:
    """Return the command to suggest after ``parse``, as a list of words.

    The command edits the first one or two face crops with their masks. If no picture is a face crop, suggest ``align``.

    Args:
        done: dict from the path of each parsed picture to the path of its mask.
        not_crops: the pictures that are not face crops.
    """
    faces = [(path, mask) for path, mask in done.items() if path not in not_crops][:2]
    if not_crops and not faces:
        return ["maskgan", "align", *not_crops[:1], "-o", "faces"]
    if len(faces) < 2:
        return [
            word
            for path, mask in faces
            for word in ("maskgan", "reshape", path, "--mask", mask, "--open-mouth", 12, "-o", "result.png")
        ]
    (source, source_mask), (target, target_mask) = faces
    masks = ["--src-mask", source_mask, "--tgt-mask", target_mask]
    return ["maskgan", "swap-mouth", source, target, *masks, "-o", "result.png"]
