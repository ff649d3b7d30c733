"""The shared memory that PyTorch's loader processes hand their batches over in, and what is said where it is full."""

from __future__ import annotations

import contextlib
import multiprocessing.queues
import os
import re
import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final

from maskgan_cli.errors import WorkError

HINT: Final = "give more (`docker run --shm-size 2g`) or say `--workers 0`"
FOLDER: Final = Path("/dev/shm")  # where Linux keeps it
_AHEAD: Final = 2  # batches that PyTorch lets each loader process prepare (its `prefetch_factor`)
_FULL: Final = 77  # exit code of a loader process that could not hand a batch over


def too_small(batch_bytes: int, workers: int) -> str:
    """Why shared memory cannot hold the batches of so many loader processes; "" if it can or nobody knows.

    Args:
        batch_bytes: size of one batch.
        workers: loader processes.
    """
    try:
        free = shutil.disk_usage(FOLDER).free if sys.platform == "linux" else None
    except OSError:
        free = None
    needed = batch_bytes * (_AHEAD * workers + 1)  # one more is held by the step that trains
    if free is None or free >= needed:
        return ""
    return f"shared memory ({FOLDER}) has {free / 1e6:.0f} MB free, {workers} loader processes need {needed / 1e6:.0f}"


def end_on_full(_: int) -> None:
    """In a loader process: end when a batch cannot be handed over, instead of losing it without a word.

    PyTorch writes batches to shared memory in a thread whose errors are printed and otherwise ignored; the process
    that trains would wait for the batch for ever.
    """
    multiprocessing.queues.Queue._on_queue_feeder_error = staticmethod(_end)  # type: ignore[attr-defined]


def _end(_: BaseException, __: Any) -> None:
    os._exit(_FULL)


def loader_error(error: RuntimeError) -> WorkError | None:
    """What to tell the user about PyTorch's error of a dead loader process; None for any other error."""
    text = str(error)
    if not re.search(r"DataLoader worker|unable to (write to|open|mmap|allocate).*(torch_|shared memory)", text):
        return None
    if "Bus error" in text or f"exit code {_FULL}" in text or not text.startswith("DataLoader worker"):
        return WorkError(f"a loader process found shared memory ({FOLDER}) full; {HINT}")
    return WorkError(
        f"a loader process died (killed, out of memory, or shared memory {FOLDER} full?); {HINT}, or fewer --workers"
    )


def end_processes(workers: list[BaseProcess]) -> None:
    """Kill the loader processes that are still there: they ignore SIGTERM, and one may hang in a read for good."""
    alive = [worker for worker in workers if worker._parent_pid == os.getpid() and worker.is_alive()]  # type: ignore[attr-defined]
    if not alive:
        return
    with _sigchld_ignored():
        for worker in alive:
            worker.kill()
        for worker in alive:
            worker.join()


@contextlib.contextmanager
def _sigchld_ignored() -> Iterator[None]:
    """Without PyTorch's handler of SIGCHLD, which raises an error for every loader process that was killed."""
    if not hasattr(signal, "SIGCHLD") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, before)


@contextlib.contextmanager
def reported() -> Iterator[None]:
    """Report the death of a loader process, which PyTorch raises in the middle of any step, as a `WorkError`."""
    try:
        yield
    except RuntimeError as error:
        found = loader_error(error)
        if found is None:
            raise
        raise found from error
