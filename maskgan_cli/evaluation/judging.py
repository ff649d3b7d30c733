"""Loading of judges by name, and their predictions for sets of pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from maskgan_cli.evaluation.picture_set import batches
from maskgan_cli.judges import Judge
from maskgan_cli.networks import KINDS, judges, resolve
from maskgan_cli.weights.lookup import find_weights

JUDGES: Final = judges()
BATCH: Final = 32

# Passes batches through and shows the progress: (batches, their number) -> the same batches.
Watch = Callable[[Iterable[Any], int], Iterator[Any]]


def load_judge(name: str, where: Path | None, device: torch.device) -> tuple[Any, Path]:
    """Load a judge; returns it and its weights file.

    Args:
        name: kind of the judge, one of `JUDGES`.
        where: weights; None: those that `find_weights` finds, e.g. those of the package.
        device: of the judge.

    Raises:
        InputError: the weights are missing or do not fit.
    """
    where = find_weights(where, name)
    load: Callable[..., Judge] = resolve(KINDS[name].judge)
    return load(where, device), where


@torch.inference_mode()
def predictions(judge: Callable[[Tensor], Tensor], paths: Sequence[Path], watch: Watch) -> Iterator[Tensor]:
    """A judge's predictions for each batch of pictures, on the CPU.

    Raises:
        InputError: see `batches`.
    """
    for images in watch(batches(paths, BATCH), -(-len(paths) // BATCH)):
        yield judge(images).cpu()
