"""Loads judges (evaluation networks) by name, and computes their predictions for sets of pictures."""

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

# A progress display: takes an iterable and its length, yields the same items, and shows the progress meanwhile.
Watch = Callable[[Iterable[Any], int], Iterator[Any]]


def load_judge(name: str, where: Path | None, device: torch.device) -> tuple[Any, Path]:
    """Load a judge (an evaluation network); return the judge and the path of its weights file.

    Args:
        name: kind of the judge, one of `JUDGES`.
        where: the weights file; None: the default file (see `find_weights`), e.g. the one bundled with the package.
        device: device of the judge.

    Raises:
        InputError: the weights are missing or do not fit the network.
    """
    where = find_weights(where, name)
    load: Callable[..., Judge] = resolve(KINDS[name].judge)
    return load(where, device), where


@torch.inference_mode()
def predictions(judge: Callable[[Tensor], Tensor], paths: Sequence[Path], watch: Watch) -> Iterator[Tensor]:
    """Yield the predictions of a judge (evaluation network) for each batch of pictures, as CPU tensors.

    Args:
        judge: the judge, a function of pictures (N, 3, S, S) ``uint8``.
        paths: the pictures, all of the same size.
        watch: wraps the batches in an iterator that shows the progress.

    Raises:
        InputError: see `batches`.
    """
    for images in watch(batches(paths, BATCH), -(-len(paths) // BATCH)):
        yield judge(images).cpu()
