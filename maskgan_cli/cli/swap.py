"""``swap-mouth``, ``swap``, ``style-copy`` and ``transfer``: edits with a second face, for one pair or a list."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maskgan_cli.cli.editing import Editing, Masks, Out, Pasting, faces_of, rows_of, run_edits
from maskgan_cli.cli.shell import Shell
from maskgan_cli.editing.options import Edge, Hair, Inside
from maskgan_cli.errors import InputError

if TYPE_CHECKING:
    from maskgan_cli.editing.edit import Edit
    from maskgan_cli.editing.faces.face import ReadFace
    from maskgan_cli.editing.file_edits import Row

_TWO_FACES = ("source", "target"), ("source_mask", "target_mask", "output")

Fit = Annotated[
    bool | None,
    typer.Option(
        "--fit/--as-is",
        help="Align REFERENCE's parts with FACE by facial landmarks, or copy them at their position, as in the paper. "
        "Default: --fit if the edit is pasted into a photo, else --as-is.",
    ),
]
InsideOf = Annotated[
    Inside,
    typer.Option(
        "--inside",
        help="Source of the inside of an opened mouth, with --edge move: photo (FACE), reference (REFERENCE) or "
        "painted (generated). auto: FACE if its mouth is open enough, else REFERENCE. `maskgan inspect` shows which "
        "was used.",
    ),
]
HairOf = Annotated[
    Hair,
    typer.Option(
        "--hair",
        help="Source of swapped hair, with --edge move: reference (REFERENCE, in the colours of FACE's hair) or "
        "painted (generated). auto: REFERENCE, unless either wears a hat. `maskgan inspect` shows which was used.",
    ),
]
Source = Annotated[Path | None, typer.Argument(metavar="FACE", help="The photo to edit.")]


def swap_mouth(
    shell: Shell,
    source: Source = None,
    target: Annotated[
        Path | None, typer.Argument(metavar="REFERENCE", help="The face whose mouth shape is taken.")
    ] = None,
    out: Out = Path("swapped.png"),
    fit: Fit = None,
    inside: InsideOf = Inside.AUTO,
    *,
    masks: Masks,
    pasting: Pasting,
    editing: Editing,
) -> None:
    """Give FACE the mouth shape of REFERENCE (mouth and both lips).

    Identity, colours and light of FACE are kept. Prints the path of the result.

    Columns of --pairs: source (FACE), target (REFERENCE) and, if needed, source_mask, target_mask, output.
    """
    swap(shell, source, target, "mouth", out, fit, inside, Hair.AUTO, masks=masks, pasting=pasting, editing=editing)


def swap(
    shell: Shell,
    source: Source = None,
    target: Annotated[Path | None, typer.Argument(metavar="REFERENCE", help="The face whose shapes are taken.")] = None,
    parts: Annotated[
        str, typer.Option("--parts", help="Classes or groups of classes, e.g. hair,eyes,mouth (docs/label-maps.md).")
    ] = "mouth",
    out: Out = Path("swapped.png"),
    fit: Fit = None,
    inside: InsideOf = Inside.AUTO,
    hair: HairOf = Hair.AUTO,
    *,
    masks: Masks,
    pasting: Pasting,
    editing: Editing,
) -> None:
    """Give parts of FACE the shape that they have in REFERENCE.

    Identity, colours and light of FACE are kept. Prints the path of the result.

    Columns of --pairs: source (FACE), target (REFERENCE) and, if needed, source_mask, target_mask, output.
    """
    from maskgan_cli.editing.file_edits import swap_edits
    from maskgan_cli.labels import part_ids

    try:
        ids = part_ids(parts)
    except ValueError as error:
        raise InputError("--parts", found=str(error)) from None
    blend = replace(pasting.blend_options(), inside=inside, hair=hair)
    if hair is not Hair.AUTO and (blend.edge is not Edge.MOVE or not set(ids) & set(part_ids("hair"))):
        raise InputError("--hair", expected="hair among the parts, and --edge move", found=hair.value)
    if inside is not Inside.AUTO and (blend.edge is not Edge.MOVE or not set(ids) & set(part_ids("mouth"))):
        raise InputError("--inside", expected="a mouth among the parts, and --edge move", found=inside.value)
    rows = rows_of(faces_of(source, target, masks), editing.pairs, *_TWO_FACES)

    def edit_of(row: Row, *, read: ReadFace) -> Edit[Any]:
        edit = swap_edits(row, ids, blend=blend, fit=fit, read=read)
        if kept := edit.settings.get("kept"):
            shell.say(f"{row['source']}: {', '.join(kept)} not replaced: hidden in it or in {row['target']}")
        return edit

    run_edits(shell, edit_of, rows, out, editing)


def style_copy(
    shell: Shell,
    source: Annotated[Path | None, typer.Argument(metavar="FACE", help="The face whose shape is kept.")] = None,
    target: Annotated[Path | None, typer.Argument(metavar="REFERENCE", help="The face whose style is copied.")] = None,
    out: Out = Path("styled.png"),
    parts: Annotated[
        str,
        typer.Option(
            "--parts", help="Copy the style of these parts only, e.g. hair,lips (--method sean). Default: all."
        ),
    ] = "",
    *,
    masks: Masks,
    editing: Editing,
) -> None:
    """Give FACE the style of REFERENCE: skin, hair colour, light and identity.

    The shape (the whole mask) of FACE is kept, but none of its pixels, so a photo gets a generated head. It looks
    artificial if the photo has more detail than the network can generate. Prints the path of the result.

    Columns of --pairs: source (FACE), target (REFERENCE) and, if needed, source_mask, target_mask, output.
    """
    from maskgan_cli.editing.file_edits import style_edits
    from maskgan_cli.editing.methods import method_named
    from maskgan_cli.labels import part_ids

    ids: tuple[int, ...] | None = None
    if parts:
        if not method_named(editing.method, masks=True).by_part:
            raise InputError(
                "--parts", expected="--method sean, which has a style for each part", found=f"--method {editing.method}"
            )
        try:
            ids = part_ids(parts)
        except ValueError as error:
            raise InputError("--parts", found=str(error)) from None
    rows = rows_of(faces_of(source, target, masks), editing.pairs, *_TWO_FACES)

    def edit_of(row: Row, *, read: ReadFace) -> Edit[Any]:
        edit = style_edits(row, parts=ids, read=read)
        if edit.place is not None:
            shell.say(f"{row['source']}: the whole head is generated, and may look artificial in the photo")
        return edit

    run_edits(shell, edit_of, rows, out, editing)


def transfer(
    shell: Shell,
    source: Source = None,
    target: Annotated[
        Path | None,
        typer.Argument(metavar="REFERENCE", help="A face with the attribute; not needed with --method stargan."),
    ] = None,
    attribute: Annotated[str, typer.Option("--attribute", help="CelebA's name of the attribute.")] = "Smiling",
    out: Out = Path("transferred.png"),
    remove: Annotated[bool, typer.Option("--remove", help="Remove the attribute (StarGAN only).")] = False,
    strength: Annotated[
        float | None,
        typer.Option("--strength", min=0.0, max=3.0, help="Strength of the edit (ELEGANT only). Default: 1."),
    ] = None,
    fit: Fit = None,
    *,
    masks: Masks,
    pasting: Pasting,
    editing: Editing,
) -> None:
    """Give FACE an attribute, such as a smile, with the paper's method or a baseline.

    Methods that use masks copy the shape of the attribute's parts from REFERENCE (docs/baselines.md lists the parts);
    ELEGANT copies the attribute from the picture of REFERENCE; StarGAN sets it. Prints the path of the result.

    Columns of --pairs: source (FACE), target (REFERENCE) and, if needed, source_mask, target_mask, output.
    """
    from maskgan_cli.editing.methods import method_named
    from maskgan_cli.editing.transfer import attribute_edits, parts_of, shape_edits

    entry, blend = method_named(editing.method), pasting.blend_options()
    if remove and (entry.masks or entry.exemplar):
        raise InputError("--remove", expected="--method stargan", found=f"--method {editing.method}")
    if strength is not None and (entry.masks or not entry.exemplar):
        raise InputError("--strength", expected="--method elegant", found=f"--method {editing.method}")
    columns, more = _TWO_FACES
    one_face = not entry.masks and not entry.exemplar
    needed, optional = (columns[:1], (*columns[1:], *more)) if one_face else (columns, more)
    rows = rows_of(faces_of(source, target, masks), editing.pairs, needed, optional)
    if entry.masks:
        parts_of(attribute)  # raises an error for attributes that no part shows
        make: Any = partial(shape_edits, attribute=attribute, blend=blend, fit=fit)
        run_edits(shell, make, rows, out, editing, any_method=True)
        return
    mask_options = {"--save-masks": editing.save_masks, "--blend": blend.wanted}
    if given := [name for name, value in mask_options.items() if value]:
        raise InputError(given[0], expected="a method that uses masks", found=f"--method {editing.method}")
    make = partial(
        attribute_edits,
        attribute=attribute,
        value=not remove,
        exemplar=entry.exemplar,
        strength=1.0 if strength is None else strength,
    )
    run_edits(shell, make, rows, out, editing, any_method=True)
