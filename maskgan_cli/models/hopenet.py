"""HopeNet (Ruiz, Chong and Rehg 2018): predicts the head pose.

Each of the angles yaw, pitch and roll is classified into bins of 3 degrees. The predicted angle is the mean angle of
the bins, weighted by their probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import torch
from torch import Tensor, nn

from maskgan_cli.models.layers import imagenet
from maskgan_cli.models.range_checks import check_range
from maskgan_cli.models.resnet import MIN_WIDTH, ResNet

BIN_DEGREES: Final = 3.0
LOWEST: Final = -99.0  # degrees, the angle of bin 0


@dataclass(frozen=True)
class HopeNetConfig:
    """Settings of the architecture. The defaults are the published ones (a ResNet-50).

    Attributes:
        width: channels of the first stage; they double at every later stage.
        blocks: number of residual blocks in each of the four stages.
        bottleneck: use ResNet-50's bottleneck blocks instead of ResNet-18's basic blocks.
        bins: number of bins per angle. Each bin covers 3 degrees; the first one starts at -99 degrees.
        image_size: side of the input pictures in pixels.
    """

    width: int = 64
    blocks: tuple[int, ...] = (3, 4, 6, 3)
    bottleneck: bool = True
    bins: int = 66
    image_size: int = 224

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}  # unknown keys in a recipe are errors

    def __post_init__(self) -> None:
        object.__setattr__(self, "blocks", tuple(self.blocks))  # JSON has lists, not tuples
        if len(self.blocks) != 4:
            raise ValueError("blocks must be four numbers")
        check_range(self, blocks=(1, 100), width=(MIN_WIDTH, 512), bins=(1, 1000), image_size=(32, 2048))


class HopeNet(ResNet):
    """A ResNet with three classification heads, for yaw, pitch and roll.

    The published checkpoint has the same tensor names, and one more layer, ``fc_finetune``, which is not used.
    """

    def __init__(self, config: HopeNetConfig) -> None:
        super().__init__(config.blocks, config.width, bottleneck=config.bottleneck)
        self.config = config
        self.fc_yaw = nn.Linear(self.features, config.bins)
        self.fc_pitch = nn.Linear(self.features, config.bins)
        self.fc_roll = nn.Linear(self.features, config.bins)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (N, 3, bins) of the bins of yaw, pitch and roll for images (N, 3, S, S) in [-1, 1]."""
        features = self.pooled(images)
        return torch.stack([self.fc_yaw(features), self.fc_pitch(features), self.fc_roll(features)], dim=1)

    def pooled(self, images: Tensor) -> Tensor:
        """Return the average-pooled features (N, features) of images (N, 3, S, S) in [-1, 1]: the heads' input."""
        return super().forward(imagenet(images))


def expected_angles(logits: Tensor) -> Tensor:
    """Return the predicted angles in degrees: the mean angle of the bins, weighted by their softmax probabilities.

    Args:
        logits: logits of the angle bins (..., bins).

    Returns:
        The angles, with the shape of ``logits`` without the last dimension.
    """
    index = torch.arange(logits.shape[-1], device=logits.device, dtype=torch.float32)
    return BIN_DEGREES * (logits.float().softmax(-1) * index).sum(-1) + LOWEST


def bin_of(angles: Tensor, bins: int) -> Tensor:
    """Return the index of the bin that contains each angle; angles out of range get the first or the last bin.

    Args:
        angles: angles in degrees, of any shape.
        bins: number of bins.
    """
    return ((angles - LOWEST) / BIN_DEGREES).floor().clamp(0, bins - 1).long()
