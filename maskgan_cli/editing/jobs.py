"""Edits as the commands run them: a row of paths in, a painted picture with its history out."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from maskgan_cli import __version__
from maskgan_cli.data.resize import resize_image, resize_labels
from maskgan_cli.editing.blend import paste_back
from maskgan_cli.editing.faces import Face, MakeMask, load_face, read_square_mask
from maskgan_cli.editing.options import Blend
from maskgan_cli.editing.render import Renderer, Request
from maskgan_cli.editing.swap import swap_parts
from maskgan_cli.errors import InputError
from maskgan_cli.files import Picture, refuse_existing, sha256, write_image, write_label_map
from maskgan_cli.labels import CLASSES, colourise

Row = Mapping[str, Path]


@dataclass(frozen=True)
class Edit:
    """One picture to make.

    Attributes:
        request: what the network is asked to paint.
        face: the face that lends its look; with ``blend``, the picture that is pasted into.
        inputs: file by role, for the record.
        settings: what else decides the result, for the record.
        panels: pictures that explain it on a sheet, of any square size.
        blend: how the painting is pasted back into ``face``, or None for the bare painting.
    """

    request: Request
    face: Face
    inputs: dict[str, Path]
    settings: dict[str, Any]
    panels: list[Picture]
    blend: Blend | None = None

    def finish(self, painted: Picture) -> Picture:
        """The network's picture -> the picture to write."""
        if self.blend is None:
            return painted
        side = len(self.face.picture)
        after = resize_labels(self.request.labels, side)
        return paste_back(self.face.picture, resize_image(painted, side), self.face.labels, after, self.blend)


def render_edits(row: Row, *, blend: Blend, make_mask: MakeMask | None = None) -> Edit:
    """``mask``, ``style_image`` and maybe ``style_mask`` -> the edit of ``maskgan render``."""
    face = load_face(row["style_image"], row.get("style_mask"), make_mask)
    labels = read_square_mask(row["mask"])
    inputs = _named(mask=row["mask"], style_image=face.image, style_mask=face.mask)
    panels = [face.picture, colourise(face.labels), colourise(labels)]
    request = Request(labels, face.labels, face.picture)
    asked = blend if blend.wanted else None
    settings = {"edit": "render", "blend": asked and asked.note} | _parser(face)
    return Edit(request, face, inputs, settings, panels, asked)


def swap_edits(
    row: Row, parts: Collection[int], *, blend: Blend, make_mask: MakeMask | None = None
) -> Edit:  # fmt: skip
    """``source``, ``target`` and maybe their masks -> the edit of ``maskgan swap``."""
    source, target, inputs = _two_faces(row, make_mask)
    labels = swap_parts(source.labels, resize_labels(target.labels, len(source.labels)), parts)
    asked = blend if (source.is_photo if blend.wanted is None else blend.wanted) else None
    settings = {"edit": "swap", "parts": [CLASSES[i] for i in sorted(parts)], "blend": asked and asked.note}
    settings |= _parser(source, target)
    panels = [source.picture, target.picture, colourise(labels)]
    return Edit(Request(labels, source.labels, source.picture), source, inputs, settings, panels, asked)


def style_edits(row: Row, *, make_mask: MakeMask | None = None) -> Edit:
    """``source``, ``target`` and maybe their masks -> the edit of ``maskgan style-copy``."""
    source, target, inputs = _two_faces(row, make_mask)
    panels = [source.picture, target.picture, colourise(source.labels)]
    request = Request(source.labels, target.labels, target.picture)
    return Edit(request, target, inputs, {"edit": "style-copy"} | _parser(source, target), panels)


@dataclass(frozen=True)
class Result:
    """A picture that is now on disk.

    Attributes:
        path: where.
        mask: where its mask is, if it was asked for.
        note: what made it (also inside the PNG).
        panels: the edit's panels and the picture, for a sheet.
    """

    path: Path
    mask: Path | None
    note: dict[str, Any]
    panels: list[Picture]


