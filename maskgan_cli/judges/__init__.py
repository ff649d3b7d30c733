"""Evaluation networks ("judges"): face parser, attribute classifier, head pose, identity.

All implement one interface (`Judge`): they load a self-describing weights file, map pictures to values, and
expose the SHA-256 of the file for the records of results.

parser.py, attributes.py, pose.py, identity.py   one network each
inception.py   the features of FID and KID
finder.py   face detector
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from maskgan_cli.models.layers import to_unit


class Judge(Protocol):
    """Interface of the evaluation networks.

    Attributes:
        name: kind of network, e.g. ``parser``, ``attributes``, ``identity/arcface``.
        sha256: hash of the weights file.
        size: input side of the network in pixels; pictures of other sizes are resized.
    """

    name: str
    sha256: str
    size: int

    def __call__(self, images: Tensor) -> Tensor:
        """Square pictures (N, 3, S, S) ``uint8`` of any size, on any device -> values (N, ...)."""

    def features(self, images: Tensor) -> Tensor:
        """Pictures as in `__call__` -> features (N, D) float32, for distances between sets of pictures."""


def prepare(images: Tensor, size: int, device: torch.device) -> Tensor:
    """Pictures (N, 3, S, S) ``uint8`` -> (N, 3, size, size) in [-1, 1] on the device, resized with antialiasing."""
    units = to_unit(images.to(device))
    if units.shape[-1] != size:
        units = F.interpolate(units, (size, size), mode="bilinear", antialias=True).clamp_(-1, 1)
    return units.contiguous(memory_format=torch.channels_last)
