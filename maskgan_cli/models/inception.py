"""The Inception network of the FID (Szegedy et al. 2016, in the form of TensorFlow's 2015 release).

It differs from torchvision's in three places, on which the numbers depend: averages over 3x3 leave
the padding out of the count, the last block takes a maximum where the paper takes an average, and
the classifier has 1008 classes (it is not needed here). Keys are those of pytorch-fid's file.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SIDE: Final = 299

Kernel = int | tuple[int, int]
Layer = tuple[int, Kernel, Kernel]  # channels, kernel, padding


class ConvNormReLU(nn.Module):
    """Convolution without bias, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: Kernel, padding: Kernel = 0, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=0.001)

    def forward(self, features: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, outputs, H', W')."""
        return F.relu(self.bn(self.conv(features)), inplace=True)


class Block(nn.Module):
    """What the blocks share: branches that are called by name, and a pooled one."""

    def _chain(self, name: str, inputs: int, *layers: Layer, first: int = 1, stride: int = 1) -> None:
        """Register ``name_1``, ``name_2``, ...; the last one takes the stride."""
        channels = [inputs, *(layer[0] for layer in layers)]
        for i, ((a, b), (_, kernel, padding)) in enumerate(zip(pairwise(channels), layers, strict=True)):
            last = stride if i == len(layers) - 1 else 1
            self.add_module(f"{name}_{first + i}", ConvNormReLU(a, b, kernel, padding, last))

    def _run(self, features: Tensor, *names: str) -> Tensor:
        for name in names:
            features = self.get_submodule(name)(features)
        return features

    def _pooled(self, features: Tensor) -> Tensor:
        averaged = F.avg_pool2d(features, 3, stride=1, padding=1, count_include_pad=False)
        return self._run(averaged, "branch_pool")


class BlockA(Block):
    """35 x 35: 1x1, 5x5, two 3x3 and an average."""

    def __init__(self, inputs: int, pooled: int) -> None:
        super().__init__()
        self.branch1x1 = ConvNormReLU(inputs, 64, 1)
        self._chain("branch5x5", inputs, (48, 1, 0), (64, 5, 2))
        self._chain("branch3x3dbl", inputs, (64, 1, 0), (96, 3, 1), (96, 3, 1))
        self.branch_pool = ConvNormReLU(inputs, pooled, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, 224 + pooled, H, W)."""
        wide = self._run(x, "branch5x5_1", "branch5x5_2")
        deep = self._run(x, "branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3")
        return torch.cat([self.branch1x1(x), wide, deep, self._pooled(x)], 1)


class BlockB(Block):
    """35 x 35 -> 17 x 17."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.branch3x3 = ConvNormReLU(inputs, 384, 3, stride=2)
        self._chain("branch3x3dbl", inputs, (64, 1, 0), (96, 3, 1), (96, 3, 0), stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, 480 + inputs, H / 2, W / 2)."""
        deep = self._run(x, "branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3")
        return torch.cat([self.branch3x3(x), deep, F.max_pool2d(x, 3, stride=2)], 1)


class BlockC(Block):
    """17 x 17: 7x7 as 1x7 and 7x1."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        row, column = ((1, 7), (0, 3)), ((7, 1), (3, 0))
        self.branch1x1 = ConvNormReLU(inputs, 192, 1)
        self._chain("branch7x7", inputs, (width, 1, 0), (width, *row), (192, *column))
        self._chain(
            "branch7x7dbl", inputs,
            (width, 1, 0), (width, *column), (width, *row), (width, *column), (192, *row),
        )  # fmt: skip
        self.branch_pool = ConvNormReLU(inputs, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, 768, H, W)."""
        once = self._run(x, *(f"branch7x7_{i}" for i in (1, 2, 3)))
        twice = self._run(x, *(f"branch7x7dbl_{i}" for i in (1, 2, 3, 4, 5)))
        return torch.cat([self.branch1x1(x), once, twice, self._pooled(x)], 1)


class BlockD(Block):
    """17 x 17 -> 8 x 8."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self._chain("branch3x3", inputs, (192, 1, 0), (320, 3, 0), stride=2)
        self._chain(
            "branch7x7x3", inputs, (192, 1, 0), (192, (1, 7), (0, 3)), (192, (7, 1), (3, 0)), (192, 3, 0), stride=2
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, 512 + inputs, H / 2, W / 2)."""
        near = self._run(x, "branch3x3_1", "branch3x3_2")
        far = self._run(x, *(f"branch7x7x3_{i}" for i in (1, 2, 3, 4)))
        return torch.cat([near, far, F.max_pool2d(x, 3, stride=2)], 1)


class BlockE(Block):
    """8 x 8: 3x3 as 1x3 beside 3x1; ``maximum`` pools as the FID's last block does."""

    def __init__(self, inputs: int, *, maximum: bool) -> None:
        super().__init__()
        self.maximum = maximum
        self.branch1x1 = ConvNormReLU(inputs, 320, 1)
        self.branch3x3_1 = ConvNormReLU(inputs, 384, 1)
        self._chain("branch3x3dbl", inputs, (448, 1, 0), (384, 3, 1))
        for name in ("branch3x3_2", "branch3x3dbl_3"):
            self.add_module(f"{name}a", ConvNormReLU(384, 384, (1, 3), (0, 1)))
            self.add_module(f"{name}b", ConvNormReLU(384, 384, (3, 1), (1, 0)))
        self.branch_pool = ConvNormReLU(inputs, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, 2048, H, W)."""
        near, far = self.branch3x3_1(x), self._run(x, "branch3x3dbl_1", "branch3x3dbl_2")
        pooled = self.branch_pool(F.max_pool2d(x, 3, stride=1, padding=1)) if self.maximum else self._pooled(x)
        split = [self._run(y, f"{name}{side}") for y, name in ((near, "branch3x3_2"), (far, "branch3x3dbl_3"))
                 for side in "ab"]  # fmt: skip
        return torch.cat([self.branch1x1(x), *split, pooled], 1)


class FIDInception(nn.Module):
    """Pictures -> the 2048 averages that the Frechet Inception Distance compares."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = ConvNormReLU(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = ConvNormReLU(32, 32, 3)
        self.Conv2d_2b_3x3 = ConvNormReLU(32, 64, 3, 1)
        self.Conv2d_3b_1x1 = ConvNormReLU(64, 80, 1)
        self.Conv2d_4a_3x3 = ConvNormReLU(80, 192, 3)
        self.Mixed_5b = BlockA(192, 32)
        self.Mixed_5c = BlockA(256, 64)
        self.Mixed_5d = BlockA(288, 64)
        self.Mixed_6a = BlockB(288)
        self.Mixed_6b = BlockC(768, 128)
        self.Mixed_6c = BlockC(768, 160)
        self.Mixed_6d = BlockC(768, 160)
        self.Mixed_6e = BlockC(768, 192)
        self.Mixed_7a = BlockD(768)
        self.Mixed_7b = BlockE(1280, maximum=False)
        self.Mixed_7c = BlockE(2048, maximum=True)

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] -> (N, 2048); resized to 299 px without antialiasing, as published."""
        x = F.interpolate(images, size=(SIDE, SIDE), mode="bilinear", align_corners=False) * 2 - 1
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = F.max_pool2d(x, 3, stride=2)
        x = F.max_pool2d(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x)), 3, stride=2)
        x = self.Mixed_6a(self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x))))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(x))))
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))
        averages: Tensor = x.mean((2, 3))
        return averages
