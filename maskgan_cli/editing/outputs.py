"""Where results go: names inside the output folder and nowhere else, no two the same, all fit to be written."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from maskgan_cli.editing.jobs import mask_path
from maskgan_cli.errors import InputError
from maskgan_cli.files import check_picture_name

_LONGEST: Final = 255  # bytes in a name, on all usual file systems


def output_paths(
    rows: Sequence[Mapping[str, Path]], out: Path, *, listed: bool, save_masks: bool = False, sheet: Path | None = None
) -> list[Path]:
    """Where each row's picture goes: ``out`` itself, or into it where it is a folder's name, as a list's always is.

    Args:
        rows: with a column ``output`` for a list that names its results.
        listed: whether the rows are a list.
        save_masks: whether each picture's mask goes beside it.
        sheet: where the overview goes, if there is one.

    Raises:
        InputError: a name that leads out of the folder or cannot be written; two results in one file; ``out`` is a file
            where it must be a folder.
    """
    inside = listed or out.is_dir() or not out.suffix  # `-o results/`, there or not yet
    if inside and out.is_file():
        what = "a folder for the results of --pairs" if listed else "a picture's file name, or a folder"
        raise InputError(out, expected=what, found="a file" if listed else "a file without a suffix")
    paths = [out / _name(row, number) for number, row in enumerate(rows, start=1)] if inside else [out]
    seen: dict[Path, str] = {} if sheet is None else {_plain(sheet): "--sheet"}
    for number, path in enumerate(paths, start=1):
        who = f"pair {number}" if listed else "the result"
        for written in _written(path, save_masks):
            if (other := seen.get(_plain(written))) is not None:
                raise InputError(
                    written, expected="one result per file", found=f"{other} and {who} both writing it",
                    hint="add a column `output` with distinct names" if listed else "name another file",
                )  # fmt: skip
            seen[_plain(written)] = who
    return paths


def _name(row: Mapping[str, Path], number: int) -> Path:
    if "output" not in row:
        faces = [path.stem for role, path in row.items() if role not in ("source_mask", "target_mask", "style_mask")]
        return Path(f"{'__'.join(faces[:2])}.png")
    name = row["output"]
    if name.is_absolute() or name.drive or ".." in name.parts or name == Path():
        raise InputError(
            f"pair {number}, output", expected="a name inside the output folder", found=str(name),
            hint="leave out the `..` or the leading folder",
        )  # fmt: skip
    return name


def _written(path: Path, save_masks: bool) -> Iterator[Path]:
    """The files of one result, once it is sure that their names can be written."""
    check_picture_name(path)
    for written in (path, mask_path(path)) if save_masks else (path,):
        if "\0" in str(written) or len(os.fsencode(written.name)) > _LONGEST:
            raise InputError(written, expected=f"a name of at most {_LONGEST} bytes", found=f"{written.name[:40]}...")
        yield written


def _plain(path: Path) -> Path:
    """One spelling for one file."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links, a name that no file can have: said on writing
        return path
