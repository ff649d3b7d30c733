"""Tests of rounds, CPU time and memory, with work of known cost."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from maskgan_cli.bench.figure import Case, Work
from maskgan_cli.bench.measure import Effort, alternate, measure, measure_here
from maskgan_cli.bench.table import MEASUREMENTS, Measurement

FEW = Effort(seconds=0.0, least=2, most=5)
calls: list[int] = []


@contextlib.contextmanager
def sleeping(seconds: float) -> Iterator[Work]:
    yield Work(lambda: time.sleep(seconds), 4, "nap", {"deep": True})


@contextlib.contextmanager
def counted() -> Iterator[Work]:
    yield Work(lambda: calls.append(1), 1, "call")


@contextlib.contextmanager
def in_a_child() -> Iterator[Work]:
    busy = "import time\nwhile time.process_time() < 0.3: pass"
    yield Work(lambda: subprocess.run([sys.executable, "-c", busy], check=True), 1, "child")


@pytest.fixture
def case(monkeypatch: pytest.MonkeyPatch) -> Any:
    def make(work: str, **settings: Any) -> Case:
        monkeypatch.setitem(MEASUREMENTS, work, Measurement("a test's", "", f"{__name__}:{work}"))
        return Case(work, "a test's", settings)

    return make


def test_sleeping_uses_wall_clock_time_but_no_cpu_time(case: Any) -> None:
    found = measure_here(case("sleeping", seconds=0.05), FEW)
    assert len(found.seconds) == len(found.processor) == 2
    assert min(found.seconds) >= 0.05
    assert max(found.processor) < 0.04
    assert found.per_second == pytest.approx(4 / found.p50)
    assert found.document()["deep"] is True


@pytest.mark.parametrize(("effort", "rounds"), [(FEW, 2), (Effort(seconds=60.0, least=1, most=4), 4)])
def test_rounds_stop_at_the_time_limit_or_the_maximum(case: Any, effort: Effort, rounds: int) -> None:
    calls.clear()
    assert len(measure_here(case("counted"), effort).seconds) == rounds
    assert len(calls) == rounds + effort.warm_up


def test_works_alternate() -> None:
    turns: list[str] = []

    def busy() -> None:
        turns.append("b")
        until = time.process_time() + 0.05
        while time.process_time() < until:
            pass

    works = {"a": Work(lambda: turns.append("a"), 1, "turn"), "b": Work(busy, 2, "turn")}
    each = alternate(works, Effort(seconds=0.0, least=3, warm_up=1))
    assert "".join(turns) == "abababab"
    assert each["a"] < 0.01
    assert 0.025 <= each["b"] < 0.05


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not report child processes")
def test_cpu_time_includes_child_processes(case: Any) -> None:
    found = measure_here(case("in_a_child"), Effort(seconds=0.0, least=1, warm_up=0))
    assert 0.29 < found.processor[0] < 1.0


@pytest.mark.skipif(sys.platform != "linux", reason="other systems count the parent's memory")
def test_peak_memory_is_that_of_the_case() -> None:
    """A synth case in a new process does not include the memory of this process."""
    np.ones(1 << 26)  # half a gigabyte, freed at once
    found = measure(Case("synth", "64 px", {"size": 64}), Effort(seconds=0.0, least=1))
    assert found.peak_mb is not None
    assert 20 < found.peak_mb < 450
    assert found.unit == "face"
