"""Tests of SPADE: effect of the mask, style code, and norms in training and evaluation."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from maskgan_cli.models.baselines.spade import SPADE, BatchNorm, SPADEConfig, SPADEDiscriminator, SPADENorm
from maskgan_cli.models.discriminator import DiscriminatorConfig
from maskgan_cli.models.layers import one_hot

SMALL = SPADEConfig(64, 2, 4, latent=8, encoded_size=128)


def _mask(seed: int, size: int = 64, count: int = 2) -> torch.Tensor:
    return one_hot(torch.randint(0, 19, (count, size, size), generator=torch.Generator().manual_seed(seed)))


def test_only_the_first_layer_depends_on_the_image_size() -> None:
    with torch.device("meta"):
        shapes = [
            {name: t.shape for name, t in SPADE(SPADEConfig(image_size=size)).state_dict().items()}
            for size in (256, 512)
        ]
    assert {name for name in shapes[0] if shapes[0][name] != shapes[1][name]} == {
        "generator.first.weight",
        "generator.first.bias",
    }
    assert [math.isqrt(s["generator.first.bias"][0] // 1024) for s in shapes] == [8, 16]


@pytest.mark.parametrize("encoder", [True, False])
def test_output_has_the_size_of_the_mask_and_lies_in_range(encoder: bool) -> None:
    network = SPADE(SPADEConfig(64, 2, 4, encoder=encoder, latent=8, encoded_size=128))
    image = torch.rand(2, 3, 64, 64) * 2 - 1
    painted = network(_mask(0), image)
    assert painted.shape == image.shape
    assert painted.detach().abs().max() <= 1
    other = network.eval()(_mask(0), -image)
    assert torch.equal(network(_mask(0), image), other) != encoder, "without an encoder the picture must be ignored"


def test_spade_scales_by_one_plus_gamma_and_shifts_by_beta() -> None:
    layer = SPADENorm(3, 4)
    for conv, value in ((layer.gamma, 2.0), (layer.beta, 7.0)):
        nn.init.zeros_(conv.weight)
        nn.init.constant_(conv.bias, value)  # type: ignore[arg-type]
    x = torch.randn(4, 3, 8, 8) * 5 + 1
    y = layer(x, _mask(1, 8, 4))
    torch.testing.assert_close(y.mean((0, 2, 3)), torch.full((3,), 7.0))
    torch.testing.assert_close(y.std((0, 2, 3), correction=0), torch.full((3,), 3.0))


def test_batch_norm_equals_pytorchs_with_one_process() -> None:
    ours, theirs = BatchNorm(3), nn.BatchNorm2d(3, affine=False)
    x = torch.randn(4, 3, 8, 8) * 5 + 1
    for training in (True, False):
        assert torch.equal(ours.train(training)(x), theirs.train(training)(x))
    assert ours.momentum == 0.1


def test_style_code_is_the_mean_and_reproducible() -> None:
    network = SPADE(SMALL).eval()
    image = torch.rand(1, 3, 64, 64)
    assert network.encoder is not None
    mean, log_variance = network.encoder(image)
    assert mean.shape == log_variance.shape == (1, 8)
    assert torch.equal(network.encode_style(image), mean)  # type: ignore[arg-type]
    large = nn.functional.interpolate(image, (256, 256), mode="bilinear", align_corners=False)
    small = nn.functional.interpolate(large, (128, 128), mode="bilinear", align_corners=False)
    torch.testing.assert_close(network.encoder(large)[0], network.encoder(small)[0])


def test_initialisation_is_xavier_with_gain_0_02_and_zero_biases() -> None:
    torch.manual_seed(0)
    network = SPADE(SPADEConfig(64, 16, 32, latent=64, encoded_size=128))
    spread = {name: float(p.detach().std()) for name, p in network.named_parameters()}
    inner, first = 0.02 * math.sqrt(2 / (2 * 256 * 9)), 0.02 * math.sqrt(2 / (64 + 256 * 4))
    assert spread["generator.blocks.0.conv0.weight_orig"] == pytest.approx(inner, rel=0.02)
    assert spread["generator.first.weight"] == pytest.approx(first, rel=0.02)
    assert all(not t.any() for name, t in network.named_parameters() if name.endswith("bias"))


def test_every_parameter_receives_a_gradient() -> None:
    network, critic = SPADE(SMALL), SPADEDiscriminator(DiscriminatorConfig(2))
    assert network.encoder is not None
    image, mask = torch.rand(2, 3, 64, 64), _mask(0)
    mean, log_variance = network.encoder(image)
    painted = network.generator(mask, mean + torch.randn(8) * (log_variance / 2).exp())
    torch.stack([scale[-1].sum() for scale in critic(mask, painted)]).sum().backward()
    without_gradient = [name for net in (network, critic) for name, p in net.named_parameters() if p.grad is None]
    assert without_gradient == []


@pytest.mark.parametrize("settings", [{"image_size": 80}, {"encoded_size": 64}, {"depth": "most", "image_size": 64}])
def test_invalid_settings_are_rejected(settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"image_size|encoded_size"):
        SPADEConfig(**settings)  # type: ignore[arg-type]
