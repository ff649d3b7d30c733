"""Gradient accumulation: a batch in parts, one step of the optimisers for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from maskgan_cli.data.dataset import Batch


@dataclass(frozen=True)
class Part:
    """Which part of a batch a step is on.

    Attributes:
        index: of this part, from 0.
        count: of parts; 1 for whole batches.
    """

    index: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether gradients are to be zeroed before it."""
        return self.index == 0

    @property
    def last(self) -> bool:
        """Whether the optimisers step after it."""
        return self.index == self.count - 1

    def share(self, loss: Tensor) -> Tensor:
        """The part's share of the loss of the whole batch, which is a mean over faces."""
        return loss if self.count == 1 else loss / self.count


def parts_of(batch: Batch, count: int) -> list[Batch]:
    """A batch in ``count`` parts of equal length.

    Raises:
        ValueError: its length is no multiple of ``count``.
    """
    length = len(batch.images)
    if length % count:
        raise ValueError(f"{length} faces cannot be split into {count} equal parts")
    rows = [slice(i, i + length // count) for i in range(0, length, length // count)]
    return [
        replace(
            batch, images=batch.images[r], labels=batch.labels[r], indices=batch.indices[r],
            mirrored=batch.mirrored[r],
            other_images=None if batch.other_images is None else batch.other_images[r],
            other_labels=None if batch.other_labels is None else batch.other_labels[r],
        )
        for r in rows
    ]  # fmt: skip


def mean_terms(terms: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The means of the losses of parts of equal length, detached."""
    return {name: torch.stack([one[name].detach().float() for one in terms]).mean() for name in terms[0]}
