"""Stages of a plan: commands with a name, inputs and outputs."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Stage:
    """A stage of a plan: one ``maskgan`` command, which runs in the plan's folder.

    Attributes:
        name: name, unique in the plan.
        words: arguments after ``maskgan``; paths are relative to the plan's folder.
        outputs: files and folders that the command writes; they may be removed before the stage is run again.
        needs: names of earlier stages whose outputs the command reads.
        seconds: estimated seconds on one core; None if not measured.
        how: further arguments that do not affect the results, e.g. ``--device cuda``.
    """

    name: str
    words: tuple[str, ...]
    outputs: tuple[str, ...]
    needs: tuple[str, ...] = ()
    seconds: float | None = None
    how: tuple[str, ...] = ()

    def on(self, device: str) -> Stage:
        """Return a copy of the stage that runs on ``device``.

        If the command has no option ``--device``, the copy equals the stage.
        """
        words = list(self.how)
        if "--device" in words:
            words[words.index("--device") + 1] = device
        return replace(self, how=tuple(words))

    def __str__(self) -> str:
        return shlex.join(["maskgan", *self.words, *self.how])


def about(seconds: Iterable[float | None]) -> str:
    """Return the total time of several commands as text, e.g. ``about 3 minutes of one core, and 2 not measured``.

    Args:
        seconds: estimated seconds of each command; None if not measured.
    """
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
    """Return a plan as the text of a shell script, with one command per line.

    Args:
        stages: the stages (commands) of the plan.
        folder: folder in which the script runs.
        made_by: the command line that printed the script; it is shown in the script's first comment.
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
