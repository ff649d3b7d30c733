"""Attribute classifier of the paper's evaluation: a ResNet-18 that predicts one or several attributes of a face."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from maskgan_cli.models.layers import imagenet
from maskgan_cli.models.range_checks import check_range
from maskgan_cli.models.resnet import MIN_WIDTH, ResNet

_MOST = 1000  # largest number of attributes per network


@dataclass(frozen=True)
class AttributeConfig:
    """Settings of the architecture. The defaults are ResNet-18's.

    Attributes:
        names: names of the predicted attributes, in the order of the logits.
        image_size: side of the input pictures in pixels.
        width: channels of the first stage; they double at every later stage.
        blocks: residual blocks in each of the four stages.
    """

    names: tuple[str, ...] = ("Smiling",)
    image_size: int = 224
    width: int = 64
    blocks: tuple[int, int, int, int] = (2, 2, 2, 2)

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}  # unknown keys in a recipe are errors

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(self.names))  # JSON has lists, not tuples
        object.__setattr__(self, "blocks", tuple(self.blocks))
        if not self.names or len(set(self.names)) < len(self.names):
            raise ValueError("names must be a list of distinct attributes, at least one")
        if len(self.names) > _MOST:
            raise ValueError(f"names must be at most {_MOST}")
        check_range(self, image_size=(32, 2048), width=(MIN_WIDTH, 512), blocks=(1, 100))


class AttributeNet(nn.Module):
    """A ResNet with one logit per attribute; a logit above 0 means that the face is predicted to have the attribute."""

    def __init__(self, config: AttributeConfig) -> None:
        super().__init__()
        self.config = config
        self.trunk = ResNet(config.blocks, config.width)
        self.head = nn.Linear(self.trunk.features, len(config.names))

    def forward(self, images: Tensor) -> Tensor:
        """Return attribute logits (N, attributes) of images (N, 3, S, S) in [-1, 1]."""
        logits: Tensor = self.head(self.trunk(imagenet(images)))
        return logits
