"""Tests of the locks: exclusion, the message with the holder, and removal of lock files."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from maskgan_cli.errors import InputError
from maskgan_cli.locks import clear_dead, locked

HOLD = (
    "import sys, time; from maskgan_cli.locks import clear_dead, locked\n"
    "with locked(sys.argv[1], 'maskgan test'):\n    print('held', flush=True); time.sleep(60)"
)


def _holder(target: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(target)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


@pytest.mark.parametrize("name", ["new/folder", "result.png"])
def test_second_writer_gets_an_error_with_the_holder_until_the_first_ends(tmp_path: Path, name: str) -> None:
    target = tmp_path / name
    process = _holder(target)
    line = rf"found maskgan test \(process {process.pid} on \S+, since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d\) "
    line += "writing to it; wait"
    with pytest.raises(InputError, match=line), locked(target, "maskgan other"):
        pass
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert len(list(target.parent.iterdir())) == 1, "a killed holder leaves its lock file"
    with locked(target, "maskgan other"):
        pass
    assert not list(target.parent.iterdir())


def test_threads_exclude_each_other_on_one_target_only(tmp_path: Path) -> None:
    line = f"a: expected .* found one .process {os.getpid()} "
    with locked(tmp_path / "a", "one"), locked(tmp_path / "b", "two"):  # noqa: SIM117
        with pytest.raises(InputError, match=line), locked(tmp_path / "a", "three"):
            pass
    assert not list(tmp_path.iterdir())


def test_concurrent_threads_never_hold_one_lock_together(tmp_path: Path) -> None:
    """Many threads acquire and release one lock; removing the lock file must never admit two holders."""
    inside, most, taken = 0, 0, 0
    guard = threading.Lock()

    def work(_: int) -> None:
        nonlocal inside, most, taken
        for _ in range(100):
            try:
                with locked(tmp_path / "x", "test"):
                    with guard:
                        inside, taken = inside + 1, taken + 1
                        most = max(most, inside)
                    with guard:
                        inside -= 1
            except InputError as error:
                assert re.search("found .* writing to it", str(error))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert most == 1
    assert taken > 8


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
def test_forked_worker_does_not_keep_the_parents_lock(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    stop = context.Event()
    with locked(tmp_path / "x", "parent"):
        child = context.Process(target=stop.wait)
        child.start()
    with locked(tmp_path / "x", "again"):
        pass
    stop.set()
    child.join()


def test_unwritable_location_raises_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    line = "expected a place that can be written, found"
    with pytest.raises(InputError, match=line), locked(tmp_path / "file" / "x", "test"):
        pass


def test_clear_dead_removes_only_abandoned_locks(tmp_path: Path) -> None:
    clear_dead(tmp_path / "x", "test")
    lock = tmp_path / ".x.lock"
    lock.touch()
    clear_dead(tmp_path / "x", "test")
    assert not lock.exists()
    with locked(tmp_path / "x", "test"):
        clear_dead(tmp_path / "x", "another")
        assert lock.exists()
