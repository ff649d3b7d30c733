"""The ways a command can fail, and the one line each of them owes the user."""

from __future__ import annotations

import unicodedata
from pathlib import Path

_LONGEST = 800  # characters of a line; whoever needs more of a name or a value has it in the file
_UNSEEN = ("Cc", "Cs", "Zl", "Zp")  # control characters, halves of surrogates, separators of lines


def one_line(text: str) -> str:
    r"""Text in which nothing breaks the line: a newline in a file's name is shown as ``\n``."""
    return "".join(ascii(c)[1:-1] if unicodedata.category(c) in _UNSEEN else c for c in text)


class MaskGANError(Exception):
    """Base of every error that is shown as one line instead of a traceback."""

    exit_code = 1

    def __init__(self, line: str = "") -> None:
        line = one_line(line)
        if len(line) > _LONGEST:  # its beginning says what, its end what to do
            line = f"{line[: _LONGEST // 2]} [...] {line[-_LONGEST // 2 :]}"
        super().__init__(line)


class WorkError(MaskGANError):
    """The input was fine, the work failed (exit code 1): a loss became NaN, the disk is full."""


class Stopped(MaskGANError):
    """The user, or the system, stopped the command (exit code 130)."""

    exit_code = 130


class InputError(MaskGANError):
    """Bad usage or bad input (exit code 2).

    The line reads ``WHAT: expected X, found Y; do Z`` so that a user knows which file to look at
    and what to change without opening the documentation.
    """

    exit_code = 2

    def __init__(self, what: str | Path, *, expected: str = "", found: str = "", hint: str = "") -> None:
        self.what, self.expected, self.found, self.hint = str(what), expected, found, hint
        middle = ", ".join(
            part for part in (f"expected {expected}" if expected else "", f"found {found}" if found else "") if part
        )
        line = f"{what}: {middle}" if middle else str(what)
        super().__init__(f"{line}; {hint}" if hint else line)
