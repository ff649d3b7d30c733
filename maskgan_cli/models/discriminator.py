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

_MASK_GAIN = 0.3  # without normalisation: of the mask's weights at first, so that the picture is seen
_HIGHPASS_GAIN = 5.0
_LAST_GAIN = 0.1  # and of the scores', so that they start near 0


@dataclass(frozen=True)
class DiscriminatorConfig:
    """Settings of the architecture. The defaults are the paper's.

    Attributes:
        width: channels of the first layer; they double at every layer, up to 8 times the width.
        scales: number of patch discriminators; each next one reads the picture at half the resolution.
        layers: feature layers of each patch discriminator, before its one-channel output.
        norm: ``instance`` as published, or ``none``: convolutions are then initialised to keep the variance of their
            input, and the picture's three channels weigh as much as the mask's 19. A narrow discriminator with few
            faces a batch learns so to look at the picture, which it may never do otherwise.
        highpass: every scale reads the picture's high frequencies, amplified, instead of the picture. Nearly all of
            a photo's variance is in its low frequencies, so that a network that reads the photo learns about texture
            last.
    """

    width: int = 64
    scales: int = 2
    layers: int = 4
    norm: Literal["instance", "none"] = "instance"
    highpass: bool = False

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}  # recipes hold this class

    def __post_init__(self) -> None:
        check_range(self, width=(1, 512), scales=(1, 8), layers=(2, 8))


class PatchDiscriminator(nn.Module):
    """One scale: 4 x 4 convolutions whose output scores overlapping patches of the picture.

    With ``spectral``, the inner convolutions have spectral norm and no bias, as in SPADE.
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
        """Mask and image (N, 22, H, W) -> the output of every layer; the last is the patch scores (N, 1, h, w)."""
        outputs: list[Tensor] = []
        for layer in self.layers:
            pair = layer(pair)
            outputs.append(pair)
        return outputs


class MultiScaleDiscriminator(nn.Module):
    """Patch discriminators of one architecture: the first reads the full picture, each next one half the resolution."""

    def __init__(self, config: DiscriminatorConfig, *, spectral: bool = False) -> None:
        super().__init__()
        self.config = config
        self.scales = nn.ModuleList(PatchDiscriminator(config, spectral=spectral) for _ in range(config.scales))
        self.halve = nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False)
        initialise(self)
        if config.norm == "none":
            self._balance()

    def _balance(self) -> None:
        """Initialise for layers without normalisation: see `DiscriminatorConfig.norm`."""
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
        """One-hot mask (N, 19, H, W) and image (N, 3, H, W) in [-1, 1] -> layer outputs per scale."""
        outputs: list[list[Tensor]] = []
        for i, scale in enumerate(self.scales):
            if i > 0:
                mask, image = self.halve(mask), self.halve(image)
            outputs.append(scale(torch.cat([mask, highpass(image) if self.config.highpass else image], dim=1)))
        return outputs


def highpass(images: Tensor) -> Tensor:
    """Images (N, 3, H, W) -> five times their difference from the mean of 5 x 5 pixels."""
    means = F.avg_pool2d(F.pad(images, (2, 2, 2, 2), mode="reflect"), 5, stride=1)
    return (images - means) * _HIGHPASS_GAIN
