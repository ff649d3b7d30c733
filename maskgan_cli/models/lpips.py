"""LPIPS (Zhang et al. 2018): a learnt perceptual distance on the features of VGG-16 or AlexNet.

The feature network is torchvision's. The learnt part is one weight per channel of each compared layer, as in the
authors' files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

_MEAN: Final = (-0.030, -0.088, -0.188)
_DEVIATION: Final = (0.458, 0.448, 0.450)
_EPSILON: Final = 1e-10


@dataclass(frozen=True)
class Trunk:
    """A feature network of LPIPS, and the layers of this network that LPIPS compares.

    Attributes:
        name: name of the network.
        channels: number of channels of each of the five layers that LPIPS compares.
        taps: indices of these five layers, which are all ReLUs, in torchvision's list of layers.
    """

    name: str
    channels: tuple[int, ...]
    taps: tuple[int, ...]


ALEXNET: Final = Trunk("alexnet", (64, 192, 384, 256, 256), (1, 4, 7, 9, 11))
VGG16: Final = Trunk("vgg16", (64, 128, 256, 512, 512), (3, 8, 15, 22, 29))
TRUNKS: Final = (ALEXNET, VGG16)


class LPIPS(nn.Module):
    """Network that computes the LPIPS distance between pictures. All weights are frozen.

    Args:
        trunk: the feature network. Its tensors are named ``features.N.weight`` as in torchvision's files. The learnt
            channel weights are named ``heads.LAYER`` and have shape (channels,).
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, trunk: Trunk) -> None:
        super().__init__()
        self.trunk = trunk
        self.features = nn.Sequential(*(_alexnet() if trunk is ALEXNET else _vgg16()))
        self.heads = nn.ParameterList(nn.Parameter(torch.zeros(channels)) for channels in trunk.channels)
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(_DEVIATION).view(1, 3, 1, 1), persistent=False)
        self.requires_grad_(False)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the distance between each picture of ``a`` and the picture of ``b`` at the same index.

        Args:
            a, b: pictures (N, 3, H, W) in [-1, 1].

        Returns:
            The distances (N,); 0 for identical pictures.
        """
        total = a.new_zeros(len(a))
        for head, ours, theirs in zip(self.heads, self._layers(a), self._layers(b), strict=True):
            apart = (_unit_length(ours) - _unit_length(theirs)).square()
            total = total + (apart * head.view(1, -1, 1, 1)).sum(1).mean((1, 2))
        return total

    def _layers(self, images: Tensor) -> list[Tensor]:
        """Return a list of the outputs of the five compared layers for pictures (N, 3, H, W) in [-1, 1]."""
        found = []
        features: Tensor = (images - self.mean) / self.deviation
        for i, layer in enumerate(self.features):
            features = layer(features)
            if i in self.trunk.taps:
                found.append(features)
        return found


def _unit_length(features: Tensor) -> Tensor:
    """Return features (N, C, H, W) in which the channel vector of each pixel is scaled to unit length."""
    lengths: Tensor = features.square().sum(1, keepdim=True).sqrt()
    return features / (lengths + _EPSILON)


def _alexnet() -> list[nn.Module]:
    """Build a list of the layers of AlexNet, up to the last ReLU before the final pooling."""
    return [
        nn.Conv2d(3, 64, 11, stride=4, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(64, 192, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(192, 384, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(256, 256, 3, padding=1),
        nn.ReLU(),
    ]


def _vgg16() -> list[nn.Module]:
    """Build a list of the layers of VGG-16, up to the last ReLU before the final pooling."""
    layers: list[nn.Module] = []
    channels = 3
    for outputs in (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512):
        if outputs:
            layers += [nn.Conv2d(channels, outputs, 3, padding=1), nn.ReLU()]
            channels = outputs
        else:
            layers.append(nn.MaxPool2d(2))
    return layers
