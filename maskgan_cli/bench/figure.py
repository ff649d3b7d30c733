"""What is measured, and what was found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

RESULT_SCHEMA: Final = 1  # raise when a field of `Figure.document` changes its meaning


@dataclass(frozen=True)
class Case:
    """One thing to measure. It can be sent to another process.

    Attributes:
        what: the measurement's name in `table.MEASUREMENTS`.
        name: which case of it, for people.
        settings: what its ``work`` is called with.
    """

    what: str
    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Work:
    """What a measurement's ``work`` makes ready.

    Attributes:
        once: does it, one round.
        count: how many things a round does.
        unit: what one of them is.
        about: what only the making ready could tell, for the record.
    """

    once: Callable[[], object]
    count: int
    unit: str
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Figure:
    """What a case took.

    Attributes:
        case: what was measured.
        unit, count: what a round did.
        about: further facts of the case.
        seconds: by the clock, of each round.
        processor: seconds of processor time of each round, of all threads and child processes.
        peak_mb: most memory the process had, its libraries included; None where the system does not say.
        device_mb: most memory tensors had on a GPU.
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
        """Median seconds of a round."""
        return float(np.median(self.seconds))

    @property
    def p95(self) -> float:
        """Seconds that 95 of 100 rounds stay below."""
        return float(np.quantile(self.seconds, 0.95))

    @property
    def per_second(self) -> float:
        """Things done in a second, at the median."""
        return self.count / self.p50

    @property
    def processor_each(self) -> float:
        """Median processor seconds of one thing: what does not change when other programs run beside it."""
        return float(np.median(self.processor)) / self.count

    def document(self) -> dict[str, Any]:
        """As ``--json`` prints it."""
        return {
            "what": self.case.what, "case": self.case.name, "unit": self.unit, "count": self.count,
            "rounds": len(self.seconds), "p50_ms": round(1e3 * self.p50, 3), "p95_ms": round(1e3 * self.p95, 3),
            "per_second": round(self.per_second, 3), "processor_ms_each": round(1e3 * self.processor_each, 3),
            "peak_memory_mb": self.peak_mb, "device_memory_mb": self.device_mb, **self.about,
        }  # fmt: skip
