"""Running of edits with any method: from rows of files to pictures on disk with their records."""

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
_Waiting = tuple[Sequence[Edit[R]], Path, dict[str, Any]]  # edits of a row, its path and its record


@dataclass(frozen=True)
class EditResult:
    """A picture on disk.

    Attributes:
        path: of the picture.
        mask: path of its mask, if masks are saved.
        note: record of inputs, weights and settings; it is also inside the PNG.
        panels: the edit's panels and the picture, for an overview sheet.
        kept: whether the file existed already with the same record.
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
    """Paint every row to its path, in batches and in order.

    An existing result with the same record (files, weights, settings) is kept, so an interrupted list resumes.

    Args:
        rows: files by role, and the picture's path.
        make: makes a row's edits: one, or one for each face of a photo.
        method: that paints.
        batch_size: pictures in a batch.
        save_masks: also write each picture's mask.
        overwrite: replace existing files.
        attempt: a context entered with the row's path while its files are read; rows whose errors it suppresses are
            left out.

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
    """Paint and write the waiting edits, and empty the list."""
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
    """An overview sheet with a row for each result: its panels and the result, each ``size`` pixels wide."""
    rows = [np.hstack([resize_image(panel, size) for panel in result.panels]) for result in results]
    return np.vstack(rows)


def mask_path(picture: Path) -> Path:
    """The path of a result's mask with ``--save-masks``."""
    return picture.with_name(f"{picture.stem}.mask.png")


def _note(edits: Sequence[Edit[R]], method: Method[R]) -> dict[str, Any]:
    more = {"face": [edit.settings.get("face") for edit in edits]} if len(edits) > 1 else {}
    return {
        **edits[0].settings,
        **more,
        **method.note,
        "version": __version__,
        "inputs": {role: sha256(path) for role, path in edits[0].inputs.items()},
    }


def _mask(edits: Sequence[Edit[R]], painted: int) -> LabelMap | None:
    """The painted mask; for several faces of a photo, one mask with all of them."""
    masks = [labels for edit in edits if (labels := edit.mask(painted)) is not None]
    return overlaid(masks) if masks else None


def _refuse_other_mask(path: Path, edits: Sequence[Edit[R]], painted: int) -> None:
    """Raise an InputError if a mask exists that differs from the one to be written."""
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
    labels = _mask(edits, painted) if save_mask else None
    mask = write_label_map(mask_path(path), labels) if labels is not None else None
    return EditResult(path, mask, note, [*edits[0].panels, edits[0].shown(picture)])
