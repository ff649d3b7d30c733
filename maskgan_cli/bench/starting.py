"""Benchmark of the start-up time of commands."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Sequence

from maskgan_cli.bench.figure import Case, Work
from maskgan_cli.bench.table import BenchOptions

_COMMANDS = (("--help",), ("swap-mouth", "--help"), ("weights", "list"))


def cases(options: BenchOptions) -> list[Case]:
    """Return the benchmark cases of the start-up time: one case for each of a few fast commands.

    The commands are Python without a program (as a reference), the general help, the help of one command, and ``weights
    list``.
    """
    del options  # the cases do not depend on it
    python = Case("start", "python alone", {"arguments": ("-c", "pass")})
    return [
        python,
        *(
            Case("start", " ".join(("maskgan", *words)), {"arguments": ("-m", "maskgan_cli", *words)})
            for words in _COMMANDS
        ),
    ]


@contextlib.contextmanager
def work(arguments: Sequence[str]) -> Iterator[Work]:
    """Context manager that yields the `Work` to time: starting Python with some command-line arguments.

    Each call of `Work.once` runs Python with ``arguments``, from the start to the end of the process.
    """
    words = [sys.executable, *arguments]
    yield Work(lambda: subprocess.run(words, check=True, stdout=subprocess.DEVNULL), 1, "start")
