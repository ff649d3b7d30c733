"""The networks that judge pictures: face parser, attributes, head pose, identity.

All have one shape (`Judge`): built from a self-describing weights file, pictures in, values out, the
file's SHA-256 at hand for the results.

parser.py, attributes.py, pose.py, identity.py   one each
finder.py   where in a photo a face is
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

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
