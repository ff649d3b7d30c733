"""ELEGANT (Xiao et al. 2018): transfers an attribute by exchanging part of the latent codes of two faces.

The encoder maps an image to a latent code and skip features. From the code, the skip features and a new code, the
decoder predicts a residual image, which is added to the image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from maskgan_cli.models.range_checks import check_range

Encoded = tuple[Tensor, list[Tensor]]  # the latent code, and the four skip feature maps, largest first


@dataclass(frozen=True)
class ElegantConfig:
    """Settings of the encoder and decoder. The defaults are the published ones.

    Attributes:
        image_size: side of the pictures in pixels, a multiple of 32.
        attributes: names of the attributes that can be transferred. The channels of the code are divided among them in
            this order.
        width: channels of the first layer, at half the resolution; they double at every layer, up to 8 times the width.
            The latent code has 8 * ``width`` channels.
    """

    image_size: int = 256
    attributes: tuple[str, ...] = ("Smiling", "Eyeglasses")
    width: int = 64

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}  # unknown keys in a recipe are errors

    def __post_init__(self) -> None:
        object.__setattr__(self, "attributes", tuple(self.attributes))  # JSON has lists, not tuples
        if not self.attributes or len(set(self.attributes)) < len(self.attributes):
            raise ValueError("attributes must be a list of distinct names, at least one")
        check_range(self, image_size=(32, 2048), width=(1, 512))
        if self.image_size % 32:
            raise ValueError(f"image_size must be a multiple of 32, not {self.image_size}")
        if len(self.attributes) > 8 * self.width:
            raise ValueError("width: the code (8 * width channels) must have at least one channel per attribute")

    @property
    def channels(self) -> list[int]:
        """Number of channels after each of the encoder's layers."""
        return [self.width * factor for factor in (1, 2, 4, 8, 8)]


@dataclass(frozen=True)
class ElegantDiscriminatorConfig:
    """Settings of the discriminators. The defaults are the published ones, for three attributes.

    Attributes:
        image_size: side of the pictures of the first discriminator, a multiple of 32. The second discriminator reads
            the pictures at half this size.
        attributes: number of attributes; each is an additional input channel.
        width: channels of the first layer; they double at every layer, up to 8 times the width.
    """

    image_size: int = 256
    attributes: int = 3
    width: int = 64

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        check_range(self, image_size=(32, 2048), attributes=(1, 256), width=(1, 512))
        if self.image_size % 32:
            raise ValueError(f"image_size must be a multiple of 32, not {self.image_size}")


class PixelNorm(nn.Module):
    """Normalises each pixel's channel vector to unit length, then applies a learnt scalar scale and shift."""

    def __init__(self) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(1))
        self.beta = nn.Parameter(torch.zeros(1))

    def forward(self, features: Tensor) -> Tensor:
        """Normalise features (N, C, H, W); return features of the same shape."""
        return F.normalize(features, dim=1, eps=1e-12) * self.alpha + self.beta


