"""SPADE (Park et al. 2019): a generator in which the mask modulates every normalisation layer; the style is one vector.

The generator G(mask, code) returns an image. The encoder E(image) returns mean and log variance of the style code's
normal distribution, from which codes are sampled in training.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Final, Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from maskgan_cli.labels import NUM_CLASSES
from maskgan_cli.models.discriminator import DiscriminatorConfig, MultiScaleDiscriminator
from maskgan_cli.models.layers import instance_norm
from maskgan_cli.models.range_checks import check_range
from maskgan_cli.models.spectral import SpectralConv2d, xavier

Depth = Literal["normal", "more", "most"]

_UPS: Final[dict[str, int]] = {"normal": 5, "more": 6, "most": 7}  # upsampling steps, see `SPADEConfig.depth`


@dataclass(frozen=True)
class SPADEConfig:
    """Settings of the architecture. The defaults are the published ones at 512 px, with the encoder.

    Attributes:
        image_size: side of the training pictures in pixels, a multiple of 32; with the depth ``more`` a multiple of
            64, with ``most`` a multiple of 128.
        width: channels of the last feature map; the first feature maps have 16 times as many.
        hidden: hidden channels of the layers that predict scale and shift from the mask.
        depth: number of upsampling steps: ``normal`` 5, ``more`` 6, ``most`` 7.
        encoder: use a style encoder. Without it the generator depends on the mask only.
        latent: dimension of the style code.
        encoded_size: side in pixels to which the style encoder resizes pictures, a multiple of 64, at least 128.
    """

    image_size: int = 512
    width: int = 64
    hidden: int = 128
    depth: Depth = "normal"
    encoder: bool = True
    latent: int = 256
    encoded_size: int = 256

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}  # unknown keys in a recipe are errors

    def __post_init__(self) -> None:
        check_range(
            self, image_size=(64, 2048), width=(1, 256), hidden=(1, 2048), latent=(1, 8192), encoded_size=(128, 2048)
        )
        if self.depth not in _UPS:
            raise ValueError(f"depth must be one of {', '.join(_UPS)}, not {self.depth}")
        if self.image_size % (1 << self.ups):
            raise ValueError(f"image_size must be a multiple of {1 << self.ups}, not {self.image_size}")
        if self.encoded_size % 64:
            raise ValueError(f"encoded_size must be a multiple of 64, not {self.encoded_size}")

    @property
    def ups(self) -> int:
        """Number of upsampling steps, each by a factor of 2."""
        return _UPS[self.depth]


class BatchNorm(nn.BatchNorm2d):
    """Batch norm without learnable parameters, synchronised over all processes in distributed training."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, affine=False)

    def forward(self, features: Tensor) -> Tensor:
        """Normalise features (N, C, H, W); return features of the same shape."""
        group = torch.distributed
        if not (self.training and group.is_available() and group.is_initialized() and group.get_world_size() > 1):
            return super().forward(features)
        from torch.distributed.nn.functional import all_reduce

        wide = features.float()
        variance, mean = torch.var_mean(wide, (0, 2, 3), correction=0)
        # All processes have equally large batches, so the mean of their means is the mean of the whole batch.
        statistics = torch.stack([mean, variance + mean.square()])
        mean, square = (all_reduce(statistics) / group.get_world_size()).unbind()  # type: ignore[no-untyped-call]
        variance = square - mean.square()
        count = features.numel() // features.shape[1] * group.get_world_size()
        self._update_running(mean.detach(), variance.detach(), count)
        scale = (variance + self.eps).rsqrt()
        normal: Tensor = (wide - mean[:, None, None]) * scale[:, None, None]
        return normal.to(features.dtype)

    def _update_running(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Update the running statistics with mean and variance (C,) of a batch of ``count`` values per channel."""
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * count / (count - 1), self.momentum)


class SPADENorm(nn.Module):
    """SPADE's normalisation: batch norm, then per pixel a scale (1 + gamma) and a shift (beta) predicted from the mask.

    Args:
        channels: number of channels of the features.
        hidden: hidden channels of the layers that predict gamma and beta.
    """

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.norm = BatchNorm(channels)
        self.shared = nn.Conv2d(NUM_CLASSES, hidden, 3, padding=1)
        self.gamma = nn.Conv2d(hidden, channels, 3, padding=1)
        self.beta = nn.Conv2d(hidden, channels, 3, padding=1)

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        """Normalise features (N, C, H, W), then scale and shift them; return features of the same shape.

        Args:
            features: features (N, C, H, W).
            mask: one-hot masks (N, 19, H, W), from which scale and shift are predicted.
        """
        hidden = F.relu(self.shared(mask))
        modulated: Tensor = self.norm(features) * (1 + self.gamma(hidden)) + self.beta(hidden)
        return modulated


class SPADEBlock(nn.Module):
    """A residual block: twice SPADE's normalisation, LeakyReLU and a 3 x 3 convolution.

    If the number of channels changes, the skip connection has a learnt 1 x 1 convolution.

    Args:
        inputs, outputs: numbers of channels.
        hidden: hidden channels of the layers that predict scale and shift from the mask.
    """

    def __init__(self, inputs: int, outputs: int, hidden: int) -> None:
        super().__init__()
        middle = min(inputs, outputs)
        self.norm0 = SPADENorm(inputs, hidden)
        self.conv0 = SpectralConv2d(inputs, middle, 3, padding=1)
        self.norm1 = SPADENorm(middle, hidden)
        self.conv1 = SpectralConv2d(middle, outputs, 3, padding=1)
        self.learned = inputs != outputs
        if self.learned:
            self.norm_skip = SPADENorm(inputs, hidden)
            self.conv_skip = SpectralConv2d(inputs, outputs, 1, bias=False)

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        """Apply the block; return features (N, outputs, H, W).

        Args:
            features: features (N, inputs, H, W).
            mask: one-hot masks (N, 19, h, w) of any resolution.
        """
        mask = F.interpolate(mask, features.shape[2:], mode="nearest")
        changed = self.conv0(F.leaky_relu(self.norm0(features, mask), 0.2))
        changed = self.conv1(F.leaky_relu(self.norm1(changed, mask), 0.2))
        if self.learned:
            features = self.conv_skip(self.norm_skip(features, mask))
        return features + cast(Tensor, changed)


class SPADEGenerator(nn.Module):
    """The generator G(mask, code), which paints a face from a mask and one style code.

    The first feature map is computed from the code. The mask modulates every normalisation layer.
    """

    def __init__(self, config: SPADEConfig) -> None:
        super().__init__()
        self.config = config
        wide, self.side = 16 * config.width, config.image_size >> config.ups
        if config.encoder:
            self.first: nn.Module = nn.Linear(config.latent, wide * self.side**2)
        else:
            self.first = nn.Conv2d(NUM_CLASSES, wide, 3, padding=1)
        halvings = 4 if config.depth != "most" else 5
        channels = [wide] * 4 + [wide >> i for i in range(1, halvings + 1)]  # head, middle blocks, upsampling
        self.blocks = nn.ModuleList(SPADEBlock(a, b, config.hidden) for a, b in pairwise(channels))
        self.tail = nn.Conv2d(channels[-1], 3, 3, padding=1)
        # Whether the features are upsampled by 2 before each block: always before the first middle block and
        # the upsampling blocks; before the second middle block only if the depth is not normal.
        self.enlarged = [False, True, config.depth != "normal", *[True] * halvings]

    def forward(self, mask: Tensor, code: Tensor | None) -> Tensor:
        """Generate images (N, 3, S, S) in [-1, 1].

        Args:
            mask: one-hot masks (N, 19, S, S).
            code: style codes (N, latent). If ``config.encoder`` is false, ``code`` is ignored, and the first feature
                map is computed from the mask.
        """
        if self.config.encoder:
            features = self.first(code).unflatten(1, (-1, self.side, self.side))
        else:
            features = self.first(F.interpolate(mask, (self.side, self.side), mode="nearest"))
        for block, enlarged in zip(self.blocks, self.enlarged, strict=True):
            if enlarged:
                features = F.interpolate(features, scale_factor=2.0, mode="nearest")
            features = block(features, mask)
        return torch.tanh(self.tail(F.leaky_relu(features, 0.2)))


class SPADEEncoder(nn.Module):
    """The encoder E(image), which predicts mean and log variance of the normal distribution of a face's style code."""

    def __init__(self, config: SPADEConfig) -> None:
        super().__init__()
        self.config = config
        channels = [3, *(config.width * factor for factor in (1, 2, 4, 8, 8, 8))]
        self.layers = nn.Sequential(
            *(
                nn.Sequential(
                    SpectralConv2d(a, b, 3, stride=2, padding=1, bias=False), instance_norm(b), nn.LeakyReLU(0.2)
                )
                for a, b in pairwise(channels)
            )
        )
        flat = channels[-1] * (config.encoded_size // 64) ** 2
        self.to_mean = nn.Linear(flat, config.latent)
        self.to_log_variance = nn.Linear(flat, config.latent)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Predict the normal distributions of the style codes of images (N, 3, S, S) in [-1, 1] of any size.

        Returns:
            The means (N, latent) and the log variances (N, latent) of the distributions, float32.
        """
        side = self.config.encoded_size
        if image.shape[-1] != side:
            image = F.interpolate(image, (side, side), mode="bilinear", align_corners=False)
        features = self.layers(image).flatten(1)
        return self.to_mean(features).float(), self.to_log_variance(features).float()


class SPADE(nn.Module):
    """The network of SPADE: a generator and, if ``config.encoder`` is true, a style encoder."""

    def __init__(self, config: SPADEConfig) -> None:
        super().__init__()
        self.config = config
        self.generator = SPADEGenerator(config)
        self.encoder = SPADEEncoder(config) if config.encoder else None
        xavier(self)

    def encode_style(self, style_image: Tensor) -> Tensor | None:
        """Return, for each picture, the mean (N, latent) of its style distribution; None if there is no encoder.

        The authors sample the style code at inference too; the mean makes results reproducible.

        Args:
            style_image: pictures (N, 3, S, S) in [-1, 1].
        """
        return None if self.encoder is None else self.encoder(style_image)[0]

    def forward(self, mask: Tensor, style_image: Tensor) -> Tensor:
        """Generate faces (N, 3, S, S) in [-1, 1] in the style of pictures.

        Args:
            mask: one-hot masks (N, 19, S, S) of the faces to generate.
            style_image: style pictures (N, 3, S, S) in [-1, 1].
        """
        image: Tensor = self.generator(mask, self.encode_style(style_image))
        return image


class SPADEDiscriminator(MultiScaleDiscriminator):
    """The multi-scale discriminator with spectral norm and SPADE's initialisation (`spectral.xavier`)."""

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__(config, spectral=True)
        xavier(self)
