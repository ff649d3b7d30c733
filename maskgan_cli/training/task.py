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
    """Interface of a training task: networks, their optimisers, the training step, validation and saving.

    Attributes:
        networks: all modules that a checkpoint stores, by name.
        optimisers: all optimisers that a checkpoint stores, by name.
    """

    networks: Mapping[str, nn.Module]
    optimisers: Mapping[str, Optimizer]

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update the networks once on a batch of this process; return a dict from the names of losses to scalars."""

    def validate(self) -> dict[str, float]:
        """Validate on faces of the validation split, and return a dict from the names of metrics to their values.

        Metrics with a slash in their name are logged but not printed. All processes call this method at the same step;
        `processes.in_shares` divides the faces among the processes.
        """

    def sample_grid(self) -> Picture:
        """Return a picture (H, W, 3) that shows some validation faces and the networks' results for these faces."""

    def save_model(self, path: Path, about: Mapping[str, Any]) -> None:
        """Write the weights of the task's main network to ``path``, with the metadata ``about``.

        The weights of other networks are written first, to files in the same folder.
        """


@runtime_checkable
class Accumulating(Protocol):
    """Interface of a task that supports gradient accumulation (``data.accumulate``)."""

    def step_in_parts(self, parts: Sequence[Batch]) -> dict[str, Tensor]:
        """Update the networks once on a batch that is divided into parts (micro-batches).

        The losses of each part are backpropagated, and the optimisers step once.

        Returns:
            A dict from the names of the losses to their means over the parts.
        """


@runtime_checkable
class Measuring(Protocol):
    """Interface of a task with slow measures, e.g. the kernel distance, which have an interval of their own."""

    @property
    def measure_every(self) -> int | None:
        """Interval of the measures in steps; None if the measures are never computed."""

    def measure(self) -> dict[str, float]:
        """Compute the measures, and return a dict from the names of the measures to their values.

        All processes call this method at the same step.
        """
