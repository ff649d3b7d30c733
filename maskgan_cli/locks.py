"""Exclusive locks on outputs: a second writer stops with an error that names the lock holder.

    with locked(out, "maskgan prep-data"):
        ...  # write the file or folder `out`

The operating system locks a hidden file beside the output, and releases the lock when the process ends. The hidden
file is removed at the end of the block. If a killed process leaves the file, other processes can still lock it.
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
except ImportError:  # Windows: no locking
    fcntl = None  # type: ignore[assignment]

_NO_LOCKS: Final = (errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK)  # network drives without locks
_held: set[int] = set()


@contextlib.contextmanager
def locked(target: str | Path, command: str) -> Iterator[None]:
    """Context manager that holds an exclusive lock on ``target`` inside its block.

    No other process or thread can lock ``target`` meanwhile.

    Args:
        target: the file or folder to write. It need not exist and may be replaced inside the block.
        command: name of the operation for the error message of other processes, e.g. ``maskgan train dmn``.

    Raises:
        InputError: another process or thread holds the lock (the message names it), or the location is not writable.
    """
    if fcntl is None:
        yield
        return
    path, file = _take(Path(target))
    _held.add(file)
    holder = {
        "command": command,
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": time.strftime("%Y-%m-%d %H:%M:%S"),
    }
    try:
        os.ftruncate(file, 0)
        os.pwrite(file, json.dumps(holder).encode(), 0)
        yield
    finally:
        if file in _held:  # a forked child that leaves the block must not release the parent's lock
            # Remove the file while holding the lock: a process that has it open detects the removal and retries.
            path.unlink(missing_ok=True)
            _held.discard(file)
            os.close(file)


def clear_dead(target: str | Path, command: str) -> None:
    """Remove the lock file of ``target`` if a killed process has left it; ``command`` is as in `locked`.

    If another process holds the lock, do nothing.
    """
    if any(place.exists() for place in _places(Path(target))):
        with contextlib.suppress(InputError), locked(target, command):
            pass


def _take(target: Path) -> tuple[Path, int]:
    """Acquire the lock on ``target``. Return the path of the lock file, and the open file descriptor of the lock.

    Raises:
        InputError: another process or thread holds the lock, or the location is not writable.
    """
    while True:
        path, file = _open(target)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _read(file)
            os.close(file)
            raise InputError(
                target,
                expected="no other writer",
                found=f"{holder} writing to it",
                hint="wait for it, or choose another output",
            ) from None
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                os.close(file)
                raise
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(path.stat(), os.fstat(file)):
                return path, file
        os.close(file)  # the holder removed the file after it was opened here


def _places(target: Path) -> list[Path]:
    """Return the possible paths of the lock file of ``target``, in order of preference."""
    real = Path(os.path.realpath(target))
    # The second path is for a mounted folder whose parent folder is not writable.
    return [real.with_name(f".{real.name[:80]}.lock"), *([real / ".lock"] if real.is_dir() else [])]


def _open(target: Path) -> tuple[Path, int]:
    """Create or open the lock file of ``target`` without locking it.

    Return the path of the lock file, and an open file descriptor.

    Raises:
        InputError: the location is not writable.
    """
    for place in _places(target):
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            return place, os.open(place, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            problem = error
    found = (problem.strerror or str(problem)).lower()
    raise InputError(target, expected="a place that can be written", found=found, hint="choose another output")


def _read(file: int) -> str:
    """Read an open lock file (a file descriptor), and return a description of the process that holds the lock."""
    try:
        holder = json.loads(os.pread(file, 4096, 0))
        return "{command} (process {pid} on {host}, since {since})".format(**holder)
    except (OSError, ValueError, KeyError, TypeError):  # the holder has not written its description yet
        return "another process"


def _let_go() -> None:
    """Close the inherited lock files in a forked child process, e.g. a data loader, so that the child holds no lock."""
    for file in _held:
        with contextlib.suppress(OSError):
            os.close(file)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)
