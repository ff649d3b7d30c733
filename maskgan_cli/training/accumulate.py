"""Gradient accumulation: a batch passes in parts, and the optimisers step once for all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from maskgan_cli.data.dataset import Batch

Inputs = TypeVar("Inputs")


@dataclass(frozen=True)
class BatchPart:
    """Position of a part in its batch.

    Attributes:
        index: of the part, from 0.
        count: number of parts; 1 for a whole batch.
    """

    index: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether gradients are set to zero before this part."""
        return self.index == 0

    @property
    def last(self) -> bool:
        """Whether the optimisers step after this part."""
        return self.index == self.count - 1

    def share(self, loss: Tensor) -> Tensor:
        """The part's contribution to the loss of the whole batch, which is a mean over faces."""
        return loss if self.count == 1 else loss / self.count


class HasPart(Protocol):
    """An object that updates networks and knows which part of the batch it works on."""

    part: BatchPart


def parts_of(batch: Batch, count: int) -> list[Batch]:
    """Split a batch into ``count`` parts of equal length.

    Raises:
        ValueError: its length is not a multiple of ``count``.
    """
    length = len(batch.images)
    if length % count:
        raise ValueError(f"{length} faces cannot be split into {count} equal parts")
    rows = [slice(i, i + length // count) for i in range(0, length, length // count)]
    return [
        replace(
            batch,
            images=batch.images[r],
            labels=batch.labels[r],
            indices=batch.indices[r],
            mirrored=batch.mirrored[r],
            other_images=None if batch.other_images is None else batch.other_images[r],
            other_labels=None if batch.other_labels is None else batch.other_labels[r],
            edited_labels=None if batch.edited_labels is None else batch.edited_labels[r],
        )
        for r in rows
    ]


def step_in_parts(
    owner: HasPart, parts: Sequence[Inputs], step: Callable[[Inputs], dict[str, Tensor]]
) -> dict[str, Tensor]:
    """Call ``step`` for every part of a batch, with ``owner.part`` set.

    Args:
        owner: of the optimisers.
        parts: of a batch, in the form that ``step`` takes.
        step: computes the losses of one part and updates.

    Returns:
        The mean losses, detached.
    """
    terms = []
    for i, inputs in enumerate(parts):
        owner.part = BatchPart(i, len(parts))
        terms.append({name: term.detach() for name, term in step(inputs).items()})  # frees the part's graph
    owner.part = BatchPart()
    return mean_terms(terms)


def mean_terms(terms: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Mean losses over parts of equal length, detached."""
    return {name: torch.stack([one[name].detach().float() for one in terms]).mean() for name in terms[0]}
