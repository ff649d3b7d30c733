"""Runs functions in worker processes, which always end with the parent process."""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing.connection import Connection
from typing import Final, TypeVar

from maskgan_cli.errors import WorkError

Job = TypeVar("Job")
Result = TypeVar("Result")

_AHEAD: Final = 4  # chunks submitted per process ahead of the results


def cores() -> int:
    """Return the number of CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1  # macOS, Windows


def spread(
    work: Callable[[Job], Result], jobs: Sequence[Job], workers: int, *, chunk: int | None = None
) -> Iterator[Result]:
    """Call ``work`` with each job in worker processes, and yield the results in the order of the jobs.

    The processes are spawned, not forked: the parent has threads (the progress bar), and forking with their locks
    held can deadlock. Workers ignore signals; they end at once when the parent stops reading, is interrupted or dies.

    Args:
        work: function that is called with each job. The function, the jobs and the results must be picklable.
        jobs: the arguments of the function, one for each call.
        workers: number of processes; 1 runs everything in this process.
        chunk: number of jobs that are sent to a process at once; by default it depends on the number of jobs.

    Raises:
        WorkError: a worker process died (killed, or out of memory).
    """
    if workers <= 1 or len(jobs) < 2:
        yield from map(work, jobs)
        return
    yield from _spread(work, jobs, workers, chunk or max(1, min(16, len(jobs) // (8 * workers))))


def _spread(work: Callable[[Job], Result], jobs: Sequence[Job], workers: int, chunk: int) -> Iterator[Result]:
    pieces = (jobs[start : start + chunk] for start in range(0, len(jobs), chunk))
    context = multiprocessing.get_context("spawn")
    watched, alive = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(min(workers, len(jobs)), context, initializer=_begin, initargs=(watched,))
    running: deque[Future[list[Result]]] = deque()
    try:
        while True:
            for piece in islice(pieces, _AHEAD * workers - len(running)):
                with block_signals():
                    running.append(pool.submit(_do, work, piece))
            if not running:
                break
            yield from running.popleft().result()
        pool.shutdown()
    except BrokenProcessPool as error:
        raise WorkError("a worker process died (out of memory?); try again with fewer --workers") from error
    finally:
        alive.close()  # makes running workers end
        pool.shutdown(cancel_futures=True)
        watched.close()


def apart(work: Callable[[Job], Result], job: Job) -> Result:
    """Call ``work`` with a job in a new process that ends afterwards, and return the result.

    Args:
        work: function that is called with the job. The function, the job and the result must be picklable.
        job: the argument of the function.

    Raises:
        WorkError: the process died.
    """
    (result,) = _spread(work, [job], 1, 1)
    return result


def end_with_parent() -> None:
    """Make this process end when its parent ends.

    Standard input must be a pipe from the parent, which sends nothing. A thread waits until the pipe is closed. The
    thread cannot run while a library computes without releasing the GIL, so on Linux the kernel also kills this process
    (1 is PR_SET_PDEATHSIG).
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)

    def wait() -> None:
        with contextlib.suppress(OSError):
            os.read(0, 1)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _do(work: Callable[[Job], Result], jobs: Sequence[Job]) -> list[Result]:
    return [work(job) for job in jobs]


@contextlib.contextmanager
def block_signals() -> Iterator[None]:
    """Context manager that blocks the signals SIGINT and SIGTERM inside its block.

    Processes that are started inside the block keep the signals blocked. Ctrl-C reaches all processes of a terminal;
    if the signals were not blocked, each worker would print a traceback.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(watched: Connection) -> None:
    """Initialise a worker process: ignore warnings, and end the process when its parent process dies.

    The worker also ends when the parent closes the other end of the pipe ``watched``.
    """
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    threading.Thread(target=_end_with, args=(watched,), daemon=True).start()


def _end_with(watched: Connection) -> None:
    with contextlib.suppress(OSError):
        watched.poll(None)  # nothing is ever sent; it returns when the other end is closed
    os._exit(1)
