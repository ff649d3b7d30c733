"""Segmentation accuracy (paper, Sec. 5.3): how well a result agrees with the mask from which it was generated.

A face parser labels the pixels of the result, and the labels are compared with the generator's input mask.
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
    """Measures how well results agree with the masks that they were generated from.

    Implements `method_results.ResultMetric`.

    Args:
        parse: a face parser: function of pictures (N, 3, S, S) that returns label maps (N, S, S).
        masks: the input mask of each result, in the same order.
        folder: folder of the masks, whose path is stored with the result; None: the folder of the first mask.
        record: dict with name, path and hash of the parser's weights (see `weights_of`), stored with the result.

    Attributes:
        table: confusion matrix (19, 19) in pixels: rows are classes of the masks, columns classes of the parser.
        shares: proportion of correct pixels in each result that was added so far.
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
        """Load a face parser, and create the metric for the results of a method.

        Args:
            results: the results.
            masks: folder of the input masks; None: the places that `input_masks` describes.
            weights: weights file of the parser; None: the default file, see `find_weights`.
            device: device of the parser.

        Raises:
            InputError: a result has no mask, or the weights are missing or do not fit the network.
        """
        listed = results.listed
        default = listed.files("source_mask") if listed and listed.protocol == "style-copy" else None
        found = input_masks(results.paths, masks, default)
        judge, where = load_judge("parser", weights, device)
        return cls(judge, found, masks or found[0].parent, weights_of(judge, where))

    def update(self, images: Tensor) -> None:
        """Add the next batch of results (N, 3, S, S) ``uint8`` to the metric.

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
        """Return the accuracy over all pixels of all results, and the mean IoU.

        The details of the returned object contain the confusion matrix.
        """
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
    """Return the path of the input mask of each result, i.e. of the mask from which the result was generated.

    Args:
        results: the results; NAME is a result's file name without its suffix.
        folder: folder of masks called NAME.mask.png or NAME.png; None: the mask is NAME.mask.png beside the result.
        default: masks to use for results without a mask beside them, one for each result; not used with ``folder``.

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
