"""Who runs a training: the command line, a thread of an editor, or a measurement.

The loop asks its host after every step whether to stop, and tells it what happens; it touches neither signals
nor a terminal. `stop_on_signals` is how a command is asked to stop.
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
    """What a host does who does not care."""


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Host:
    """What a training is given from outside. Every call comes from the thread that trains.

    Attributes:
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
        stop: asked after every step; once it says True the state is saved and `Interrupted` raised.
        say: a remark for people.
        stepped: (finished steps, of how many), after every step and once before the first.
        logged: (step, values) every ``schedule.log_every`` steps: the mean losses since the last time, ``lr``
            and ``images_per_second``.
        validated: (step, values) every ``schedule.validate_every`` steps.
        drawn: (step, picture's path) every ``schedule.sample_every`` steps.
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
    """SIGINT or SIGTERM ask to stop, a second one means now (KeyboardInterrupt). For the main thread only.

    Yields:
        Whether one came, see `Host.stop`.
    """
    asked = False

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        say("stopping after this step")

    previous = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
