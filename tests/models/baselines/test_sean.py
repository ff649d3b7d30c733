"""Tests of SEAN: a style code for each class, its effect, mixed styles, noise and initialisation."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from maskgan_cli.models.baselines.sean import (
    SEAN,
    SEANConfig,
    SEANDiscriminator,
    SEANEncoder,
    SEANNorm,
    mixed_codes,
    windows_of,
)
from maskgan_cli.models.discriminator import DiscriminatorConfig
from maskgan_cli.models.layers import one_hot

SMALL = SEANConfig(64, 2, 4, 8, 2)


def _mask(seed: int, size: int = 64, count: int = 2) -> torch.Tensor:
    return one_hot(torch.randint(0, 19, (count, size, size), generator=torch.Generator().manual_seed(seed)))


def test_no_tensor_depends_on_the_image_size() -> None:
    with torch.device("meta"):
        shapes = [{n: t.shape for n, t in SEAN(SEANConfig(image_size=s)).state_dict().items()} for s in (256, 512)]
    assert shapes[0] == shapes[1]


def test_a_code_is_the_mean_of_its_class_and_zero_for_absent_classes() -> None:
    encoder = SEANEncoder(SMALL)
    image = torch.rand(1, 3, 64, 64) * 2 - 1
    labels = torch.zeros(1, 64, 64, dtype=torch.uint8)
    labels[:, :, 32:] = 7
    with torch.no_grad():
        features, codes = encoder.layers(image), encoder(one_hot(labels), image)
    assert features.shape == (1, 8, 32, 32)
    torch.testing.assert_close(codes[:, 0], features[..., :16].mean((2, 3)))
    torch.testing.assert_close(codes[:, 7], features[..., 16:].mean((2, 3)))
    assert not codes[:, [i for i in range(19) if i not in (0, 7)]].any()


def test_scale_and_shift_from_the_style_are_convolutions_of_the_style_map() -> None:
    layer = SEANNorm(3, SMALL, styled=True)
    mask, codes = _mask(0, 16), torch.randn(2, 19, 8)
    with torch.no_grad():
        found = layer._of_style(mask, windows_of(mask), codes)
        transformed = torch.stack([F.relu(linear(codes[:, i])) for i, linear in enumerate(layer.per_class)], 1)
        style_map = torch.einsum("nkhw,nkd->ndhw", mask, transformed)
        for ours, convolution in zip(found, (layer.style_gamma, layer.style_beta), strict=True):
            torch.testing.assert_close(ours, convolution(style_map), atol=1e-5, rtol=1e-4)


def test_both_predictions_are_blended_by_learnt_weights() -> None:
    layer = SEANNorm(3, SMALL, styled=True)
    values = {"gamma": 1.0, "style_gamma": 5.0, "beta": 2.0, "style_beta": 10.0}
    for name, value in values.items():
        nn.init.zeros_(getattr(layer, name).weight)
        nn.init.constant_(getattr(layer, name).bias, value)
    nn.init.constant_(layer.blending_gamma, torch.logit(torch.tensor(0.25)).item())
    x, mask = torch.randn(4, 3, 8, 8) * 5 + 1, _mask(1, 8, 4)
    with torch.no_grad():
        y = layer(x, mask, windows_of(mask), torch.randn(4, 19, 8))
    # gamma 0.75 * 1 + 0.25 * 5 = 2; beta (2 + 10) / 2 = 6
    torch.testing.assert_close(y.mean((0, 2, 3)), torch.full((3,), 6.0))
    torch.testing.assert_close(y.std((0, 2, 3), correction=0), torch.full((3,), 3.0))


def _visible(network: SEAN) -> SEAN:
    """Larger weights: the published initialisation is too faint to tell pictures apart."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(20)
    return network.eval()


def test_only_the_codes_of_classes_in_the_mask_matter() -> None:
    torch.manual_seed(0)
    network = _visible(SEAN(SMALL))
    labels = torch.zeros(1, 64, 64, dtype=torch.uint8)
    labels[:, :32] = 3
    mask = one_hot(labels)
    with torch.no_grad():
        codes = network.encode_style(mask, torch.rand(1, 3, 64, 64) * 2 - 1)
        other = codes.clone()
        other[:, 5] = 1.0
        same = network.generator(mask, codes)
        assert torch.equal(network.generator(mask, other), same), "the mask has no class 5"
        other[:, 3] = -codes[:, 3]
        assert not torch.equal(network.generator(mask, other), same)


def test_mixed_styles_take_parts_from_another_face() -> None:
    own, other = torch.rand(1, 19, 4) + 1, torch.rand(1, 19, 4) - 2
    own[:, 14], other[:, 15] = 0.0, 0.0  # only the other face wears a hat, only the own one earrings
    share = torch.zeros(1, 19)
    share[:, [13, 15]] = 1.0
    share[:, 10] = 0.5
    mixed = mixed_codes(own, other, share)
    expected = own.clone()
    expected[:, [13, 14]] = other[:, [13, 14]]
    expected[:, 10] = (own + other)[:, 10] / 2
    torch.testing.assert_close(mixed, expected)


def test_noise_varies_in_training_and_repeats_in_evaluation() -> None:
    torch.manual_seed(0)
    network = _visible(SEAN(SMALL))
    for name, parameter in network.named_parameters():
        if name.endswith("noise.amount"):
            assert not parameter.any(), "the published network starts without noise"
            nn.init.ones_(parameter)
    mask, image = _mask(0), torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(network(mask, mask, image), network(mask, mask, image))
        network.train()
        codes = network.encode_style(mask, image)
        for block in network.generator.blocks:
            block.conv0.eval()
        assert not torch.equal(network.generator(mask, codes), network.generator(mask, codes))


def test_initialisation_is_xavier_with_gain_0_02_and_zero_biases() -> None:
    torch.manual_seed(0)
    network = SEAN(SEANConfig(64, 16, 32, 64, 16))
    spread = {name: float(p.detach().std()) for name, p in network.named_parameters() if p.numel() > 1}
    for name, fans in {
        "generator.blocks.0.conv0.weight_orig": 2 * 256 * 9,
        "generator.blocks.1.norm0.per_class.4.weight": 2 * 64,
        "encoder.layers.3.0.weight": (64 + 128) * 9,
    }.items():
        assert spread[name] == pytest.approx(0.02 * (2 / fans) ** 0.5, rel=0.04), name
    assert all(not p.any() for name, p in network.named_parameters() if name.endswith("bias"))


def test_every_parameter_receives_a_gradient() -> None:
    network, critic = SEAN(SMALL), SEANDiscriminator(DiscriminatorConfig(2))
    image, mask = torch.rand(2, 3, 64, 64), _mask(0)
    painted = network(mask, mask, image)
    assert painted.shape == image.shape
    assert painted.detach().abs().max() <= 1
    torch.stack([scale[-1].sum() for scale in critic(mask, painted)]).sum().backward()
    without_gradient = [name for net in (network, critic) for name, p in net.named_parameters() if p.grad is None]
    assert without_gradient == []


def test_invalid_settings_are_rejected() -> None:
    with pytest.raises(ValueError, match="image_size must be a multiple of 32, not 80"):
        SEANConfig(80)
