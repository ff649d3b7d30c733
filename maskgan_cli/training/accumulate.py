"""Gradient accumulation: a batch passes through the networks in parts (micro-batches), with one optimiser step."""

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
    """Position of a part (micro-batch) in its batch.

    Attributes:
        index: number of the part, from 0.
        count: number of parts of the batch; 1 if the batch is not divided.
    """

    index: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the first part of the batch, before which gradients are set to zero."""
        return self.index == 0

    @property
    def last(self) -> bool:
        """Whether this is the last part of the batch, after which the optimisers step."""
        return self.index == self.count - 1

    def share(self, loss: Tensor) -> Tensor:
        """Divide the mean loss of this part by the number of parts; the sum over all parts is then the batch's mean."""
        return loss if self.count == 1 else loss / self.count


class HasPart(Protocol):
    """Interface of an object that trains on batches in parts.

    Attributes:
        part: position of the part that is processed now.
    """

    part: BatchPart


def parts_of(batch: Batch, count: int) -> list[Batch]:
    """Split a batch into ``count`` parts with the same number of faces, and return a list of the parts.

    Raises:
        ValueError: the number of faces is not a multiple of ``count``.
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
    """Call ``step`` for every part of a batch, and return a dict from the names of the losses to their mean values.

    Before each call, ``owner.part`` is set to the position of the part.

    Args:
        owner: the task or learner whose optimisers ``step`` uses.
        parts: for each part of a batch, the argument of ``step``.
        step: function that computes and backpropagates the losses of one part, and returns a dict from the names of the
            losses to their values.

    Returns:
        The losses, averaged over the parts and detached.
    """
    terms = []
    for i, inputs in enumerate(parts):
        owner.part = BatchPart(i, len(parts))
        terms.append({name: term.detach() for name, term in step(inputs).items()})  # frees the part's graph
    owner.part = BatchPart()
    return mean_terms(terms)


def mean_terms(terms: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Return a dict from the names of the losses to their means over the parts of a batch, detached.

    Args:
        terms: for each part, the losses by name; all parts have the same number of faces.
    """
    return {name: torch.stack([one[name].detach().float() for one in terms]).mean() for name in terms[0]}
