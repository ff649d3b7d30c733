"""How well two answers agree: label maps pixel by pixel, yes-or-no answers face by face."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from maskgan_cli.labels import CLASSES, NUM_CLASSES
from maskgan_cli.metrics.intervals import Interval, wilson


def agreement(truth: Tensor, guess: Tensor) -> dict[str, float]:
    """How well label maps of one shape agree, all values in [0, 1].

    Returns:
        ``accuracy``, the share of equal pixels; ``miou``, the mean over the classes in either of
        intersection / union; ``accuracy/skin`` and so on, the share of each class of ``truth`` found;
        ``iou/skin`` and so on, of each class in either.
    """
    pairs = truth.flatten().long() * NUM_CLASSES + guess.flatten().long()
    counts = torch.bincount(pairs, minlength=NUM_CLASSES**2).view(NUM_CLASSES, NUM_CLASSES).double()
    return table_agreement(counts)


def table_agreement(counts: Tensor) -> dict[str, float]:
    """The same from pixels counted as (19, 19): rows are the truth's classes, columns the guess's."""
    found, asked = counts.diagonal(), counts.sum(1)
    union = asked + counts.sum(0) - found
    iou = found / union
    shares = {f"accuracy/{CLASSES[i]}": float(found[i] / asked[i]) for i in range(NUM_CLASSES) if asked[i]}
    each = {f"iou/{CLASSES[i]}": float(iou[i]) for i in range(NUM_CLASSES) if union[i]}
    return {"accuracy": float(found.sum() / counts.sum()), "miou": float(iou[union > 0].mean()), **shares, **each}


@dataclass(frozen=True)
class Confusion:
    """Yes-or-no answers against the truth, counted.

    Attributes:
        hits, misses: of those that have it, told so and not.
        alarms, rejections: of those that have it not, told so wrongly, and rightly not.
    """

    hits: int
    misses: int
    alarms: int
    rejections: int

    @classmethod
    def count(cls, truth: Tensor, answers: Tensor) -> Confusion:
        """From two ``bool`` tensors of one shape."""
        both = [int((truth == t).logical_and(answers == a).sum()) for t in (True, False) for a in (True, False)]
        return cls(both[0], both[1], both[2], both[3])

    @property
    def accuracy(self) -> float:
        """The share of right answers."""
        return (self.hits + self.rejections) / (self.hits + self.misses + self.alarms + self.rejections)

    def interval(self) -> Interval:
        """The 95 % interval of the accuracy."""
        return wilson(self.hits + self.rejections, self.hits + self.misses + self.alarms + self.rejections)

    @property
    def balanced_accuracy(self) -> float:
        """The mean of the shares of right answers among those with it and those without, as far as there are any."""
        shares = [
            right / (right + wrong)
            for right, wrong in ((self.hits, self.misses), (self.rejections, self.alarms))
            if right + wrong
        ]
        return sum(shares) / len(shares)

    def as_dict(self) -> dict[str, float]:
        """Everything by name."""
        return {"accuracy": self.accuracy, "balanced_accuracy": self.balanced_accuracy, **vars(self)}
