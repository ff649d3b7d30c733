"""Configures the standard streams of a command.

Sets encodings, handles closed streams, prints warnings about skipped parts of files, and rejects streams as outputs.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from maskgan_cli.errors import InputError, OmissionWarning

_DESCRIPTOR: Final = re.compile("/dev/(stdin|stdout|stderr|fd/[0-9]+)|/proc/[^/]+/fd/[0-9]+")


def open_streams() -> None:
    """Configure stdout and stderr to accept any text.

    File names that are not valid UTF-8 are printed to a UTF-8 stdout with their original bytes. Characters that the
    encoding lacks (cp1252 in Windows' pipes, ASCII) are printed as escape sequences. If ``PYTHONIOENCODING`` sets an
    error handler, this handler is used instead. Output to a closed stream is discarded.
    """
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    if os.environ.get("PYTHONIOENCODING", "").partition(":")[2] and not sys.flags.ignore_environment:
        return
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            utf8 = codecs.lookup(stream.encoding).name == "utf-8"
            stream.reconfigure(errors="surrogateescape" if utf8 and stream is sys.stdout else "backslashreplace")


@contextlib.contextmanager
def omissions(say: Callable[[str], None]) -> Iterator[None]:
    """Context manager that passes the texts of all `OmissionWarning` of its block to ``say``; equal texts only once.

    These warnings say that a part of a file was not read or not written.
    """
    said: set[str] = set()

    def show(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
        if not issubclass(category, OmissionWarning):
            before(message, category, *rest, **more)
        elif (text := str(message)) not in said:
            said.add(text)
            say(text)

    with warnings.catch_warnings():
        warnings.simplefilter("always", OmissionWarning)
        before, warnings.showwarning = warnings.showwarning, show
        yield


def refuse_stream(out: Path | None) -> None:
    """Reject an output that is not a file or folder, e.g. ``-o -`` or ``-o /dev/stdout``.

    Results are written to files atomically, which is not possible for streams. A file that a standard stream is
    redirected to is rejected too, because the command prints paths into this file.

    Raises:
        InputError: the output is a stream or a device.
    """
    if out is None:
        return
    device = out.exists() and not out.is_file() and not out.is_dir()
    if device or out == Path("-") or _DESCRIPTOR.fullmatch(str(out)) or any(_is_open_as(out, fd) for fd in (0, 1, 2)):
        raise InputError(
            "--out", expected="the name of a file or a folder", found="a stream or a device", hint="write to a file"
        )


def _is_open_as(path: Path, descriptor: int) -> bool:
    """Return whether the standard stream ``descriptor`` (0, 1 or 2) is redirected to the file ``path``."""
    try:
        return path.is_file() and os.path.samestat(path.stat(), os.fstat(descriptor))
    except OSError:  # the stream is closed
        return False
