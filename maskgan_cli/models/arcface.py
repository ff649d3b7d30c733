"""ArcFace (Deng et al. 2019): the network IResNet, which computes identity embeddings of faces, and the margin loss."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from maskgan_cli.models.range_checks import check_range
from maskgan_cli.models.resnet import MIN_WIDTH

# Residual blocks in each of the four stages, by depth of the published network (IResNet-18 to IResNet-100).
DEPTHS: Final[dict[int, tuple[int, int, int, int]]] = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 14, 3),
    100: (3, 13, 30, 3),
}


@dataclass(frozen=True)
class ArcFaceConfig:
    """Settings of the architecture. The defaults are the published IResNet-18.

    Attributes:
        blocks: number of residual blocks in each of the four stages, see `DEPTHS`.
        width: channels of the first stage; they double at every later stage.
        embedding: dimension of the embedding.
        image_size: side of the aligned faces in pixels; 112 as published.
        dropout: dropout rate before the last layer in training; 0 as published for large data sets.
    """

    blocks: tuple[int, ...] = DEPTHS[18]
    width: int = 64
    embedding: int = 512
    image_size: int = 112
    dropout: float = 0.0

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}  # unknown keys in a recipe are errors

    def __post_init__(self) -> None:
        object.__setattr__(self, "blocks", tuple(self.blocks))  # JSON has lists, not tuples
        if len(self.blocks) != 4:
            raise ValueError("blocks must be four numbers")
        check_range(self, blocks=(1, 100), width=(MIN_WIDTH, 512), embedding=(1, 8192), image_size=(32, 2048))
        if self.image_size % 16:
            raise ValueError("image_size must be a multiple of 16, at least 32")
        if not 0 <= self.dropout < 1:
            raise ValueError("dropout must be at least 0 and less than 1")


class Block(nn.Module):
    """A residual block of IResNet: 3 x 3 convolution, PReLU and strided 3 x 3 convolution, with three batch norms."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.prelu = nn.PReLU(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, stride, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Module | None = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, features: Tensor) -> Tensor:
        """Apply the block to features (N, inputs, H, W); return (N, outputs, H / stride, W / stride)."""
        changed = self.prelu(self.bn2(self.conv1(self.bn1(features))))
        changed = self.bn3(self.conv2(changed))
        skip = features if self.downsample is None else self.downsample(features)
        total: Tensor = changed + skip
        return total


class IResNet(nn.Module):
    """The network of ArcFace, which computes identity embeddings of faces.

    The names of its tensors are those of published checkpoints.
    """

    def __init__(self, config: ArcFaceConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.conv1 = nn.Conv2d(3, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.prelu = nn.PReLU(width)
        inputs = width
        for stage, count in enumerate(config.blocks):
            outputs = width << stage
            blocks = [Block(inputs, outputs, 2), *(Block(outputs, outputs, 1) for _ in range(count - 1))]
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
            inputs = outputs
        self.bn2 = nn.BatchNorm2d(inputs)
        self.fc = nn.Linear(inputs * (config.image_size // 16) ** 2, config.embedding)
        self.features = nn.BatchNorm1d(config.embedding)
        self.features.weight.requires_grad = False  # embeddings are normalised later, so a scale has no effect
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, 0.0, 0.1)

    def forward(self, images: Tensor) -> Tensor:
        """Return the embeddings (N, embedding), not normalised, of aligned faces (N, 3, S, S) in [-1, 1]."""
        maps = self.prelu(self.bn1(self.conv1(images)))
        for stage in range(1, 5):
            maps = self.get_submodule(f"layer{stage}")(maps)
        flat = F.dropout(torch.flatten(self.bn2(maps), 1), self.config.dropout, self.training)
        embedded: Tensor = self.features(self.fc(flat))
        return embedded


class ArcFaceMargin(nn.Module):
    """The classification layer of ArcFace, which is used only in training (ArcFace paper, Sec. 2).

    The layer predicts which person of the training set an embedding belongs to. A margin is added to the angle between
    the embedding and the centre of the true person's class.

    Args:
        embedding: dimension of the embedding.
        people: number of persons in the training set, i.e. of classes.
        scale: factor s of the logits (the radius of the hypersphere).
        margin: the margin m in radians.
    """

    def __init__(self, embedding: int, people: int, *, scale: float = 64.0, margin: float = 0.5) -> None:
        super().__init__()
        self.scale, self.margin = scale, margin
        self.weight = nn.Parameter(torch.randn(people, embedding) * 0.01)

    def forward(self, embeddings: Tensor, people: Tensor) -> Tensor:
        """Return logits (N, number of people): one for each face and each person of the training set.

        Args:
            embeddings: embeddings (N, D) of faces; they are normalised here.
            people: for each face, the index (N,) of the true person; the margin lowers the logit of this person.
        """
        cosines = F.linear(F.normalize(embeddings.float()), F.normalize(self.weight.float())).clamp(-1, 1)
        right = cosines.gather(1, people[:, None])
        sines = (1 - right**2).clamp(min=1e-12).sqrt()
        moved = right * math.cos(self.margin) - sines * math.sin(self.margin)
        # Beyond pi - m, cos(angle + m) increases again. Continue with a decreasing linear function there.
        straight = right - self.margin * math.sin(self.margin)
        moved = torch.where(right > math.cos(math.pi - self.margin), moved, straight)
        return self.scale * cosines.scatter(1, people[:, None], moved)
