"""A judge by name, and a set of pictures put before it in batches."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor

from maskgan_cli.evaluation.pictures import batches
from maskgan_cli.pretrained import find_weights

if TYPE_CHECKING:
    from maskgan_cli.judges import Judge

# What a user calls a judge, and the kind of weights it needs.
KINDS: Final = {"parser": "parser", "attributes": "attributes", "pose": "hopenet", "identity": "arcface"}
BATCH: Final = 32

# Passes batches through, given how many there are: a progress bar.
Watch = Callable[[Iterable[Any], int], Iterator[Any]]


def load_judge(name: str, where: Path | None, device: torch.device) -> tuple[Any, Path]:
    """A judge and the weights file it came from; without ``where``, the one that comes with the package.

    Raises:
        InputError: weights that are missing or do not fit.
    """
    where = find_weights(where, KINDS[name])
    module = importlib.import_module(f"maskgan_cli.judges.{name}")  # one judge needs none of the others
    judge: Judge = getattr(module, f"load_{name}")(where, device)
    return judge, where


@torch.inference_mode()
def judged(judge: Callable[[Tensor], Tensor], paths: Sequence[Path], watch: Watch) -> Iterator[Tensor]:
    """What a judge says of each batch of pictures, on the CPU.

    Raises:
        InputError: see `batches`.
    """
    for images in watch(batches(paths, BATCH), -(-len(paths) // BATCH)):
        yield judge(images).cpu()
