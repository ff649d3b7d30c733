"""Choose and check the paths of results: inside the output folder, distinct, and with valid file names."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from maskgan_cli.editing.jobs import mask_path
from maskgan_cli.errors import InputError
from maskgan_cli.files import check_picture_name

_LONGEST: Final = 255  # bytes; longest file name on common file systems


def output_paths(
    rows: Sequence[Mapping[str, Path]], out: Path, *, listed: bool, save_masks: bool = False, sheet: Path | None = None
) -> list[Path]:
    """Return the path of each row's picture: ``out`` itself, or a file inside ``out`` if ``out`` is a folder.

    Args:
        rows: for each result, a dict from role to input file; the optional key ``output`` is the file name of the
            result.
        out: file for one result, or folder for results.
        listed: whether the rows come from a list (``--pairs``); then ``out`` must be a folder.
        save_masks: whether each picture's mask is written beside it.
        sheet: path of the overview sheet, or None.

    Raises:
        InputError: a name leads out of the folder or is not a valid file name, two results have the same path, or
            ``out`` is a file and must be a folder.
    """
    inside = listed or out.is_dir() or not out.suffix  # also `-o results/` if the folder does not exist yet
    if inside and out.is_file():
        expected = "a folder for the results of --pairs" if listed else "a picture's file name, or a folder"
        raise InputError(out, expected=expected, found="a file" if listed else "a file without a suffix")
    paths = [out / _name(row, number) for number, row in enumerate(rows, start=1)] if inside else [out]
    writers: dict[Path, str] = {} if sheet is None else {_resolved(sheet): "--sheet"}
    for number, path in enumerate(paths, start=1):
        writer = f"pair {number}" if listed else "the result"
        for written in _written(path, save_masks):
            if (other := writers.get(_resolved(written))) is not None:
                raise InputError(
                    written,
                    expected="one result per file",
                    found=f"{other} and {writer} both writing it",
                    hint="add a column `output` with distinct names" if listed else "name another file",
                )
            writers[_resolved(written)] = writer
    return paths


def _name(row: Mapping[str, Path], number: int) -> Path:
    """Return the file name of a row's result: the row's ``output``, or else the names of the first two files, joined.

    Args:
        row: dict from role to file.
        number: number of the row in its list, for error messages.

    Raises:
        InputError: ``output`` leads out of the folder.
    """
    if "output" not in row:
        faces = [path.stem for role, path in row.items() if role not in ("source_mask", "target_mask", "style_mask")]
        return Path(f"{'__'.join(faces[:2])}.png")
    name = row["output"]
    if name.is_absolute() or name.drive or ".." in name.parts or name == Path():
        raise InputError(
            f"pair {number}, output",
            expected="a name inside the output folder",
            found=str(name),
            hint="leave out the `..` or the leading folder",
        )
    return name


def _written(path: Path, save_masks: bool) -> Iterator[Path]:
    """Yield the paths of the files that are written for a result: its picture, and its mask if ``save_masks``.

    Raises:
        InputError: a name is too long, or is not that of a picture.
    """
    check_picture_name(path)
    for written in (path, mask_path(path)) if save_masks else (path,):
        if "\0" in str(written) or len(os.fsencode(written.name)) > _LONGEST:
            raise InputError(written, expected=f"a name of at most {_LONGEST} bytes", found=f"{written.name[:40]}...")
        yield written


def _resolved(path: Path) -> Path:
    """Return the absolute path without symbolic links and ``..``, so that two spellings of one path are equal."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links, or an impossible name: writing raises the error
        return path
