"""``render``, ``swap-mouth``, ``swap``, ``style-copy`` and ``transfer``: one picture, or a list of pairs in batches."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maskgan_cli.cli.edits import Editing, Masks, Pasting, faces_of, rows_of, run_edits
from maskgan_cli.cli.shell import Shell, stage
from maskgan_cli.editing.options import Edge, Inside
from maskgan_cli.errors import InputError

if TYPE_CHECKING:
    from maskgan_cli.editing.edits import Edit, Row
    from maskgan_cli.editing.faces import ReadFace

_TWO_FACES = ("source", "target"), ("source_mask", "target_mask", "output")

Out = Annotated[Path, typer.Option("--out", "-o", help="The picture, or a folder for it; with --pairs, a folder.")]
Fit = Annotated[
    bool | None,
    typer.Option(
        "--fit/--as-is",
        help="Bring TGT's parts onto SRC's face by the faces' points, or replace them where they are, as in the paper. "
        "If neither is given, edits that are pasted back are fitted, bare paintings are not.",
    ),
]
InsideOf = Annotated[
    Inside,
    typer.Option(
        "--inside",
        help="Where the inside of a mouth comes from, with --edge move: SRC's photo, TGT (the reference), or painted. "
        "auto: SRC's own if it is open enough, else TGT's. `maskgan inspect` says which was used.",
    ),
]
RenderInside = Annotated[
    Inside,
    typer.Option(
        "--inside",
        help="Where the inside of a mouth comes from, with --edge move: STYLE_IMAGE's photo, a reference, or painted. "
        "auto: STYLE_IMAGE's own if it is open enough, else that of --reference, if one is given.",
    ),
]
Source = Annotated[Path | None, typer.Argument(metavar="[SRC]", help="The face to edit: its look stays.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for name, function in (
        ("render", render), ("swap-mouth", swap_mouth), ("swap", swap), ("style-copy", style_copy),
        ("transfer", transfer),
    ):  # fmt: skip
        stage(app, name, rich_help_panel="Editing")(function)


def render(
    shell: Shell,
    mask: Annotated[Path | None, typer.Argument(metavar="[MASK]", help="The edited mask: the shape.")] = None,
    style_image: Annotated[
        Path | None, typer.Argument(metavar="[STYLE_IMAGE]", help="The face whose look is kept.")
    ] = None,
    out: Out = Path("rendered.png"),
    style_mask: Annotated[
        Path | None, typer.Option("--style-mask", help="Mask of STYLE_IMAGE, if it is not beside it.")
    ] = None,
    onnx: Annotated[
        Path | None,
        typer.Option("--onnx", help="Paint with this file of `maskgan weights export`; no other weights are needed."),
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option("--reference", help="Another face, whose photo may show the inside of a newly opened mouth."),
    ] = None,
    reference_mask: Annotated[
        Path | None, typer.Option("--reference-mask", help="Mask of --reference, if it is not beside it.")
    ] = None,
    inside: RenderInside = Inside.AUTO,
    *,
    pasting: Pasting,
    editing: Editing,
) -> None:
    """Paint the face of STYLE_IMAGE in the shape of MASK.

    With --pairs, columns are mask,style_image[,style_mask,reference,reference_mask][,output].
    """
    from maskgan_cli.editing.edits import render_edits

    if onnx is not None and onnx.suffix != ".onnx":
        raise InputError("--onnx", expected="a file whose name ends in .onnx", found=str(onnx))
    blend = replace(pasting.asked(), inside=inside)
    if inside is not Inside.AUTO and blend.edge is not Edge.MOVE:
        raise InputError("--inside", expected="--edge move with it", found=f"--edge {blend.edge.value}")
    given = {"mask": mask, "style_image": style_image, "style_mask": style_mask}
    given |= {"reference": reference, "reference_mask": reference_mask}
    optional = ("style_mask", "reference", "reference_mask", "output")
    rows = rows_of(given, editing.pairs, ("mask", "style_image"), optional)
    run_edits(shell, partial(render_edits, blend=blend), rows, out, editing, onnx)


def swap_mouth(
    shell: Shell,
    source: Source = None,
    target: Annotated[Path | None, typer.Argument(metavar="[TGT]", help="The face whose mouth shape is taken.")] = None,
    out: Out = Path("swapped.png"),
    fit: Fit = None,
    inside: InsideOf = Inside.AUTO,
    *,
    masks: Masks,
    pasting: Pasting,
    editing: Editing,
) -> None:
    """Give SRC the mouth shape of TGT (mouth and both lips); look and identity stay SRC's.

    In the paper's words, SRC is the target image, whose style and identity are kept, and TGT the source of the shape.

    With --pairs, columns are source,target[,source_mask,target_mask][,output].
    """
    swap(shell, source, target, "mouth", out, fit, inside, masks=masks, pasting=pasting, editing=editing)


def swap(
    shell: Shell,
    source: Source = None,
    target: Annotated[
        Path | None, typer.Argument(metavar="[TGT]", help="The face whose shape is taken, nothing else.")
    ] = None,
    parts: Annotated[
        str, typer.Option("--parts", help="Classes or groups, e.g. hair,eyes,mouth (see docs/label-maps.md).")
    ] = "mouth",
    out: Out = Path("swapped.png"),
    fit: Fit = None,
    inside: InsideOf = Inside.AUTO,
    *,
    masks: Masks,
    pasting: Pasting,
    editing: Editing,
) -> None:
    """Give SRC the shape of some of TGT's parts; look and identity stay SRC's.

    In the paper's words, SRC is the target image, whose style and identity are kept, and TGT the source of the shape.

    With --pairs, columns are source,target[,source_mask,target_mask][,output].
    """
    from maskgan_cli.editing.edits import swap_edits
    from maskgan_cli.labels import part_ids

    try:
        ids = part_ids(parts)
    except ValueError as error:
        raise InputError("--parts", found=str(error)) from None
    blend = replace(pasting.asked(), inside=inside)
    if inside is not Inside.AUTO and (blend.edge is not Edge.MOVE or not set(ids) & set(part_ids("mouth"))):
        raise InputError("--inside", expected="a mouth among the parts, and --edge move", found=inside.value)
    rows = rows_of(faces_of(source, target, masks), editing.pairs, *_TWO_FACES)
    run_edits(shell, partial(swap_edits, parts=ids, blend=blend, fit=fit), rows, out, editing)


def style_copy(
    shell: Shell,
    source: Annotated[Path | None, typer.Argument(metavar="[SRC]", help="The face whose shape stays.")] = None,
    target: Annotated[Path | None, typer.Argument(metavar="[TGT]", help="The face whose look is copied.")] = None,
    out: Out = Path("styled.png"),
    *,
    masks: Masks,
    editing: Editing,
) -> None:
    """Paint SRC's shape (its whole mask) in TGT's look: skin, hair colour, light and identity are TGT's.

    In the paper's words, TGT is the target image, whose style is kept, and SRC gives the mask.

    Nothing of SRC's own pixels stays in the face: in a photo, the head looks painted, the more so the finer the photo
    is and the less the weights have seen of photos (the bundled ones: rendered faces alone).

    With --pairs, columns are source,target[,source_mask,target_mask][,output].
    """
    from maskgan_cli.editing.edits import style_edits

    rows = rows_of(faces_of(source, target, masks), editing.pairs, *_TWO_FACES)

    def edit_of(row: Row, *, read: ReadFace) -> Edit[Any]:
        edit = style_edits(row, read=read)
        if edit.place is not None:
            shell.say(f"{row['source']}: the whole head is painted anew, and will look painted in the photo")
        return edit

    run_edits(shell, edit_of, rows, out, editing)


def transfer(
    shell: Shell,
    source: Source = None,
    target: Annotated[
        Path | None, typer.Argument(metavar="[TGT]", help="The face that has it; StarGAN does without.")
    ] = None,
    attribute: Annotated[str, typer.Option("--attribute", help="By CelebA's name, e.g. Smiling.")] = "Smiling",
    out: Out = Path("transferred.png"),
    remove: Annotated[bool, typer.Option("--remove", help="StarGAN: take the attribute away.")] = False,
    strength: Annotated[
        float | None, typer.Option("--strength", min=0.0, max=3.0, help="ELEGANT: how far to go (1).")
    ] = None,
    fit: Fit = None,
    *,
    masks: Masks,
    pasting: Pasting,
    editing: Editing,
) -> None:
    """Give SRC an attribute, by any method.

    The methods that paint masks take the parts of TGT that show it; ELEGANT takes it from TGT's picture; StarGAN
    sets it. Which parts show what: docs/baselines.md.

    With --pairs, columns are source,target[,source_mask,target_mask][,output].
    """
    from maskgan_cli.editing.methods import method_named
    from maskgan_cli.editing.transfer import attribute_edits, parts_of, shape_edits

    entry, blend = method_named(editing.method), pasting.asked()
    if remove and (entry.masks or entry.exemplar):
        raise InputError("--remove", expected="--method stargan; here TGT decides", found=f"--method {editing.method}")
    if strength is not None and (entry.masks or not entry.exemplar):
        raise InputError("--strength", expected="--method elegant", found=f"--method {editing.method}")
    columns, more = _TWO_FACES
    alone = not entry.masks and not entry.exemplar
    needed, optional = (columns[:1], (*columns[1:], *more)) if alone else (columns, more)
    rows = rows_of(faces_of(source, target, masks), editing.pairs, needed, optional)
    if entry.masks:
        parts_of(attribute)
        run_edits(
            shell, partial(shape_edits, attribute=attribute, blend=blend, fit=fit), rows, out, editing, any_method=True
        )
        return
    asked = {"--save-masks": editing.save_masks, "--blend": blend.wanted}
    if unfit := [name for name, value in asked.items() if value]:
        raise InputError(unfit[0], expected="a method that paints masks", found=f"--method {editing.method}")
    make = partial(
        attribute_edits, attribute=attribute, value=not remove, exemplar=entry.exemplar,
        strength=1.0 if strength is None else strength,
    )  # fmt: skip
    run_edits(shell, make, rows, out, editing, any_method=True)
