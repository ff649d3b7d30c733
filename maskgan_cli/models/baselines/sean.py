"""SEAN (Zhu et al. 2020): like SPADE, but with a style code for every class of the mask.

The encoder E(mask, image) returns one style code per class of the mask; the generator G(mask, codes) returns an image.
Each part of a face has its own style. An edited mask can therefore be rendered with the face's own codes, and single
parts can take their style from another face.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Final, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from maskgan_cli.labels import NUM_CLASSES
from maskgan_cli.models.baselines.spade import BatchNorm
from maskgan_cli.models.discriminator import DiscriminatorConfig, MultiScaleDiscriminator
from maskgan_cli.models.layers import NoiseInput, instance_norm
from maskgan_cli.models.padding import ReflectionPad
from maskgan_cli.models.range_checks import check_range
from maskgan_cli.models.spectral import SpectralConv2d, xavier

_UPS: Final = 5  # number of upsampling steps, each by a factor of 2


@dataclass(frozen=True)
class SEANConfig:
    """Settings of the architecture. The defaults are the published ones; the authors train at 256 px.

    Attributes:
        image_size: side of the training pictures, a multiple of 32.
        width: channels of the last feature map; the first feature maps have 16 times as many.
        hidden: hidden channels of the layers that predict scale and shift from the mask.
        style: dimension of the style code of a class.
        encoder_width: channels of the style encoder's first layer.
    """

    image_size: int = 256
    width: int = 64
    hidden: int = 128
    style: int = 512
    encoder_width: int = 32

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}  # unknown keys in a recipe are errors

    def __post_init__(self) -> None:
        check_range(
            self, image_size=(64, 2048), width=(1, 256), hidden=(1, 2048), style=(1, 4096), encoder_width=(1, 512)
        )
        if self.image_size % (1 << _UPS):
            raise ValueError(f"image_size must be a multiple of {1 << _UPS}, not {self.image_size}")


class SEANNoise(NoiseInput):
    """Adds noise to features like `NoiseInput`; in training mode, each picture gets new noise, even without gradients.

    The initial amount of noise is 0. The discriminator is trained on pictures that are generated without gradients.
    These pictures need as much noise as the pictures with which the generator is trained.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, amount=0.0)

    @property
    def varies(self) -> bool:
        """Whether each picture gets new noise: always in training mode."""
        return self.training


