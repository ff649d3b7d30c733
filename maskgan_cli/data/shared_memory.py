"""Checks and error messages about shared memory, through which PyTorch's loader processes return batches."""

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

HINT: Final = "increase it (`docker run --shm-size 2g`) or use `--workers 0`"
FOLDER: Final = Path("/dev/shm")  # Linux's folder for shared memory
_AHEAD: Final = 2  # batches that each loader process prepares in advance (PyTorch's `prefetch_factor`)
_FULL: Final = 77  # exit code of a loader process that could not return a batch


def too_small(batch_bytes: int, workers: int) -> str:
    """Return a message if shared memory is too small for the batches of all loader processes.

    The message is empty if shared memory is large enough, or if its size is unknown.

    Args:
        batch_bytes: size of one batch in bytes.
        workers: number of loader processes.
    """
    try:
        free = shutil.disk_usage(FOLDER).free if sys.platform == "linux" else None
    except OSError:
        free = None
    needed = batch_bytes * (_AHEAD * workers + 1)  # the training step uses one more batch
    if free is None or free >= needed:
        return ""
    return f"shared memory ({FOLDER}) has {free / 1e6:.0f} MB free, {workers} loader processes need {needed / 1e6:.0f}"


def end_on_full(_: int) -> None:
    """Make a loader process exit with the code `_FULL` if it cannot write a batch to shared memory.

    By default, PyTorch only prints this error (a thread writes the batches), and the training process waits forever.
    PyTorch calls this function in each loader process with the number of the process, which is not used.
    """
    multiprocessing.queues.Queue._on_queue_feeder_error = staticmethod(_end)  # type: ignore[attr-defined]


def _end(_: BaseException, __: Any) -> None:
    os._exit(_FULL)


def loader_error(error: RuntimeError) -> WorkError | None:
    """Convert PyTorch's error about a dead loader process to a `WorkError` with a clear message; the caller raises it.

    Return None if ``error`` has another cause.
    """
    text = str(error)
    if not re.search(r"DataLoader worker|unable to (write to|open|mmap|allocate).*(torch_|shared memory)", text):
        return None
    if "Bus error" in text or f"exit code {_FULL}" in text or not text.startswith("DataLoader worker"):
        return WorkError(f"shared memory ({FOLDER}) is full: a loader process could not return its batch; {HINT}")
    return WorkError(
        f"a loader process died (killed, out of memory, or shared memory {FOLDER} full); {HINT}, or fewer --workers"
    )


def end_processes(workers: list[BaseProcess]) -> None:
    """Kill the loader processes that are still running. They ignore SIGTERM and may hang while reading a file."""
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
    """Context manager that disables PyTorch's handler of SIGCHLD inside its block.

    The handler would raise an error for each loader process that is killed.
    """
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
    """Context manager that converts PyTorch's error about a dead loader process into a `WorkError`.

    PyTorch can raise this error in any statement of a training step, so the block contains the whole step.
    """
    try:
        yield
    except RuntimeError as error:
        found = loader_error(error)
        if found is None:
            raise
        raise found from error
