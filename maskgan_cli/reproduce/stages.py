"""A plan: named commands in order, each with what it needs and what it leaves."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """One command of ``maskgan``, run inside the plan's folder.

    Attributes:
        name: unique in its plan.
        words: what is typed after ``maskgan``; paths are relative to the plan's folder.
        outputs: files and folders that are there when it has ended well. Those it starts over with may go.
        needs: names of earlier stages whose outputs it reads.
        seconds: about how long it takes one core of a common processor; None where nobody measured.
        how: further words that change how it is run and not what comes of it, e.g. ``--device cuda``.
    """

    name: str
    words: tuple[str, ...]
    outputs: tuple[str, ...]
    needs: tuple[str, ...] = ()
    seconds: float | None = None
    how: tuple[str, ...] = ()

    def __str__(self) -> str:
        return shlex.join(["maskgan", *self.words, *self.how])


def about(seconds: Iterable[float | None]) -> str:
    """How long stages take, in words, e.g. ``about 3 minutes of one core``; those nobody measured are counted."""
    given = list(seconds)
    known = [value for value in given if value is not None]
    total = sum(known)
    if not known:
        return "time not measured"
    if total < 90:
        words = f"about {max(5, round(total / 5) * 5)} seconds"
    elif total < 90 * 60:
        words = f"about {round(total / 60)} minutes"
    else:
        words = f"about {round(total / 3600)} hours"
    unknown = len(given) - len(known)
    return f"{words} of one core" + (f", and {unknown} not measured" if unknown else "")


def script(stages: Sequence[Stage], folder: str, made_by: str) -> str:
    """A plan as a shell script; every line of it can be pasted alone, too.

    Args:
        folder: where it shall run.
        made_by: the command that printed it.
    """
    lines = [
        "#!/bin/sh",
        f"# {made_by}: {len(stages)} commands, {about(s.seconds for s in stages)}.",
        "set -eu",
        f"mkdir -p {shlex.quote(folder)}",
        f"cd {shlex.quote(folder)}",
    ]
    for stage in stages:
        lines += ["", f"# {stage.name}: {about([stage.seconds])}", str(stage)]
    return "\n".join(lines)
