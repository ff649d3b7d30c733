"""Attribute accuracy (paper, Sec. 5.3): proportion of results that have the wanted attribute.

A classifier decides whether a result has an attribute, e.g. Smiling.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.judging import load_judge
from maskgan_cli.evaluation.method_results import MethodResults
from maskgan_cli.evaluation.pair_list import PairList
from maskgan_cli.evaluation.results import MetricResult, weights_of
from maskgan_cli.metrics.intervals import of_mean, wilson


class AttributeAccuracy:
    """Measures the proportion of results that have the wanted attributes; implements `method_results.ResultMetric`.

    Args:
        classify: function of pictures (N, 3, S, S) that returns the probabilities (N, len(names)) of the attributes;
            an attribute with a probability of 0.5 or more counts as present.
        names: names of the classifier's attributes, in the order of its outputs.
        wanted: dict from the name of each attribute to measure to a list with one value for each result: 1 (must be
            present) or -1 (must be absent).
        record: dict with name, path and hash of the classifier's weights (see `weights_of`), stored with the result.

    Raises:
        InputError: ``wanted`` is empty, or the classifier does not predict one of its attributes.
    """

    def __init__(
        self,
        classify: Callable[[Tensor], Tensor],
        names: Sequence[str],
        wanted: Mapping[str, Sequence[int]],
        record: dict[str, Any] | None = None,
    ) -> None:
        if not wanted:
            raise InputError(
                "the pairs",
                expected="a column for each attribute that the results must have",
                found="none",
                hint="choose them with --protocol smiling, style-copy or identity",
            )
        if unknown := [name for name in wanted if name not in names]:
            raise InputError("the classifier", expected=f"the attribute {unknown[0]}", found=", ".join(names))
        self._classify, self._columns, self._record = classify, [list(names).index(name) for name in wanted], record
        self._names = list(wanted)
        self._wanted = torch.tensor([list(values) for values in wanted.values()]).T > 0
        self._predictions: list[Tensor] = []

    @classmethod
    def load(cls, listed: PairList, weights: Path | None, device: torch.device) -> AttributeAccuracy:
        """Load a classifier, and create the metric for the results of a list of pairs.

        Args:
            listed: the pairs and their wanted attributes.
            weights: weights file of the classifier; None: the default file, see `find_weights`.
            device: device of the classifier.

        Raises:
            InputError: the weights are missing or do not fit the network; see also the errors of the class.
        """
        judge, where = load_judge("attributes", weights, device)
        return cls(judge, judge.names, listed.wanted(), weights_of(judge, where))

    def update(self, images: Tensor) -> None:
        """Add the next batch of results (N, 3, S, S) ``uint8`` to the metric."""
        self._predictions.append(self._classify(images).cpu()[:, self._columns] >= 0.5)

    def correct(self) -> Tensor:
        """Return whether the N results added so far have the attributes as wanted: a boolean tensor (N, attributes)."""
        return torch.cat(self._predictions) == self._wanted

    def shares(self) -> dict[str, float]:
        """Return a dict from the name of each attribute to its accuracy: the proportion of results that are correct."""
        return dict(zip(self._names, self.correct().double().mean(0).tolist(), strict=True))

    def compute(self, results: MethodResults) -> MetricResult:
        """Return the mean accuracy over the attributes (0 to 1); if there are several, also each accuracy."""
        correct, shares = self.correct(), self.shares()
        counts = dict(zip(self._names, correct.sum(0).tolist(), strict=True))
        each: dict[str, float | None] = {f"attribute_accuracy/{name}": share for name, share in shares.items()}
        intervals = {f"attribute_accuracy/{name}": wilson(counts[name], len(correct)) for name in shares}
        if len(shares) > 1:
            whole = of_mean(correct.double().mean(1).numpy())
        else:
            (whole,) = intervals.values()
            each, intervals = {}, {}
        return results.result(
            "attribute_accuracy",
            sum(shares.values()) / len(shares),
            {"attributes": self._record or {}},
            values=each,
            intervals={"attribute_accuracy": whole, **intervals},
            details={"attributes": list(shares)},
        )
