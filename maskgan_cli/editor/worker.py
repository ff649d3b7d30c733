"""A worker thread with a bounded queue of jobs."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class Busy(Exception):
    """Raised if the queue of waiting jobs or uploads is full."""


class Superseded(Exception):
    """Raised if a newer request has arrived, so that the result of the older request is not needed."""


class Worker:
    """Runs all computations in one thread. One thread is enough, because PyTorch uses all cores for one job.

    Args:
        waiting: maximum number of waiting jobs.
    """

    def __init__(self, waiting: int = 16) -> None:
        self._jobs: queue.Queue[tuple[Future[Any], Callable[[], Any]] | None] = queue.Queue(waiting)
        self._thread = threading.Thread(target=self._work, name="editor", daemon=True)
        self._thread.start()

    def submit(self, job: Callable[[], T]) -> Future[T]:
        """Add the function ``job`` to the queue, and return a future that receives the result of ``job``.

        Raises:
            Busy: the queue is full.
        """
        future: Future[T] = Future()
        try:
            self._jobs.put_nowait((future, job))
        except queue.Full:
            raise Busy from None
        return future

    def close(self) -> None:
        """Complete all jobs in the queue, then end the thread."""
        self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (entry := self._jobs.get()) is not None:
            future, job = entry
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(job())
            except BaseException as error:  # passed on to the caller
                future.set_exception(error)
            del future, job, entry  # free the memory of the last picture
