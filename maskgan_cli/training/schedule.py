"""Learning rate schedule, and a check that resuming a run does not raise the rate by accident."""

from __future__ import annotations

from pathlib import Path

from maskgan_cli.config import ScheduleSettings
from maskgan_cli.errors import InputError


def learning_rate(base: float, step: int, schedule: ScheduleSettings) -> float:
    """Return the learning rate of a step.

    The rate is ``base`` until step ``decay_from``, and then falls linearly to 0 at the last step. If ``decay_every`` is
    set, the rate is also multiplied by ``decay`` after every ``decay_every`` steps.

    Args:
        base: learning rate of the first step.
        step: number of the step, from 0.
        schedule: ``steps``, ``decay_from``, ``decay`` and ``decay_every`` are used.
    """
    if schedule.decay is not None and schedule.decay_every is not None:
        base *= schedule.decay ** (step // schedule.decay_every)
    start = schedule.decay_from
    if start is None or step < start:
        return base
    return base * max(0, schedule.steps - step) / (schedule.steps - start)


def check_rate(run: Path, before: ScheduleSettings, now: ScheduleSettings, step: int) -> None:
    """Check that the learning rate does not rise when a run resumes.

    A rise is accepted only if ``decay_from`` was changed to ``step`` or later, or to None.

    Args:
        run: the run folder, for the error message.
        before: schedule of the run so far.
        now: schedule of the resumed run.
        step: the step at which the run resumes.

    Raises:
        InputError: the rate rises, e.g. because ``steps`` was raised during the decay.
    """
    old, new = (learning_rate(1.0, step, schedule) for schedule in (before, now))
    intended = now.decay_from != before.decay_from and (now.decay_from is None or now.decay_from >= step)
    if new > old + 1e-9 and not intended:
        raise InputError(
            run,
            expected=f"a learning rate of at most {old:.3g} of the initial one, as after step {step}",
            found=f"{new:.3g} with schedule.steps={now.steps}",
            hint=f"set schedule.decay_from to {step} or later too: the rate is full until there and decays again",
        )
