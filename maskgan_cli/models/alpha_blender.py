"""Alpha Blender (paper, Sec. 3.2): a network that blends two pictures of the same face pixel by pixel.

Only Editing Behaviour Simulated Training uses it; inference does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from maskgan_cli.models.checkpointing import checkpoint_each
from maskgan_cli.models.layers import Upsampling, conv7, down, initialise, instance_norm, up
from maskgan_cli.models.padding import ReflectionPad
from maskgan_cli.models.range_checks import check_range


@dataclass(frozen=True)
class AlphaBlenderConfig:
    """Settings of the architecture. The defaults are the published ones.

    Attributes:
        width: channels at full resolution; they double at every downsampling step.
        downs: number of downsampling steps, each by a factor of 2.
        blocks: residual blocks at the lowest resolution.
        upsampling: ``transposed`` as published, or ``resize``, which avoids checkerboard artefacts.
    """

    width: int = 32
    downs: int = 3
    blocks: int = 3
    upsampling: Upsampling = "transposed"

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}  # unknown keys in a recipe are errors

    def __post_init__(self) -> None:
        check_range(self, width=(1, 512), downs=(1, 8), blocks=(1, 64))


class ResidualBlock(nn.Module):
    """A residual block: two reflection-padded 3 x 3 convolutions with instance norm, and a skip connection."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(ReflectionPad(1), nn.Conv2d(channels, channels, 3), instance_norm(channels))
        self.conv2 = nn.Sequential(ReflectionPad(1), nn.Conv2d(channels, channels, 3), instance_norm(channels))

    def forward(self, features: Tensor) -> Tensor:
        """Apply the block to features (N, C, H, W); return features of the same shape."""
        changed: Tensor = features + self.conv2(F.relu(self.conv1(features)))
        return changed


class AlphaBlender(nn.Module):
    """The Alpha Blender: blends two images with a weight that it predicts for each pixel and colour channel."""

    def __init__(self, config: AlphaBlenderConfig) -> None:
        super().__init__()
        self.config = config
        widths = [config.width << level for level in range(config.downs + 1)]
        self.head = nn.Sequential(conv7(6, widths[0]), instance_norm(widths[0]), nn.ReLU())
        self.downs = nn.Sequential(*(down(a, b) for a, b in pairwise(widths)))
        self.blocks = nn.Sequential(*(ResidualBlock(widths[-1]) for _ in range(config.blocks)))
        self.ups = nn.Sequential(*(up(a, b, config.upsampling) for a, b in pairwise(widths[::-1])))
        self.tail = nn.Sequential(conv7(widths[0], 3), nn.Sigmoid())
        initialise(self)

    def checkpoint_activations(self) -> None:
        """Recompute activations in the backward pass instead of keeping them in memory; the gradients stay the same."""
        checkpoint_each(self.head, *self.downs, *self.blocks, *self.ups, self.tail)

    def forward(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        """Blend each image of ``first`` with the image of ``second`` at the same index.

        Args:
            first, second: images (N, 3, H, W) in [-1, 1]; H and W must be multiples of ``2 ** downs``.

        Returns:
            The blends ``alpha * first + (1 - alpha) * second``, and the predicted weights ``alpha``, in [0, 1]; both
            are (N, 3, H, W).
        """
        pair = torch.cat([first, second], dim=1)
        alpha: Tensor = self.tail(self.ups(self.blocks(self.downs(self.head(pair)))))
        return alpha * first + (1 - alpha) * second, alpha
