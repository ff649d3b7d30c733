"""Segmentation accuracy (paper, Sec. 5.3): a parser's labels on the result against the mask that was asked for.

`maskgan_cli.metrics.confusion.table_agreement` makes accuracy and mean IoU of the counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from torch import Tensor

from maskgan_cli.data.resize import resize_labels
from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.judging import Watch, judged
from maskgan_cli.files import read_label_map
from maskgan_cli.labels import NUM_CLASSES

Confusion = npt.NDArray[np.int64]


def confusion(
    results: Sequence[Path], asked: Sequence[Path], parse: Callable[[Tensor], Tensor], watch: Watch
) -> Confusion:
    """Pixels (19, 19) by the class asked for (row) and the class the parser sees (column).

    Raises:
        InputError: an unreadable picture or mask, or a mask that is not square.
    """
    table: Confusion = np.zeros(NUM_CLASSES**2, np.int64)
    masks = iter(asked)
    for batch in judged(parse, results, watch):
        for seen in batch.numpy():
            path = next(masks)
            labels = read_label_map(path)
            if labels.shape[0] != labels.shape[1]:
                raise InputError(path, expected="a square mask", found=f"{labels.shape[1]}x{labels.shape[0]}")
            wanted = resize_labels(labels, len(seen)).astype(np.int64)
            table += np.bincount((wanted * NUM_CLASSES + seen).ravel(), minlength=NUM_CLASSES**2)
    return table.reshape(NUM_CLASSES, NUM_CLASSES)


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
