"""Atomic writes: a file has either its old or its complete new content, even if the process is killed."""

from __future__ import annotations

import contextlib
import csv
import errno
import io
import json
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from maskgan_cli.errors import InputError, WorkError

# Error numbers that are caused by the disk. Other errors while writing are bugs or wrong inputs.
_DISK: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS}
# Names of the temporary files of `atomic`.
_TEMPORARY = re.compile(r"\..*-[0-9a-f]{8}\.tmp(\.\w{1,16})?", re.DOTALL)


@contextlib.contextmanager
def atomic(path: str | Path, *, overwrite: bool = True) -> Iterator[Path]:
    """Context manager that yields the path of a temporary file, and renames this file to ``path`` after its block.

    If the block raises an error, the temporary file is deleted and ``path`` is unchanged. If the process is killed, the
    temporary file stays in the folder of ``path``, and `remove_leftovers` deletes it later. A replaced file keeps its
    permissions. If ``path`` is a symbolic link, the file to which the link points is replaced.

    Raises:
        InputError: ``path`` exists and ``overwrite`` is false; ``path`` is a folder, a pipe or a device; or the folder
            is not writable.
        DiskError: the disk is full or failed.
    """
    path = Path(path)
    if not overwrite:
        refuse_existing(path)
    if path.is_dir():
        raise InputError(path, expected="a file to write", found="a folder of that name")
    if path.exists() and not path.is_file():
        raise InputError(path, expected="a file to write", found="a pipe or a device", hint="choose another output")
    if path.is_symlink():
        path = Path(os.path.realpath(path))
    suffix = path.suffix if len(path.suffix) <= 16 else ""
    temporary = path.with_name(f".{path.stem[:40]}-{secrets.token_hex(4)}.tmp{suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.open("xb").close()
    except OSError as error:
        if error.errno in _DISK - {errno.EROFS}:
            raise disk_error(path, error) from error
        reason = (error.strerror or str(error)).lower()
        raise InputError(
            path, expected="a place that can be written", found=reason, hint="choose another output"
        ) from error
    try:
        yield temporary
        with contextlib.suppress(FileNotFoundError, PermissionError):
            temporary.chmod(stat.S_IMODE(path.stat().st_mode))
        temporary.replace(path)
    except OSError as error:
        if error.errno in _DISK:
            raise disk_error(path, error) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


class DiskError(WorkError):
    """Raised if a file cannot be written because the disk is full, over quota or damaged."""


def disk_error(path: Path, error: OSError) -> DiskError:
    """Return the DiskError for an operating-system error while writing ``path``; the caller raises it."""
    return DiskError(f"{path}: could not be written: {(error.strerror or str(error)).lower()}")


def remove_leftovers(*folders: Path, of: str = "") -> None:
    """Delete the temporary files that killed processes left in these folders (not in their subfolders).

    Call this function only while no other process writes to the folders, e.g. while holding their lock, because it also
    deletes the temporary files of writes in progress.

    Args:
        folders: the folders; those that do not exist are ignored.
        of: delete only temporary files of outputs with this name (without suffix); if empty, all temporary files.
    """
    for folder in folders:
        if folder.is_dir():
            for path in folder.iterdir():
                if _TEMPORARY.fullmatch(path.name) and path.name.startswith(f".{of[:40]}-" if of else "."):
                    path.unlink(missing_ok=True)


def refuse_existing(path: Path) -> None:
    """Check that ``path`` does not exist, so that no result is replaced by accident.

    Raises:
        InputError: ``path`` exists.
    """
    if path.exists():
        raise InputError(path, found="a result that exists already", hint="add --overwrite to replace it")


def keep_or_write(path: str | Path, data: bytes, *, overwrite: bool = False) -> bool:
    """Write ``data`` to a file atomically, unless the file already has this content.

    Returns:
        True if the file already had this content, false if it was written.

    Raises:
        InputError: the file exists with other content, and ``overwrite`` is false.
    """
    if holds(path, data):
        return True
    write_bytes(path, data, overwrite=overwrite)
    return False


def keep_or_write_all(files: Mapping[Path, bytes], *, overwrite: bool = False) -> bool:
    """Write several files (path -> content), each atomically. Files that already have their content are not written.

    Returns:
        True if all files already had their content, false if some were written.

    Raises:
        InputError: a file exists with other content, and ``overwrite`` is false; nothing is written.
    """
    missing = {path: data for path, data in files.items() if not holds(path, data)}
    if not overwrite:
        for path in missing:
            refuse_existing(path)
    for path, data in missing.items():
        write_bytes(path, data, overwrite=overwrite)
    return not missing


def holds(path: str | Path, data: bytes) -> bool:
    """Return whether a file exists and its content is ``data``."""
    path = Path(path)
    return path.is_file() and path.stat().st_size == len(data) and path.read_bytes() == data


def write_bytes(path: str | Path, data: bytes, *, overwrite: bool = True) -> Path:
    """Write ``data`` to a file atomically, and return its path."""
    with atomic(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(data)
    return Path(path)


def write_json(path: str | Path, value: Any, *, overwrite: bool = True) -> Path:
    """Write a JSON document atomically, indented, in UTF-8, with a newline at the end; return its path."""
    return write_bytes(path, encode_json(value), overwrite=overwrite)


def encode_json(value: Any) -> bytes:
    """Encode a value as JSON in the form that `write_json` writes, and return the bytes."""
    return (json.dumps(value, indent=2) + "\n").encode()


def write_csv(path: str | Path, fields: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Path:
    """Write a CSV file atomically: a header with the column names ``fields``, then the rows; return its path."""
    return write_bytes(path, encode_csv(fields, rows))


def encode_csv(fields: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Encode rows as CSV in the form that `write_csv` writes, and return the bytes."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fields, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8", "surrogateescape")
