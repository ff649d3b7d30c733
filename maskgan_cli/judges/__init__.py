"""The networks that judge pictures: face parser, attributes, head pose, identity.

All have one shape (`Judge`): built from a self-describing weights file, pictures in, values out, the
file's SHA-256 at hand for the results.

parser.py, attributes.py, pose.py, identity.py   one each
finder.py   where in a photo a face is
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from maskgan_cli.files import Picture, read_image
from maskgan_cli.models.layers import to_unit


class Judge(Protocol):
    """What evaluation knows of a judging network.

    Attributes:
        name: what it is, e.g. ``parser``, ``attributes``, ``identity/arcface``.
        sha256: of its weights file.
        size: side of the pictures its network reads; others are resized.
    """

    name: str
    sha256: str
    size: int

    def __call__(self, images: Tensor) -> Tensor:
        """Square pictures (N, 3, S, S) ``uint8``, on any device, of any side -> values (N, ...)."""

    def features(self, images: Tensor) -> Tensor:
        """The same pictures -> features (N, D) float32, for distances between sets of pictures."""


def prepare(images: Tensor, size: int, device: torch.device) -> Tensor:
    """Pictures (N, 3, S, S) ``uint8`` -> (N, 3, size, size) in [-1, 1] on the device, antialiased."""
    units = to_unit(images.to(device))
    if units.shape[-1] != size:
        units = F.interpolate(units, (size, size), mode="bilinear", antialias=True).clamp_(-1, 1)
    return units.contiguous(memory_format=torch.channels_last)


def read_pictures(paths: Iterable[Path], batch_size: int = 16) -> Iterator[tuple[list[Path], Tensor]]:
    """Pictures of a list in batches (N, 3, H, W) ``uint8``; neighbours of another size start a new batch.

    Raises:
        InputError: a file is no picture.
    """
    names: list[Path] = []
    waiting: list[Picture] = []
    for path in paths:
        picture = read_image(path)
        if waiting and (len(waiting) == batch_size or waiting[0].shape != picture.shape):
            yield names, _stack(waiting)
            names, waiting = [], []
        names.append(path)
        waiting.append(picture)
    if waiting:
        yield names, _stack(waiting)


def _stack(pictures: list[Picture]) -> Tensor:
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
