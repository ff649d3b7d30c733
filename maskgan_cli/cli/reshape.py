"""``reshape``: edits that need no second face; ``find-directions``: ways for its ``--along``."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.edit import Out
from maskgan_cli.cli.edits import Editing, Pasting, rows_of, run_edits
from maskgan_cli.cli.shell import Shell, counted, stage
from maskgan_cli.editing.options import Accessories
from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.choices import Split


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    stage(app, "reshape", rich_help_panel="Editing")(reshape)
    stage(app, "find-directions", rich_help_panel="Editing")(find_directions)


def reshape(
    shell: Shell,
    source: Annotated[Path | None, typer.Argument(metavar="[FACE]", help="The face to edit.")] = None,
    part: Annotated[str, typer.Option("--part", help="Classes or groups, e.g. hair or nose.")] = "",
    grow: Annotated[float, typer.Option("--grow", help="How far the outline goes out, or in if below 0.")] = 0.0,
    move: Annotated[str, typer.Option("--move", help="Right and down, e.g. 10,-4.")] = "0,0",
    scale: Annotated[float, typer.Option("--scale", min=0.2, max=5.0, help="Times as large, around its middle.")] = 1.0,
    open_mouth: Annotated[float, typer.Option("--open-mouth", min=0, help="How far the lower lip goes down.")] = 0.0,
    close_mouth: Annotated[bool, typer.Option("--close-mouth", help="The lips against each other.")] = False,
    add: Annotated[
        list[str] | None,
        typer.Option("--add", help="Put on glasses, hat, earrings or necklace, or one of them, e.g. hat-fedora."),
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", help="Take off glasses, hat, earrings or necklace.")
    ] = None,
    accessories: Annotated[
        Accessories,
        typer.Option(
            "--accessories",
            help="How --add puts things on photos: drawn as objects over the photo, or painted by the network.",
        ),
    ] = Accessories.DRAWN,
    along: Annotated[
        list[str] | None,
        typer.Option(
            "--along",
            metavar="DIRECTION[=AMOUNT]",
            help="Along MaskVAE's manifold: smile, open-mouth, raise-brows, hair-length, face-width or nose-width; "
            "=2 is twice as far, =-1 the other way.",
        ),
    ] = None,
    vae_weights: Annotated[Path | None, options.weights_of("vae", "--vae-weights", what_for=", for --along")] = None,
    directions: Annotated[
        Path | None, typer.Option("--directions", help="More of them: a file of `maskgan find-directions`.")
    ] = None,
    beyond: Annotated[
        bool, typer.Option("--beyond", help="Let --along go farther than this face looks human.")
    ] = False,
    mask: Annotated[Path | None, typer.Option("--mask", help="Mask of FACE, if it is not beside it.")] = None,
    out: Out = Path("reshaped.png"),
    *,
    pasting: Pasting,
    editing: Editing,
) -> None:
    """Change the shape of a face, without a second face. Lengths are pixels of a face crop of 512 px.

    With --pairs, columns are source[,source_mask][,output].
    """
    from maskgan_cli.editing import library
    from maskgan_cli.editing.accessories.take_off import KINDS
    from maskgan_cli.editing.edits import reshape_edits
    from maskgan_cli.editing.reshape import Reshaping
    from maskgan_cli.labels import part_ids

    try:
        right, down = (float(number) for number in move.split(","))
    except ValueError:
        raise InputError("--move", expected="two numbers, right and down, e.g. 10,-4", found=repr(move)) from None
    if open_mouth and close_mouth:
        raise InputError("--close-mouth", expected="one of the two", found="--open-mouth beside it")
    changes = bool(grow or right or down or scale != 1.0)
    if changes != bool(part):
        found = "no --part" if changes else "nothing to do with it"
        raise InputError("--part", expected="a part with --grow, --move or --scale", found=found)
    if not (changes or open_mouth or close_mouth or add or remove or along):
        raise InputError("--part", expected="something to do, e.g. --part hair --grow 12", found="nothing")
    try:
        parts = part_ids(part) if part else ()
    except ValueError as error:
        raise InputError("--part", found=str(error)) from None
    for name in add or ():
        library.item(name)
    for name in remove or ():
        library.known("--remove", name, KINDS)
    ways = tuple(_way(text) for text in along or ())
    if not ways and directions is not None:
        raise InputError("--directions", expected="--along with it", found="none")
    if not ways and beyond:
        raise InputError("--beyond", expected="--along with it", found="none")
    for name, _ in ways if directions is None else ():
        library.known("--along", name, library.DIRECTIONS)
    how = Reshaping(
        parts, grow, (right, down), scale, -1.0 if close_mouth else open_mouth, ways, tuple(add or ()), beyond,
        tuple(remove or ()),
    )  # fmt: skip
    rows = rows_of({"source": source, "source_mask": mask}, editing.pairs, ("source",), ("source_mask", "output"))
    make = partial(reshape_edits, how=how, blend=replace(pasting.asked(), accessories=accessories))
    if ways:
        from maskgan_cli.editing.faces import check_files
        from maskgan_cli.weights.lookup import find_weights, named_with_origin

        if editing.pairs is None:
            check_files(path for role, path in rows[0].items() if role != "output")
        file = find_weights(vae_weights, "vae", "--vae-weights")
        from maskgan_cli.editing.directions import Directions
        from maskgan_cli.editing.interpolate import MaskManifold

        make.keywords["directions"] = Directions(MaskManifold(file, editing.device), directions, shell.say)
        shell.say(f"along directions of {named_with_origin(file, 'vae')}")
    run_edits(shell, make, rows, out, editing)


def _way(text: str) -> tuple[str, float]:
    """``DIRECTION[=AMOUNT]`` -> its name and how far."""
    name, _, amount = text.partition("=")
    try:
        number = float(amount or 1)
    except ValueError:
        number = float("nan")
    if not -10 <= number <= 10 or not name:
        raise InputError("--along", expected="a direction and a number from -10 to 10, e.g. smile=1.5",
                         found=repr(text))  # fmt: skip
    return name, number


def find_directions(
    shell: Shell,
    data: options.Data,
    out: Annotated[Path, typer.Option("--out", "-o", help="The file of directions (.safetensors).")],
    split: Annotated[Split, typer.Option("--split", help="Whose faces are looked at.")] = Split.TRAIN,
    count: Annotated[int, typer.Option("--count", "-n", min=4, help="How many faces, at most.")] = 2000,
    weights: options.VAEWeights = None,
    device: options.Device = "auto",
    overwrite: options.Overwrite = False,
) -> None:
    """Find, in MaskVAE's codes, the direction of every attribute that a data set's faces differ in.

    They are that MaskVAE's alone: `maskgan reshape --along ATTRIBUTE --directions FILE` refuses them with another.
    The package's own directions (smile, hair-length, ...) need no file: they are found for any MaskVAE when asked for.
    """
    from maskgan_cli.data.prepared import PreparedData
    from maskgan_cli.weights.lookup import find_weights, named_with_origin

    prepared = PreparedData.load(data)
    samples = prepared.split(split.value)[:count]
    file = find_weights(weights, "vae")
    import torch

    from maskgan_cli.editing.directions import attribute_directions, kept_directions, origin, write_directions
    from maskgan_cli.editing.interpolate import MaskManifold
    from maskgan_cli.files import read_label_map, refuse_existing

    manifold = MaskManifold(file, device)
    about = origin(vae=manifold.weights.sha256, data=prepared.hash, split=split.value, faces=len(samples))
    found = None if overwrite else kept_directions(out, about)
    if kept := found is not None:
        shell.say("there already, found in the same faces with the same weights")
    else:
        if not overwrite:
            refuse_existing(out)
        shell.say(f"codes of {counted(len(samples), 'mask')} by {named_with_origin(file, 'vae')}")
        tracked = shell.track(samples, len(samples), "encoding")
        found = attribute_directions(torch.cat([manifold.encode(read_label_map(s.mask)) for s in tracked]), samples)
        write_directions(out, found, about, overwrite=overwrite)
    shell.wrote(out)
    shell.finish(
        {"directions": sorted(found), "vae": manifold.weights.sha256, "kept": kept},
        next_command=["maskgan", "reshape", samples[0].image, "--along", min(found), "--directions", out,
                      "--vae-weights", file, *options.own_generator(), "-o", "reshaped.png"],
    )  # fmt: skip
