"""``reshape``: edits a face without a second face; ``find-directions``: computes directions in a latent space.

A direction is a vector in MaskVAE's latent space that belongs to an attribute, e.g. Smiling. ``reshape --along`` moves
the code of a mask along a direction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.editing import Editing, Out, Pasting, rows_of, run_edits
from maskgan_cli.cli.shell import Shell, counted
from maskgan_cli.editing.options import Accessories
from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.choices import Split

if TYPE_CHECKING:
    from maskgan_cli.editing.masks.directions import Directions
    from maskgan_cli.editing.masks.reshape import Reshaping


@dataclass(frozen=True)
class LatentMoves:
    """Options that move the mask along directions in MaskVAE's latent space."""

    along: Annotated[
        list[str] | None,
        typer.Option(
            "--along",
            metavar="DIRECTION[=AMOUNT]",
            help="Move the mask along a direction in MaskVAE's latent space: smile, open-mouth, raise-brows, "
            "hair-length, face-width or nose-width. AMOUNT is a factor: 2 doubles the change, -1 reverses it.",
        ),
    ] = None
    vae_weights: Annotated[Path | None, options.weights_of("vae", "--vae-weights", what_for=", for --along")] = None
    directions: Annotated[
        Path | None, typer.Option("--directions", help="File of `maskgan find-directions` with further directions.")
    ] = None
    beyond: Annotated[
        bool, typer.Option("--beyond", help="Allow --along to leave the range of realistic face shapes.")
    ] = False

    def moves(self) -> tuple[tuple[str, float], ...]:
        """Parse the values of ``--along``: return (name of the direction, amount) for each value.

        Raises:
            InputError: a value is not valid, or ``--directions`` or ``--beyond`` is given without ``--along``.
        """
        from maskgan_cli.editing.masks import library

        moves = tuple(_direction(text) for text in self.along or ())
        if not moves and self.directions is not None:
            raise InputError("--directions", expected="--along", found="none")
        if not moves and self.beyond:
            raise InputError("--beyond", expected="--along", found="none")
        for name, _ in moves if self.directions is None else ():
            library.known("--along", name, library.DIRECTIONS)
        return moves

    def load(self, shell: Shell, device: str) -> Directions:
        """Load MaskVAE; return the built-in directions in its latent space and the directions of ``--directions``."""
        from maskgan_cli.weights.lookup import find_weights, named_with_origin

        file = find_weights(self.vae_weights, "vae", "--vae-weights")
        from maskgan_cli.editing.masks.directions import Directions
        from maskgan_cli.editing.masks.interpolate import MaskManifold

        found = Directions(MaskManifold(file, device), self.directions, shell.say)
        shell.say(f"directions in the latent space of {named_with_origin(file, 'vae')}")
        return found


@dataclass(frozen=True)
class Changes:
    """Options that change parts of the mask, the mouth and accessories."""

    part: Annotated[str, typer.Option("--part", help="Classes or groups of classes, e.g. hair or nose.")] = ""
    grow: Annotated[
        float, typer.Option("--grow", help="Move the outline of --part outwards, or inwards if negative, in pixels.")
    ] = 0.0
    move: Annotated[str, typer.Option("--move", help="Move --part right and down in pixels, e.g. 10,-4.")] = "0,0"
    scale: Annotated[
        float, typer.Option("--scale", min=0.2, max=5.0, help="Scale --part around its centre by this factor.")
    ] = 1.0
    open_mouth: Annotated[
        float, typer.Option("--open-mouth", min=0, help="Open the mouth: move the lower lip down, in pixels.")
    ] = 0.0
    close_mouth: Annotated[bool, typer.Option("--close-mouth", help="Close the mouth.")] = False
    add: Annotated[
        list[str] | None,
        typer.Option("--add", help="Add glasses, hat, earrings or necklace, or a variant such as hat-fedora."),
    ] = None
    remove: Annotated[list[str] | None, typer.Option("--remove", help="Remove glasses, hat, earrings or necklace.")] = (
        None
    )
    accessories: Annotated[
        Accessories,
        typer.Option(
            "--accessories", help="How --add works on photos: drawn over the photo, or painted by the network."
        ),
    ] = Accessories.DRAWN

    def reshaping(self, latent: LatentMoves) -> Reshaping:
        """Return one object with all changes of the mask that the options describe.

        Args:
            latent: the options that move the mask in MaskVAE's latent space; their changes are included.

        Raises:
            InputError: an option is not valid, or there is no change.
        """
        from maskgan_cli.editing.masks import library
        from maskgan_cli.editing.masks.reshape import Reshaping
        from maskgan_cli.editing.masks.take_off import KINDS

        right, down = _offset(self.move)
        if self.open_mouth and self.close_mouth:
            raise InputError("--close-mouth", expected="one of --open-mouth and --close-mouth", found="both")
        parts = _parts(self.part, changed=bool(self.grow or right or down or self.scale != 1.0))
        add, remove = tuple(self.add or ()), tuple(self.remove or ())
        if not (parts or self.open_mouth or self.close_mouth or add or remove or latent.along):
            raise InputError("--part", expected="an edit, e.g. --part hair --grow 12", found="none")
        for name in add:
            library.item(name)
        for name in remove:
            library.known("--remove", name, KINDS)
        opened = -1.0 if self.close_mouth else self.open_mouth
        return Reshaping(
            parts, self.grow, (right, down), self.scale, opened, latent.moves(), add, latent.beyond, remove
        )


