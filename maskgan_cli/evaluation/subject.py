"""Whose results are measured: one method's pictures, and the pairs they were made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from maskgan_cli.evaluation.judging import BATCH, Watch
from maskgan_cli.evaluation.pair_list import PairList
from maskgan_cli.evaluation.pictures import batches, pictures_of, side_of
from maskgan_cli.evaluation.results import Result, painted_by, trace
from maskgan_cli.metrics.intervals import Interval


@dataclass(frozen=True)
class Subject:
    """Results of one method.

    Attributes:
        folder: where they are.
        paths: which of them are measured, in the order of the pairs.
        method: the row of the table that they make.
        listed: the pairs; None where every picture of the folder counts.
        split: of the pictures they are compared with, where there are no pairs.
    """

    folder: Path
    paths: list[Path]
    method: str
    listed: PairList | None = None
    split: str = ""

    @classmethod
    def of(cls, folder: Path, pairs: Path, method: str | None) -> Subject:
        """The results of a list of pairs.

        Raises:
            InputError: see `PairList.load` and `PairList.results`.
        """
        listed = PairList.load(pairs)
        return cls(folder, listed.results(folder), method or folder.resolve().name, listed)

    @classmethod
    def without_pairs(cls, folder: Path, method: str | None, split: str, *, named_split: str) -> Subject:
        """Every picture of a folder, or of a ``split`` of a data set.

        Args:
            named_split: what the record says of the split.
        """
        return cls(folder, pictures_of(folder, split), method or folder.resolve().name, None, named_split)

    @property
    def pairs(self) -> PairList:
        """The list of pairs, where there must be one."""
        assert self.listed is not None, "without pairs nothing is asked of the results"
        return self.listed

    @cached_property
    def inputs(self) -> dict[str, dict[str, Any]]:
        """The record of the pictures and of the list; each file is hashed once."""
        found = {"results": trace(self.folder, self.paths)}
        return found | ({"pairs": self.listed.trace()} if self.listed else {})

    @cached_property
    def painter(self) -> dict[str, dict[str, Any]]:
        """The weights that the pictures name as their painter's."""
        return painted_by(self.paths)

    @cached_property
    def size(self) -> int:
        """The side of the pictures."""
        return side_of(self.paths[0])

    def result(
        self,
        metric: str,
        value: float | None,
        judges: dict[str, dict[str, Any]],
        *,
        values: dict[str, float | None] | None = None,
        intervals: dict[str, Interval] | None = None,
        details: dict[str, Any] | None = None,
        inputs: dict[str, dict[str, Any]] | None = None,
    ) -> Result:
        """The record of one measurement: whose results, by which pairs, painted by what."""
        listed = self.listed
        about = (listed.protocol, listed.split) if listed else ("", self.split)
        return Result(
            metric, value, len(self.paths), self.method, *about, self.size, listed.seed if listed else None,
            self.inputs | (inputs or {}), {**judges, **self.painter}, values or {}, details or {}, intervals or {},
        )  # fmt: skip


class Measure(Protocol):
    """One metric: it is shown the results batch by batch, in their order, and then asked."""

    def take(self, images: Tensor) -> None:
        """The next results (N, 3, S, S) ``uint8``."""

    def result(self, subject: Subject) -> Result:
        """What was found."""


@torch.inference_mode()
def show(paths: Sequence[Path], measures: Sequence[Measure], watch: Watch, *, batch_size: int = BATCH) -> None:
    """Put pictures before several measures, reading each once.

    Raises:
        InputError: see `batches`, and what the measures raise.
    """
    for images in watch(batches(paths, batch_size), -(-len(paths) // batch_size)):
        for measure in measures:
            measure.take(images)
