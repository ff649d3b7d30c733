"""``personalise``: fine-tunes the generator on photos of one person."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.batch import FileBatch, Recursive, pictures
from maskgan_cli.cli.shell import Shell, counted
from maskgan_cli.errors import InputError

if TYPE_CHECKING:
    from maskgan_cli.editing.faces.face import Face
    from maskgan_cli.editing.faces.reader import PhotoReader

Out = Annotated[Path, typer.Option("--out", "-o", help="The .safetensors file to write; its model card is beside it.")]


def personalise(
    shell: Shell,
    images: Annotated[
        list[str], typer.Argument(metavar="PHOTO", help="One to twenty photos of one person, or folders of photos.")
    ],
    out: Out = Path("me.safetensors"),
    weights: Annotated[Path | None, options.weights_of("dmn", "--weights", "-w")] = None,
    steps: Annotated[int, typer.Option("--steps", min=1, max=10000, help="Number of training steps.")] = 100,
    seed: options.Seed = 0,
    parser_weights: options.ParserWeights = None,
    order: options.Order = options.CELEBAMASK,
    recursive: Recursive = False,
    device: options.Device = "auto",
    force: options.Force = False,
    overwrite: options.Overwrite = False,
) -> None:
    """Fine-tune the generator on photos of one person, so that edits resemble the person more.

    Pass the result to the editing commands with --weights. The training takes minutes. It also uses edited masks, whose
    results the face parser checks, and rendered faces, so that the generator still follows the mask. Ask the person
    for consent.
    """
    from maskgan_cli.files import refuse_existing, sha256
    from maskgan_cli.weights.lookup import find_weights, named_with_origin

    if out.suffix != ".safetensors":
        raise InputError(out, expected="a name ending in .safetensors", found=repr(out.suffix))
    items = [item.path for item in pictures(images, recursive=recursive, say=shell.say)]
    start, parser = find_weights(weights, "dmn"), find_weights(parser_weights, "parser", "--parser-weights")
    from maskgan_cli.personalise import MOST, Settings, recorded

    if len(items) > MOST:
        hint = "choose the clearest photos of the face"
        raise InputError("PHOTO", expected=f"{MOST} pictures at most", found=str(len(items)), hint=hint)
    settings = Settings(steps=steps, seed=seed)
    record = recorded(items, start, parser, settings)
    if not overwrite and _is_same(out, record):
        shell.say(f"kept {out}, made from the same photos, weights and settings")
        shell.wrote(out)
        shell.finish({"weights": str(out), **record}, next_command=_next_command(items[0], out))
        return
    if not overwrite:
        refuse_existing(out)
    from maskgan_cli.devices import pick_device
    from maskgan_cli.editing.faces.reader import PhotoReader
    from maskgan_cli.locks import locked
    from maskgan_cli.personalise import personalised, write

    batch = FileBatch(shell, len(items))
    faces = _faces(batch, items, PhotoReader(parser_weights, device, shell.say, force=force), order.value, force)
    shell.say(f"training on {counted(len(faces), 'photo')}, starting from {named_with_origin(start, 'dmn')}")
    with locked(out, "maskgan personalise"), shell.progress("training") as report:
        made = personalised(start, parser, faces, settings, pick_device(device), report)
        record["photos"] = [sha256(face.image) for face in faces]
        write(out, made, record, overwrite=overwrite)
    shell.say(f"reconstruction of the photos: L1 {made.before:.3f} before, {made.after:.3f} after")
    shell.wrote(out)
    document = {"weights": str(out), **record, "l1_before": made.before, "l1_after": made.after}
    batch.finish(document, next_command=_next_command(faces[0].image, out))


def _faces(batch: FileBatch, paths: list[Path], read: PhotoReader, order: str, force: bool) -> list[Face]:
    """Read the face of each photo, and return the faces.

    Photos that cannot be read are recorded in ``batch``. If no photo can be read, the command ends with an error.

    Args:
        batch: the batch of photos.
        paths: the photos.
        read: object that reads the face and the mask of a photo.
        order: class order of masks beside the photos, see `labels.ORDERS`.
        force: do not check these masks, see `MaskRules`.
    """
    from maskgan_cli.data.given_masks import MaskRules, mask_rules

    faces = []
    for path in paths:
        with batch.attempt(path), mask_rules(MaskRules(order, force)):
            faces.append(read(path, None, "source"))
    if not faces:
        batch.finish({})  # raises an error, because no photo could be read
    return faces


def _is_same(out: Path, record: dict[str, Any]) -> bool:
    """Return whether the file ``out`` exists and was made from the photos, weights and settings in ``record``."""
    from maskgan_cli.weights.format import read_weights

    try:
        return out.exists() and read_weights(out, "dmn").about.get("personal") == record
    except InputError:  # not a weights file of this kind
        return False


def _next_command(photo: Path, out: Path) -> list[object]:
    return ["maskgan", "reshape", photo, "--open-mouth", 12, "--weights", out, "-o", "result.png"]
