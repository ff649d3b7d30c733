"""Run several stages (commands) of a plan at the same time, one on each device."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Protocol

from maskgan_cli.errors import Stopped
from maskgan_cli.reproduce.runner import Stamp, finished_before, run_stage, stage_key
from maskgan_cli.reproduce.stages import Stage

_TICK = 0.5  # seconds between two checks for a signal


class StoppableExecute(Protocol):
    """Interface of a function that runs a stage (one command), e.g. `as_subprocess`."""

    def __call__(self, stage: Stage, folder: Path, *, stop: threading.Event) -> int:
        """Run a stage in ``folder`` and return its exit code.

        If ``stop`` is set while the stage runs, interrupt the stage.
        """


def run_side_by_side(
    stages: Sequence[Stage],
    folder: Path,
    execute: StoppableExecute,
    devices: Sequence[str],
    *,
    given: str = "",
    overwrite: bool = False,
) -> Iterator[tuple[Stage, Stamp | None]]:
    """Run the stages (commands) of a plan like `run_stages`, but several at the same time, one on each device.

    A stage starts when all stages that it needs are finished and a device is free. If a stage fails or the command is
    interrupted, the other running stages are interrupted too. The next call resumes the interrupted stages.

    Args:
        stages, folder, given, overwrite: see `run_stages`.
        execute: function that runs a stage.
        devices: names of devices, e.g. ``cuda:0``. Each running stage occupies one entry of this list; the entry
            replaces the value of the stage's option ``--device``, if any. To run two stages on a device at a time, list
            the device twice.

    Yields:
        (stage, None) before a stage runs, and (stage, stamp) when the stage is finished.

    Raises:
        InputError, StageFailed, Stopped: see `run_stages`.
    """
    stop, digests = threading.Event(), dict[str, str]()
    waiting, free = list(stages), list(devices)
    running: dict[Future[Stamp], tuple[Stage, str]] = {}

    def run(stage: Stage, before: Stamp) -> Stamp:
        return run_stage(stage, folder, lambda one, where: execute(one, where, stop=stop), before, alone=False)

    with ThreadPoolExecutor(len(devices)) as pool:
        try:
            while waiting or running:
                for stage in [one for one in waiting if all(need in digests for need in one.needs)]:
                    if not free:
                        break
                    waiting.remove(stage)
                    key = stage_key(stage, digests, given)
                    before = finished_before(stage, folder, key, overwrite=overwrite)
                    if before is not None and before.finished:
                        digests[stage.name] = before.digest
                        yield stage, before
                        continue
                    device = free.pop(0)
                    yield stage, None
                    running[pool.submit(run, stage.on(device), before or Stamp(str(stage), key))] = stage, device
                for future in wait(running, timeout=_TICK if running else 0, return_when=FIRST_COMPLETED).done:
                    stage, device = running.pop(future)
                    free.append(device)
                    stamp = future.result()
                    digests[stage.name] = stamp.digest
                    yield stage, stamp
        except KeyboardInterrupt:
            names = ", ".join(f"`{stage.name}`" for stage, _ in running.values())
            raise Stopped(f"interrupted in {names or 'no stage'}; run the same command to resume") from None
        finally:
            stop.set()  # running stages end early, and the pool waits for them
