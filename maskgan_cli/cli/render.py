"""``render``: renders a face in the shape of an edited mask."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from maskgan_cli.cli.editing import Editing, Out, Pasting, rows_of, run_edits
from maskgan_cli.cli.shell import Shell
from maskgan_cli.editing.options import Edge, Inside
from maskgan_cli.errors import InputError


@dataclass(frozen=True)
class References:
    """Options that name other faces, from whose photos the inside of the mouth or the hair is taken."""

    reference: Annotated[
        Path | None, typer.Option("--reference", help="Another face, as a source for the inside of an opened mouth.")
    ] = None
    reference_mask: Annotated[
        Path | None,
        typer.Option("--reference-mask", help="Mask of --reference. Default: the mask beside it, else parsed."),
    ] = None
    inside: Annotated[
        Inside,
        typer.Option(
            "--inside",
            help="Source of the inside of an opened mouth, with --edge move: photo (FACE), reference (--reference) or "
            "painted (generated). auto: FACE if its mouth is open enough, else --reference if given.",
        ),
    ] = Inside.AUTO
    hair_reference: Annotated[
        Path | None,
        typer.Option("--hair-reference", help="Another face, whose hair FACE gets; MASK has this hair already."),
    ] = None
    hair_reference_mask: Annotated[
        Path | None,
        typer.Option(
            "--hair-reference-mask", help="Mask of --hair-reference. Default: the mask beside it, else parsed."
        ),
    ] = None


def render(
    shell: Shell,
    mask: Annotated[Path | None, typer.Argument(metavar="MASK", help="The edited mask: gives the shape.")] = None,
    style_image: Annotated[
        Path | None, typer.Argument(metavar="FACE", help="The photo to edit: gives identity, colours and light.")
    ] = None,
    out: Out = Path("rendered.png"),
    style_mask: Annotated[
        Path | None, typer.Option("--style-mask", help="Mask of FACE. Default: the mask beside it, else parsed.")
    ] = None,
    onnx: Annotated[
        Path | None,
        typer.Option("--onnx", help="Run this file of `maskgan weights export` instead of other weights."),
    ] = None,
    add: Annotated[
        list[str] | None,
        typer.Option(
            "--add",
            help="Put on glasses, hat, earrings or necklace, or a variant such as hat-fedora: drawn over a photo, "
            "painted with --no-blend.",
        ),
    ] = None,
    remove_glasses: Annotated[
        bool, typer.Option("--remove-glasses", help="Fill in the frames of the glasses that FACE wears.")
    ] = False,
    *,
    references: References,
    pasting: Pasting,
    editing: Editing,
) -> None:
    """Render FACE in the shape of an edited MASK.

    Prints the path of the result.

    Columns of --pairs: mask, style_image (FACE) and, if needed, style_mask, reference, reference_mask,
    hair_reference, hair_reference_mask, output.
    """
    from maskgan_cli.editing.file_edits import render_edits
    from maskgan_cli.editing.masks import library

    if onnx is not None and onnx.suffix != ".onnx":
        raise InputError("--onnx", expected="a file whose name ends in .onnx", found=str(onnx))
    inside = references.inside
    blend = replace(pasting.blend_options(), inside=inside)
    if inside is not Inside.AUTO and blend.edge is not Edge.MOVE:
        raise InputError("--inside", expected="--edge move", found=f"--edge {blend.edge.value}")
    for name in add or ():
        library.item(name)
    given = {"mask": mask, "style_image": style_image, "style_mask": style_mask}
    roles = ("reference", "reference_mask", "hair_reference", "hair_reference_mask")
    given |= {role: getattr(references, role) for role in roles}
    rows = rows_of(given, editing.pairs, ("mask", "style_image"), ("style_mask", *roles, "output"))
    make = partial(render_edits, blend=blend, add=tuple(add or ()), bare=remove_glasses)
    run_edits(shell, make, rows, out, editing, onnx)
