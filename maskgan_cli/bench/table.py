"""Every measurement by name. Imports nothing heavy: the command line reads it for its help."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True)
class Measurement:
    """An entry of the table.

    Attributes:
        title: for people.
        cases: ``module:name`` of a function of `Wish` that lists the cases.
        work: ``module:name`` of a context manager that makes a case's `figure.Work` from its settings.
    """

    title: str
    cases: str
    work: str


@dataclass(frozen=True)
class Wish:
    """What a user wants measured.

    Attributes:
        thorough: the paper's sizes too.
        weights: of the Dense Mapping Network; None for those that commands find.
        device: see `devices.pick_device`.
        folder: for files that several cases share.
    """

    thorough: bool
    weights: Path | None
    device: str
    folder: Path


def _of(title: str, module: str) -> Measurement:
    return Measurement(title, f"maskgan_cli.bench.{module}:cases", f"maskgan_cli.bench.{module}:work")


MEASUREMENTS: Final[dict[str, Measurement]] = {
    "painting": _of("faces painted", "painting"),
    "preparation": _of("faces prepared (prep-data)", "preparation"),
    "training": _of("training steps (train dmn)", "training"),
    "synth": _of("faces rendered (synth)", "rendering"),
    "fid": _of("pictures measured (eval fid)", "distance"),
    "start": _of("commands started", "starting"),
}
