"""One thread that does the work, in order, and a bounded queue before it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class Busy(Exception):
    """The queue is full."""


class Superseded(Exception):
    """A newer request has made this one needless."""


class Worker:
    """A thread for everything that computes: torch uses all cores for one job, two would only be in each other's way.

    Args:
        waiting: how many jobs may wait.
    """

    def __init__(self, waiting: int = 16) -> None:
        self._jobs: queue.Queue[tuple[Future[Any], Callable[[], Any]] | None] = queue.Queue(waiting)
        self._thread = threading.Thread(target=self._work, name="editor", daemon=True)
        self._thread.start()

    def submit(self, job: Callable[[], T]) -> Future[T]:
        """Have ``job`` done after those that wait already.

        Raises:
            Busy: too many are waiting.
        """
        future: Future[T] = Future()
        try:
            self._jobs.put_nowait((future, job))
        except queue.Full:
            raise Busy from None
        return future

    def close(self) -> None:
        """Finish what waits, then end the thread."""
        self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (entry := self._jobs.get()) is not None:
            future, job = entry
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(job())
            except BaseException as error:  # whoever waits for the result is told
                future.set_exception(error)
            del future, job, entry  # or the last picture would stay in memory until the next job
