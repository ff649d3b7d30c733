"""Interfaces of a training task, which the training loop calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn
from torch.optim import Optimizer

from maskgan_cli.data.dataset import Batch
from maskgan_cli.files import Picture


class Task(Protocol):
    """Interface of a training task: networks, their optimisers, and one training step.

    Attributes:
        networks: all modules that a checkpoint stores, by name.
        optimisers: all optimisers that a checkpoint stores, by name.
    """

    networks: Mapping[str, nn.Module]
    optimisers: Mapping[str, Optimizer]

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update the networks on one batch, and return the losses by name, as scalar tensors."""

    def validate(self) -> dict[str, float]:
        """Validate on faces of the validation split, and return the results by name.

        Results with a slash in their name are logged but not printed. All processes call this method at the same step;
        `processes.in_shares` divides the faces among them.
        """

    def sample_grid(self) -> Picture:
        """Return a picture (H, W, 3) with the networks' results for some validation faces, for visual inspection."""

    def save_model(self, path: Path, about: Mapping[str, Any]) -> None:
        """Write the trained weights to ``path``, with the metadata ``about``.

        Weights of further networks are written to files in the same folder before ``path`` is written.
        """


@runtime_checkable
class Accumulating(Protocol):
    """A task that supports gradient accumulation (``data.accumulate``)."""

    def step_in_parts(self, parts: Sequence[Batch]) -> dict[str, Tensor]:
        """Backpropagate each part of a batch, then step the optimisers once; return the mean losses of the parts."""


@runtime_checkable
class Measuring(Protocol):
    """A task with slow measures, which are computed at their own interval, separately from its validation."""

    @property
    def measure_every(self) -> int | None:
        """Interval of the measures in steps; None if they are never computed."""

    def measure(self) -> dict[str, float]:
        """Compute the measures and return them by name. As in `Task.validate`, all processes call this method."""
