"""Compute accuracy and IoU of label maps, and confusion counts of binary predictions."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from maskgan_cli.labels import CLASSES, NUM_CLASSES
from maskgan_cli.metrics.intervals import Interval, wilson


def agreement(truth: Tensor, guess: Tensor) -> dict[str, float]:
    """Compare predicted label maps with true label maps, and return a dict of accuracies and IoUs.

    Args:
        truth, guess: the true and the predicted label maps: class ids 0 to 18, two tensors of the same shape.

    Returns:
        A dictionary of values in [0, 1] with the keys

        ``accuracy``: proportion of pixels with the right class,
        ``miou``: mean IoU over the classes that occur in either map,
        ``accuracy/skin`` etc.: recall of each class that occurs in ``truth``,
        ``iou/skin`` etc.: IoU of each class that occurs in either map.
    """
    pairs = truth.flatten().long() * NUM_CLASSES + guess.flatten().long()
    counts = torch.bincount(pairs, minlength=NUM_CLASSES**2).view(NUM_CLASSES, NUM_CLASSES).double()
    return table_agreement(counts)


def table_agreement(counts: Tensor) -> dict[str, float]:
    """Return the dictionary of `agreement`, computed from a confusion matrix of pixel counts.

    Args:
        counts: (19, 19), number of pixels for each true class (row) and predicted class (column).
    """
    found, asked = counts.diagonal(), counts.sum(1)
    union = asked + counts.sum(0) - found
    iou = found / union
    shares = {f"accuracy/{CLASSES[i]}": float(found[i] / asked[i]) for i in range(NUM_CLASSES) if asked[i]}
    each = {f"iou/{CLASSES[i]}": float(iou[i]) for i in range(NUM_CLASSES) if union[i]}
    return {"accuracy": float(found.sum() / counts.sum()), "miou": float(iou[union > 0].mean()), **shares, **each}


@dataclass(frozen=True)
class Confusion:
    """Confusion counts of binary predictions.

    Attributes:
        true_positives: number of positive samples that were predicted as positive.
        false_negatives: number of positive samples that were predicted as negative.
        false_positives: number of negative samples that were predicted as positive.
        true_negatives: number of negative samples that were predicted as negative.
    """

    true_positives: int
    false_negatives: int
    false_positives: int
    true_negatives: int

    @classmethod
    def count(cls, truth: Tensor, answers: Tensor) -> Confusion:
        """Count correct and wrong predictions, given the true labels.

        Args:
            truth: the true labels, a ``bool`` tensor.
            answers: the predictions, a ``bool`` tensor of the same shape.
        """
        both = [int((truth == t).logical_and(answers == a).sum()) for t in (True, False) for a in (True, False)]
        return cls(both[0], both[1], both[2], both[3])

    @property
    def correct(self) -> int:
        """Number of correct predictions."""
        return self.true_positives + self.true_negatives

    @property
    def total(self) -> int:
        """Number of all predictions."""
        return self.correct + self.false_negatives + self.false_positives

    @property
    def accuracy(self) -> float:
        """Proportion of correct predictions."""
        return self.correct / self.total

    def interval(self) -> Interval:
        """Return the 95 % confidence interval of the accuracy: its lower and its upper end, both in [0, 1]."""
        return wilson(self.correct, self.total)

    @property
    def balanced_accuracy(self) -> float:
        """Mean of sensitivity and specificity, in [0, 1].

        If all samples are positive, this is the sensitivity; if all samples are negative, this is the specificity.
        """
        shares = [
            right / (right + wrong)
            for right, wrong in (
                (self.true_positives, self.false_negatives),
                (self.true_negatives, self.false_positives),
            )
            if right + wrong
        ]
        return sum(shares) / len(shares)

    def counts(self) -> dict[str, int]:
        """Return a dict of the four counts, with the names that evaluation reports use.

        ``hits`` are true positives, ``misses`` false negatives, ``alarms`` false positives, ``rejections`` true
        negatives.
        """
        return {
            "hits": self.true_positives,
            "misses": self.false_negatives,
            "alarms": self.false_positives,
            "rejections": self.true_negatives,
        }

    def as_dict(self) -> dict[str, float]:
        """Return a dict with ``accuracy``, ``balanced_accuracy`` and the four `counts`."""
        return {"accuracy": self.accuracy, "balanced_accuracy": self.balanced_accuracy, **self.counts()}
