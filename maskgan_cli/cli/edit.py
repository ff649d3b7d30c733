"""``render``, ``swap-mouth``, ``swap`` and ``style-copy``: one picture, or a list of pairs in batches."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.shell import Shell, stage
from maskgan_cli.editing.options import Blend, Edge
from maskgan_cli.errors import InputError

if TYPE_CHECKING:
    from maskgan_cli.editing.jobs import Edit

_SHEET_ROWS = 32

Out = Annotated[Path, typer.Option("--out", "-o", help="The picture; with --pairs, a folder.")]
Pairs = Annotated[
    str | None,
    typer.Option("--pairs", help="A list of pairs (CSV with a header, or lines of paths); - reads standard input."),
]
SourceMask = Annotated[Path | None, typer.Option("--src-mask", help="Mask of SRC, if it is not beside it.")]
TargetMask = Annotated[Path | None, typer.Option("--tgt-mask", help="Mask of TGT, if it is not beside it.")]
Source = Annotated[Path | None, typer.Argument(metavar="[SRC]", help="The face to edit.")]
BatchSize = Annotated[int, typer.Option("--batch-size", min=1, help="Pictures painted at once.")]
Sheet = Annotated[Path | None, typer.Option("--sheet", help="Also one picture of inputs, masks and results.")]
SaveMasks = Annotated[bool, typer.Option("--save-masks", help="Also NAME.mask.png, the mask that was painted.")]
Pasted = Annotated[
    bool | None,
    typer.Option(
        "--blend/--no-blend",
        help="Paste the painting back over SRC: pixels away from the edit stay as they are. "
        "If neither is given, swaps on photos are pasted back, faces of a prepared data set are painted bare.",
    ),
]
EdgeKind = Annotated[
    Edge | None, typer.Option("--edge", help="How it is joined: in SRC's light and grain, or by fading out.")
]
Softness = Annotated[
    float | None,
    typer.Option("--softness", min=0.001, max=0.5, help="Width of the soft edge, as a share of the side (0.05)."),
]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for name, function in (
        ("render", render), ("swap-mouth", swap_mouth), ("swap", swap), ("style-copy", style_copy)
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
    pairs: Pairs = None,
    weights: options.Weights = None,
    onnx: Annotated[
        Path | None,
        typer.Option("--onnx", help="Paint with this file of `maskgan weights export`; no other weights are needed."),
    ] = None,
    parser_weights: options.ParserWeights = None,
    blend: Pasted = None,
    edge: EdgeKind = None,
    softness: Softness = None,
    sheet: Sheet = None,
    batch_size: BatchSize = 8,
    device: options.Device = "auto",
    overwrite: options.Overwrite = False,
) -> None:
    """Paint the face of STYLE_IMAGE in the shape of MASK.

    With --pairs, columns are mask,style_image[,style_mask][,output].
    """
    from maskgan_cli.editing.jobs import render_edits

    if onnx is not None and onnx.suffix != ".onnx":
        raise InputError("--onnx", expected="a file whose name ends in .onnx", found=str(onnx))
    given = {"mask": mask, "style_image": style_image, "style_mask": style_mask}
    _run(
        shell, partial(render_edits, blend=_blend(blend, edge, softness)),
        _rows(given, pairs, ("mask", "style_image"), ("style_mask", "output")),
        out=out, listed=pairs is not None, weights=onnx or weights, parser_weights=parser_weights, sheet=sheet,
        save_masks=False, batch_size=batch_size, device=device, overwrite=overwrite,
    )  # fmt: skip


def swap_mouth(
    shell: Shell,
    source: Source = None,
    target: Annotated[Path | None, typer.Argument(metavar="[TGT]", help="The face whose mouth shape is taken.")] = None,
    out: Out = Path("swapped.png"),
    src_mask: SourceMask = None,
    tgt_mask: TargetMask = None,
    pairs: Pairs = None,
    weights: options.Weights = None,
    parser_weights: options.ParserWeights = None,
    blend: Pasted = None,
    edge: EdgeKind = None,
    softness: Softness = None,
    sheet: Sheet = None,
    save_masks: SaveMasks = False,
    batch_size: BatchSize = 8,
    device: options.Device = "auto",
    overwrite: options.Overwrite = False,
) -> None:
    """Give SRC the mouth shape of TGT (mouth and both lips); look and identity stay SRC's.

    With --pairs, columns are source,target[,source_mask,target_mask][,output].
    """
    swap(
        shell, source, target, "mouth", out, src_mask, tgt_mask, pairs, weights, parser_weights, blend, edge,
        softness, sheet, save_masks, batch_size, device, overwrite,
    )  # fmt: skip


def swap(
    shell: Shell,
    source: Source = None,
    target: Annotated[Path | None, typer.Argument(metavar="[TGT]", help="The face whose shape is taken.")] = None,
    parts: Annotated[
        str, typer.Option("--parts", help="Classes or groups, e.g. hair,eyes,mouth (see docs/label-maps.md).")
    ] = "mouth",
    out: Out = Path("swapped.png"),
    src_mask: SourceMask = None,
    tgt_mask: TargetMask = None,
    pairs: Pairs = None,
    weights: options.Weights = None,
    parser_weights: options.ParserWeights = None,
    blend: Pasted = None,
    edge: EdgeKind = None,
    softness: Softness = None,
    sheet: Sheet = None,
    save_masks: SaveMasks = False,
    batch_size: BatchSize = 8,
    device: options.Device = "auto",
    overwrite: options.Overwrite = False,
) -> None:
    """Give SRC the shape of some of TGT's parts; look and identity stay SRC's.

    With --pairs, columns are source,target[,source_mask,target_mask][,output].
    """
    from maskgan_cli.editing.jobs import swap_edits
    from maskgan_cli.labels import part_ids

    try:
        ids = part_ids(parts)
    except ValueError as error:
        raise InputError("--parts", found=str(error)) from None
    given = {"source": source, "target": target, "source_mask": src_mask, "target_mask": tgt_mask}
    _run(
        shell, partial(swap_edits, parts=ids, blend=_blend(blend, edge, softness)),
        _rows(given, pairs, ("source", "target"), ("source_mask", "target_mask", "output")),
        out=out, listed=pairs is not None, weights=weights, parser_weights=parser_weights, sheet=sheet,
        save_masks=save_masks, batch_size=batch_size, device=device, overwrite=overwrite,
    )  # fmt: skip


def style_copy(
    shell: Shell,
    source: Source = None,
    target: Annotated[Path | None, typer.Argument(metavar="[TGT]", help="The face whose style is copied.")] = None,
    out: Out = Path("styled.png"),
    src_mask: SourceMask = None,
    tgt_mask: TargetMask = None,
    pairs: Pairs = None,
    weights: options.Weights = None,
    parser_weights: options.ParserWeights = None,
    sheet: Sheet = None,
    batch_size: BatchSize = 8,
    device: options.Device = "auto",
    overwrite: options.Overwrite = False,
) -> None:
    """Paint SRC's geometry in TGT's style.

    With --pairs, columns are source,target[,source_mask,target_mask][,output].
    """
    from maskgan_cli.editing.jobs import style_edits

    given = {"source": source, "target": target, "source_mask": src_mask, "target_mask": tgt_mask}
    _run(
        shell, style_edits, _rows(given, pairs, ("source", "target"), ("source_mask", "target_mask", "output")),
        out=out, listed=pairs is not None, weights=weights, parser_weights=parser_weights, sheet=sheet,
        save_masks=False, batch_size=batch_size, device=device, overwrite=overwrite,
    )  # fmt: skip


def _blend(wanted: bool | None, edge: Edge | None, softness: float | None) -> Blend:
    """``--blend``, ``--edge`` and ``--softness``: a softness without an edge asks for the soft one."""
    if softness is not None and edge is Edge.SEAMLESS:
        raise InputError("--softness", expected="--edge soft with it", found="--edge seamless")
    edge = edge or (Edge.SEAMLESS if softness is None else Edge.SOFT)
    return Blend(wanted, edge, softness or Blend.softness)


def _rows(
    given: dict[str, Path | None], pairs: str | None, columns: tuple[str, ...], optional: tuple[str, ...]
) -> list[dict[str, Path]]:
    """The one row of the arguments, or the rows of ``--pairs``."""
    from maskgan_cli.editing.faces import read_pairs

    named = {name: path for name, path in given.items() if path is not None}
    if pairs is not None:
        if named:
            raise InputError("--pairs", expected="a list alone", found=f"{next(iter(named.values()))} beside it")
        return read_pairs(pairs, columns, optional)
    if missing := [name.upper() for name in columns if name not in named]:
        raise InputError(f"missing {' and '.join(missing)}", hint="name two files, or a list with --pairs")
    return [named]


def _run(
    shell: Shell,
    make: Callable[..., Edit],
    rows: list[dict[str, Path]],
    *,
    out: Path,
    listed: bool,
    weights: Path | None,
    parser_weights: Path | None,
    sheet: Path | None,
    save_masks: bool,
    batch_size: int,
    device: str,
    overwrite: bool,
) -> None:
    """Paint every row, report every file. ``make`` takes the row and ``make_mask``."""
    from maskgan_cli.editing import jobs
    from maskgan_cli.editing.parse import MaskMaker
    from maskgan_cli.editing.render import Renderer
    from maskgan_cli.files import refuse_existing, write_image
    from maskgan_cli.weights.lookup import find_weights, named_with_origin

    weights = find_weights(weights, "dmn")
    if sheet is not None and not overwrite:
        refuse_existing(sheet)
    paths = jobs.output_paths(rows, out, listed=listed)
    renderer = Renderer(weights, device)
    shell.say(f"painting at {renderer.size} px with {named_with_origin(weights, 'dmn')}")
    results = jobs.run_edits(
        zip(rows, paths, strict=True),
        partial(make, make_mask=MaskMaker(parser_weights, device, shell.say)),
        renderer,
        batch_size=batch_size,
        save_masks=save_masks,
        overwrite=overwrite,
    )
    shown: list[jobs.Result] = []
    records = []
    for result in shell.track(results, len(rows), "painting"):
        shell.wrote(result.path)
        if result.mask is not None:
            shell.wrote(result.mask)
        records.append({"image": str(result.path), "mask": result.mask and str(result.mask), **result.note})
        if sheet is not None and len(shown) < _SHEET_ROWS:
            shown.append(result)
    if sheet is not None:
        shell.wrote(write_image(sheet, jobs.sheet(shown, max(renderer.size, 128)), overwrite=overwrite))
    shell.finish({"results": records})
