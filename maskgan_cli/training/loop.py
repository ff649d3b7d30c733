"""The loop every training task shares: steps, logs, sheets, checkpoints, interruption, the NaN guard.

Randomness is stateless: the draws of a step depend on (seed, step), so a resumed run needs nothing
but weights, optimiser states and the step number to end with the same bits on the CPU.
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
from maskgan_cli.training.checkpoint import RunFolder
from maskgan_cli.training.host import Host
from maskgan_cli.training.processes import check_agreement
from maskgan_cli.training.schedule import learning_rate
from maskgan_cli.training.state import Stateful
from maskgan_cli.training.task import Accumulating, Task
from maskgan_cli.training.trackers import Trackers
from maskgan_cli.training.validation import Validation


class Interrupted(MaskGANError):
    """The run was asked to stop and saved its state first."""

    exit_code = 130


class Loop:
    """Runs a task to its last step.

    Args:
        task: what to train.
        recipe: its schedule, seed and optimiser settings.
        run: where everything is written.
        batches: called with the first step; an endless stream of batches from there.
        accelerator: devices, processes, precision.
        about: written into every weights file.
        host: who says when to stop, and is told how it goes.
        track: the trackers that also get the metrics, see `trackers.Trackers`.

    Attributes:
        progress: where the run stands.
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
        host: Host,
        track: Sequence[str] = (),
    ) -> None:
        _check_accumulation(task, recipe, accelerator)
        self.task, self.recipe, self.run, self.batches = task, recipe, run, batches
        self.accelerator, self.about, self.host = accelerator, about, host
        self._states: dict[str, Stateful] = dict(task.optimisers)
        if accelerator.scaler is not None:  # fp16 scales its losses, and remembers by how much
            self._states["scaler"] = accelerator.scaler
        self.progress = run.restore(task.networks, self._states, host.say)
        check_agreement(
            accelerator, f"the step that {run.path} goes on from", self.progress.step,
            "put the run folder where all machines see it",
        )  # fmt: skip
        if accelerator.is_main_process:
            run.forget_metrics_after(self.progress.step)
        self._validation = Validation(task, recipe, run, accelerator, about)
        self._names: tuple[str, ...] = ()  # of the losses
        self._unread: list[Tensor] = []  # the losses of the last steps, still on the device
        self._seconds = 0.0  # that these steps took
        self._wishes: Tensor | None = None  # how many processes wanted to stop at the step before
        self._track = tuple(track)
        self._trackers: Trackers | None = None

    def steps(self) -> Iterator[int]:
        """Train, yielding the number of every finished step.

        Raises:
            WorkError: a loss or a weight became NaN or infinite.
            Interrupted: the host asked to stop; the state was saved.
        """
        schedule, progress = self.recipe.schedule, self.progress
        if progress.step and self.accelerator.is_main_process and self.run.model_is_behind(progress.step):
            self._save_model()  # killed, or out of room, between the state and the model
        self.host.stepped(progress.step, schedule.steps)
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
                        self._sheet()
                    if save:
                        self._checkpoint()
                    self.host.stepped(step, schedule.steps)
                    yield step
                    if stop and not last:
                        raise Interrupted(f"stopped after step {step}, state saved; run the same command to go on")
        finally:
            stream = None  # ends the loader's processes, whatever traceback holds on to this frame
            if self._trackers is not None:
                self._trackers.close()

    def _train_one(self, batch: Batch) -> tuple[float, bool]:
        """One step; returns the learning rate, and whether to stop."""
        step, rank = self.progress.step, self.accelerator.process_index
        torch.manual_seed(int(np.random.default_rng((self.recipe.seed, step, rank)).integers(1 << 62)))
        rate = learning_rate(self.recipe.optimiser.lr, step, self.recipe.schedule)
        for optimiser in self.task.optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = rate * group.get("rate", 1.0)
        terms = self._step(batch.to(self.accelerator.device))
        self._names = tuple(terms)
        news = torch.stack([term.detach().float() for term in terms.values()])
        stop = self.host.stop()
        if self.accelerator.num_processes > 1:
            # One small reduction tells every process the mean losses and whether anyone was asked to stop.
            # The wish is read a step later, when it has long been computed, so that no device is waited for.
            news = torch.cat([news, news.new_tensor([float(stop)])])
            news = self.accelerator.reduce(news, reduction="mean")
            stop = self._wishes is not None and float(self._wishes) > 0
            self._wishes = news[-1]
        self._unread.append(news)
        return rate, stop

    def _step(self, batch: Batch) -> Mapping[str, Tensor]:
        """One step of the task, on the whole batch or in the recipe's number of parts."""
        count = self.recipe.data.accumulate
        if count == 1:
            return self.task.step(batch)
        assert isinstance(self.task, Accumulating)  # as the loop began
        return self.task.step_in_parts(parts_of(batch, count))

    def _read_losses(self) -> None:
        """Bring the losses of the last steps off the device, all at once, and add them up."""
        progress, first = self.progress, self.progress.step - len(self._unread)
        rows = torch.stack(self._unread).tolist() if self._unread else []
        self._unread = []
        for step, row in enumerate(rows, start=first):
            losses = dict(zip(self._names, row, strict=False))  # the wish to stop has no name
            for name, value in losses.items():
                if not math.isfinite(value):
                    self._fail(f"the loss {name} became {value}", step)
            sums = progress.sums or dict.fromkeys((*losses, "seconds"), 0.0)
            progress.sums = {name: total + losses.get(name, 0.0) for name, total in sums.items()}
            progress.window += 1

    def _fail(self, what: str, step: int) -> None:
        states = self.run.states
        good = f"the last good checkpoint is {states[-1]}" if states else "no checkpoint had been written yet"
        raise WorkError(f"{self.run.path}: {what} after step {step}; {good}; try a lower optimiser.lr, or precision=no")

    def _log_losses(self, rate: float) -> None:
        progress = self.progress
        self._count_seconds()
        means = {name: total / progress.window for name, total in (progress.sums or {}).items()}
        images = self.recipe.data.batch_size / means.pop("seconds")
        values = {**means, "lr": rate, "images_per_second": round(images, 2)}
        self._log(values)
        self.host.logged(progress.step, values)
        progress.sums, progress.window = None, 0

    def _count_seconds(self) -> None:
        if self.progress.sums is not None:
            self.progress.sums["seconds"] += self._seconds
        self._seconds = 0.0

    def _log(self, values: Mapping[str, float]) -> None:
        if self.accelerator.is_main_process:
            self.run.log({"step": self.progress.step, **values})
            if self._trackers is not None:
                self._trackers.log(values, self.progress.step)

    def _validate(self, last: bool) -> None:
        values = self._validation.take(self.progress, last=last)
        if values and self.accelerator.is_main_process:
            self._log(values)
            shown = ", ".join(f"{name} {value:.4g}" for name, value in values.items() if "/" not in name)
            self.host.say(f"step {self.progress.step}: {shown}")
            self.host.validated(self.progress.step, values)

    def _sheet(self) -> None:
        if self.accelerator.is_main_process:
            path = self.run.path / "samples" / f"step-{self.progress.step:06d}.png"
            write_image(path, self.task.sheet())
            self.host.drawn(self.progress.step, path)

    def _checkpoint(self) -> None:
        broken = [
            name
            for name, network in self.task.networks.items()
            if not all(bool(torch.isfinite(value).all()) for value in network.state_dict().values())
        ]
        if broken:
            self._fail(f"a weight of the {broken[0]} became NaN or infinite", self.progress.step)
        if self.accelerator.is_main_process:
            self._count_seconds()
            self.run.save(self.progress, self.task.networks, self._states)
            self._save_model()
        self.accelerator.wait_for_everyone()

    def _save_model(self) -> None:
        news = {"step": self.progress.step, "metrics": self.progress.validation}
        self.task.save_model(self.run.model, {**self.about, **news})


def _check_accumulation(task: Task, recipe: TrainingRecipe, accelerator: Accelerator) -> None:
    """Insist that ``data.accumulate`` can be done.

    Raises:
        InputError: it cannot.
    """
    data = recipe.data
    if data.accumulate == 1:
        return
    if not isinstance(task, Accumulating):
        raise InputError(
            "data.accumulate", expected="1 for this training, whose networks learn one after the other from one batch",
            found=str(data.accumulate),
        )  # fmt: skip
    if data.batch_size % (data.accumulate * accelerator.num_processes):
        raise InputError(
            "data.accumulate", expected=f"a divisor of the {data.batch_size} faces of a batch in "
            f"{accelerator.num_processes} process(es)", found=str(data.accumulate),
        )  # fmt: skip