class ElegantEncoder(nn.Module):
    """The encoder: five strided convolutions. Its last feature map is the latent code; the others are skip features."""

    def __init__(self, config: ElegantConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(_down(a, b) for a, b in pairwise([3, *config.channels]))
        start(self)

    def forward(self, image: Tensor) -> Encoded:
        """Compute the latent codes and the skip features of images (N, 3, S, S) in [-1, 1].

        Returns:
            The latent codes (N, 8 * width, S/32, S/32), and a list of the four skip feature maps, of side S/2 to S/16.
        """
        maps: list[Tensor] = []
        for layer in self.layers:
            image = layer(image)
            maps.append(image)
        return maps[-1], maps[:-1]


class ElegantDecoder(nn.Module):
    """The decoder: predicts how the pixels of a picture change when its latent code is replaced by a new one."""

    def __init__(self, config: ElegantConfig) -> None:
        super().__init__()
        channels = [2 * config.channels[-1], *config.channels[-2::-1]]
        self.layers = nn.ModuleList(
            nn.Sequential(nn.ConvTranspose2d(a, b, 3, 2, 1, output_padding=1), PixelNorm(), nn.ReLU())
            for a, b in pairwise(channels)
        )
        self.last = nn.ConvTranspose2d(channels[-1], 3, 3, 2, 1, output_padding=1)
        start(self)

    def forward(self, new: Tensor, old: Tensor, skips: Sequence[Tensor]) -> Tensor:
        """Return residual images (N, 3, S, S) in [-2, 2]; picture plus residual image is the edited picture.

        Args:
            new: the new latent codes (N, C, h, w).
            old: the latent codes (N, C, h, w) of the pictures to edit.
            skips: the skip features of the pictures to edit, as returned by `ElegantEncoder`.
        """
        features = torch.cat([new, old], dim=1)
        for layer, skip in zip(self.layers, reversed(skips), strict=True):
            features = layer(features) + skip
        residual: Tensor = torch.tanh(self.last(features)) * 2
        return residual


class Elegant(nn.Module):
    """The network of ELEGANT, an encoder and a decoder, which transfers an attribute from one face to another."""

    def __init__(self, config: ElegantConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = ElegantEncoder(config)
        self.decoder = ElegantDecoder(config)

    def slice_of(self, attribute: int) -> slice:
        """Return the slice of the latent code's channels that belong to an attribute; all attributes have equal shares.

        Args:
            attribute: index of the attribute in ``config.attributes``.
        """
        count, total = len(self.config.attributes), self.config.channels[-1]
        return slice(round(total * attribute / count), round(total * (attribute + 1) / count))

    def replace(self, code: Tensor, other: Tensor, attribute: int) -> Tensor:
        """Return a copy of ``code`` in which the channels of one attribute are taken from ``other``.

        Args:
            code: latent codes (N, C, h, w) of the faces to change.
            other: latent codes (N, C, h, w) of the faces from which the attribute is taken.
            attribute: index of the attribute in ``config.attributes``.
        """
        part = self.slice_of(attribute)
        return torch.cat([code[:, : part.start], other[:, part], code[:, part.stop :]], dim=1)

    def decode(self, image: Tensor, new: Tensor, encoded: Encoded) -> Tensor:
        """Return the images, changed so that they show the new latent codes.

        Args:
            image: images (N, 3, S, S) in [-1, 1].
            new: the new latent codes (N, C, h, w).
            encoded: latent codes and skip features of ``image``, as returned by the encoder.

        Returns:
            The changed images (N, 3, S, S), clamped to [-1, 1].
        """
        old, skips = encoded
        return torch.clamp(image + self.decoder(new, old, skips), -1, 1)

    def forward(self, image: Tensor, exemplar: Tensor, attribute: int, strength: float = 1.0) -> Tensor:
        """Transfer an attribute from exemplars to images.

        If the exemplar has the attribute, the image gets it; if the exemplar does not have it, the image loses it.

        Args:
            image: the faces to change (N, 3, S, S) in [-1, 1].
            exemplar: the faces from which the attribute is taken (N, 3, S, S) in [-1, 1].
            attribute: index of the attribute in ``config.attributes``.
            strength: 0 reconstructs the image, 1 transfers the attribute, values between interpolate the codes.

        Returns:
            The changed images (N, 3, S, S) in [-1, 1].
        """
        encoded = self.encoder(image)
        code, _ = encoded
        new = self.replace(code, self.encoder(exemplar)[0], attribute)
        return self.decode(image, code + strength * (new - code), encoded)


class ElegantDiscriminator(nn.Module):
    """The discriminator of one scale: scores whether a face is real and matches its attribute labels."""

    def __init__(self, config: ElegantDiscriminatorConfig, image_size: int) -> None:
        super().__init__()
        channels = [3 + config.attributes, *(config.width * factor for factor in (1, 2, 4, 8))]
        self.layers = nn.Sequential(*(_down(a, b) for a, b in pairwise(channels)))
        self.verdict = nn.Linear(channels[-1] * (image_size // 16) ** 2, 1)
        start(self)

    def forward(self, image: Tensor, label: Tensor) -> Tensor:
        """Return logits (N, 1), which are high for faces that look real and match their labels.

        The published network ends in a sigmoid; here the losses use the logits.

        Args:
            image: faces (N, 3, S, S) in [-1, 1].
            label: the attributes of the faces (N, attributes), 0 or 1.
        """
        planes = label[:, :, None, None].to(image.dtype).expand(-1, -1, *image.shape[2:])
        verdict: Tensor = self.verdict(self.layers(torch.cat([image, planes], dim=1)).flatten(1))
        return verdict


class ElegantDiscriminators(nn.Module):
    """The two discriminators D1 and D2. D1 reads pictures at full resolution, D2 at half resolution."""

    def __init__(self, config: ElegantDiscriminatorConfig) -> None:
        super().__init__()
        self.config = config
        self.scales = nn.ModuleList(ElegantDiscriminator(config, config.image_size >> i) for i in range(2))

    def forward(self, image: Tensor, label: Tensor) -> list[Tensor]:
        """Return a list of the logits (N, 1) of D1 and of D2, which are high for faces that look real.

        Args:
            image: faces (N, 3, S, S) in [-1, 1].
            label: the attributes of the faces (N, attributes), 0 or 1.
        """
        full, half = self.scales
        return [full(image, label), half(F.avg_pool2d(image, 2), label)]


def start(network: nn.Module) -> None:
    """Initialise a network as ELEGANT does: weights N(0, 0.02), linear biases 0, convolution biases as in PyTorch."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(module.weight, 0.0, 0.02)
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)


def _down(inputs: int, outputs: int) -> nn.Sequential:
    """Build a convolution of stride 2 with pixel norm and LeakyReLU: (N, inputs, S, S) to (N, outputs, S/2, S/2)."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride=2, padding=1), PixelNorm(), nn.LeakyReLU(0.2))
