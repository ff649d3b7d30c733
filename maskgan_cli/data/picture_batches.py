"""Reads a list of picture files in batches."""

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

_THREADS = 4  # Pillow's decoders release the GIL

Sides = tuple[int, int]  # height, width
Attempt = Callable[[Path], AbstractContextManager[None]]


def attempted(_: Path) -> AbstractContextManager[None]:
    """Return a context manager that does nothing, so that all errors are raised; the default of `read_pictures`."""
    return nullcontext()


def read_pictures(
    paths: Iterable[Path],
    batch_size: int,
    *,
    change: Callable[[Path, Picture], Picture] | None = None,
    attempt: Attempt = attempted,
) -> Iterator[tuple[list[Path], Tensor, list[Sides]]]:
    """Read picture files and yield the pictures in batches, in the order of ``paths``.

    All pictures of a batch have the same size: a picture of another size than the previous picture starts a new batch.

    Args:
        paths: the files.
        batch_size: maximum number of pictures in a batch. Several threads decode this many pictures in advance.
        change: function that is applied to each picture after reading, e.g. to reduce its size. If it is given,
            pictures are read one at a time, because they may be large.
        attempt: function that returns a context manager for a path. The file is read and changed inside its block; if
            the context manager suppresses an error, the file is skipped.

    Yields:
        For each batch, the paths, the pictures (N, 3, H, W) ``uint8``, and the (height, width) of each picture in its
        file, before ``change``.

    Raises:
        InputError: a file is not a picture.
    """

    def read(path: Path) -> tuple[Path, Picture, Sides] | None:
        with attempt(path):
            picture = read_image(path)
            return path, picture if change is None else change(path, picture), (picture.shape[0], picture.shape[1])
        return None  # `attempt` suppressed an error

    ahead = _read_ahead(read, paths, batch_size) if change is None else map(read, paths)
    for _, alike in itertools.groupby((one for one in ahead if one is not None), key=lambda one: one[1].shape):
        while some := list(itertools.islice(alike, batch_size)):
            names, pictures, sides = zip(*some, strict=True)
            yield list(names), torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2), list(sides)


def _read_ahead(
    read: Callable[[Path], tuple[Path, Picture, Sides] | None], paths: Iterable[Path], count: int
) -> Iterator[tuple[Path, Picture, Sides] | None]:
    """Yield the results of ``read`` for all paths, in order; several threads read ``count`` files in advance."""
    queue = iter(paths)
    with ThreadPoolExecutor(_THREADS) as pool:
        while chunk := list(itertools.islice(queue, count)):
            yield from pool.map(read, chunk)
