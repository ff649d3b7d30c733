"""Code that the editing commands share: their options, the reading of lists of pairs, and the execution of edits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.batch import FileBatch
from maskgan_cli.cli.shell import Shell, counted
from maskgan_cli.editing.options import Blend, Edge
from maskgan_cli.errors import InputError

if TYPE_CHECKING:
    from maskgan_cli.editing.edit import Edit
    from maskgan_cli.editing.faces.reader import PhotoReader
    from maskgan_cli.editing.file_edits import Row
    from maskgan_cli.editing.jobs import EditResult
    from maskgan_cli.editing.methods import Method

_SHEET_ROWS = 32
_METAVARS = {"source": "FACE", "target": "REFERENCE", "mask": "MASK", "style_image": "FACE"}


Out = Annotated[
    Path, typer.Option("--out", "-o", help="File for the result, or a folder; with --pairs, a folder for the results.")
]


@dataclass(frozen=True)
class Editing:
    """Options of all editing commands."""

    pairs: Annotated[
        str | None,
        typer.Option("--pairs", help="List of pairs to edit: a CSV with a header, or lines of paths; - reads stdin."),
    ] = None
    method: Annotated[
        str,
        typer.Option(
            "--method",
            help="Method: dmn (the paper's network), pix2pixhd-m, spade or sean; for `transfer` also stargan or "
            "elegant.",
        ),
    ] = "dmn"
    weights: Annotated[
        Path | None,
        typer.Option(
            "--weights", "-w", help="Run folder or .safetensors file of the method (for dmn also MASKGAN_WEIGHTS)."
        ),
    ] = None
    parser_weights: options.ParserWeights = None
    order: options.Order = options.CELEBAMASK
    sheet: Annotated[
        Path | None, typer.Option("--sheet", help="Also write one picture with inputs, masks and results.")
    ] = None
    save_masks: Annotated[bool, typer.Option("--save-masks", help="Also write each edited mask as NAME.mask.png.")] = (
        False
    )
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Faces in a batch.")] = 8
    device: options.Device = "auto"
    crop: Annotated[
        bool | None,
        typer.Option(
            "--crop/--photo",
            help="Treat pictures as face crops, or as photos in which to detect a face. Default: a picture framed like "
            "CelebA-HQ is a crop.",
        ),
    ] = None
    face: options.Chosen = None
    tgt_face: Annotated[
        int | None, typer.Option("--tgt-face", min=1, help="Face of REFERENCE: a number, counted from the left.")
    ] = None
    force: options.Force = False
    overwrite: options.Overwrite = False


@dataclass(frozen=True)
class Masks:
    """Options for the masks of commands that take two faces."""

    src_mask: Annotated[
        Path | None, typer.Option("--src-mask", help="Mask of FACE. Default: the mask beside it, else parsed.")
    ] = None
    tgt_mask: Annotated[
        Path | None, typer.Option("--tgt-mask", help="Mask of REFERENCE. Default: the mask beside it, else parsed.")
    ] = None


@dataclass(frozen=True)
class Pasting:
    """Options of commands that paste the edited face back into its photo."""

    blend: Annotated[
        bool | None,
        typer.Option(
            "--blend/--no-blend",
            help="Paste the edit into FACE, so that other pixels do not change, or return the whole generated face. "
            "Default: photos are pasted, faces of a prepared data set are not.",
        ),
    ] = None
    edge: Annotated[
        Edge | None,
        typer.Option(
            "--edge",
            help="Compositing of the edit. move (default): pixels of FACE move with the mask, and only missing "
            "regions are generated. seamless: the edited region is generated and matched to FACE's light and grain. "
            "soft: the edited region is generated and fades out at its edge.",
        ),
    ] = None
    softness: Annotated[
        float | None,
        typer.Option(
            "--softness", min=0.001, max=0.5, help="Width of the soft edge as a share of the side. Default: 0.05."
        ),
    ] = None

    def blend_options(self) -> Blend:
        """Return the options of compositing as one object; ``--softness`` without ``--edge`` implies ``--edge soft``.

        Raises:
            InputError: ``--softness`` is given with an edge other than soft.
        """
        if self.softness is not None and self.edge not in (None, Edge.SOFT):
            raise InputError("--softness", expected="--edge soft", found=f"--edge {self.edge.value}")
        edge = self.edge or (Edge.MOVE if self.softness is None else Edge.SOFT)
        return Blend(self.blend, edge, self.softness or Blend.softness)


def faces_of(source: Path | None, target: Path | None, masks: Masks) -> dict[str, Path | None]:
    """Return a dict from role (``source``, ``target``, ``source_mask``, ``target_mask``) to the file of that role.

    Files that the user did not name are None.
    """
    return {"source": source, "target": target, "source_mask": masks.src_mask, "target_mask": masks.tgt_mask}


def rows_of(
    given: dict[str, Path | None], pairs: str | None, columns: Sequence[str], optional: Sequence[str]
) -> list[dict[str, Path]]:
    """Return one dict for each edit, from role (e.g. ``source`` or ``source_mask``) to input file.

    The command line names the files of one edit, or each row of the list ``--pairs`` names the files of one edit.

    Args:
        given: the files that the command line names, by role; None if not named.
        pairs: the value of ``--pairs``.
        columns: required roles, in the order of the command's arguments.
        optional: roles that the list may have in addition.

    Raises:
        InputError: both files and a list are given, a required file is missing, or the list is not valid.
    """
    from maskgan_cli.editing.faces.face import read_pairs

    named = {name: path for name, path in given.items() if path is not None}
    if pairs is not None:
        if named:
            raise InputError("--pairs", expected="no other files", found=str(next(iter(named.values()))))
        return read_pairs(pairs, columns, optional)
    if missing := [_METAVARS[name] for name in columns if name not in named]:
        raise InputError(
            f"missing {' and '.join(missing)}",
            hint=f"name {'two files' if columns[1:] else 'a file'}, or a list of files with --pairs",
        )
    return [named]


def run_edits(
    shell: Shell,
    make: Callable[..., Edit[Any]],
    rows: list[dict[str, Path]],
    out: Path,
    editing: Editing,
    onnx: Path | None = None,
    *,
    any_method: bool = False,
) -> None:
    """Run the edits of a command, write the results and print their paths.

    All paths are checked before PyTorch is imported and a network is loaded.

    Args:
        shell: the command's output.
        make: function that prepares an edit: it receives a row and, as keyword ``read``, a function that reads faces.
        rows: the input files of each edit as a dict from role to file, see `rows_of`.
        out: file or folder for the result; with ``--pairs``, a folder.
        editing: the options that all editing commands have.
        onnx: an exported network to use instead of weights.
        any_method: whether to also accept methods that do not use masks (StarGAN, ELEGANT).

    Raises:
        InputError: an option or a path is not valid.
        WorkError: at least one of several edits failed.
    """
    from maskgan_cli.editing.file_edits import every_face
    from maskgan_cli.editing.methods import method_named
    from maskgan_cli.weights.lookup import find_weights, named_with_origin

    entry, which = method_named(editing.method, masks=not any_method), options.chosen(editing.face)
    if which is not None and not entry.masks:
        raise InputError("--face", expected="a method that uses masks", found=f"--method {editing.method}")
    batch = FileBatch(shell, len(rows))
    work = _checked(rows, out, editing, batch)
    if not work:
        batch.finish({"results": []})
    weights = onnx or find_weights(editing.weights, entry.kind)
    method = entry.load(weights, editing.device)
    shell.say(f"rendering at {method.size} px with {named_with_origin(weights, entry.kind)}")
    read = _reader(shell, editing, which)
    role = "style_image" if "style_image" in rows[0] else "source"

    def edits_of(row: Row) -> list[Edit[Any]]:
        return every_face(make, row, role, read) if which == "all" else [make(row, read=read)]

    done = _painted(work, edits_of, method, out, editing, batch)
    if kept := sum(result.kept for result in done):
        shell.say(f"kept {counted(kept, 'existing result')} of the same files, weights and settings")
    records = [{"image": str(one.path), "mask": one.mask and str(one.mask), **one.note} for one in done]
    batch.finish({"results": records, "kept": kept})


def _painted(
    work: list[tuple[Row, Path]],
    edits_of: Callable[[Row], list[Edit[Any]]],
    method: Method[Any],
    out: Path,
    editing: Editing,
    batch: FileBatch,
) -> list[EditResult]:
    """Run the edits, write the results and return them. A lock keeps other processes from writing to ``out`` meanwhile.

    Args:
        work: the rows (input files of one edit), each with the path of its result.
        edits_of: function that prepares the edits of a row: one, or one for each face of the photo.
        method: the network that generates the faces.
        out: file or folder for the results.
        editing: the options that all editing commands have.
        batch: records the rows that fail.
    """
    from maskgan_cli.data.given_masks import MaskRules, mask_rules
    from maskgan_cli.editing import jobs
    from maskgan_cli.files import remove_leftovers
    from maskgan_cli.locks import locked

    shell, listed = batch.shell, editing.pairs is not None
    rules = mask_rules(MaskRules(editing.order.value, editing.force))
    with rules, locked(out if listed else work[0][1], "another edit"):
        if listed:
            remove_leftovers(out)
        results = jobs.run_edits(
            work,
            edits_of,
            method,
            batch_size=editing.batch_size,
            save_masks=editing.save_masks,
            overwrite=editing.overwrite,
            attempt=batch.attempt,
        )
        return _report(shell, shell.track(results, batch.total, "editing"), editing, max(method.size, 128))


def _checked(rows: list[dict[str, Path]], out: Path, editing: Editing, batch: FileBatch) -> list[tuple[Row, Path]]:
    """Return the rows whose files can be read, each with the path of its result; record the other rows in ``batch``.

    A row is a dict from role to input file of one edit.

    Raises:
        InputError: the results, or the picture of ``--sheet``, cannot be written.
    """
    from maskgan_cli.editing.faces.face import check_files
    from maskgan_cli.editing.outputs import output_paths
    from maskgan_cli.files import refuse_existing

    if editing.sheet is not None and not editing.overwrite:
        refuse_existing(editing.sheet)
    paths = output_paths(
        rows, out, listed=editing.pairs is not None, save_masks=editing.save_masks, sheet=editing.sheet
    )
    work: list[tuple[Row, Path]] = []
    for row, path in zip(rows, paths, strict=True):
        with batch.attempt(path):
            check_files(file for role, file in row.items() if role != "output")
            work.append((row, path))
    return work


def _report(shell: Shell, results: Iterable[EditResult], editing: Editing, side: int) -> list[EditResult]:
    """Print the path of each result when it is written, write the picture of ``--sheet``, and return all results.

    The picture shows the inputs, masks and results of the first 32 edits, each ``side`` pixels wide.
    """
    from maskgan_cli.editing.jobs import sheet
    from maskgan_cli.files import write_image

    done = []
    for count, result in enumerate(results, start=1):
        shell.wrote(result.path)
        if result.mask is not None:
            shell.wrote(result.mask)
        done.append(result if editing.sheet and count <= _SHEET_ROWS else replace(result, panels=[]))
    if editing.sheet is not None and done:
        picture = sheet(done[:_SHEET_ROWS], side)
        shell.wrote(write_image(editing.sheet, picture, overwrite=editing.overwrite))
    return done


def _reader(shell: Shell, editing: Editing, which: int | str | None) -> PhotoReader:
    """Return an object that reads faces from photos, according to ``--crop``, ``--face`` and ``--tgt-face``.

    Args:
        shell: the command's output.
        editing: the options that all editing commands have.
        which: the parsed value of ``--face``: a number, ``all`` or None.
    """
    from maskgan_cli.editing.faces.reader import PhotoReader
    from maskgan_cli.editing.options import Taken

    taken = {None: Taken.AUTO, True: Taken.CROP, False: Taken.PHOTO}[editing.crop]
    face = which if isinstance(which, int) else None
    numbers = {"source": face, "style_image": face, "target": editing.tgt_face}
    return PhotoReader(
        editing.parser_weights,
        editing.device,
        shell.say,
        force=editing.force,
        taken=taken,
        numbers={role: number for role, number in numbers.items() if number is not None},
    )