def run_edits(
    rows: Iterable[tuple[Row, Path]],
    make: Callable[[Row], Edit],
    renderer: Renderer,
    *,
    batch_size: int,
    save_masks: bool,
    overwrite: bool,
) -> Iterator[Result]:
    """Paint every row to its path, in batches and in order.

    A result that is there already and was made from the same files, weights and settings is kept;
    so an interrupted list goes on where it stopped.

    Raises:
        InputError: an unreadable input, or a path that holds something else and not ``overwrite``.
    """
    waiting: list[tuple[Edit, Path, dict[str, Any]]] = []

    def flush() -> Iterator[Result]:
        if waiting:
            pictures = renderer.paint([edit.request for edit, _, _ in waiting])
            for (edit, path, note), painted in zip(waiting, pictures, strict=True):
                picture = edit.finish(painted)
                write_image(path, picture, note=note)
                yield _result(edit, path, note, picture, save_masks)
            waiting.clear()

    for row, path in rows:
        edit = make(row)
        note = _note(edit, renderer)
        if path.exists() and not overwrite:
            if _read_note(path) != note:
                refuse_existing(path)
            yield from flush()  # keep the order
            yield _result(edit, path, note, np.asarray(Image.open(path).convert("RGB")), save_masks)
            continue
        waiting.append((edit, path, note))
        if len(waiting) == batch_size:
            yield from flush()
    yield from flush()


def sheet(results: Iterable[Result], size: int) -> Picture:
    """One row per result: its panels and the result, each ``size`` pixels wide."""
    rows = [np.hstack([resize_image(panel, size) for panel in result.panels]) for result in results]
    return np.vstack(rows)


def _two_faces(row: Row, make_mask: MakeMask | None) -> tuple[Face, Face, dict[str, Path]]:
    source = load_face(row["source"], row.get("source_mask"), make_mask)
    target = load_face(row["target"], row.get("target_mask"), make_mask)
    inputs = _named(source=source.image, target=target.image, source_mask=source.mask, target_mask=target.mask)
    return source, target, inputs


def _named(**files: Path | None) -> dict[str, Path]:
    """The files that are there, by role."""
    return {role: path for role, path in files.items() if path is not None}


def _parser(*faces: Face) -> dict[str, str]:
    """Which parser made a mask, for the record, if one did."""
    made = [face.parser for face in faces if face.parser]
    return {"parser": made[0]} if made else {}


def _note(edit: Edit, renderer: Renderer) -> dict[str, Any]:
    return {
        **edit.settings,
        "weights": renderer.weights.sha256,
        "version": __version__,
        "inputs": {role: sha256(path) for role, path in edit.inputs.items()},
    }


def _read_note(path: Path) -> Any:
    try:
        with Image.open(path) as image:
            return json.loads(image.info.get("maskgan", "null"))
    except (OSError, ValueError):
        return None


def _result(edit: Edit, path: Path, note: dict[str, Any], picture: Picture, save_mask: bool) -> Result:
    mask = path.with_name(f"{path.stem}.mask.png") if save_mask else None
    if mask is not None:
        write_label_map(mask, resize_labels(edit.request.labels, len(picture)))
    return Result(path, mask, note, [*edit.panels, picture])


def output_paths(rows: list[dict[str, Path]], out: Path, *, listed: bool) -> list[Path]:
    """Where each row's picture goes: ``out`` itself, or for a list a name inside the folder ``out``.

    Raises:
        InputError: two rows of a list would write the same file, or ``out`` is a file or a folder
            where it must be the other.
    """
    if not listed:
        if out.is_dir():
            raise InputError(out, expected="a picture's file name", found="a folder")
        return [out]
    if out.is_file():
        raise InputError(out, expected="a folder for the results of --pairs", found="a file")
    paths: list[Path] = []
    seen: dict[Path, int] = {}
    for number, row in enumerate(rows, start=1):
        first, second = list(row.values())[:2]
        name = row.get("output", Path(f"{first.stem}__{second.stem}.png"))
        path = out / name
        if path in seen:
            raise InputError(
                path, expected="one result per file", found=f"pairs {seen[path]} and {number} both writing it",
                hint="add a column `output` with distinct names",
            )  # fmt: skip
        seen[path] = number
        paths.append(path)
    return paths
