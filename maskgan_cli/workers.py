"""Work spread over processes: results in order, and no process left when it ends, however it ends."""

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

_AHEAD: Final = 4  # pieces of work given to each process before the first is fetched


def cores() -> int:
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1  # macOS, Windows


def spread(
    work: Callable[[Job], Result], jobs: Sequence[Job], workers: int, *, chunk: int | None = None
) -> Iterator[Result]:
    """The results of ``work`` for every job, in the jobs' order.

    The processes are spawned: the parent has threads (the progress bar), and a forked copy of their
    locks can deadlock. They leave signals to their parent and end at once when it stops reading, is
    interrupted or dies.

    Args:
        work: picklable, like the jobs and the results.
        jobs: one argument each.
        workers: processes; 1 stays in this one.
        chunk: jobs handed over at a time; chosen by their number if not given.

    Raises:
        WorkError: a process died (killed, or out of memory).
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
                with _signals_held():
                    running.append(pool.submit(_do, work, piece))
            if not running:
                break
            yield from running.popleft().result()
        pool.shutdown()
    except BrokenProcessPool as error:
        raise WorkError("a worker process died (out of memory?); try again with fewer --workers") from error
    finally:
        alive.close()  # whoever still works ends now
        pool.shutdown(cancel_futures=True)
        watched.close()


def apart(work: Callable[[Job], Result], job: Job) -> Result:
    """The result of ``work`` for one job, done in a fresh process that is gone afterwards.

    Args:
        work: picklable, like the job and the result.
        job: its argument.

    Raises:
        WorkError: the process died.
    """
    (result,) = _spread(work, [job], 1, 1)
    return result


def end_with_parent() -> None:
    """End at once when the parent is gone, which holds the other end of our stdin and sends nothing.

    On Linux the kernel sees to it (1 is PR_SET_PDEATHSIG): the thread that waits here gets no turn while a library
    computes without giving Python's lock up, and whoever starts the parent again would meet us still at work.
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
def _signals_held() -> Iterator[None]:
    """Signals wait while a process is started, and never reach it: it inherits what is held back.

    Ctrl-C goes to every process of a terminal; without this, each would print a traceback.
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
    """In each worker: end when the other end of the pipe is closed, by the parent or by its death."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    threading.Thread(target=_end_with, args=(watched,), daemon=True).start()


def _end_with(watched: Connection) -> None:
    with contextlib.suppress(OSError):
        watched.poll(None)  # nothing is ever sent: it returns when the other end is gone
    os._exit(1)
