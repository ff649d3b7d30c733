"""``inspect``: what made a picture, as the picture itself tells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from maskgan_cli.cli.batch import Batch, Recursive, pictures
from maskgan_cli.cli.shell import Shell, emit, stage
from maskgan_cli.errors import WorkError, one_line


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    stage(app, "inspect", rich_help_panel="Editing")(inspect)


def inspect(
    shell: Shell,
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="Pictures (PNG or JPEG keep their history), folders; - reads paths."),
    ],
    recursive: Recursive = False,
) -> None:
    """Show what made a picture: the edit, and the SHA-256 of the weights and of every input.

    Results carry this in the file itself. A picture without it ends with exit code 1: it was not made here, or a
    program that drops it has saved the picture again.
    """
    from maskgan_cli.editing.faces import check_files
    from maskgan_cli.files import read_image, read_note, sha256

    paths = [item.path for item in pictures(files, recursive=recursive, say=shell.say)]
    found, batch = [], Batch(shell, len(paths))
    for path in paths:
        note = None
        with batch.attempt(path):
            check_files([path])
            read_image(path)  # a damaged file, or none that is a picture, is said to be so
            note = read_note(path)
            note = note if isinstance(note, Mapping) and note else None
            found.append({"file": str(path), "sha256": sha256(path), "made_by": note})
        if note is not None and not shell.as_json:
            emit(one_line(str(path)))
            for name, value in _told(note):
                emit(f"    {name}: {value}")
    batch.finish({"files": found})
    if silent := [entry["file"] for entry in found if entry["made_by"] is None]:
        others = f" (nor do {len(silent) - 1} others)" if silent[1:] else ""
        raise WorkError(f"{silent[0]}: does not say what made it{others}")


def _told(note: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every name and value of a note as a line each; names of nested ones are joined by dots."""
    for key, value in note.items():
        name = one_line(f"{prefix}{key}")
        if isinstance(value, Mapping) and value:
            yield from _told(value, f"{name}.")
        elif value is not None:
            yield name, one_line(", ".join(map(str, value)) if isinstance(value, list) else str(value))
