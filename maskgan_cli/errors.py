"""Exceptions and a warning. The command line prints an exception as one line and exits with its exit code."""

from __future__ import annotations

import unicodedata
from pathlib import Path

_LONGEST = 800  # maximum characters of an error line
_UNSEEN = ("Cc", "Cs", "Zl", "Zp")  # Unicode categories: control characters, surrogates, line and paragraph separators


def one_line(text: str) -> str:
    r"""Return ``text`` with control characters and line separators escaped; e.g. a newline becomes ``\n``."""
    return "".join(ascii(c)[1:-1] if unicodedata.category(c) in _UNSEEN else c for c in text)


class MaskGANError(Exception):
    """Base class of the errors that the command line prints as one line instead of a traceback.

    Control characters in the message are escaped, and the middle of a very long message is left out.
    """

    exit_code = 1

    def __init__(self, line: str = "") -> None:
        line = one_line(line)
        if len(line) > _LONGEST:  # keep the beginning (the problem) and the end (the hint)
            line = f"{line[: _LONGEST // 2]} [...] {line[-_LONGEST // 2 :]}"
        super().__init__(line)


class WorkError(MaskGANError):
    """Raised if the input is valid but the work fails (exit code 1), e.g. the loss becomes NaN or the disk is full."""


class Stopped(MaskGANError):
    """Raised if the user or the system interrupts the command (exit code 130)."""

    exit_code = 130


class OmissionWarning(UserWarning):
    """Emitted if part of a file is not read (later frames of an animation) or not written (long EXIF data)."""


class InputError(MaskGANError):
    """Raised for invalid usage or input (exit code 2).

    The message has the form ``WHAT: expected EXPECTED, found FOUND; HINT``, so that users need not open the
    documentation. Empty parts are left out.

    Args:
        what: the file or option with the problem.
        expected: what is valid.
        found: the actual value or problem.
        hint: what the user can do.
    """

    exit_code = 2

    def __init__(self, what: str | Path, *, expected: str = "", found: str = "", hint: str = "") -> None:
        self.what, self.expected, self.found, self.hint = str(what), expected, found, hint
        middle = ", ".join(
            part for part in (f"expected {expected}" if expected else "", f"found {found}" if found else "") if part
        )
        line = f"{what}: {middle}" if middle else str(what)
        super().__init__(f"{line}; {hint}" if hint else line)
