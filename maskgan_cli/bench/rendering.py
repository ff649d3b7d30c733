"""``synth``: rendered faces."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator

from maskgan_cli.bench.figure import Case, Work
from maskgan_cli.bench.table import Wish
from maskgan_cli.synth import face


def cases(wish: Wish) -> list[Case]:
    """At 128 px; thorough: at 256 and 512 px too."""
    sizes = (128, 256, 512) if wish.thorough else (128,)
    return [Case("synth", f"{size} px", {"size": size}) for size in sizes]


@contextlib.contextmanager
def work(size: int) -> Iterator[Work]:
    """One round draws a face, each time another one."""
    numbers = itertools.count()
    yield Work(lambda: face(0, next(numbers), size), 1, "face", {"size": size})
