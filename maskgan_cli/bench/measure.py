"""Run each benchmark case in a separate process, so that cases do not share memory, caches or loaded networks."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskgan_cli.bench.figure import Case, Figure, Work
from maskgan_cli.bench.table import MEASUREMENTS
from maskgan_cli.networks import resolve
from maskgan_cli.workers import apart


@dataclass(frozen=True)
class Effort:
    """How long one benchmark case is measured. A round is one call of `Work.once`.

    Attributes:
        seconds: time limit. After this time no further round starts, unless fewer than ``least`` rounds have run.
        least, most: minimum and maximum number of measured rounds.
        warm_up: number of rounds that run before the measured rounds.
    """

    seconds: float = 2.0
    least: int = 3
    most: int = 200
    warm_up: int = 1


QUICK, THOROUGH = Effort(), Effort(seconds=20.0, least=10)


def measure(case: Case, effort: Effort = QUICK) -> Figure:
    """Measure a benchmark case in a new process, and return the result.

    Raises:
        InputError, WorkError: the case cannot run on this machine, or the process died.
    """
    return apart(_measured, (case, effort))


def _measured(order: tuple[Case, Effort]) -> Figure:
    """Call `measure_here` with the case and the effort in the tuple ``order``, and return the result.

    This function is needed because `workers.apart` calls functions with a single argument.
    """
    return measure_here(*order)


def measure_here(case: Case, effort: Effort = QUICK) -> Figure:
    """Measure a benchmark case in this process, and return the result.

    The measured peak memory includes everything that this process did before.
    """
    prepare: AbstractContextManager[Work] = resolve(MEASUREMENTS[case.what].work)(**case.settings)
    with prepare as work:
        rounds = list(_rounds(work, effort))
    seconds, processor = zip(*rounds, strict=True)
    return Figure(case, work.unit, work.count, work.about, seconds, processor, peak_memory(), _device_memory())


def _rounds(work: Work, effort: Effort) -> Iterator[tuple[float, float]]:
    """Call ``work.once`` for warm-up, then repeatedly, and yield (wall-clock seconds, CPU seconds) of each call."""
    for _ in range(effort.warm_up):
        work.once()
    begun = time.perf_counter()
    for number in range(effort.most):
        if number >= effort.least and time.perf_counter() - begun > effort.seconds:
            return
        clock, processor = time.perf_counter(), processor_time()
        work.once()
        yield time.perf_counter() - clock, processor_time() - processor


def alternate(works: Mapping[str, Work], effort: Effort = QUICK) -> dict[str, float]:
    """Measure several works in this process; return a dict from the name of each work to its CPU seconds per item.

    The CPU seconds are the median of all calls. The works run alternately, one call of `Work.once` at a time, so that
    changes in the machine's load or temperature affect all works equally.
    """
    taken: dict[str, list[float]] = {name: [] for name in works}
    begun = time.perf_counter()
    for number in range(effort.warm_up + effort.most):
        if number >= effort.warm_up + effort.least and time.perf_counter() - begun > effort.seconds:
            break
        for name, work in works.items():
            before = processor_time()
            work.once()
            if number >= effort.warm_up:
                taken[name].append((processor_time() - before) / work.count)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def processor_time() -> float:
    """Return the CPU seconds that this process and its finished child processes have used so far."""
    if sys.platform == "win32":
        return time.process_time()
    import resource

    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def peak_memory() -> float | None:
    """Return the peak resident memory in MB; None on Windows.

    The result is the larger of two peaks: of this process, and of the finished child processes.
    """
    if sys.platform == "win32":
        return None
    import resource

    unit = 2**20 if sys.platform == "darwin" else 2**10
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / unit
    mine = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    if sys.platform == "linux":  # ru_maxrss includes the parent's memory at the time of the fork; VmHWM does not
        status = Path("/proc/self/status").read_text().splitlines()
        mine = next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM:"))
    return round(max(mine, children), 1)


def _device_memory() -> float | None:
    """Return the peak memory of tensors on the GPU in MB; None without a GPU or if PyTorch is not loaded."""
    torch: Any = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return None
    return float(round(torch.cuda.max_memory_allocated() / 2**20, 1))
