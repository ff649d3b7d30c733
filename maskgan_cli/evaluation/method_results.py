"""Results of one method, and the interface of the metrics that measure them."""

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
from maskgan_cli.evaluation.picture_set import batches, pictures_of, side_of
from maskgan_cli.evaluation.results import MetricResult, generator_of, trace
from maskgan_cli.metrics.intervals import Interval


@dataclass(frozen=True)
class MethodResults:
    """The results of one method, i.e. the pictures that it made.

    Attributes:
        folder: the folder of results.
        paths: the results to measure, in the order of the pairs.
        method: name of the method's row in tables.
        listed: the pairs; None if all pictures of the folder are measured.
        split: if there are no pairs: split of the real pictures with which the results are compared; may be empty.
    """

    folder: Path
    paths: list[Path]
    method: str
    listed: PairList | None = None
    split: str = ""

    @classmethod
    def of(cls, folder: Path, pairs: Path, method: str | None) -> MethodResults:
        """Return the results that a folder contains for the pairs of a list.

        Args:
            folder: the folder of results.
            pairs: the list, a CSV.
            method: name of the method; None: the folder's name.

        Raises:
            InputError: see `PairList.load` and `PairList.results`.
        """
        listed = PairList.load(pairs)
        return cls(folder, listed.results(folder), method or folder.resolve().name, listed)

    @classmethod
    def without_pairs(cls, folder: Path, method: str | None, split: str, *, named_split: str) -> MethodResults:
        """Return all pictures of a folder, or of one split of a prepared data set, as results without a list of pairs.

        Args:
            folder: the folder or the data set.
            method: name of the method; None: the folder's name.
            split: the split, if ``folder`` is a data set.
            named_split: split of the real pictures with which the results are compared; may be empty.
        """
        return cls(folder, pictures_of(folder, split), method or folder.resolve().name, None, named_split)

    @property
    def pairs(self) -> PairList:
        """The list of pairs; an assertion fails if these results have none."""
        assert self.listed is not None, "these results have no pairs"
        return self.listed

    @cached_property
    def inputs(self) -> dict[str, dict[str, Any]]:
        """Dict with the records (path and hash) of ``results`` and, if there are pairs, ``pairs``."""
        found = {"results": trace(self.folder, self.paths)}
        return found | ({"pairs": self.listed.trace()} if self.listed else {})

    @cached_property
    def generator(self) -> dict[str, dict[str, Any]]:
        """Record (hash) of the weights of the generator that made the pictures, see `generator_of`."""
        return generator_of(self.paths)

    @cached_property
    def size(self) -> int:
        """Side of the pictures in pixels."""
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
    ) -> MetricResult:
        """Create a `MetricResult` for these pictures, with the records of the results, pairs and generator.

        Args:
            metric, value, values, intervals, details: see `MetricResult`.
            judges: dict from the role of each evaluation network to the record of its weights, see `weights_of`.
            inputs: dict from the role of each further input, e.g. ``reals``, to its record, see `trace`.
        """
        listed = self.listed
        return MetricResult(
            metric=metric,
            value=value,
            n=len(self.paths),
            method=self.method,
            protocol=listed.protocol if listed else "",
            split=listed.split if listed else self.split,
            size=self.size,
            seed=listed.seed if listed else None,
            inputs=self.inputs | (inputs or {}),
            weights={**judges, **self.generator},
            values=values or {},
            details=details or {},
            intervals=intervals or {},
        )


class ResultMetric(Protocol):
    """Interface of a metric: call `update` with each batch of results in their order, then `compute` once."""

    def update(self, images: Tensor) -> None:
        """Add the next batch of results (N, 3, S, S) ``uint8`` to the metric."""

    def compute(self, results: MethodResults) -> MetricResult:
        """Return the value of the metric for all results that were added with `update`.

        Args:
            results: the same results; their method, protocol and records are copied to the returned object.
        """


@torch.inference_mode()
def update_metrics(
    paths: Sequence[Path], metrics: Sequence[ResultMetric], watch: Watch, *, batch_size: int = BATCH
) -> None:
    """Read pictures in batches, and update several metrics with each batch; each picture is read once.

    Args:
        paths: the pictures, all of the same size.
        metrics: the metrics.
        watch: wraps the batches in an iterator that shows the progress.
        batch_size: number of pictures in a batch.

    Raises:
        InputError: see `batches` and the metrics.
    """
    for images in watch(batches(paths, batch_size), -(-len(paths) // batch_size)):
        for metric in metrics:
            metric.update(images)
