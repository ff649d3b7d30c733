"""What the loop needs of a training task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn
from torch.optim import Optimizer

from maskgan_cli.data.dataset import Batch
from maskgan_cli.files import Picture


class Task(Protocol):
    """What a training task gives the loop.

    Attributes:
        networks: everything whose tensors must survive a resume, by name.
        optimisers: by name.
    """

    networks: Mapping[str, nn.Module]
    optimisers: Mapping[str, Optimizer]

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update on one batch; return the losses as scalars."""

    def validate(self) -> dict[str, float]:
        """Measure on the validation split; what has a slash in its name is logged but not shown.

        All processes call it at the same step; `processes.in_shares` gives each its share of the faces.
        """

    def sheet(self) -> Picture:
        """A picture from which a person can judge the run."""

    def save_model(self, path: Path, about: Mapping[str, Any]) -> None:
        """Write the weights that users will load; other files beside them first, ``path`` last."""


@runtime_checkable
class Accumulating(Protocol):
    """A task that can take a batch in parts (``data.accumulate``)."""

    def step_in_parts(self, parts: Sequence[Batch]) -> dict[str, Tensor]:
        """One step of the optimisers on all parts of a batch; return the mean losses."""


@runtime_checkable
class Measuring(Protocol):
    """A task with measures that take longer than its validation.

    Attributes:
        measure_every: their interval in steps; None for never.
    """

    @property
    def measure_every(self) -> int | None:
        """Interval in steps; None for never."""

    def measure(self) -> dict[str, float]:
        """Take the measures; called like `Task.validate`."""
