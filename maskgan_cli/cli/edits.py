"""What the editing commands share: their options, their rows of files, and the painting of those rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.batch import Batch
from maskgan_cli.cli.shell import Shell, counted
from maskgan_cli.editing.options import Blend, Edge
from maskgan_cli.errors import InputError

if TYPE_CHECKING:
    from maskgan_cli.editing.edits import Edit, Row
    from maskgan_cli.editing.reader import PhotoReader

_SHEET_ROWS = 32


@dataclass(frozen=True)
class Editing:
    """Options of every command that edits faces."""

    pairs: Annotated[
        str | None,
        typer.Option("--pairs", help="A list of pairs (CSV with a header, or lines of paths); - reads standard input."),
    ] = None
    method: Annotated[
        str,
        typer.Option(
            "--method",
            help="Who paints: dmn (the paper's network), pix2pixhd-m, spade; transfer: stargan, elegant too.",
        ),
    ] = "dmn"
    weights: Annotated[
        Path | None,
        typer.Option("--weights", "-w", help="Of that method: a run folder or a .safetensors file (MASKGAN_WEIGHTS)."),
    ] = None
    parser_weights: options.ParserWeights = None
    order: options.Order = options.CELEBAMASK
    sheet: Annotated[Path | None, typer.Option("--sheet", help="Also one picture of inputs, masks and results.")] = None
    save_masks: Annotated[bool, typer.Option("--save-masks", help="Also NAME.mask.png, the mask that was painted.")] = (
        False
    )
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Pictures painted at once.")] = 8
    device: options.Device = "auto"
    crop: Annotated[
        bool | None,
        typer.Option(
            "--crop/--photo",
            help="Take pictures for face crops, or for photos to find a face in; if neither is given, one framed like "
            "CelebA-HQ is a crop.",
        ),
    ] = None
    face: options.Chosen = None
    tgt_face: Annotated[int | None, typer.Option("--tgt-face", min=1, help="Which face of TGT, from the left.")] = None
    force: options.Force = False
    overwrite: options.Overwrite = False


@dataclass(frozen=True)
class Masks:
    """Options of commands that take two faces."""

    src_mask: Annotated[Path | None, typer.Option("--src-mask", help="Mask of SRC, if it is not beside it.")] = None
    tgt_mask: Annotated[Path | None, typer.Option("--tgt-mask", help="Mask of TGT, if it is not beside it.")] = None


@dataclass(frozen=True)
class Pasting:
    """Options of commands that paste a painting back into its photo."""

    blend: Annotated[
        bool | None,
        typer.Option(
            "--blend/--no-blend",
            help="Paste the painting back over SRC: pixels away from the edit stay as they are. "
            "If neither is given, swaps on photos are pasted back, faces of a prepared data set are painted bare.",
        ),
    ] = None
    edge: Annotated[
        Edge | None,
        typer.Option(
            "--edge",
            help="How the edit is composed. move (the default): SRC's own pixels move with its mask, and only what "
            "they lack is painted. seamless: all of the edit is painted, in SRC's light and grain. soft: painted, "
            "fading out.",
        ),
    ] = None
    softness: Annotated[
        float | None,
        typer.Option("--softness", min=0.001, max=0.5, help="Width of the soft edge, as a share of the side (0.05)."),
    ] = None

    def asked(self) -> Blend:
        """What the three say together: a softness without an edge asks for the soft one."""
        if self.softness is not None and self.edge not in (None, Edge.SOFT):
            raise InputError("--softness", expected="--edge soft with it", found=f"--edge {self.edge.value}")
        edge = self.edge or (Edge.MOVE if self.softness is None else Edge.SOFT)
        return Blend(self.blend, edge, self.softness or Blend.softness)


def faces_of(source: Path | None, target: Path | None, masks: Masks) -> dict[str, Path | None]:
    """The files of a command of two faces, by role."""
    return {"source": source, "target": target, "source_mask": masks.src_mask, "target_mask": masks.tgt_mask}


def rows_of(
    given: dict[str, Path | None], pairs: str | None, columns: Sequence[str], optional: Sequence[str]
) -> list[dict[str, Path]]:
    """The one row of the arguments, or the rows of ``--pairs``."""
    from maskgan_cli.editing.faces import read_pairs

    named = {name: path for name, path in given.items() if path is not None}
    if pairs is not None:
        if named:
            raise InputError("--pairs", expected="a list alone", found=f"{next(iter(named.values()))} beside it")
        return read_pairs(pairs, columns, optional)
    if missing := [name.upper() for name in columns if name not in named]:
        raise InputError(
            f"missing {' and '.join(missing)}",
            hint=f"name {'two files' if columns[1:] else 'a file'}, or a list with --pairs",
        )
    return [named]


def run_edits(
    shell: Shell,
    make: Callable[..., Edit[Any]],
    rows: list[dict[str, Path]],
    out: Path,
    asked: Editing,
    onnx: Path | None = None,
    *,
    any_method: bool = False,
) -> None:
    """Paint every row, report every file. ``make`` takes the row and ``read``.

    Whatever is wrong with paths is said before a network, and PyTorch with it, is loaded. Unless it may be
    ``any_method``, it is one that paints masks.
    """
    from maskgan_cli.data.given_masks import MaskRules, mask_rules
    from maskgan_cli.editing import jobs
    from maskgan_cli.editing.edits import every_face
    from maskgan_cli.editing.faces import check_files
    from maskgan_cli.editing.methods import method_named
    from maskgan_cli.editing.outputs import output_paths
    from maskgan_cli.files import refuse_existing, remove_leftovers, write_image
    from maskgan_cli.locks import locked
    from maskgan_cli.weights.lookup import find_weights, named_with_origin

    entry, which = method_named(asked.method, masks=not any_method), options.chosen(asked.face)
    if which is not None and not entry.masks:
        raise InputError("--face", expected="a method that paints masks", found=f"--method {asked.method}")
    sheet, listed = asked.sheet, asked.pairs is not None
    if sheet is not None and not asked.overwrite:
        refuse_existing(sheet)
    paths = output_paths(rows, out, listed=listed, save_masks=asked.save_masks, sheet=sheet)
    batch, work = Batch(shell, len(rows)), []
    for row, path in zip(rows, paths, strict=True):
        with batch.attempt(path):
            check_files(file for role, file in row.items() if role != "output")
            work.append((row, path))
    if not work:
        batch.finish({"results": []})
    weights = onnx or find_weights(asked.weights, entry.kind)
    method = entry.load(weights, asked.device)
    shell.say(f"painting at {method.size} px with {named_with_origin(weights, entry.kind)}")
    read = _reader(shell, asked, which)
    role = "style_image" if "style_image" in rows[0] else "source"

    def edits_of(row: Row) -> list[Edit[Any]]:
        return every_face(make, row, role, read) if which == "all" else [make(row, read=read)]

    shown: list[jobs.Result] = []
    records, kept = [], 0
    rules = mask_rules(MaskRules(asked.order.value, asked.force))
    with rules, locked(out if listed else paths[0], "another edit"):
        if listed:
            remove_leftovers(out)
        results = jobs.run_edits(
            work, edits_of, method, batch_size=asked.batch_size, save_masks=asked.save_masks,
            overwrite=asked.overwrite, attempt=batch.attempt,
        )  # fmt: skip
        for result in shell.track(results, len(rows), "painting"):
            kept += result.kept
            shell.wrote(result.path)
            if result.mask is not None:
                shell.wrote(result.mask)
            records.append({"image": str(result.path), "mask": result.mask and str(result.mask), **result.note})
            if sheet is not None and len(shown) < _SHEET_ROWS:
                shown.append(result)
        if sheet is not None and shown:
            picture = jobs.sheet(shown, max(method.size, 128))
            shell.wrote(write_image(sheet, picture, overwrite=asked.overwrite))
    if kept:
        shell.say(f"{counted(kept, 'result')} there already, made from the same files, weights and settings")
    batch.finish({"results": records, "kept": kept})


def _reader(shell: Shell, asked: Editing, which: int | str | None) -> PhotoReader:
    """What reads the faces: crops or photos, and of those the face that was asked for."""
    from maskgan_cli.editing.options import Taken
    from maskgan_cli.editing.reader import PhotoReader

    taken = {None: Taken.AUTO, True: Taken.CROP, False: Taken.PHOTO}[asked.crop]
    face = which if isinstance(which, int) else None
    numbers = {"source": face, "style_image": face, "target": asked.tgt_face}
    return PhotoReader(
        asked.parser_weights, asked.device, shell.say, force=asked.force, taken=taken,
        numbers={role: number for role, number in numbers.items() if number is not None},
    )  # fmt: skip
