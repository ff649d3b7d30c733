"""StarGAN (Choi et al. 2018): one generator for several attributes.

The generator G(image, label) returns the face of the image with the attributes that the label sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Final

import torch
from torch import Tensor, nn

from maskgan_cli.models.range_checks import check_range

MOST_ATTRIBUTES: Final = 256  # CelebA has 40
# Mutually exclusive attributes: setting one clears the others.
HAIR_COLOURS: Final = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair")


@dataclass(frozen=True)
class StarGANConfig:
    """Settings of the generator. The defaults are the published ones.

    Attributes:
        image_size: side of the training pictures in pixels, a multiple of 4. The generator accepts other sizes that are
            multiples of 4.
        attributes: names of the attributes that the generator can change, in the order of the label's columns.
        width: channels at full resolution; they double at each of two downsampling steps.
        blocks: residual blocks at a quarter of the resolution.
    """

    image_size: int = 128
    attributes: tuple[str, ...] = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young")
    width: int = 64
    blocks: int = 6

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}  # unknown keys in a recipe are errors

    def __post_init__(self) -> None:
        object.__setattr__(self, "attributes", tuple(self.attributes))  # JSON has lists, not tuples
        if not self.attributes or len(set(self.attributes)) < len(self.attributes):
            raise ValueError("attributes must be a list of distinct names, at least one")
        if len(self.attributes) > MOST_ATTRIBUTES:
            raise ValueError(f"attributes must be at most {MOST_ATTRIBUTES}")
        check_range(self, image_size=(32, 2048), width=(1, 512), blocks=(1, 100))
        if self.image_size % 4:
            raise ValueError(f"image_size must be a multiple of 4, not {self.image_size}")


@dataclass(frozen=True)
class StarGANDiscriminatorConfig:
    """Settings of the discriminator. The defaults are the published ones.

    Attributes:
        image_size: side of the pictures, a multiple of ``2 ** layers``.
        attributes: number of classified attributes.
        width: channels of the first layer; they double at every layer.
        layers: number of downsampling layers, each by a factor of 2.
    """

    image_size: int = 128
    attributes: int = 5
    width: int = 64
    layers: int = 6

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        check_range(self, image_size=(8, 2048), attributes=(1, MOST_ATTRIBUTES), width=(1, 512), layers=(1, 9))
        if self.image_size < 1 << self.layers or self.image_size % (1 << self.layers):
            raise ValueError(f"image_size must be a multiple of {1 << self.layers} = 2^layers, not {self.image_size}")


class AffineInstanceNorm(nn.GroupNorm):
    """Instance norm with a learnt scale and shift. It always uses the statistics of each picture, in evaluation too.

    Published files also contain running statistics. The authors' code never uses the statistics, because it never
    switches the network to evaluation mode. They are stored only so that a loaded file can be saved unchanged.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, channels)
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))
        self.register_buffer("num_batches_tracked", torch.tensor(0))


class StarGANBlock(nn.Module):
    """A residual block: two zero-padded 3 x 3 convolutions with instance norm, and a ReLU between the convolutions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            AffineInstanceNorm(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            AffineInstanceNorm(channels),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Apply the block to features (N, C, H, W); return features of the same shape."""
        changed: Tensor = features + self.main(features)
        return changed


class StarGANGenerator(nn.Module):
    """The generator G(image, label), which changes attributes of a face.

    The label is appended to the image as constant planes, and all layers use zero padding. With reflection padding, the
    first convolution of these planes would be constant, and instance norm would remove it.
    """

    def __init__(self, config: StarGANConfig) -> None:
        super().__init__()
        self.config = config
        c1, c2, c4 = config.width, config.width * 2, config.width * 4
        layers: list[nn.Module] = [
            nn.Conv2d(3 + len(config.attributes), c1, 7, padding=3, bias=False),
            AffineInstanceNorm(c1),
            nn.ReLU(),
        ]
        for inputs, outputs in ((c1, c2), (c2, c4)):
            conv = nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=False)
            layers += [conv, AffineInstanceNorm(outputs), nn.ReLU()]
        layers += [StarGANBlock(c4) for _ in range(config.blocks)]
        for inputs, outputs in ((c4, c2), (c2, c1)):
            conv_up = nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=False)
            layers += [conv_up, AffineInstanceNorm(outputs), nn.ReLU()]
        layers += [nn.Conv2d(c1, 3, 7, padding=3, bias=False), nn.Tanh()]
        self.main = nn.Sequential(*layers)

    def forward(self, image: Tensor, label: Tensor) -> Tensor:
        """Return the same faces with other attributes, (N, 3, H, W) in [-1, 1].

        Args:
            image: faces (N, 3, H, W) in [-1, 1].
            label: attributes (N, attributes) that the returned faces should have, 0 or 1.
        """
        planes = label[:, :, None, None].to(image.dtype).expand(-1, -1, *image.shape[2:])
        changed: Tensor = self.main(torch.cat([image, planes], dim=1))
        return changed


class StarGANDiscriminator(nn.Module):
    """The discriminator D(image): scores how real each patch of a face looks, and classifies the face's attributes."""

    def __init__(self, config: StarGANDiscriminatorConfig) -> None:
        super().__init__()
        self.config = config
        layers: list[nn.Module] = []
        channels = [3, *(config.width << layer for layer in range(config.layers))]
        for inputs, outputs in pairwise(channels):
            layers += [nn.Conv2d(inputs, outputs, 4, stride=2, padding=1), nn.LeakyReLU(0.01)]
        self.main = nn.Sequential(*layers)
        self.patches = nn.Conv2d(channels[-1], 1, 3, padding=1, bias=False)
        self.classes = nn.Conv2d(channels[-1], config.attributes, config.image_size >> config.layers, bias=False)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Score and classify images (N, 3, S, S) in [-1, 1].

        Returns:
            Scores (N, 1, h, w) of the patches, higher for patches that look real; and attribute logits (N, attributes).
        """
        features = self.main(image)
        return self.patches(features), self.classes(features).flatten(1)


def asked_labels(names: tuple[str, ...], labels: Tensor, attribute: str, value: bool) -> Tensor:
    """Return a copy of the attribute labels in which one attribute of all faces is set or cleared.

    If a hair colour is set, the other hair colours are cleared.

    Args:
        names: names of the attributes, in the order of the columns of ``labels``.
        labels: the current attributes of the faces (N, attributes), 0 or 1.
        attribute: name of the attribute to change.
        value: True sets the attribute to 1, False to 0.
    """
    changed = labels.clone()
    if value and attribute in HAIR_COLOURS:
        changed[:, [i for i, name in enumerate(names) if name in HAIR_COLOURS]] = 0
    changed[:, names.index(attribute)] = float(value)
    return changed
