"""Validates a task at regular intervals during training, and stores the weights with the best result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accelerate import Accelerator

from maskgan_cli.config import TrainingRecipe
from maskgan_cli.errors import InputError
from maskgan_cli.training.best import goodness
from maskgan_cli.training.checkpoint import RunFolder
from maskgan_cli.training.processes import shared
from maskgan_cli.training.state import Progress
from maskgan_cli.training.task import Measuring, Task
from maskgan_cli.weights.format import MODEL_FILE

BEST = "best"  # folder of the best weights in the run folder


class Validation:
    """Validates a task at regular intervals, and stores the weights with the best result.

    Slow measures of the task (`Measuring`) have another interval. Validation and measures are also computed after the
    last step.

    Args:
        task: the task to validate.
        recipe: the resolved recipe; its ``schedule`` has the interval and the metric that chooses the best weights.
        run: the run folder.
        accelerator: device, processes and precision.
        about: metadata that is written into the weights file.
    """

    def __init__(
        self, task: Task, recipe: TrainingRecipe, run: RunFolder, accelerator: Accelerator, about: Mapping[str, Any]
    ) -> None:
        self._task, self._schedule, self._run = task, recipe.schedule, run
        self._accelerator, self._about = accelerator, about

    def run_if_due(self, progress: Progress, *, last: bool) -> dict[str, float]:
        """Validate the task if the current step is a multiple of the validation interval, or the last step.

        The slow measures are computed likewise, at their own interval. The results are stored in ``progress``. If the
        results are the best so far, the main process also writes the weights. All processes must call this method.

        Args:
            progress: progress of the run, after the current step.
            last: whether the current step is the last one.

        Returns:
            A dict from the names of the results to their values; empty if neither validation nor measures were due.

        Raises:
            InputError: ``schedule.best`` names a result that the task does not have.
        """
        task, step = self._task, progress.step
        every = task.measure_every if isinstance(task, Measuring) else None
        measures = every is not None and (last or step % every == 0)
        validates = last or step % self._schedule.validate_every == 0
        if not (validates or measures):
            return {}
        values: dict[str, float] = {}
        with shared(self._accelerator):
            if validates:
                values |= task.validate()
            if measures:
                assert isinstance(task, Measuring)
                values |= task.measure()
        before = {} if validates else progress.validation or {}
        progress.validation = {**before, "step": float(step), **values}
        self._keep_best(progress, values, complete=validates and (measures or every is None))
        return values

    def _keep_best(self, progress: Progress, values: Mapping[str, float], *, complete: bool) -> None:
        """If this validation is the best so far, record it in ``progress`` and write the current weights.

        Validations are compared by the metric ``schedule.best``. If ``values`` is incomplete and lacks this metric,
        nothing happens.

        Args:
            progress: progress of the run; its field ``best`` is updated.
            values: results of this validation, by name.
            complete: whether ``values`` has all results of the task: of the validation and, if the task has slow
                measures, of these measures.

        Raises:
            InputError: ``values`` is complete and lacks the metric.
        """
        name = self._schedule.best
        if name and complete and name not in values:
            raise InputError("schedule.best", expected=f"one of {', '.join(values)}", found=name)
        if not name or name not in values:
            return
        best = (progress.best or {}).get(name)
        if best is not None and not goodness(name, values[name]) > goodness(name, best):
            return
        progress.best = {"step": float(progress.step), name: values[name]}
        if self._accelerator.is_main_process:
            reached = {"step": progress.step, "metrics": progress.validation}
            self._task.save_model(self._run.path / BEST / MODEL_FILE, {**self._about, **reached})
