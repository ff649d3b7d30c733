"""MaskVAE (paper, Sec. 3.2): a latent space of plausible face masks, in which masks can be interpolated.

The encoder maps a mask to the mean and log variance of a latent code; the decoder maps a sampled code to a mask.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from maskgan_cli.labels import NUM_CLASSES
from maskgan_cli.models.range_checks import check_range

_LAST = 4  # side of the encoder's last feature map


@dataclass(frozen=True)
class MaskVAEConfig:
    """Settings of the architecture. The defaults are the published ones.

    Attributes:
        image_size: side of the masks, a power of two, at least 64; log2(side) - 2 stages reduce it to 4 x 4.
        width: channels of the first stage; they double at every stage.
        max_width: upper limit of the channels. With the default width and masks of up to 512 px, the channels do not
            exceed the default limit.
        latent: dimension of the latent code.
    """

    image_size: int = 512
    width: int = 32
    max_width: int = 2048
    latent: int = 1024

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}  # unknown keys in a recipe are errors

    def __post_init__(self) -> None:
        check_range(self, width=(1, 512), max_width=(self.width, 65_536), latent=(1, 16_384))
        if not 64 <= self.image_size <= 2048 or self.image_size & (self.image_size - 1):
            raise ValueError(f"image_size must be a power of two, 64 to 2048, not {self.image_size}")

    @property
    def channels(self) -> list[int]:
        """Number of channels after each stage of the encoder."""
        stages = (self.image_size // _LAST).bit_length() - 1
        return [min(self.width << stage, self.max_width) for stage in range(stages)]


class MaskVAE(nn.Module):
    """A variational autoencoder of one-hot masks. It has no skip connections, so the decoder receives only the code."""

    def __init__(self, config: MaskVAEConfig) -> None:
        super().__init__()
        self.config = config
        channels = config.channels
        flat = channels[-1] * _LAST * _LAST
        self.encoder = nn.Sequential(*(_down(a, b) for a, b in pairwise([NUM_CLASSES, *channels])))
        self.to_mean = nn.Linear(flat, config.latent)
        self.to_log_variance = nn.Linear(flat, config.latent)
        self.from_code = nn.Linear(config.latent, flat)
        self.decoder = nn.Sequential(
            *(_up(a, b) for a, b in pairwise(channels[::-1])), nn.Sequential(*_enlarge(channels[0], NUM_CLASSES))
        )

    @property
    def batches_seen(self) -> Tensor:
        """Number of training batches so far. Batch norm stores this number, so a resumed run continues to count."""
        norm = self.encoder.get_submodule("0.1")
        assert isinstance(norm, nn.BatchNorm2d) and norm.num_batches_tracked is not None
        return norm.num_batches_tracked

    def encode(self, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Predict the normal distributions of the latent codes of one-hot masks (N, 19, S, S).

        Returns:
            The means (N, latent) and the log variances (N, latent) of the distributions, float32.
        """
        features = self.encoder(mask).flatten(1)  # (N, channels, 4, 4), flat
        return self.to_mean(features).float(), self.to_log_variance(features).float()

    def decode(self, code: Tensor) -> Tensor:
        """Decode latent codes (N, latent) to the class logits (N, 19, S, S) of masks."""
        features = torch.relu(self.from_code(code)).view(-1, self.config.channels[-1], _LAST, _LAST)
        logits: Tensor = self.decoder(features)
        return logits

    def forward(self, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Encode one-hot masks (N, 19, S, S), sample a latent code for each mask, and decode these codes.

        Returns:
            The class logits (N, 19, S, S), and the means and log variances of the codes' normal distributions,
            (N, latent) each.
        """
        mean, log_variance = self.encode(mask)
        return self.decode(draw_code(mean, log_variance)), mean, log_variance

    def reconstruct(self, mask: Tensor) -> Tensor:
        """Encode one-hot masks (N, 19, S, S) and decode their mean codes; return the class logits (N, 19, S, S)."""
        return self.decode(self.encode(mask)[0])


def decode_labels(vae: MaskVAE, code: Tensor, side: int) -> Tensor:
    """Decode latent codes (N, latent) to label maps (N, side, side), int64.

    If ``side`` differs from the network's image size, the logits are resized before the most likely class of each pixel
    is chosen, which keeps outlines smooth.
    """
    logits = vae.decode(code)  # (N, 19, S, S)
    if side != logits.shape[-1]:
        logits = F.interpolate(logits, (side, side), mode="bilinear", antialias=side < logits.shape[-1])
    return logits.max(1).indices  # on CPUs three times as fast as argmax


def simulated_edits(
    vae: MaskVAE, code: Tensor, reference: Tensor, lambda_inter: float, side: int
) -> tuple[Tensor, Tensor]:
    """Return two simulated edits of each mask, M_inter and M_outer (paper, Sec. 3.2, Algorithm 1).

    M_inter is decoded from z + (z_ref - z) / lambda_inter, and M_outer from z - (z_ref - z) / lambda_inter.

    Args:
        vae: decodes the masks.
        code: z (N, latent), the latent codes of the masks to edit.
        reference: z_ref (N, latent), the latent codes of other masks.
        lambda_inter: divides the distance between the codes, so larger values give smaller edits.
        side: side of the returned masks in pixels.

    Returns:
        M_inter and M_outer: two tensors of label maps (N, side, side), int64.
    """
    step = (reference - code) / lambda_inter
    return decode_labels(vae, code + step, side), decode_labels(vae, code - step, side)


def draw_code(mean: Tensor, log_variance: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Sample latent codes (N, latent) by reparameterisation (Kingma and Welling 2014): mean + deviation * noise.

    Args:
        mean, log_variance: parameters of the codes' normal distributions, (N, latent) each.
        generator: random generator of the noise, on the CPU. None uses torch's default generator of the device.
    """
    if generator is None:
        noise = torch.randn_like(mean)
    else:
        noise = torch.randn(mean.shape, generator=generator, dtype=mean.dtype).to(mean.device)
    return mean + torch.exp(0.5 * log_variance) * noise


def _down(inputs: int, outputs: int) -> nn.Sequential:
    """Build a stage of the encoder, which maps features (N, inputs, S, S) to (N, outputs, S/2, S/2)."""
    conv = nn.Conv2d(inputs, outputs, 4, stride=2, padding=1)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2))


def _up(inputs: int, outputs: int) -> nn.Sequential:
    """Build a stage of the decoder, which maps features (N, inputs, S, S) to (N, outputs, 2S, 2S)."""
    return nn.Sequential(*_enlarge(inputs, outputs), nn.BatchNorm2d(outputs, eps=1e-3), nn.LeakyReLU(0.2))


def _enlarge(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    """Build the layers that double the resolution: nearest-neighbour upsampling, padding, a 3 x 3 convolution."""
    return nn.Upsample(scale_factor=2, mode="nearest"), nn.ReplicationPad2d(1), nn.Conv2d(inputs, outputs, 3)
