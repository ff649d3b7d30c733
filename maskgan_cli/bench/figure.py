"""Data classes of the benchmarks: cases, their prepared work, and their results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

RESULT_SCHEMA: Final = 1  # increase when a field of `Figure.document` changes its meaning


@dataclass(frozen=True)
class Case:
    """One benchmark case: a measurement (e.g. of training steps) with certain settings. Cases can be pickled.

    Attributes:
        what: name of the measurement, a key of `table.MEASUREMENTS`.
        name: title of the case in reports, e.g. ``batch 16``.
        settings: keyword arguments for the measurement's function ``work``.
    """

    what: str
    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Work:
    """The prepared work of a benchmark case: a function to time, and what it processes.

    Attributes:
        once: function that runs the work once (one round).
        count: number of items that one call of ``once`` processes.
        unit: name of one item, e.g. ``picture``.
        about: additional entries of the report, e.g. picture size and batch size.
    """

    once: Callable[[], object]
    count: int
    unit: str
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Figure:
    """The result of a benchmark case: the times of all rounds (calls of `Work.once`), and the peak memory.

    Attributes:
        case: the measured case.
        unit, count, about: see `Work`.
        seconds: wall-clock seconds of each round.
        processor: CPU seconds of each round, summed over all threads and finished child processes.
        peak_mb: peak resident memory of the process in MB, including libraries; None if the system does not report it.
        device_mb: peak memory of tensors on the GPU in MB; None without a GPU.
    """

    case: Case
    unit: str
    count: int
    about: Mapping[str, Any]
    seconds: tuple[float, ...]
    processor: tuple[float, ...]
    peak_mb: float | None
    device_mb: float | None

    @property
    def p50(self) -> float:
        """Median wall-clock seconds per round."""
        return float(np.median(self.seconds))

    @property
    def p95(self) -> float:
        """95th percentile of the wall-clock seconds per round."""
        return float(np.quantile(self.seconds, 0.95))

    @property
    def per_second(self) -> float:
        """Items per second in the median round."""
        return self.count / self.p50

    @property
    def processor_each(self) -> float:
        """Median CPU seconds per item. Unlike wall-clock time, it hardly depends on other running programs."""
        return float(np.median(self.processor)) / self.count

    def document(self) -> dict[str, Any]:
        """Return the result as a JSON object, in the form that ``maskgan bench --json`` prints."""
        return {
            "what": self.case.what,
            "case": self.case.name,
            "unit": self.unit,
            "count": self.count,
            "rounds": len(self.seconds),
            "p50_ms": round(1e3 * self.p50, 3),
            "p95_ms": round(1e3 * self.p95, 3),
            "per_second": round(self.per_second, 3),
            "processor_ms_each": round(1e3 * self.processor_each, 3),
            "peak_memory_mb": self.peak_mb,
            "device_memory_mb": self.device_mb,
            **self.about,
        }
