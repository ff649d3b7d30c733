"""The attribute classifier as a judge: pictures in, probabilities out."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from maskgan_cli.judges import prepare
from maskgan_cli.models.attributes import AttributeNet
from maskgan_cli.models.layers import imagenet
from maskgan_cli.weights.format import Weights, load


class AttributeJudge:
    """See `maskgan_cli.judges.Judge`.

    Args:
        network: in evaluation mode, on its device.
        weights: the file it came from.

    Attributes:
        names: the attributes, in the order of the columns it returns.
    """

    name = "attributes"

    def __init__(self, network: AttributeNet, weights: Weights) -> None:
        self.network, self.sha256 = network, weights.sha256
        self.size, self.names = network.config.image_size, list(network.config.names)
        self.device = next(network.parameters()).device

    @torch.inference_mode()
    def __call__(self, images: Tensor) -> Tensor:
        """Pictures (N, 3, S, S) ``uint8`` -> the probability of each attribute (N, attributes)."""
        logits: Tensor = self.network(prepare(images, self.size, self.device))
        return logits.float().sigmoid()

    @torch.inference_mode()
    def features(self, images: Tensor) -> Tensor:
        """Pictures -> what the last layer reads (N, 8 * width)."""
        features: Tensor = self.network.trunk(imagenet(prepare(images, self.size, self.device)))
        return features.float()


def load_attributes(where: str | Path, device: torch.device) -> AttributeJudge:
    """The attribute classifier of a weights file or run folder of ``maskgan train attributes``.

    Raises:
        InputError: no such weights, or of another kind or shape.
    """
    network, weights = load("attributes", where, device)
    return AttributeJudge(network, weights)
