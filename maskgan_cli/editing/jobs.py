"""Run lists of edits with any method: read the files, paint, and write the pictures with their records.

The record of a result is a dict of the inputs, weights and settings that made the picture. The record is stored in the
picture's file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from maskgan_cli import __version__
from maskgan_cli.data.resize import resize_image
from maskgan_cli.editing.edit import Edit, joined, overlaid
from maskgan_cli.editing.file_edits import Row
from maskgan_cli.editing.methods import Method
from maskgan_cli.errors import InputError
from maskgan_cli.files import (
    Picture,
    read_image,
    read_label_map,
    read_note,
    refuse_existing,
    sha256,
    write_image,
    write_label_map,
    write_photo,
)
from maskgan_cli.labels import LabelMap

R = TypeVar("R")
_Waiting = tuple[Sequence[Edit[R]], Path, dict[str, Any]]  # edits of a row, the path of its picture, and its record


@dataclass(frozen=True)
class EditResult:
    """A finished picture on disk.

    Attributes:
        path: path of the picture.
        mask: path of the picture's mask; None if masks are not saved.
        note: record of inputs, weights and settings; it is also written into the PNG.
        panels: pictures for one row of an overview sheet: the edit's panels (e.g. its inputs), and the result.
        kept: whether a file with the same record existed already, so that the picture was not painted again.
    """

    path: Path
    mask: Path | None
    note: dict[str, Any]
    panels: list[Picture]
    kept: bool = False


def run_edits(
    rows: Iterable[tuple[Row, Path]],
    make: Callable[[Row], Sequence[Edit[R]]],
    method: Method[R],
    *,
    batch_size: int,
    save_masks: bool,
    overwrite: bool,
    attempt: Callable[[Path], AbstractContextManager[None]] = lambda _: nullcontext(),
) -> Iterator[EditResult]:
    """Make and write the picture of every row of a list, and yield the results in the order of the rows.

    An existing result with the same record (files, weights, settings) is kept, so an interrupted list resumes.

    Args:
        rows: for each picture, a dict from role to input file, and the path to write the picture to.
        make: function that makes the edits of a row: a single edit, or one edit for each face of a photo.
        method: the method that paints.
        batch_size: number of pictures that the method paints at once.
        save_masks: also write each picture's mask beside it.
        overwrite: replace existing files.
        attempt: function that returns a context manager for the path of a row's picture. The context manager is active
            while the row's files are read. If it suppresses an error, the row is left out. By default, no error is
            suppressed.

    Raises:
        InputError: an input cannot be read, or a file exists with another record and ``overwrite`` is false.
    """
    waiting: list[_Waiting[R]] = []
    for row, path in rows:
        edits: Sequence[Edit[R]] = ()
        with attempt(path):
            edits = make(row)
        if not edits:
            continue
        note = _note(edits, method)
        if save_masks and not overwrite:
            _refuse_other_mask(mask_path(path), edits, method.size)
        if path.exists() and not overwrite:
            if read_note(path) != note:
                refuse_existing(path)
            yield from _paint(waiting, method, save_masks)  # keeps the order
            existing = _result(edits, path, note, read_image(path), save_masks, method.size)
            yield replace(existing, kept=True)
            continue
        waiting.append((edits, path, note))
        if sum(len(edits) for edits, _, _ in waiting) >= batch_size:
            yield from _paint(waiting, method, save_masks)
    yield from _paint(waiting, method, save_masks)


def _paint(waiting: list[_Waiting[R]], method: Method[R], save_masks: bool) -> Iterator[EditResult]:
    """Paint the edits in the list ``waiting``, write their pictures, yield the results, and empty the list."""
    if not waiting:
        return
    requests = [edit.request for edits, _, _ in waiting for edit in edits if edit.painted]
    pictures = iter(method.paint(requests) if requests else ())
    for edits, path, note in waiting:
        picture = joined([edit.finish(next(pictures) if edit.painted else None) for edit in edits], edits[0].photo)
        if edits[0].photo is None:
            write_image(path, picture, note=note)
        else:
            write_photo(path, picture, edits[0].photo, note=note)
        yield _result(edits, path, note, picture, save_masks, method.size)
    waiting.clear()


def sheet(results: Iterable[EditResult], size: int) -> Picture:
    """Return an overview sheet: one row of pictures for each result, with all pictures resized to ``size`` pixels."""
    rows = [np.hstack([resize_image(panel, size) for panel in result.panels]) for result in results]
    return np.vstack(rows)


def mask_path(picture: Path) -> Path:
    """Return the path of a picture's mask: ``NAME.mask.png`` beside the picture."""
    return picture.with_name(f"{picture.stem}.mask.png")


def _note(edits: Sequence[Edit[R]], method: Method[R]) -> dict[str, Any]:
    """Return the record of a result: a dict of settings, method, weights, version and hashes of the input files."""
    more = {"face": [edit.settings.get("face") for edit in edits]} if len(edits) > 1 else {}
    return {
        **edits[0].settings,
        **more,
        **method.note,
        "version": __version__,
        "inputs": {role: sha256(path) for role, path in edits[0].inputs.items()},
    }


def _mask(edits: Sequence[Edit[R]], painted: int) -> LabelMap | None:
    """Return the edited mask (H, W) of a picture with all edited faces of this picture; None if no masks are used.

    Args:
        edits: the edits of one picture, one for each face.
        painted: side of the method's paintings in pixels: see `Edit.mask`.
    """
    masks = [labels for edit in edits if (labels := edit.mask(painted)) is not None]
    return overlaid(masks) if masks else None


def _refuse_other_mask(path: Path, edits: Sequence[Edit[R]], painted: int) -> None:
    """Raise an InputError if the file ``path`` exists and differs from the mask that would be written to this path.

    For ``edits`` and ``painted`` see `_mask`.
    """
    if not path.exists():
        return
    wanted = _mask(edits, painted)
    try:
        same = wanted is not None and np.array_equal(read_label_map(path), wanted)
    except InputError:
        same = False
    if not same:
        refuse_existing(path)


def _result(
    edits: Sequence[Edit[R]], path: Path, note: dict[str, Any], picture: Picture, save_mask: bool, painted: int
) -> EditResult:
    """Return the `EditResult` of a picture that has been written to ``path``. If ``save_mask``, also write its mask.

    For ``edits`` and ``painted`` see `_mask`; ``note`` is the record of the result.
    """
    labels = _mask(edits, painted) if save_mask else None
    mask = write_label_map(mask_path(path), labels) if labels is not None else None
    return EditResult(path, mask, note, [*edits[0].panels, edits[0].shown(picture)])
