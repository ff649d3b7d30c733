"""Multi-scale PatchGAN discriminator, conditioned on the mask."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from maskgan_cli.labels import NUM_CLASSES
from maskgan_cli.models.layers import initialise, instance_norm
from maskgan_cli.models.range_checks import check_range
from maskgan_cli.models.spectral import SpectralConv2d

# Factors of the initial weights if there are no normalisation layers: _MASK_GAIN for the mask's channels, so that the
# mask does not outweigh the picture; _LAST_GAIN for the last layer, so that the scores start near 0.
# _HIGHPASS_GAIN amplifies the high frequencies of pictures.
_MASK_GAIN = 0.3
_HIGHPASS_GAIN = 5.0
_LAST_GAIN = 0.1


@dataclass(frozen=True)
class DiscriminatorConfig:
    """Settings of the architecture. The defaults are the paper's.

    Attributes:
        width: channels of the first layer; they double at every layer, up to 8 times the width.
        scales: number of patch discriminators. The first one reads the picture at full resolution; every later one
            reads it at half the resolution of the previous one.
        layers: number of feature layers of each patch discriminator, before its one-channel output layer.
        norm: normalisation layers: ``instance`` as published, or ``none``. With ``none``, convolutions are initialised
            to preserve the variance of their input, and the weights of the picture's 3 channels are increased relative
            to those of the mask's 19. Without this, a narrow discriminator trained with small batches may never learn
            to use the picture.
        highpass: replace the picture by its amplified high frequencies (see `highpass`) at every scale. Nearly all of
            a photo's variance is in its low frequencies, so a network that reads the photo itself learns texture last.
    """

    width: int = 64
    scales: int = 2
    layers: int = 4
    norm: Literal["instance", "none"] = "instance"
    highpass: bool = False

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}  # unknown keys in a recipe are errors

    def __post_init__(self) -> None:
        check_range(self, width=(1, 512), scales=(1, 8), layers=(2, 8))


class PatchDiscriminator(nn.Module):
    """The discriminator of one scale: 4 x 4 convolutions that score overlapping patches of the picture.

    If ``spectral`` is true, all convolutions except the first and the last have spectral norm and no bias, as in SPADE.
    """

    def __init__(self, config: DiscriminatorConfig, *, spectral: bool = False) -> None:
        super().__init__()
        channels = [NUM_CLASSES + 3, *(config.width * min(8, 1 << i) for i in range(config.layers))]
        layers: list[nn.Module] = []
        for i, (inputs, outputs) in enumerate(pairwise(channels)):
            stride = 1 if i == config.layers - 1 else 2
            norm = [] if i == 0 or config.norm == "none" else [instance_norm(outputs)]
            if spectral and i > 0:
                conv: nn.Module = SpectralConv2d(inputs, outputs, 4, stride=stride, padding=2, bias=False)
            else:
                conv = nn.Conv2d(inputs, outputs, 4, stride=stride, padding=2)
            layers.append(nn.Sequential(conv, *norm, nn.LeakyReLU(0.2)))
        layers.append(nn.Conv2d(channels[-1], 1, 4, padding=2))
        self.layers = nn.ModuleList(layers)

    def forward(self, pair: Tensor) -> list[Tensor]:
        """Return a list of the outputs of all layers; the last output is the patch scores (N, 1, h, w).

        Args:
            pair: one-hot mask (19 channels) and image (3 channels), concatenated to (N, 22, H, W).
        """
        outputs: list[Tensor] = []
        for layer in self.layers:
            pair = layer(pair)
            outputs.append(pair)
        return outputs


class MultiScaleDiscriminator(nn.Module):
    """Patch discriminators of the same architecture, which read a picture at full, half, quarter ... resolution.

    Args:
        config: settings of the architecture; ``config.scales`` is the number of patch discriminators.
        spectral: use spectral norm, see `PatchDiscriminator`.
    """

    def __init__(self, config: DiscriminatorConfig, *, spectral: bool = False) -> None:
        super().__init__()
        self.config = config
        self.scales = nn.ModuleList(PatchDiscriminator(config, spectral=spectral) for _ in range(config.scales))
        self.halve = nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False)
        initialise(self)
        if config.norm == "none":
            self._balance()

    def _balance(self) -> None:
        """Initialise the weights for a network without normalisation layers, see `DiscriminatorConfig.norm`."""
        for scale in self.scales:
            convolutions = [module for module in scale.modules() if isinstance(module, nn.Conv2d)]
            for convolution in convolutions:
                nn.init.kaiming_normal_(convolution.weight, a=0.2)
                if convolution.bias is not None:
                    nn.init.zeros_(convolution.bias)
            first, last = convolutions[0].weight, convolutions[-1].weight
            with torch.no_grad():
                first[:, :NUM_CLASSES] *= _MASK_GAIN
                first[:, NUM_CLASSES:] *= (first.shape[1] / 3) ** 0.5
                last *= _LAST_GAIN

    def forward(self, mask: Tensor, image: Tensor) -> list[list[Tensor]]:
        """Run all patch discriminators on pictures and their masks.

        Args:
            mask: one-hot masks (N, 19, H, W).
            image: pictures (N, 3, H, W) in [-1, 1].

        Returns:
            For each scale, largest resolution first, a list of the outputs of all layers; the last output of a list is
            the patch scores (N, 1, h, w).
        """
        outputs: list[list[Tensor]] = []
        for i, scale in enumerate(self.scales):
            if i > 0:
                mask, image = self.halve(mask), self.halve(image)
            outputs.append(scale(torch.cat([mask, highpass(image) if self.config.highpass else image], dim=1)))
        return outputs


def highpass(images: Tensor) -> Tensor:
    """Return the amplified high frequencies of images (N, 3, H, W).

    A pixel's result is 5 * (pixel - mean of the 5 x 5 pixels around it).
    """
    means = F.avg_pool2d(F.pad(images, (2, 2, 2, 2), mode="reflect"), 5, stride=1)
    return (images - means) * _HIGHPASS_GAIN
