"""The Inception-v3 network of pytorch-fid. The metrics FID and KID compare its features of two sets of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from maskgan_cli.files import sha256
from maskgan_cli.models.inception import SIDE, FIDInception, fold_norms
from maskgan_cli.weights.foreign import load_foreign
from maskgan_cli.weights.format import load_strictly, published_sha256

# Start of the SHA-256 of the published file, pt_inception-2015-12-05-6726825d.pth.
PUBLISHED: Final = "6726825d"


class Inception:
    """An Inception-v3 network that computes the features that FID and KID compare.

    Args:
        where: weights file in pytorch-fid's layout.
        device: device on which the network runs.

    Attributes:
        published: whether the file contains the published weights. Only then is the metric named ``fid``.

    Raises:
        InputError: the file is missing or has another layout.
    """

    def __init__(self, where: Path, device: torch.device) -> None:
        tensors = load_foreign(where, "Inception weights in pytorch-fid's layout")
        used = {name: tensor for name, tensor in tensors.items() if not name.startswith("fc.")}
        network = load_strictly(FIDInception(), used, where)
        fold_norms(network.eval().requires_grad_(False))
        self._network = network.to(device).to(memory_format=torch.channels_last)
        self._device = device
        self.name, self.sha256, self.size = "inception", sha256(where), SIDE
        self.published = published_sha256(where).startswith(PUBLISHED)

    def features(self, images: Tensor) -> Tensor:
        """Return the Inception features (N, 2048) of pictures (N, 3, S, S) ``uint8`` of any size."""
        features: Tensor = self._network(images.to(self._device).float() / 255)
        return features
