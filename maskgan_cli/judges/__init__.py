"""Networks that evaluate pictures ("judges"): face parser, attribute classifier, head pose, identity.

The four networks implement one interface (`Judge`): they map pictures to predictions. Each network also provides the
SHA-256 of its weights file, which is stored with the results of an evaluation.

parser.py, attributes.py, pose.py, identity.py   one of these networks each
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
        sha256: SHA-256 of the weights file.
        size: input side of the network in pixels; pictures of other sizes are resized.
    """

    name: str
    sha256: str
    size: int

    def __call__(self, images: Tensor) -> Tensor:
        """Return the network's predictions (N, ...), e.g. label maps, for N square pictures.

        Args:
            images: (N, 3, S, S) ``uint8``, of any size and on any device.
        """

    def features(self, images: Tensor) -> Tensor:
        """Return activations of an inner layer (N, D), float32, for N pictures; used to compare sets of pictures.

        Args:
            images: see `__call__`.
        """


def prepare(images: Tensor, size: int, device: torch.device) -> Tensor:
    """Convert ``uint8`` pictures (N, 3, S, S) to a network's input (N, 3, size, size), ``float32``, on ``device``.

    Values are scaled to [-1, 1], and pictures are resized bilinearly with antialiasing.
    """
    units = to_unit(images.to(device))
    if units.shape[-1] != size:
        units = F.interpolate(units, (size, size), mode="bilinear", antialias=True).clamp_(-1, 1)
    return units.contiguous(memory_format=torch.channels_last)
