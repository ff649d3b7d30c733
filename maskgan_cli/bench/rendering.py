"""Benchmark of ``synth``: the time to render faces."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator

from maskgan_cli.bench.figure import Case, Work
from maskgan_cli.bench.table import BenchOptions
from maskgan_cli.synth import face


def cases(options: BenchOptions) -> list[Case]:
    """Return the benchmark cases of ``synth``: one at 128 px; a thorough run also has cases at 256 and 512 px."""
    sizes = (128, 256, 512) if options.thorough else (128,)
    return [Case("synth", f"{size} px", {"size": size}) for size in sizes]


@contextlib.contextmanager
def work(size: int) -> Iterator[Work]:
    """Context manager that yields the `Work` to time: rendering faces of ``size`` x ``size`` pixels.

    Each call of `Work.once` renders one face, a different face each time.
    """
    numbers = itertools.count()
    yield Work(lambda: face(0, next(numbers), size), 1, "face", {"size": size})