class SEANNorm(nn.Module):
    """SEAN's normalisation: noise, batch norm, then a scale (1 + gamma) and a shift (beta) per pixel.

    Gamma and beta are each a weighted mean of two predictions: from the mask, as in SPADE, and from the style codes.
    The weights of the second prediction are the sigmoids of ``blending_gamma`` and ``blending_beta``.

    Args:
        channels: number of channels of the features.
        config: settings of the architecture.
        styled: use the style codes; if False, gamma and beta are predicted from the mask only.
    """

    def __init__(self, channels: int, config: SEANConfig, *, styled: bool) -> None:
        super().__init__()
        self.noise = SEANNoise(channels)
        self.norm = BatchNorm(channels)
        self.shared = nn.Conv2d(NUM_CLASSES, config.hidden, 3, padding=1)
        self.gamma = nn.Conv2d(config.hidden, channels, 3, padding=1)
        self.beta = nn.Conv2d(config.hidden, channels, 3, padding=1)
        self.styled = styled
        if styled:
            self.per_class = nn.ModuleList(nn.Linear(config.style, config.style) for _ in range(NUM_CLASSES))
            self.style_gamma = nn.Conv2d(config.style, channels, 3, padding=1)
            self.style_beta = nn.Conv2d(config.style, channels, 3, padding=1)
            self.blending_gamma = nn.Parameter(torch.zeros(1))
            self.blending_beta = nn.Parameter(torch.zeros(1))

    def forward(self, features: Tensor, mask: Tensor, windows: Tensor, codes: Tensor) -> Tensor:
        """Normalise features (N, C, H, W), then scale and shift them; return features of the same shape.

        Args:
            features: features (N, C, H, W).
            mask: one-hot masks (N, 19, H, W).
            windows: 3 x 3 windows of the masks, as returned by `windows_of`; unused if the layer is not ``styled``.
            codes: style codes (N, 19, style), one for each class.
        """
        hidden = F.relu(self.shared(mask))
        gamma, beta = self.gamma(hidden), self.beta(hidden)
        if self.styled:
            style_gamma, style_beta = self._of_style(mask, windows, codes)
            gamma = torch.lerp(gamma, style_gamma.to(gamma.dtype), self.blending_gamma.sigmoid().to(gamma.dtype))
            beta = torch.lerp(beta, style_beta.to(beta.dtype), self.blending_beta.sigmoid().to(beta.dtype))
        modulated: Tensor = self.norm(self.noise(features)) * (1 + gamma) + beta
        return modulated

    def _of_style(self, mask: Tensor, windows: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Predict gamma and beta, (N, C, H, W) each, from the style codes; the arguments are those of `forward`.

        Gamma and beta are 3 x 3 convolutions of a map that holds, at each pixel, the transformed code of the pixel's
        class. As this map has at most 19 different codes, the products of codes and kernel are computed only once for
        each class and each of the 9 positions in the kernel: a table of 9 x 19 rows for each face. This table is
        multiplied by the mask's window around each pixel. This takes 171 products per pixel and channel instead of
        9 x 512.
        """
        weight, bias = (
            torch.stack([getattr(cast(nn.Linear, layer), name) for layer in self.per_class])
            for name in ("weight", "bias")
        )
        transformed = F.relu(torch.einsum("nkd,ked->nke", codes, weight) + bias)
        kernels = torch.cat([self.style_gamma.weight, self.style_beta.weight]).flatten(2)  # (2C, style, 9)
        table = torch.einsum("nke,cep->npkc", transformed, kernels).flatten(1, 2)  # (N, 9 * 19, 2C)
        biases = [layer.bias for layer in (self.style_gamma, self.style_beta)]
        maps = torch.matmul(windows, table.to(windows.dtype)) + torch.cat(cast(list[Tensor], biases))
        gamma, beta = maps.reshape(len(mask), *mask.shape[2:], -1).permute(0, 3, 1, 2).chunk(2, dim=1)
        return gamma, beta


def windows_of(mask: Tensor) -> Tensor:
    """Return the 3 x 3 window around each pixel of one-hot masks (N, 19, H, W).

    Returns:
        The windows (N, H * W, 9 * 19), with zeros outside of the mask.
    """
    height, width = mask.shape[2:]
    padded = F.pad(mask, (1, 1, 1, 1))
    shifted = [padded[:, :, i : i + height, j : j + width] for i in range(3) for j in range(3)]
    return torch.cat(shifted, dim=1).permute(0, 2, 3, 1).flatten(1, 2)


class SEANBlock(nn.Module):
    """A residual block: twice SEAN's normalisation, LeakyReLU and a 3 x 3 convolution.

    If the number of channels changes, the skip connection has a learnt 1 x 1 convolution.

    Args:
        inputs, outputs: numbers of channels.
        config: settings of the architecture.
        styled: use the style codes; if False, the block depends on the mask only.
    """

    def __init__(self, inputs: int, outputs: int, config: SEANConfig, *, styled: bool) -> None:
        super().__init__()
        middle = min(inputs, outputs)
        self.styled = styled
        self.norm0 = SEANNorm(inputs, config, styled=styled)
        self.conv0 = SpectralConv2d(inputs, middle, 3, padding=1)
        self.norm1 = SEANNorm(middle, config, styled=styled)
        self.conv1 = SpectralConv2d(middle, outputs, 3, padding=1)
        self.learned = inputs != outputs
        if self.learned:
            self.norm_skip = SEANNorm(inputs, config, styled=styled)
            self.conv_skip = SpectralConv2d(inputs, outputs, 1, bias=False)

    def forward(self, features: Tensor, mask: Tensor, codes: Tensor) -> Tensor:
        """Apply the block; return features (N, outputs, H, W).

        Args:
            features: features (N, inputs, H, W).
            mask: one-hot masks (N, 19, h, w) of any resolution.
            codes: style codes (N, 19, style), one for each class.
        """
        mask = F.interpolate(mask, features.shape[2:], mode="nearest")
        style = (mask, windows_of(mask) if self.styled else mask, codes)
        changed = self.conv0(F.leaky_relu(self.norm0(features, *style), 0.2))
        changed = self.conv1(F.leaky_relu(self.norm1(changed, *style), 0.2))
        if self.learned:
            features = self.conv_skip(self.norm_skip(features, *style))
        return features + cast(Tensor, changed)


class SEANEncoder(nn.Module):
    """The encoder E(mask, image), which computes a style code for each class of a face.

    The style code is the mean of the features of the class's pixels; it is 0 for a class without pixels.
    """

    def __init__(self, config: SEANConfig) -> None:
        super().__init__()
        width = config.encoder_width
        self.layers = nn.Sequential(
            _normed(width, ReflectionPad(1), nn.Conv2d(3, width, 3)),
            _normed(2 * width, nn.Conv2d(width, 2 * width, 3, stride=2, padding=1)),
            _normed(4 * width, nn.Conv2d(2 * width, 4 * width, 3, stride=2, padding=1)),
            _normed(8 * width, nn.ConvTranspose2d(4 * width, 8 * width, 3, stride=2, padding=1, output_padding=1)),
            nn.Sequential(ReflectionPad(1), nn.Conv2d(8 * width, config.style, 3), nn.Tanh()),
        )

    def forward(self, mask: Tensor, image: Tensor) -> Tensor:
        """Return the style codes of faces (N, 19, style), float32, one for each class.

        Args:
            mask: one-hot masks (N, 19, S, S) of the faces.
            image: pictures (N, 3, S, S) of the faces in [-1, 1].
        """
        features = self.layers(image)
        mask = F.interpolate(mask, features.shape[2:], mode="nearest").flatten(2)
        totals = torch.matmul(mask.to(features.dtype), features.flatten(2).transpose(1, 2))
        codes: Tensor = totals.float() / mask.sum(2).clamp_min(1).unsqueeze(2)
        return codes


def _normed(channels: int, *layers: nn.Module) -> nn.Sequential:
    """Build a sequence of ``layers`` (with ``channels`` output channels), instance norm and LeakyReLU."""
    return nn.Sequential(*layers, instance_norm(channels), nn.LeakyReLU(0.2))


class SEANGenerator(nn.Module):
    """The generator G(mask, codes), which paints a face from a mask and a style code for each class.

    The first feature map is computed from the mask. In all blocks except the last one, mask and codes modulate the
    normalisation layers; in the last block, only the mask does.
    """

    def __init__(self, config: SEANConfig) -> None:
        super().__init__()
        wide, self.side = 16 * config.width, config.image_size >> _UPS
        self.first = nn.Conv2d(NUM_CLASSES, wide, 3, padding=1)
        channels = [wide] * 4 + [wide >> i for i in range(1, 5)]  # head, middle blocks, upsampling
        last = len(channels) - 2
        self.blocks = nn.ModuleList(
            SEANBlock(a, b, config, styled=i < last) for i, (a, b) in enumerate(pairwise(channels))
        )
        self.tail = nn.Conv2d(channels[-1], 3, 3, padding=1)
        self.enlarged = [False, True, False, True, True, True, True]  # upsample by 2 before the block?

    def forward(self, mask: Tensor, codes: Tensor) -> Tensor:
        """Generate images (N, 3, S, S) in [-1, 1] from one-hot masks (N, 19, S, S) and style codes (N, 19, style)."""
        features = self.first(F.interpolate(mask, (self.side, self.side), mode="nearest"))
        for block, enlarged in zip(self.blocks, self.enlarged, strict=True):
            if enlarged:
                features = F.interpolate(features, scale_factor=2.0, mode="nearest")
            features = block(features, mask, codes)
        return torch.tanh(self.tail(F.leaky_relu(features, 0.2)))


class SEAN(nn.Module):
    """The network of SEAN: a generator and a style encoder."""

    def __init__(self, config: SEANConfig) -> None:
        super().__init__()
        self.config = config
        self.generator = SEANGenerator(config)
        self.encoder = SEANEncoder(config)
        xavier(self)

    def encode_style(self, mask: Tensor, image: Tensor) -> Tensor:
        """Return the style codes of faces (N, 19, style), one for each class.

        Args:
            mask: one-hot masks (N, 19, S, S) of the faces.
            image: pictures (N, 3, S, S) of the faces in [-1, 1].
        """
        codes: Tensor = self.encoder(mask, image)
        return codes

    def forward(self, mask: Tensor, style_mask: Tensor, style_image: Tensor) -> Tensor:
        """Generate faces (N, 3, S, S) in [-1, 1] in the style of pictures.

        Args:
            mask: one-hot masks (N, 19, S, S) of the faces to generate.
            style_mask: one-hot masks (N, 19, S, S) of the style pictures.
            style_image: style pictures (N, 3, S, S) in [-1, 1].
        """
        image: Tensor = self.generator(mask, self.encode_style(style_mask, style_image))
        return image


def mixed_codes(own: Tensor, other: Tensor, share: Tensor) -> Tensor:
    """Interpolate between the style codes of two faces, by a different amount for each class.

    If only one of the two faces has a class, the result for this class is the code of that face.

    Args:
        own: style codes (N, 19, style) of the first face; 0 for classes that this face does not have.
        other: style codes (N, 19, style) of the second face, likewise.
        share: weight (N, 19) of the code in ``other``, in [0, 1]; 0 returns the code in ``own``.

    Returns:
        The interpolated style codes (N, 19, style).
    """
    has_own, has_other = (codes.abs().sum(2).gt(0).to(codes.dtype) for codes in (own, other))
    share = torch.where(has_own > 0, share, torch.ones_like(share)) * has_other
    return torch.lerp(own, other, share.unsqueeze(2))


class SEANDiscriminator(MultiScaleDiscriminator):
    """The multi-scale discriminator with spectral norm and Xavier initialisation, as in SPADE."""

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__(config, spectral=True)
        xavier(self)
