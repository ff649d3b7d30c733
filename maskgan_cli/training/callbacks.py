"""Callbacks by which a training reports messages, losses and sample grids to its caller, and asks whether to stop.

The training loop uses neither signals nor the terminal, so it can run in a thread. The command line stops a training on
Ctrl-C with `stop_on_signals`.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

Values = Mapping[str, float]


def _ignore(*_: Any) -> None:
    """Do nothing; the default of the callbacks that receive values."""


def _never() -> bool:
    """Default of `TrainingCallbacks.stop`: never request a stop."""
    return False


@dataclass(frozen=True)
class TrainingCallbacks:
    """The device and the callbacks of a training. All callbacks are called from the thread that trains.

    Attributes:
        device: the device to train on: ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
        stop: called after every step; if it returns True, the state is saved and `Interrupted` is raised.
        say: receives messages for the user.
        stepped: receives (finished steps, total steps) once before the first step and after every step.
        logged: receives (step, values) every ``schedule.log_every`` steps; values are the mean losses since the last
            call, ``lr`` and ``images_per_second``.
        validated: receives (step, results by name) after every validation.
        drawn: receives (step, path of the sample grid) every ``schedule.sample_every`` steps and after the last step.
    """

    device: str = "auto"
    stop: Callable[[], bool] = _never
    say: Callable[[str], None] = _ignore
    stepped: Callable[[int, int], None] = _ignore
    logged: Callable[[int, Values], None] = _ignore
    validated: Callable[[int, Values], None] = _ignore
    drawn: Callable[[int, Path], None] = _ignore


@contextlib.contextmanager
def stop_on_signals(say: Callable[[str], None]) -> Iterator[Callable[[], bool]]:
    """Context manager that turns the first SIGINT or SIGTERM into a request to stop the training.

    A second signal raises KeyboardInterrupt at once. The context manager can only be used in the main thread.

    Args:
        say: receives a message for the user when the first signal arrives.

    Yields:
        A function that returns whether a signal has arrived; use it as `TrainingCallbacks.stop`.
    """
    requested = False

    def request(number: int, frame: FrameType | None) -> None:
        nonlocal requested
        if requested:
            raise KeyboardInterrupt
        requested = True
        say("stopping after this step")

    previous = {number: signal.signal(number, request) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: requested
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
