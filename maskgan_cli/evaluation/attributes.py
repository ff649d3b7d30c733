"""Attribute accuracy (paper, Sec. 5.3): the share of results that a classifier sees the target's attribute in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.judging import load_judge
from maskgan_cli.evaluation.pair_list import PairList
from maskgan_cli.evaluation.results import Result, weights_of
from maskgan_cli.evaluation.subject import Subject
from maskgan_cli.metrics.intervals import of_mean, wilson


class AttributeAccuracy:
    """A measure (see `subject.Measure`) of the attributes that results must show, or lack.

    Args:
        classify: pictures -> probabilities (N, len(names)); from 0.5 on the attribute is there.
        names: what the classifier's columns are.
        wanted: attribute -> 1 or -1 for each result.
        record: the classifier's weights, for the result.

    Raises:
        InputError: nothing is wanted, or an attribute that the classifier does not know.
    """

    def __init__(
        self,
        classify: Callable[[Tensor], Tensor],
        names: Sequence[str],
        wanted: Mapping[str, Sequence[int]],
        record: dict[str, Any] | None = None,
    ) -> None:
        if not wanted:
            raise InputError("the pairs", expected="a column for each attribute the results must have", found="none",
                             hint="choose them with --protocol smiling, style-copy or identity")  # fmt: skip
        if unknown := [name for name in wanted if name not in names]:
            raise InputError("the classifier", expected=f"the attribute {unknown[0]}", found=", ".join(names))
        self._classify, self._columns, self._record = classify, [list(names).index(name) for name in wanted], record
        self._names = list(wanted)
        self._wanted = torch.tensor([list(values) for values in wanted.values()]).T > 0
        self._seen: list[Tensor] = []

    @classmethod
    def load(cls, listed: PairList, weights: Path | None, device: torch.device) -> AttributeAccuracy:
        """By a classifier's weights, or those that are found without."""
        judge, where = load_judge("attributes", weights, device)
        return cls(judge, judge.names, listed.wanted(), weights_of(judge, where))

    def take(self, images: Tensor) -> None:
        """The next results (N, 3, S, S) ``uint8``."""
        self._seen.append(self._classify(images).cpu()[:, self._columns] >= 0.5)

    def right(self) -> Tensor:
        """Whether each result shows each attribute as wanted, ``bool`` (N, attributes)."""
        return torch.cat(self._seen) == self._wanted

    def shares(self) -> dict[str, float]:
        """Attribute -> share of the results that show (or lack) it as wanted."""
        return dict(zip(self._names, self.right().double().mean(0).tolist(), strict=True))

    def result(self, subject: Subject) -> Result:
        """The mean over the attributes, and each of them."""
        right, shares = self.right(), self.shares()
        hits = dict(zip(self._names, right.sum(0).tolist(), strict=True))
        each: dict[str, float | None] = {f"attribute_accuracy/{name}": share for name, share in shares.items()}
        intervals = {f"attribute_accuracy/{name}": wilson(hits[name], len(right)) for name in shares}
        if len(shares) > 1:
            whole = of_mean(right.double().mean(1).numpy())
        else:
            (whole,) = intervals.values()
            each, intervals = {}, {}
        return subject.result(
            "attribute_accuracy", sum(shares.values()) / len(shares), {"attributes": self._record or {}}, values=each,
            intervals={"attribute_accuracy": whole, **intervals}, details={"attributes": list(shares)},
        )  # fmt: skip
