"""One writer at a time: whoever comes second is told who is at it.

    with locked(out, "maskgan prep-data"):
        ...  # write the file or folder `out`

The lock is the operating system's, on a hidden file beside what is written, so it ends with the process that
holds it, however that ends; the file is removed when the block is left, and one left by a kill is taken over.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from maskgan_cli.errors import InputError

try:
    import fcntl
except ImportError:  # Windows: nobody is kept out there
    fcntl = None  # type: ignore[assignment]

_NO_LOCKS: Final = (errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK)  # network drives that have none
_held: set[int] = set()


@contextlib.contextmanager
def locked(target: str | Path, command: str) -> Iterator[None]:
    """Be the only one, of all processes and threads, who writes ``target`` for as long as the block runs.

    Args:
        target: the file or folder that will be written; it need not exist, and may be replaced inside the block.
        command: what is done to it, as others will read it, e.g. ``maskgan train dmn``.

    Raises:
        InputError: someone else is at it (who, where, since when), or the place cannot be written.
    """
    if fcntl is None:
        yield
        return
    path, file = _take(Path(target))
    _held.add(file)
    holder = {"command": command, "pid": os.getpid(), "host": socket.gethostname(),
              "since": time.strftime("%Y-%m-%d %H:%M:%S")}  # fmt: skip
    try:
        os.ftruncate(file, 0)
        os.pwrite(file, json.dumps(holder).encode(), 0)
        yield
    finally:
        if file in _held:  # not in a forked child that ends the block too
            # Removed while still held: whoever has this file open already will find it gone and look again.
            path.unlink(missing_ok=True)
            _held.discard(file)
            os.close(file)


def clear_dead(target: str | Path, command: str) -> None:
    """Take away the lock that a killed process left on what is finished, where there is one and it can be."""
    if any(place.exists() for place in _places(Path(target))):
        with contextlib.suppress(InputError), locked(target, command):
            pass


def _take(target: Path) -> tuple[Path, int]:
    """The lock file's path and its open, locked descriptor."""
    while True:
        path, file = _open(target)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _read(file)
            os.close(file)
            raise InputError(
                target, expected="to be the only one who writes there", found=f"{holder} at it",
                hint="wait for it, or choose another output",
            ) from None  # fmt: skip
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                os.close(file)
                raise
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(path.stat(), os.fstat(file)):
                return path, file
        os.close(file)  # its holder removed it between our opening and our locking


def _places(target: Path) -> list[Path]:
    """Where the lock may lie."""
    real = Path(os.path.realpath(target))
    # The second: mounted where only the folder itself can be written.
    return [real.with_name(f".{real.name[:80]}.lock"), *([real / ".lock"] if real.is_dir() else [])]


def _open(target: Path) -> tuple[Path, int]:
    for place in _places(target):
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            return place, os.open(place, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            problem = error
    found = (problem.strerror or str(problem)).lower()
    raise InputError(target, expected="a place that can be written", found=found, hint="choose another output")


def _read(file: int) -> str:
    """Who holds a lock, in a few words."""
    try:
        holder = json.loads(os.pread(file, 4096, 0))
        return "{command} (process {pid} on {host}, since {since})".format(**holder)
    except (OSError, ValueError, KeyError, TypeError):  # it has just begun to write its name
        return "another process"


def _let_go() -> None:
    """A forked child, such as a data loader's worker, must not hold on to what its parent has locked."""
    for file in _held:
        with contextlib.suppress(OSError):
            os.close(file)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)
