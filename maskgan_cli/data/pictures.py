"""Pictures of a list, in batches of tensors."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from maskgan_cli.files import Picture, read_image

_THREADS = 4  # Pillow's decoders let go of Python's lock

Sides = tuple[int, int]  # height, width
Attempt = Callable[[Path], AbstractContextManager[None]]


def attempted(_: Path) -> AbstractContextManager[None]:
    """Let every failure through."""
    return nullcontext()


def read_pictures(
    paths: Iterable[Path],
    batch_size: int,
    *,
    change: Callable[[Path, Picture], Picture] | None = None,
    attempt: Attempt = attempted,
) -> Iterator[tuple[list[Path], Tensor, list[Sides]]]:
    """Pictures in batches, in the list's order; neighbours of another size start a new batch.

    Args:
        paths: the files.
        batch_size: pictures in a batch at most; as many are decoded at a time, by several threads.
        change: what is done to each as soon as it is read, e.g. scaling it down; then one is read at a time,
            because such pictures may be large.
        attempt: entered with a path while it is read and changed; a picture whose failure it swallows is left out.

    Yields:
        The paths, the pictures (N, 3, H, W) ``uint8``, and each file's own height and width.

    Raises:
        InputError: a file is no picture.
    """

    def read(path: Path) -> tuple[Path, Picture, Sides] | None:
        with attempt(path):
            picture = read_image(path)
            return path, picture if change is None else change(path, picture), (picture.shape[0], picture.shape[1])
        return None  # the attempt failed, and that is known

    ahead = _read_ahead(read, paths, batch_size) if change is None else map(read, paths)
    for _, alike in itertools.groupby((one for one in ahead if one is not None), key=lambda one: one[1].shape):
        while some := list(itertools.islice(alike, batch_size)):
            names, pictures, sides = zip(*some, strict=True)
            yield list(names), torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2), list(sides)


def _read_ahead(
    read: Callable[[Path], tuple[Path, Picture, Sides] | None], paths: Iterable[Path], count: int
) -> Iterator[tuple[Path, Picture, Sides] | None]:
    queue = iter(paths)
    with ThreadPoolExecutor(_THREADS) as pool:
        while chunk := list(itertools.islice(queue, count)):
            yield from pool.map(read, chunk)
