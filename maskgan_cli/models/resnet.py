"""Residual networks (He et al. 2016) for the evaluation networks, with torchvision's tensor names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from torch import Tensor, nn

from maskgan_cli.models.range_checks import check_range

# With fewer than 8 channels, the CPU gradient of a strided 1 x 1 convolution (the shortcuts) in channels-last
# layout writes out of bounds and crashes the process (torch 2.15).
MIN_WIDTH: Final = 8


class ResNet(nn.Module):
    """A residual network without the classifier; it returns one feature vector per image.

    ``ResNet((2, 2, 2, 2))`` is ResNet-18 and ``ResNet((3, 4, 6, 3), bottleneck=True)`` is ResNet-50. Tensors have
    the same names and shapes as in torchvision; the classifier ``fc`` is missing.

    Args:
        blocks: number of residual blocks in each of the four stages. Every stage except the first halves the
            resolution.
        width: channels of the first stage; they double at every later stage. At least `MIN_WIDTH`.
        bottleneck: use bottleneck blocks (three convolutions, output channels multiplied by four).

    Attributes:
        features: number of output features per image.

    Raises:
        ValueError: ``width`` is below `MIN_WIDTH`.
    """

    def __init__(self, blocks: Sequence[int], width: int = 64, *, bottleneck: bool = False) -> None:
        super().__init__()
        if width < MIN_WIDTH:
            raise ValueError(f"width must be at least {MIN_WIDTH}")
        block = Bottleneck if bottleneck else BasicBlock
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        stages, channels = [], width
        for number, count in enumerate(blocks):
            inner = width << number
            layers = []
            for place in range(count):
                layers.append(block(channels, inner, stride=2 if number and not place else 1))
                channels = inner * block.expansion
            stages.append(nn.Sequential(*layers))
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        self.features = channels
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        """Return average-pooled features (N, ``features``) of images (N, 3, H, W) normalised by `layers.imagenet`."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(images))))  # (N, width, H/4, W/4)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))  # (N, features, H/32, W/32)
        pooled: Tensor = x.mean((2, 3))
        return pooled


@dataclass(frozen=True)
class TrunkConfig:
    """Settings of a `ResNet` that is saved as pretrained weights for other networks. The defaults are ResNet-18's.

    Attributes:
        blocks: number of residual blocks in each of the four stages.
        width: channels of the first stage; they double at every later stage.
    """

    blocks: tuple[int, int, int, int] = (2, 2, 2, 2)
    width: int = 64

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        check_range(self, blocks=(1, 100), width=(MIN_WIDTH, 512))


def trunk(config: TrunkConfig) -> ResNet:
    """Build the `ResNet` (of basic blocks) that ``config`` describes."""
    return ResNet(config.blocks, config.width)


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions and a shortcut, as in ResNet-18 and ResNet-34."""

    expansion = 1

    def __init__(self, inputs: int, channels: int, *, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = _shortcut(inputs, channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block to features (N, inputs, H, W); return (N, channels, H/stride, W/stride)."""
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        out: Tensor = self.relu(y + (x if self.downsample is None else self.downsample(x)))
        return out


class Bottleneck(nn.Module):
    """1 x 1, 3 x 3 and 1 x 1 convolutions and a shortcut, as in ResNet-50. The stride is in the 3 x 3 convolution."""

    expansion = 4

    def __init__(self, inputs: int, channels: int, *, stride: int) -> None:
        super().__init__()
        outputs = channels * self.expansion
        self.conv1 = nn.Conv2d(inputs, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = nn.Conv2d(channels, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _shortcut(inputs, outputs, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block to features (N, inputs, H, W); return (N, 4 * channels, H/stride, W/stride)."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn3(self.conv3(self.relu(self.bn2(self.conv2(y)))))
        out: Tensor = self.relu(y + (x if self.downsample is None else self.downsample(x)))
        return out


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Sequential | None:
    """Build the shortcut of a residual block: a 1 x 1 convolution with batch norm from input to output shape.

    Returns:
        The layers; None if input and output have the same shape, so that the shortcut needs no convolution.
    """
    if inputs == outputs and stride == 1:
        return None
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs))
