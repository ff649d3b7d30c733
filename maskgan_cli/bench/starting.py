"""What a command takes before it does anything."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Sequence

from maskgan_cli.bench.figure import Case, Work
from maskgan_cli.bench.table import Wish

_COMMANDS = (("--help",), ("swap-mouth", "--help"), ("weights", "list"))


def cases(wish: Wish) -> list[Case]:
    """Help of everything, help of one command, and a command that reads weights; and Python alone, to compare."""
    del wish  # the same in every case
    python = Case("start", "python alone", {"arguments": ("-c", "pass")})
    return [python, *(Case("start", " ".join(("maskgan", *words)), {"arguments": ("-m", "maskgan_cli", *words)})
                      for words in _COMMANDS)]  # fmt: skip


@contextlib.contextmanager
def work(arguments: Sequence[str]) -> Iterator[Work]:
    """One round is a process from its start to its end."""
    words = [sys.executable, *arguments]
    yield Work(lambda: subprocess.run(words, check=True, stdout=subprocess.DEVNULL), 1, "start")
