"""The training loop of all tasks: steps, logs, sample grids, checkpoints, interruption, NaN check.

The random numbers of a step depend only on the seed, the step and the process. So on the CPU, a run that resumes from
saved weights, optimiser states and step number ends with exactly the same weights as a run without interruption.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor

from maskgan_cli.config import TrainingRecipe
from maskgan_cli.data import shared_memory
from maskgan_cli.data.dataset import Batch
from maskgan_cli.errors import InputError, MaskGANError, WorkError
from maskgan_cli.files import write_image
from maskgan_cli.training.accumulate import parts_of
from maskgan_cli.training.callbacks import TrainingCallbacks
from maskgan_cli.training.checkpoint import RunFolder
from maskgan_cli.training.processes import check_agreement
from maskgan_cli.training.schedule import learning_rate
from maskgan_cli.training.state import Stateful
from maskgan_cli.training.task import Accumulating, Task
from maskgan_cli.training.trackers import Trackers
from maskgan_cli.training.validation import Validation


class Interrupted(MaskGANError):
    """Raised when the caller has requested a stop and the state of the run has been saved."""

    exit_code = 130


class Loop:
    """The training loop: trains the networks of a task up to the last step of its schedule.

    Args:
        task: the networks to train, and their training step.
        recipe: schedule, seed and optimiser settings.
        run: the run folder, prepared with `RunFolder.start`.
        batches: function that returns an endless iterator over the batches; its argument is the first step to run.
        accelerator: device, processes and precision.
        about: metadata that is written into every weights file.
        callbacks: the caller's callbacks.
        track: names of experiment trackers that receive the metrics besides the run folder, see `trackers.Trackers`.

    Attributes:
        progress: number of finished steps, sums of losses, results of the last and of the best validation.
    """

    def __init__(
        self,
        task: Task,
        recipe: TrainingRecipe,
        run: RunFolder,
        batches: Callable[[int], Iterator[Batch]],
        accelerator: Accelerator,
        *,
        about: Mapping[str, Any],
        callbacks: TrainingCallbacks,
        track: Sequence[str] = (),
    ) -> None:
        _check_accumulation(task, recipe, accelerator)
        self.task, self.recipe, self.run, self.batches = task, recipe, run, batches
        self.accelerator, self.about, self.callbacks = accelerator, about, callbacks
        self._states: dict[str, Stateful] = dict(task.optimisers)
        if accelerator.scaler is not None:  # the loss scaler of fp16 has a state too
            self._states["scaler"] = accelerator.scaler
        self.progress = run.restore(task.networks, self._states, callbacks.say)
        step, hint = f"the step from which {run.path} resumes", "put the run folder where all machines see it"
        check_agreement(accelerator, step, self.progress.step, hint)
        if accelerator.is_main_process:
            run.forget_metrics_after(self.progress.step)
        self._validation = Validation(task, recipe, run, accelerator, about)
        self._names: tuple[str, ...] = ()  # names of the losses
        self._unread: list[Tensor] = []  # losses of the last steps, still on the device
        self._seconds = 0.0  # duration of these steps
        self._stop_requests: Tensor | None = None  # share of processes with a stop request in the previous step
        self._track = tuple(track)
        self._trackers: Trackers | None = None

    def steps(self) -> Iterator[int]:
        """Train up to the last step; yield the number of finished steps after every step.

        Raises:
            WorkError: a loss or a weight became NaN or infinite.
            Interrupted: the caller requested a stop; the state was saved.
        """
        schedule, progress = self.recipe.schedule, self.progress
        if progress.step and self.accelerator.is_main_process and self.run.model_is_behind(progress.step):
            self._save_model()  # an earlier process ended between saving the state and the model
        self.callbacks.stepped(progress.step, schedule.steps)
        if progress.step >= schedule.steps:
            return
        if self.accelerator.is_main_process:
            settings = self.recipe.model_dump(mode="json")
            self._trackers = Trackers(self._track, self.run.path, settings, progress.step + 1)
        stream: Iterator[Batch] | None = None
        try:
            with shared_memory.reported():
                stream = self.batches(progress.step)
                while progress.step < schedule.steps:
                    started = time.perf_counter()
                    rate, stop = self._train_one(next(stream))
                    progress.step += 1
                    step = progress.step
                    last = step == schedule.steps
                    log, save = step % schedule.log_every == 0, step % schedule.checkpoint_every == 0 or last or stop
                    if log or save:
                        self._read_losses()
                    self._seconds += time.perf_counter() - started
                    if log:
                        self._log_losses(rate)
                    self._validate(last)
                    if step % schedule.sample_every == 0 or last:
                        self._draw()
                    if save:
                        self._checkpoint()
                    self.callbacks.stepped(step, schedule.steps)
                    yield step
                    if stop and not last:
                        raise Interrupted(f"stopped after step {step}, state saved; run the same command to continue")
        finally:
            stream = None  # ends the loader's processes even if a traceback keeps this frame alive
            if self._trackers is not None:
                self._trackers.close()

    def _train_one(self, batch: Batch) -> tuple[float, bool]:
        """Run one training step; return its learning rate, and whether the loop must stop after this step."""
        step, rank = self.progress.step, self.accelerator.process_index
        torch.manual_seed(int(np.random.default_rng((self.recipe.seed, step, rank)).integers(1 << 62)))
        rate = learning_rate(self.recipe.optimiser.lr, step, self.recipe.schedule)
        for optimiser in self.task.optimisers.values():
            for group in optimiser.param_groups:
                own = rate if group.get("decay", True) else self.recipe.optimiser.lr
                group["lr"] = own * group.get("rate", 1.0)
        terms = self._step(batch.to(self.accelerator.device))
        self._names = tuple(terms)
        row = torch.stack([term.detach().float() for term in terms.values()])
        stop = self.callbacks.stop()
        if self.accelerator.num_processes > 1:
            # One reduction gives every process the mean losses and whether any process has a stop request. The request
            # is read one step later, when it has been computed, so that the host does not wait for the device.
            row = torch.cat([row, row.new_tensor([float(stop)])])
            row = self.accelerator.reduce(row, reduction="mean")
            stop = self._stop_requests is not None and float(self._stop_requests) > 0
            self._stop_requests = row[-1]
        self._unread.append(row)
        return rate, stop

    def _step(self, batch: Batch) -> Mapping[str, Tensor]:
        """Run the task's step on the whole batch, or in ``data.accumulate`` parts; return the losses by name."""
        count = self.recipe.data.accumulate
        if count == 1:
            return self.task.step(batch)
        assert isinstance(self.task, Accumulating)  # checked in __init__
        return self.task.step_in_parts(parts_of(batch, count))

    def _read_losses(self) -> None:
        """Copy the losses of the last steps from the device in one transfer, and add them to ``progress.sums``."""
        progress, first = self.progress, self.progress.step - len(self._unread)
        rows = torch.stack(self._unread).tolist() if self._unread else []
        self._unread = []
        for step, row in enumerate(rows, start=first):
            losses = dict(zip(self._names, row, strict=False))  # the share of stop requests has no name
            for name, value in losses.items():
                if not math.isfinite(value):
                    self._fail(f"the loss {name} became {value}", step)
            sums = progress.sums or dict.fromkeys((*losses, "seconds"), 0.0)
            progress.sums = {name: total + losses.get(name, 0.0) for name, total in sums.items()}
            progress.window += 1

    def _fail(self, problem: str, step: int) -> None:
        """Raise `WorkError` with a message that names ``problem``, the step and the last good checkpoint."""
        states = self.run.states
        good = f"the last good checkpoint is {states[-1]}" if states else "no checkpoint had been written yet"
        raise WorkError(
            f"{self.run.path}: {problem} after step {step}; {good}; try a lower optimiser.lr, or precision=no"
        )

    def _log_losses(self, rate: float) -> None:
        """Log the mean losses since the last call, the learning rate ``rate`` and the speed; then reset the sums."""
        progress = self.progress
        self._count_seconds()
        means = {name: total / progress.window for name, total in (progress.sums or {}).items()}
        images = self.recipe.data.batch_size / means.pop("seconds")
        values = {**means, "lr": rate, "images_per_second": round(images, 2)}
        self._log(values)
        self.callbacks.logged(progress.step, values)
        progress.sums, progress.window = None, 0

    def _count_seconds(self) -> None:
        """Add the duration of the last steps to ``progress.sums``."""
        if self.progress.sums is not None:
            self.progress.sums["seconds"] += self._seconds
        self._seconds = 0.0

    def _log(self, values: Mapping[str, float]) -> None:
        """Write a dict of values to metrics.jsonl and to the trackers, in the main process."""
        if self.accelerator.is_main_process:
            self.run.log({"step": self.progress.step, **values})
            if self._trackers is not None:
                self._trackers.log(values, self.progress.step)

    def _validate(self, last: bool) -> None:
        """Validate if a validation is due after the current step, and report the results.

        Args:
            last: whether the current step is the last step of the training.
        """
        values = self._validation.run_if_due(self.progress, last=last)
        if values and self.accelerator.is_main_process:
            self._log(values)
            shown = ", ".join(f"{name} {value:.4g}" for name, value in values.items() if "/" not in name)
            self.callbacks.say(f"step {self.progress.step}: {shown}")
            self.callbacks.validated(self.progress.step, values)

    def _draw(self) -> None:
        """Write the sample grid of the current step, in the main process."""
        if self.accelerator.is_main_process:
            path = self.run.path / "samples" / f"step-{self.progress.step:06d}.png"
            write_image(path, self.task.sample_grid())
            self.callbacks.drawn(self.progress.step, path)

    def _checkpoint(self) -> None:
        """Check that all weights are finite; then save the state of the run and the model, in the main process."""
        not_finite = [
            name
            for name, network in self.task.networks.items()
            if not all(bool(torch.isfinite(value).all()) for value in network.state_dict().values())
        ]
        if not_finite:
            self._fail(f"a weight of the {not_finite[0]} became NaN or infinite", self.progress.step)
        if self.accelerator.is_main_process:
            self._count_seconds()
            self.run.save(self.progress, self.task.networks, self._states)
            self._save_model()
        self.accelerator.wait_for_everyone()

    def _save_model(self) -> None:
        """Write the model file of the run folder, with the step and the last validation results as metadata."""
        reached = {"step": self.progress.step, "metrics": self.progress.validation}
        self.task.save_model(self.run.model, {**self.about, **reached})


def _check_accumulation(task: Task, recipe: TrainingRecipe, accelerator: Accelerator) -> None:
    """Check that batches can be processed in ``data.accumulate`` parts.

    Raises:
        InputError: the task does not support gradient accumulation, or the batch of a process cannot be split into so
            many equal parts.
    """
    data = recipe.data
    if data.accumulate == 1:
        return
    if not isinstance(task, Accumulating):
        raise InputError(
            "data.accumulate",
            expected="1 for this training, which updates its networks one after the other from one batch",
            found=str(data.accumulate),
        )
    if data.batch_size % (data.accumulate * accelerator.num_processes):
        raise InputError(
            "data.accumulate",
            expected=f"a divisor of the {data.batch_size} faces of a batch in {accelerator.num_processes} process(es)",
            found=str(data.accumulate),
        )
