"""Atomic writes: a file is as it was or complete, whatever happens."""

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

# The disk's own failures; everything else that is raised while writing is somebody's mistake.
_DISK: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS}
_TEMPORARY = re.compile(r"\..*-[0-9a-f]{8}\.tmp(\.\w{1,16})?", re.DOTALL)


@contextlib.contextmanager
def atomic(path: str | Path, *, overwrite: bool = True) -> Iterator[Path]:
    """A temporary path in the same folder; it takes ``path``'s place when the block ends well.

    Whatever happens inside the block, ``path`` is either as it was or complete. Only a kill leaves the
    temporary file behind; `remove_leftovers` knows it by its name. A file that is replaced keeps its mode; a symbolic
    link stays, and the file that it leads to is replaced.

    Raises:
        InputError: ``path`` exists and ``overwrite`` is off, it is a device, or the folder cannot be written.
        DiskError: the disk is full, or failed otherwise.
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
    """A write that the disk refused (full, over quota)."""


def disk_error(path: Path, error: OSError) -> DiskError:
    """The error of such a write, naming the file."""
    return DiskError(f"{path}: could not be written: {(error.strerror or str(error)).lower()}")


def remove_leftovers(*folders: Path, of: str = "") -> None:
    """Take away the temporary files that killed writes left directly in these folders; those ``of`` one stem alone.

    Call it only where nobody else writes, e.g. while holding the folder's lock: the temporary file of
    a write that goes on looks the same.
    """
    for folder in folders:
        if folder.is_dir():
            for path in folder.iterdir():
                if _TEMPORARY.fullmatch(path.name) and path.name.startswith(f".{of[:40]}-" if of else "."):
                    path.unlink(missing_ok=True)


def refuse_existing(path: Path) -> None:
    """Raise an InputError if ``path`` is there already: results are never lost by accident."""
    if path.exists():
        raise InputError(path, found="a result that exists already", hint="add --overwrite to replace it")


def keep_or_write(path: str | Path, data: bytes, *, overwrite: bool = False) -> bool:
    """Write ``data`` atomically, unless the file holds just that: then a second run has nothing left to do.

    Returns:
        Whether it was there already.

    Raises:
        InputError: the file holds anything else, and not ``overwrite``.
    """
    if holds(path, data):
        return True
    write_bytes(path, data, overwrite=overwrite)
    return False


def keep_or_write_all(files: Mapping[Path, bytes], *, overwrite: bool = False) -> bool:
    """`keep_or_write` for files that belong together: nothing is written where one of them holds anything else."""
    missing = {path: data for path, data in files.items() if not holds(path, data)}
    if not overwrite:
        for path in missing:
            refuse_existing(path)
    for path, data in missing.items():
        write_bytes(path, data, overwrite=overwrite)
    return not missing


def holds(path: str | Path, data: bytes) -> bool:
    """Whether a file is there and holds just ``data``."""
    path = Path(path)
    return path.is_file() and path.stat().st_size == len(data) and path.read_bytes() == data


def write_bytes(path: str | Path, data: bytes, *, overwrite: bool = True) -> Path:
    """Write ``data`` atomically."""
    with atomic(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(data)
    return Path(path)


def write_json(path: str | Path, value: Any, *, overwrite: bool = True) -> Path:
    """Write a JSON document atomically, indented, UTF-8, with a final newline."""
    return write_bytes(path, encode_json(value), overwrite=overwrite)


def encode_json(value: Any) -> bytes:
    """The bytes of the file that `write_json` writes."""
    return (json.dumps(value, indent=2) + "\n").encode()


def write_csv(path: str | Path, fields: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Path:
    """Write rows under a header of ``fields`` atomically."""
    return write_bytes(path, encode_csv(fields, rows))


def encode_csv(fields: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """The bytes of the file that `write_csv` writes."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fields, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8", "surrogateescape")
