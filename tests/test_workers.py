"""Tests of the process pool: order, cancellation, and end of the workers with the parent."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from maskgan_cli.errors import InputError, WorkError
from maskgan_cli.workers import spread


def square(value: int) -> int:
    return value * value


def refuse(value: int) -> int:
    if value == 5:
        raise InputError(f"job {value}", expected="another")
    return value


def die(value: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return value


def sleep(value: int) -> int:
    time.sleep(60 if value else 0)
    return os.getpid()


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("count", [0, 1, 50])
def test_results_are_in_the_order_of_the_jobs(workers: int, count: int) -> None:
    assert list(spread(square, range(count), workers)) == [i * i for i in range(count)]


def test_exception_is_raised_after_the_earlier_results() -> None:
    seen = []
    with pytest.raises(InputError, match="job 5: expected another"):
        for value in spread(refuse, range(100), 2, chunk=1):
            seen.append(value)
    assert seen == [0, 1, 2, 3, 4]
    assert not multiprocessing.active_children()


def test_dead_worker_raises_a_work_error() -> None:
    with pytest.raises(WorkError, match="a worker process died"):
        list(spread(die, range(4), 2))


def test_closing_the_iterator_cancels_the_work() -> None:
    results = spread(sleep, [0, 0, 1, 1, 1], 2, chunk=1)
    next(results)
    start = time.perf_counter()
    results.close()  # type: ignore[attr-defined]
    assert time.perf_counter() - start < 10
    assert not multiprocessing.active_children()


def _workers_of(process: subprocess.Popen[str]) -> Iterator[int]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1]) == process.pid:
                yield int(folder.name)
        except OSError:
            continue


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_workers_end_with_the_parent(number: signal.Signals) -> None:
    script = (
        "from maskgan_cli.workers import spread; from tests.test_workers import sleep\n"
        "for value in spread(sleep, [0, 0, 1, 1, 1], 2, chunk=1): print(value, flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip().isdigit()
    workers = set(_workers_of(process))
    assert len(workers) >= 2
    os.kill(process.pid, number)
    process.communicate(timeout=20)
    end = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in workers) and time.monotonic() < end:
        time.sleep(0.05)
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems end it only when Python code runs")
def test_child_ends_with_its_parent_even_while_a_library_holds_the_gil() -> None:
    busy = "from maskgan_cli.workers import end_with_parent as e; e(); print(1, flush=True); sum(range(10**11))"
    script = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {busy!r}], stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        "child.stdout.readline(); print(child.pid, flush=True); child.wait()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    child = Path(f"/proc/{int(process.stdout.readline())}")
    try:
        process.kill()
        process.wait()
        end = time.monotonic() + 5
        while child.exists() and time.monotonic() < end:
            time.sleep(0.05)
        assert not child.exists()
    finally:
        process.stdout.close()
        if child.exists():
            os.kill(int(child.name), signal.SIGKILL)
