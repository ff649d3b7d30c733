"""``inspect``: shows the provenance that is stored in a result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from maskgan_cli.cli.batch import FileBatch, Recursive, pictures
from maskgan_cli.cli.shell import Shell, emit
from maskgan_cli.errors import WorkError, one_line


def inspect(
    shell: Shell,
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE", help="PNG or JPEG results, or folders; - reads paths from stdin."),
    ],
    recursive: Recursive = False,
) -> None:
    """Show how a result was made: the edit, and the SHA-256 of the weights and of every input.

    Every result stores this in its file. A picture without it gives exit code 1: it was not made with maskgan, or
    another program has saved it without the metadata.
    """
    from maskgan_cli.editing.faces.face import check_files
    from maskgan_cli.files import read_image, read_note, sha256

    paths = [item.path for item in pictures(files, recursive=recursive, say=shell.say)]
    found, batch = [], FileBatch(shell, len(paths))
    for path in paths:
        note = None
        with batch.attempt(path):
            check_files([path])
            read_image(path)  # raises an error if the file is damaged or not a picture
            note = read_note(path)
            note = note if isinstance(note, Mapping) and note else None
            found.append({"file": str(path), "sha256": sha256(path), "made_by": note})
        if note is not None and not shell.as_json:
            emit(one_line(str(path)))
            for name, value in _flat(note):
                emit(f"    {name}: {value}")
    batch.finish({"files": found})
    if without := [entry["file"] for entry in found if entry["made_by"] is None]:
        others = f" ({len(without) - 1} other pictures have none either)" if without[1:] else ""
        raise WorkError(f"{without[0]}: has no provenance of maskgan{others}")


def _flat(note: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield (name, value) of each entry of a nested mapping, as text without line breaks; entries of None are skipped.

    Names of nested entries are joined by dots and begin with ``prefix``.
    """
    for key, value in note.items():
        name = one_line(f"{prefix}{key}")
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{name}.")
        elif value is not None:
            yield name, one_line(", ".join(map(str, value)) if isinstance(value, list) else str(value))
