"""Feature networks for the perceptual loss: VGG-19, pretrained or with random weights."""

from __future__ import annotations

import re
from typing import Final

import torch
from torch import Tensor, nn

from maskgan_cli.models.layers import imagenet

# VGG-19 up to relu5_1: channels of the convolutions at the paper's width; "M" is max pooling by 2.
_LAYOUT: Final = (64, 64, "M", 128, 128, "M", 256, 256, 256, 256, "M", 512, 512, 512, 512, "M", 512)
# Indices of relu1_1, relu2_1, ..., relu5_1 in torchvision's layer list.
_TAPS: Final = (1, 6, 11, 20, 29)
# Matches the keys of published files that are not needed: convolutions after relu5_1 and the classifier.
PAST_RELU5_1: Final = re.compile(r"classifier\.|features\.(29|3\d)\.")


class VGG19Features(nn.Module):
    """The layers of VGG-19 up to relu5_1 (Simonyan and Zisserman 2015), with frozen weights.

    The tensor names are torchvision's (``features.0.weight`` ...), so published VGG-19 files load without conversion.

    Args:
        width: channels of the first layer; VGG-19 has 64.
        normalise: normalise images by ImageNet's mean and standard deviation first. pix2pixHD and MaskGAN do not.
    """

    def __init__(self, width: int = 64, *, normalise: bool = False) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for entry in _LAYOUT:
            if isinstance(entry, int):
                outputs = entry * width // 64
                layers += [nn.Conv2d(channels, outputs, 3, padding=1), nn.ReLU()]
                channels = outputs
            else:
                layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.normalise = normalise
        self.requires_grad_(False)

    @classmethod
    def random(cls, width: int, *, seed: int = 0) -> VGG19Features:
        """Build an untrained VGG-19 with He initialisation from ``seed``, so that all runs use the same features.

        Random convolutions preserve structure at several scales. They give a usable but weaker perceptual
        distance when no pretrained weights are available.
        """
        network = cls(width)
        generator = torch.Generator().manual_seed(seed)
        for layer in network.features:
            if isinstance(layer, nn.Conv2d):
                deviation = (2.0 / (layer.in_channels * 9)) ** 0.5
                layer.weight.copy_(torch.randn(layer.weight.shape, generator=generator) * deviation)
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        return network

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return a list of the feature maps relu1_1, relu2_1, ..., relu5_1 of images (N, 3, H, W) in [-1, 1].

        Each feature map has half the resolution of the previous one.
        """
        features = imagenet(images) if self.normalise else images
        outputs: list[Tensor] = []
        for i, layer in enumerate(self.features):
            features = layer(features)
            if i in _TAPS:
                outputs.append(features)
        return outputs
