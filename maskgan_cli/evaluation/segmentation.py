"""Segmentation accuracy (paper, Sec. 5.3): a parser's labels for the result against the generator's input mask.

`maskgan_cli.metrics.confusion.table_agreement` computes accuracy and mean IoU from the counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from maskgan_cli.data.given_masks import read_given_mask
from maskgan_cli.data.resize import resize_labels
from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.judging import load_judge
from maskgan_cli.evaluation.method_results import MethodResults
from maskgan_cli.evaluation.results import MetricResult, trace, weights_of
from maskgan_cli.labels import CLASSES, NUM_CLASSES
from maskgan_cli.metrics.confusion import table_agreement
from maskgan_cli.metrics.intervals import of_mean

Confusion = npt.NDArray[np.int64]


class SegmentationAccuracy:
    """Agreement of results with their input masks, a `method_results.ResultMetric`.

    Args:
        parse: pictures -> label maps (N, S, S).
        masks: the input mask of each result, in the same order.
        folder: of the masks, for the record.
        record: of the parser's weights.

    Attributes:
        table: confusion matrix (19, 19) in pixels: rows are classes of the masks, columns classes of the parser.
        shares: the share of correct pixels of each result so far.
    """

    def __init__(
        self,
        parse: Callable[[Tensor], Tensor],
        masks: Sequence[Path],
        folder: Path | None = None,
        record: dict[str, Any] | None = None,
    ) -> None:
        self._parse, self._masks, self._folder, self._record = parse, list(masks), folder, record
        self.table: Confusion = np.zeros((NUM_CLASSES, NUM_CLASSES), np.int64)
        self.shares: list[float] = []

    @classmethod
    def load(
        cls, results: MethodResults, masks: Path | None, weights: Path | None, device: torch.device
    ) -> SegmentationAccuracy:
        """The metric with a parser's weights; None: those that `find_weights` finds. ``masks``: see `input_masks`."""
        listed = results.listed
        default = listed.files("source_mask") if listed and listed.protocol == "style-copy" else None
        found = input_masks(results.paths, masks, default)
        judge, where = load_judge("parser", weights, device)
        return cls(judge, found, masks or found[0].parent, weights_of(judge, where))

    def update(self, images: Tensor) -> None:
        """Add the next results (N, 3, S, S) ``uint8``.

        Raises:
            InputError: a mask cannot be read, or is not square.
        """
        for parsed in self._parse(images).cpu().numpy():
            path = self._masks[len(self.shares)]
            labels = read_given_mask(path)
            if labels.shape[0] != labels.shape[1]:
                raise InputError(path, expected="a square mask", found=f"{labels.shape[1]}x{labels.shape[0]}")
            truth = resize_labels(labels, len(parsed)).astype(np.int64)
            counts = np.bincount((truth * NUM_CLASSES + parsed).ravel(), minlength=NUM_CLASSES**2)
            self.table += counts.reshape(self.table.shape)
            self.shares.append(float((truth == parsed).mean()))

    def compute(self, results: MethodResults) -> MetricResult:
        """Pixel accuracy over all pixels, mean IoU, and the confusion matrix."""
        agreed = table_agreement(torch.from_numpy(self.table).double())
        return results.result(
            "segmentation_accuracy",
            agreed["accuracy"],
            {"parser": self._record or {}},
            values={"mean_iou": agreed["miou"]},
            intervals={"segmentation_accuracy": of_mean(self.shares)},
            details={"classes": list(CLASSES), "confusion": self.table.tolist(), **agreed},
            inputs={"masks": trace(self._folder or self._masks[0].parent, self._masks)},
        )


def input_masks(results: Sequence[Path], folder: Path | None, default: Sequence[Path] | None) -> list[Path]:
    """The input mask of each result.

    With ``folder`` it is NAME.mask.png or NAME.png in that folder; without, NAME.mask.png beside the result, or else
    the result's entry of ``default``.

    Raises:
        InputError: a result has no mask.
    """
    found = []
    for number, result in enumerate(results):
        beside = result.with_name(f"{result.stem}.mask.png")
        places = [beside] if folder is None else [folder / beside.name, folder / f"{result.stem}.png"]
        path = next((place for place in places if place.is_file()), None)
        if path is None and folder is None and default is not None:
            path = default[number]
        if path is None:
            raise InputError(
                places[0],
                expected=f"the mask that {result.name} was painted from",
                found="no such file",
                hint="paint with --save-masks, or name a folder of masks with --masks",
            )
        found.append(path)
    return found
