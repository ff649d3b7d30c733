"""The streams of a command: encodings, closed ones, remarks on what is left out; outputs that are streams."""

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
    """Make stdout and stderr take any text.

    A name that is no UTF-8 is printed to a UTF-8 stdout as its own bytes. Where the encoding lacks a character
    (cp1252 of Windows' pipes, ASCII), its escape is printed. An error handler that the user chose in
    ``PYTHONIOENCODING`` stays. What a closed stream would get is thrown away.
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
    """Say what of the inputs is left out, each thing once: every `OmissionWarning` becomes a remark."""
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
    """Raise an InputError for ``-o -``, ``-o /dev/stdout`` and devices: results are files, written whole or not at all.

    A stream that is redirected to a file is a stream, too: the shell has opened the file, and paths are printed there.
    """
    if out is None:
        return
    device = out.exists() and not out.is_file() and not out.is_dir()
    if device or out == Path("-") or _DESCRIPTOR.fullmatch(str(out)) or any(_is_open_as(out, fd) for fd in (0, 1, 2)):
        raise InputError(
            "--out", expected="the name of a file or a folder", found="a stream or a device", hint="write to a file"
        )


def _is_open_as(path: Path, descriptor: int) -> bool:
    """Whether a standard stream leads to this file."""
    try:
        return path.is_file() and os.path.samestat(path.stat(), os.fstat(descriptor))
    except OSError:  # the stream is closed
        return False
