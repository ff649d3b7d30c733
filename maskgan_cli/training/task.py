"""Interfaces of a training task, as the loop calls them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn
from torch.optim import Optimizer

from maskgan_cli.data.dataset import Batch
from maskgan_cli.files import Picture


class Task(Protocol):
    """Interface of a training task.

    Attributes:
        networks: all modules whose tensors a resume needs, by name.
        optimisers: by name.
    """

    networks: Mapping[str, nn.Module]
    optimisers: Mapping[str, Optimizer]

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update on one batch; return the losses as scalars."""

    def validate(self) -> dict[str, float]:
        """Measure on the validation split. Values whose name has a slash are logged but not shown.

        All processes call it at the same step; `processes.in_shares` gives each its share of the faces.
        """

    def sample_grid(self) -> Picture:
        """A picture of validation samples, for inspection by people."""

    def save_model(self, path: Path, about: Mapping[str, Any]) -> None:
        """Write the weights that users load; files beside ``path`` are written first, ``path`` last."""


@runtime_checkable
class Accumulating(Protocol):
    """A task that supports gradient accumulation (``data.accumulate``)."""

    def step_in_parts(self, parts: Sequence[Batch]) -> dict[str, Tensor]:
        """One step of the optimisers for all parts of a batch; returns the mean losses."""


@runtime_checkable
class Measuring(Protocol):
    """A task with measures that take longer than its validation, and so have their own interval."""

    @property
    def measure_every(self) -> int | None:
        """Interval of the measures in steps; None for never."""

    def measure(self) -> dict[str, float]:
        """Compute the measures; called like `Task.validate`."""
