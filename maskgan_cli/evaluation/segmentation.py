"""Segmentation accuracy (paper, Sec. 5.3): a parser's labels on the result against the mask that was asked for.

`maskgan_cli.metrics.confusion.table_agreement` makes accuracy and mean IoU of the counts.
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
from maskgan_cli.evaluation.results import Result, trace, weights_of
from maskgan_cli.evaluation.subject import Subject
from maskgan_cli.labels import CLASSES, NUM_CLASSES
from maskgan_cli.metrics.confusion import table_agreement
from maskgan_cli.metrics.intervals import of_mean

Confusion = npt.NDArray[np.int64]


class SegmentationAccuracy:
    """A measure (see `subject.Measure`) of how far results follow their masks.

    Args:
        parse: pictures -> label maps (N, S, S).
        asked: the mask of each result, in the same order.
        folder: where the masks are, for the record.
        record: the parser's weights, for the result.

    Attributes:
        table: pixels (19, 19) by the class asked for (row) and the class the parser sees (column).
        shares: the share of right pixels of each result so far.
    """

    def __init__(
        self,
        parse: Callable[[Tensor], Tensor],
        asked: Sequence[Path],
        folder: Path | None = None,
        record: dict[str, Any] | None = None,
    ) -> None:
        self._parse, self._asked, self._folder, self._record = parse, list(asked), folder, record
        self.table: Confusion = np.zeros((NUM_CLASSES, NUM_CLASSES), np.int64)
        self.shares: list[float] = []

    @classmethod
    def load(
        cls, subject: Subject, masks: Path | None, weights: Path | None, device: torch.device
    ) -> SegmentationAccuracy:
        """By a parser's weights, or those that come with the package."""
        listed = subject.listed
        otherwise = listed.files("source_mask") if listed and listed.protocol == "style-copy" else None
        asked = masks_asked_for(subject.paths, masks, otherwise)
        judge, where = load_judge("parser", weights, device)
        return cls(judge, asked, masks or asked[0].parent, weights_of(judge, where))

    def take(self, images: Tensor) -> None:
        """The next results (N, 3, S, S) ``uint8``.

        Raises:
            InputError: an unreadable mask, or one that is not square.
        """
        for seen in self._parse(images).cpu().numpy():
            path = self._asked[len(self.shares)]
            labels = read_given_mask(path)
            if labels.shape[0] != labels.shape[1]:
                raise InputError(path, expected="a square mask", found=f"{labels.shape[1]}x{labels.shape[0]}")
            wanted = resize_labels(labels, len(seen)).astype(np.int64)
            counts = np.bincount((wanted * NUM_CLASSES + seen).ravel(), minlength=NUM_CLASSES**2)
            self.table += counts.reshape(self.table.shape)
            self.shares.append(float((wanted == seen).mean()))

    def result(self, subject: Subject) -> Result:
        """Pixel accuracy over all pixels, mean IoU, and the table that both come from."""
        agreed = table_agreement(torch.from_numpy(self.table).double())
        return subject.result(
            "segmentation_accuracy", agreed["accuracy"], {"parser": self._record or {}},
            values={"mean_iou": agreed["miou"]}, intervals={"segmentation_accuracy": of_mean(self.shares)},
            details={"classes": list(CLASSES), "confusion": self.table.tolist(), **agreed},
            inputs={"masks": trace(self._folder or self._asked[0].parent, self._asked)},
        )  # fmt: skip


def masks_asked_for(results: Sequence[Path], folder: Path | None, otherwise: Sequence[Path] | None) -> list[Path]:
    """The mask that each result was painted from.

    It is looked for as NAME.mask.png or NAME.png in ``folder``, else as NAME.mask.png beside the
    result, else it is that of ``otherwise``.

    Raises:
        InputError: a result without any.
    """
    found = []
    for number, result in enumerate(results):
        beside = result.with_name(f"{result.stem}.mask.png")
        places = [beside] if folder is None else [folder / beside.name, folder / f"{result.stem}.png"]
        path = next((place for place in places if place.is_file()), None)
        if path is None and folder is None and otherwise is not None:
            path = otherwise[number]
        if path is None:
            raise InputError(
                places[0], expected=f"the mask that {result.name} was painted from", found="no such file",
                hint="paint with --save-masks, or name a folder of masks with --masks",
            )  # fmt: skip
        found.append(path)
    return found
