"""Face parser: a U-Net (Ronneberger et al. 2015) that predicts the class of each pixel, for the paper's evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from maskgan_cli.labels import NUM_CLASSES
from maskgan_cli.models.range_checks import check_range

_LEVELS = 4  # downsampling steps between the picture and the bottleneck


@dataclass(frozen=True)
class ParserConfig:
    """Settings of the architecture. The defaults are the published ones.

    Attributes:
        image_size: side of the training pictures in pixels, a multiple of 16.
        width: channels of the first level; they double at each of the four levels below.
    """

    image_size: int = 512
    width: int = 16

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}  # unknown keys in a recipe are errors

    def __post_init__(self) -> None:
        check_range(self, width=(1, 512))
        if not 32 <= self.image_size <= 2048 or self.image_size % (1 << _LEVELS):
            raise ValueError(f"image_size must be a multiple of 16, 32 to 2048, not {self.image_size}")


class FaceParser(nn.Module):
    """A U-Net of five levels with two convolutions each and skip connections."""

    def __init__(self, config: ParserConfig) -> None:
        super().__init__()
        self.config = config
        channels = [config.width << level for level in range(_LEVELS + 1)]
        self.down = nn.ModuleList(double_conv(a, b) for a, b in pairwise([3, *channels[:-1]]))
        self.pool = nn.MaxPool2d(2)
        self.bottom = double_conv(channels[-2], channels[-1])
        self.up = nn.ModuleList(Up(b, a) for a, b in reversed(list(pairwise(channels))))
        self.head = nn.Conv2d(channels[0], NUM_CLASSES, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Return class logits (N, 19, S, S) of images (N, 3, S, S) in [-1, 1]; S is a multiple of 16."""
        return self.decode(*self.encode(images))

    def fitted(self, images: Tensor) -> Tensor:
        """Return images (N, 3, S, S) resized to the training resolution, at which the parser is most accurate."""
        return resized(images, self.config.image_size)

    def decode(self, x: Tensor, skips: list[Tensor]) -> Tensor:
        """Run the second half of the U-Net on the two results of `encode`; return class logits (N, 19, S, S).

        Args:
            x: the bottleneck features.
            skips: the skip features of each level, largest first.
        """
        for level, skip in zip(self.up, reversed(skips), strict=True):
            x = level(x, skip)
        logits: Tensor = self.head(x)
        return logits

    def encode(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Run the first half of the U-Net on images (N, 3, S, S) in [-1, 1].

        Returns:
            The bottleneck features (N, 16 * width, S/16, S/16), and a list of the skip features of the four levels,
            largest first.
        """
        x, skips = images, []
        for level in self.down:
            x = level(x)  # (N, width << level, S >> level, S >> level)
            skips.append(x)
            x = self.pool(x)
        return self.bottom(x), skips


def resized(planes: Tensor, side: int) -> Tensor:
    """Resize images or other planes (N, C, S, S) to (N, C, side, side).

    The planes are shrunk by area averaging, or enlarged by bilinear interpolation. If S is already ``side``, the planes
    are returned unchanged.
    """
    if planes.shape[-1] > side:
        return F.interpolate(planes, (side, side), mode="area")
    return planes if planes.shape[-1] == side else F.interpolate(planes, (side, side), mode="bilinear")


class Up(nn.Module):
    """One decoder level: upsamples by 2, concatenates the skip features and applies two convolutions."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(inputs, outputs, 2, stride=2)
        self.conv = double_conv(2 * outputs, outputs)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Upsample features and join them with the skip features of the same level; return (N, outputs, 2S, 2S).

        Args:
            x: features (N, inputs, S, S) of the level below.
            skip: skip features (N, outputs, 2S, 2S).
        """
        joined: Tensor = self.conv(torch.cat([skip, self.up(x)], dim=1))
        return joined


def double_conv(inputs: int, outputs: int) -> nn.Sequential:
    """Build a sequence of two 3 x 3 convolutions, each followed by batch norm and ReLU."""
    layers: list[nn.Module] = []
    for channels in (inputs, outputs):
        layers += [nn.Conv2d(channels, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)
