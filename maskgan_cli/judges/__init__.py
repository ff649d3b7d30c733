"""Evaluation networks ("judges"): face parser, attribute classifier, head pose, identity.

The four networks implement one interface (`Judge`): they map pictures to predictions, and have the SHA-256 of their
weights file, which is stored with the results of an evaluation.

parser.py, attributes.py, pose.py, identity.py   one network each
inception.py   Inception-v3, whose features FID and KID compare
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
        """Return predictions (N, ...) for square pictures (N, 3, S, S) ``uint8`` of any size, on any device."""

    def features(self, images: Tensor) -> Tensor:
        """Return the network's inner features (N, D), float32, of the same pictures, to compare sets of pictures."""


def prepare(images: Tensor, size: int, device: torch.device) -> Tensor:
    """Move ``uint8`` pictures (N, 3, S, S) to a device, scale them to [-1, 1] and resize them to (N, 3, size, size).

    Resizing is bilinear with antialiasing.
    """
    units = to_unit(images.to(device))
    if units.shape[-1] != size:
        units = F.interpolate(units, (size, size), mode="bilinear", antialias=True).clamp_(-1, 1)
    return units.contiguous(memory_format=torch.channels_last)