def reshape(
    shell: Shell,
    source: Annotated[Path | None, typer.Argument(metavar="FACE", help="The photo to edit.")] = None,
    mask: Annotated[
        Path | None, typer.Option("--mask", help="Mask of FACE. Default: the mask beside it, else parsed.")
    ] = None,
    out: Out = Path("reshaped.png"),
    *,
    changes: Changes,
    latent: LatentMoves,
    pasting: Pasting,
    editing: Editing,
) -> None:
    """Change the shape of a face without a second face: move parts, open the mouth, add or remove accessories.

    Prints the path of the result. Lengths are pixels of a face crop of 512 x 512.

    Columns of --pairs: source (FACE) and, if needed, source_mask, output.
    """
    from maskgan_cli.editing.faces.face import check_files
    from maskgan_cli.editing.file_edits import reshape_edits

    how = changes.reshaping(latent)
    rows = rows_of({"source": source, "source_mask": mask}, editing.pairs, ("source",), ("source_mask", "output"))
    blend = replace(pasting.blend_options(), accessories=changes.accessories)
    make = partial(reshape_edits, how=how, blend=blend)
    if how.along:
        if editing.pairs is None:  # report a wrong path before the slow import of PyTorch
            check_files(path for role, path in rows[0].items() if role != "output")
        make.keywords["directions"] = latent.load(shell, editing.device)
    run_edits(shell, make, rows, out, editing)


def _offset(move: str) -> tuple[float, float]:
    """Parse the value of ``--move``, e.g. ``10,-4``: return the numbers of pixels to the right and down."""
    try:
        right, down = (float(number) for number in move.split(","))
    except ValueError:
        raise InputError("--move", expected="two numbers, right and down, e.g. 10,-4", found=repr(move)) from None
    return right, down


def _parts(part: str, *, changed: bool) -> tuple[int, ...]:
    """Return the class ids of ``--part``; an empty tuple if the option is not given.

    Args:
        part: the value of ``--part``: names of classes or groups; "" if not given.
        changed: whether ``--grow``, ``--move`` or ``--scale`` is given.

    Raises:
        InputError: a class is unknown, ``--part`` is given without a change, or a change without ``--part``.
    """
    from maskgan_cli.labels import part_ids

    if changed != bool(part):
        found = "no --part" if changed else f"only --part {part}"
        raise InputError("--part", expected="a part with --grow, --move or --scale", found=found)
    try:
        return part_ids(part) if part else ()
    except ValueError as error:
        raise InputError("--part", found=str(error)) from None


def _direction(text: str) -> tuple[str, float]:
    """Parse ``DIRECTION[=AMOUNT]``: return the name of the direction and the amount, by default 1."""
    name, _, amount = text.partition("=")
    try:
        number = float(amount or 1)
    except ValueError:
        number = float("nan")
    if not -10 <= number <= 10 or not name:
        raise InputError(
            "--along", expected="a direction and a number from -10 to 10, e.g. smile=1.5", found=repr(text)
        )
    return name, number


def find_directions(
    shell: Shell,
    data: options.Data,
    out: Annotated[Path, typer.Option("--out", "-o", help="The .safetensors file to write.")],
    split: Annotated[Split, typer.Option("--split", help="Split whose faces are used.")] = Split.TRAIN,
    count: Annotated[int, typer.Option("--count", "-n", min=4, help="Maximum number of faces.")] = 2000,
    weights: options.VAEWeights = None,
    device: options.Device = "auto",
    overwrite: options.Overwrite = False,
) -> None:
    """Find the direction of each of a data set's attributes in MaskVAE's latent space.

    Prints the path of the file, for `maskgan reshape --along ATTRIBUTE --directions FILE`. It works only with the
    MaskVAE that it was made with. The built-in directions (smile, hair-length, ...) need no file.
    """
    from maskgan_cli.data.prepared import PreparedData
    from maskgan_cli.weights.lookup import find_weights, named_with_origin

    prepared = PreparedData.load(data)
    samples = prepared.split(split.value)[:count]
    file = find_weights(weights, "vae")
    import torch

    from maskgan_cli.editing.masks.directions import attribute_directions, kept_directions, origin, write_directions
    from maskgan_cli.editing.masks.interpolate import MaskManifold
    from maskgan_cli.files import read_label_map, refuse_existing

    manifold = MaskManifold(file, device)
    inputs = origin(vae=manifold.weights.sha256, data=prepared.hash, split=split.value, faces=len(samples))
    found = None if overwrite else kept_directions(out, inputs)
    if kept := found is not None:
        shell.say(f"kept {out}, made from the same faces and weights")
    else:
        if not overwrite:
            refuse_existing(out)
        shell.say(f"encoding {counted(len(samples), 'mask')} with {named_with_origin(file, 'vae')}")
        tracked = shell.track(samples, len(samples), "encoding")
        found = attribute_directions(torch.cat([manifold.encode(read_label_map(s.mask)) for s in tracked]), samples)
        write_directions(out, found, inputs, overwrite=overwrite)
    shell.wrote(out)
    shell.finish(
        {"directions": sorted(found), "vae": manifold.weights.sha256, "kept": kept},
        next_command=[
            "maskgan",
            "reshape",
            samples[0].image,
            "--along",
            min(found),
            "--directions",
            out,
            "--vae-weights",
            file,
            *options.own_generator(),
            "-o",
            "reshaped.png",
        ],
    )
