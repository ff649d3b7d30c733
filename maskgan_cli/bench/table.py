"""List all measurements in a table. This module imports nothing slow, because ``maskgan bench --help`` loads it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True)
class Measurement:
    """A kind of benchmark, e.g. of training steps, which has one or several cases.

    Attributes:
        title: title of the measurement in reports.
        cases: ``module:name`` of a function that takes a `BenchOptions` and returns the cases.
        work: ``module:name`` of a context manager that takes the settings of a case and yields a `figure.Work`.
    """

    title: str
    cases: str
    work: str


@dataclass(frozen=True)
class BenchOptions:
    """Options of a benchmark run.

    Attributes:
        thorough: measure more and larger cases, e.g. the paper's network.
        weights: weights file of the Dense Mapping Network; None for the default weights.
        device: see `devices.pick_device`.
        folder: temporary folder for files that several cases share.
    """

    thorough: bool
    weights: Path | None
    device: str
    folder: Path


def _of(title: str, module: str) -> Measurement:
    """Return the measurement that a module of this package defines with its functions ``cases`` and ``work``.

    Args:
        title: title of the measurement in reports.
        module: name of the module, e.g. ``painting``.
    """
    return Measurement(title, f"maskgan_cli.bench.{module}:cases", f"maskgan_cli.bench.{module}:work")


MEASUREMENTS: Final[dict[str, Measurement]] = {
    "painting": _of("faces painted", "painting"),
    "preparation": _of("faces prepared (prep-data)", "preparation"),
    "training": _of("training steps (train dmn)", "training"),
    "synth": _of("faces rendered (synth)", "rendering"),
    "fid": _of("pictures measured (eval fid)", "distance"),
    "start": _of("commands started", "starting"),
}
