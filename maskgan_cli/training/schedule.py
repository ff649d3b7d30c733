"""How the learning rate goes, and that it does not jump back up when a run is made longer."""

from __future__ import annotations

from pathlib import Path

from maskgan_cli.config import ScheduleSettings
from maskgan_cli.errors import InputError


def learning_rate(base: float, step: int, schedule: ScheduleSettings) -> float:
    """Constant until ``decay_from``, then linear to 0 at the last step; or times ``decay`` every ``decay_every``."""
    if schedule.decay is not None and schedule.decay_every is not None:
        base *= schedule.decay ** (step // schedule.decay_every)
    start = schedule.decay_from
    if start is None or step < start:
        return base
    return base * max(0, schedule.steps - step) / (schedule.steps - start)


def check_rate(run: Path, before: ScheduleSettings, now: ScheduleSettings, step: int) -> None:
    """Insist that a run goes on at ``step`` with no larger a rate than it had there, unless that was asked for.

    It is asked for by a ``decay_from`` that is another than before and lies ahead, or is none.

    Raises:
        InputError: with more ``steps`` the decay would begin again in its middle.
    """
    old, new = (learning_rate(1.0, step, schedule) for schedule in (before, now))
    asked = now.decay_from != before.decay_from and (now.decay_from is None or now.decay_from >= step)
    if new > old + 1e-9 and not asked:
        raise InputError(
            run, expected=f"a learning rate that falls on from {old:.3g} of its start, where it is after step {step}",
            found=f"{new:.3g} with schedule.steps={now.steps}",
            hint=f"set schedule.decay_from={step} or later too, to train on at the full rate from here and let it "
            "decay again",
        )  # fmt: skip
