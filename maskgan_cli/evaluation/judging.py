"""A judge by name, and a set of pictures put before it in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from maskgan_cli.evaluation.pictures import batches
from maskgan_cli.judges import Judge
from maskgan_cli.networks import KINDS, judges, resolve
from maskgan_cli.weights.lookup import find_weights

JUDGES: Final = judges()
BATCH: Final = 32

# Passes batches through, given how many there are: a progress bar.
Watch = Callable[[Iterable[Any], int], Iterator[Any]]


def load_judge(name: str, where: Path | None, device: torch.device) -> tuple[Any, Path]:
    """A judge and the weights file it came from; without ``where``, the one that comes with the package.

    Raises:
        InputError: weights that are missing or do not fit.
    """
    where = find_weights(where, name)
    load: Callable[..., Judge] = resolve(KINDS[name].judge)
    return load(where, device), where


@torch.inference_mode()
def judged(judge: Callable[[Tensor], Tensor], paths: Sequence[Path], watch: Watch) -> Iterator[Tensor]:
    """What a judge says of each batch of pictures, on the CPU.

    Raises:
        InputError: see `batches`.
    """
    for images in watch(batches(paths, BATCH), -(-len(paths) // BATCH)):
        yield judge(images).cpu()
