"""Tests of the Dense Mapping Network: published tensor shapes, closed forms of its blocks, and input dependence."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from maskgan_cli.labels import ID
from maskgan_cli.models.dmn import DenseMappingNetwork, DMNConfig, Fusion, parameter_count
from maskgan_cli.models.layers import (
    AdaINResidualBlock,
    ConcatFusion,
    MaskConv7,
    NoiseInput,
    SpatialFeatureTransform,
    adaptive_instance_norm,
    conv4_down,
    dense_conv4,
    instance_norm,
    one_hot,
    to_bytes,
    to_unit,
    up,
)
from maskgan_cli.models.skips import SkipFusion
from tests.layouts import layout

SMALL = DMNConfig(image_size=64, width=4, downs=2, blocks=2, style_width=2)

# Module paths of the published checkpoint, in file order -> module paths here. AdaIN's running statistics are unused.
OFFICIAL = {
    "model.1": "backbone.head.0.1",
    **{f"model.{4 + 3 * i}": f"backbone.downs.{i}.0" for i in range(4)},
    **{f"model.{16 + i}.conv_block.{j}.conv": f"backbone.blocks.{i}.conv{j + 1}.1" for i in range(4) for j in range(2)},
    **{f"model.{20 + 3 * i}": f"backbone.ups.{i}.0" for i in range(4)},
    "model.33": "backbone.tail.0.1",
    **{f"enc_style.model.{i}.conv": f"style_encoder.image_head.{2 * i}.1" for i in range(3)},
    **{f"enc_style.model_middle.{i}.conv": f"style_encoder.image_tail.{2 * i}.1" for i in range(3)},
    "enc_style.model_last.1": "style_encoder.to_style",
    **{
        f"enc_style.sft{i}.SFT_{what}_conv{j}": f"style_encoder.fuse{i}.{what}.{2 * (j - 1)}"
        for i in (1, 2)
        for what in ("scale", "shift")
        for j in (1, 2)
    },
    **{f"enc_label.model.{i}.conv": f"style_encoder.label_to_prior1.{2 * i}.1" for i in range(3)},
    **{f"enc_label.model_last.{i}.conv": f"style_encoder.prior1_to_prior2.{2 * i - 1}.1" for i in (1, 2, 3)},
}


def _labels(count: int, size: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 19, (count, size, size), generator=torch.Generator().manual_seed(seed))


def test_default_tensor_shapes_equal_the_published_ones() -> None:
    with torch.device("meta"):
        ours = {name: tuple(p.shape) for name, p in DenseMappingNetwork(DMNConfig()).state_dict().items()}
    theirs = {}
    for key, shape in layout("official_netG").items():
        module, _, kind = key.rpartition(".")
        if not kind.startswith("running_"):
            theirs[f"{OFFICIAL[module]}.{kind}"] = shape
    assert ours == theirs
    assert sum(math.prod(shape) for shape in ours.values()) == 89_702_595


@pytest.mark.parametrize("fusion", ["sft", "concat", "none"])
@pytest.mark.parametrize("upsampling", ["transposed", "resize", "bilinear", "antialiased"])
def test_output_has_the_size_of_the_mask_and_lies_in_range(fusion: str, upsampling: str) -> None:
    config = DMNConfig(64, 4, 2, 2, 2, fusion=fusion, upsampling=upsampling)  # type: ignore[arg-type]
    mask, image = one_hot(_labels(2, 64)), torch.rand(2, 3, 64, 64) * 2 - 1
    painted = DenseMappingNetwork(config)(mask, mask, image)
    assert painted.shape == image.shape
    assert painted.detach().abs().max() <= 1


def test_only_pix2pixhd_m_ignores_the_style_mask() -> None:
    image = torch.rand(1, 3, 64, 64)
    masks = [one_hot(_labels(1, 64, seed)) for seed in (1, 2)]
    for fusion, differs in (("sft", True), ("concat", True), ("none", False)):
        torch.manual_seed(0)
        network = DenseMappingNetwork(DMNConfig(64, 4, 2, 2, 2, fusion=fusion))  # type: ignore[arg-type]
        network.balance()
        a, b = (network.encode_style(mask, image) for mask in masks)
        assert torch.equal(a, b) != differs, fusion


def test_every_parameter_receives_a_gradient() -> None:
    network = DenseMappingNetwork(SMALL)
    network.balance()
    mask, image = one_hot(_labels(2, 64)), torch.rand(2, 3, 64, 64)
    (network(mask, mask, image) - image).square().mean().backward()
    without_gradient = [name for name, p in network.named_parameters() if p.grad is None]
    assert without_gradient == []


def test_adain_style_order_is_bias_then_weight_per_layer() -> None:
    block = AdaINResidualBlock(1)
    convolutions: Any = (block.conv1[1], block.conv2[1])
    for conv in convolutions:
        nn.init.dirac_(conv.weight)
        nn.init.zeros_(conv.bias)
    x = torch.randn(1, 1, 8, 8)
    bias1, weight1, bias2, weight2 = 5.0, 0.5, -3.0, 2.0
    normal = (x - x.mean()) / (x.var(correction=0) + 1e-5).sqrt()
    hidden = (normal * weight1 + bias1).relu()  # far above 0, so that ReLU does not change it
    expected = x + (hidden - hidden.mean()) / (hidden.var(correction=0) + 1e-5).sqrt() * weight2 + bias2
    given = block(x, torch.tensor([[bias1, weight1, bias2, weight2]]))
    torch.testing.assert_close(given, expected)


def test_adain_is_instance_norm_then_weight_and_bias() -> None:
    x = torch.randn(2, 3, 5, 5)
    bias, weight = torch.randn(2, 3), torch.randn(2, 3)
    expected = nn.functional.instance_norm(x, eps=1e-5) * weight[..., None, None] + bias[..., None, None]
    torch.testing.assert_close(adaptive_instance_norm(x, bias, weight), expected)
    torch.testing.assert_close(instance_norm(3)(x), nn.InstanceNorm2d(3)(x))


def test_sft_has_one_multiplicative_term() -> None:
    sft = SpatialFeatureTransform(2)
    branches: Any = ((sft.scale, 3.0), (sft.shift, 7.0))
    for branch, value in branches:
        nn.init.zeros_(branch[2].weight)
        nn.init.constant_(branch[2].bias, value)
    features = torch.randn(1, 2, 4, 4)
    torch.testing.assert_close(sft(features, torch.randn(1, 2, 4, 4)), features * 3 + 7)


def test_concat_fusion_depends_on_both_inputs() -> None:
    fuse = ConcatFusion(2)
    a, b = torch.randn(1, 2, 4, 4), torch.randn(1, 2, 4, 4)
    assert not torch.equal(fuse(a, b), fuse(a, b + 1))
    assert not torch.equal(fuse(a, b), fuse(a + 1, b))


def test_sft_has_more_parameters_than_concatenation() -> None:
    # At the paper's 64 channels: 4 x (64 x 64 + 64) against 128 x 64 + 64.
    assert (parameter_count(SpatialFeatureTransform(64)), parameter_count(ConcatFusion(64))) == (16_640, 8_256)


def test_initialisation_of_convolutions_and_transposed_convolutions() -> None:
    torch.manual_seed(0)
    network = DenseMappingNetwork(DMNConfig(64, 32, 2, 1, 4))
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.weight.numel() > 10_000:
            assert 0.019 < float(module.weight.detach().std()) < 0.021
    first: Any = network.backbone.ups[0]
    up = first[0]
    assert isinstance(up, nn.ConvTranspose2d)
    bound = (up.weight.shape[1] * 9) ** -0.5  # PyTorch's: uniform within 1 / sqrt(fan in)
    assert float(up.weight.detach().abs().max()) <= bound
    assert float(up.weight.detach().std()) == pytest.approx(bound / 3**0.5, rel=0.02)


def test_resize_upsampling_has_no_checkerboard_and_transposed_has() -> None:
    def spread(kind: str) -> float:
        conv: Any = up(1, 1, kind)[:-2]  # type: ignore[arg-type]  # without norm and ReLU
        for module in conv:
            if hasattr(module, "weight"):
                nn.init.constant_(module.weight, 1.0)
                nn.init.zeros_(module.bias)
        return float(conv(torch.ones(1, 1, 8, 8))[..., 2:-2, 2:-2].detach().std())

    assert spread("resize") == spread("bilinear") == spread("antialiased") == 0
    assert spread("transposed") > 0.5


def test_one_hot_encodes_labels_and_bytes_round_trip() -> None:
    labels = _labels(2, 8)
    masks = one_hot(labels)
    assert torch.equal(masks.argmax(1), labels)
    assert torch.equal(masks.sum(1), torch.ones(2, 8, 8))
    every = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16).expand(1, 3, 16, 16)
    unit = to_unit(every)
    assert (unit.min(), unit.max()) == (-1, 1)
    assert torch.equal(to_bytes(unit), every)


def test_indivisible_image_size_is_rejected() -> None:
    for size in (32, 100, 80):
        with pytest.raises(ValueError, match="image_size"):
            DMNConfig(image_size=size)


def test_parameter_count() -> None:
    assert parameter_count(nn.Conv2d(2, 3, 5)) == 2 * 3 * 25 + 3


@pytest.mark.parametrize(("count", "height", "width"), [(1, 16, 16), (3, 70, 24), (2, 129, 8)])
def test_label_maps_and_one_hot_masks_give_equal_features(count: int, height: int, width: int) -> None:
    """For any size, including reflected borders and several strips of rows."""
    torch.manual_seed(0)
    layer = MaskConv7(5)
    labels = torch.randint(0, 19, (count, height, width), dtype=torch.uint8)
    torch.testing.assert_close(layer(labels), layer(one_hot(labels)), rtol=0, atol=1e-5)


@pytest.mark.parametrize("fusion", ["sft", "none"])
def test_network_accepts_label_maps_and_one_hot_masks_alike(fusion: Fusion) -> None:
    torch.manual_seed(0)
    network = DenseMappingNetwork(replace(SMALL, fusion=fusion))
    labels, style_labels = _labels(2, 64).byte(), _labels(2, 64, 1).byte()
    image = torch.rand(2, 3, 64, 64) * 2 - 1
    expected = network(one_hot(labels), one_hot(style_labels), image)
    torch.testing.assert_close(network(labels, style_labels, image), expected, rtol=0, atol=1e-5)
    assert expected.std() > 0.01


def test_noise_is_new_in_training_and_the_same_without_gradients() -> None:
    torch.manual_seed(0)
    network = DenseMappingNetwork(DMNConfig(image_size=64, width=4, downs=2, blocks=1, style_width=4, noise=True))
    labels = torch.randint(0, 19, (1, 64, 64), dtype=torch.uint8)
    style = torch.randn(1, network.config.style_dim)
    first, second = (network.generate(labels, style) for _ in range(2))
    assert not torch.equal(first, second)
    with torch.no_grad():
        fixed = [network.generate(labels, style) for _ in range(2)]
    assert torch.equal(*fixed)
    for layer in network.backbone.noise or ():
        assert isinstance(layer, NoiseInput)
        torch.nn.init.zeros_(layer.amount)
    assert torch.equal(network.generate(labels, style), network.generate(labels, style))


def test_antialiased_upsampling_removes_a_pattern_that_alternates_between_pixels() -> None:
    checkerboard = torch.ones(1, 1, 8, 8)
    checkerboard[..., ::2, 1::2] = checkerboard[..., 1::2, ::2] = -1
    enlarged = {kind: up(1, 1, kind)[0](checkerboard) for kind in ("bilinear", "antialiased")}  # type: ignore[arg-type]
    assert float(enlarged["bilinear"].abs().max()) > 0.1
    assert float(enlarged["antialiased"].abs().max()) == 0


def test_a_new_style_map_is_the_pooled_style_everywhere() -> None:
    torch.manual_seed(0)
    pooled = DenseMappingNetwork(SMALL)
    mapped = DenseMappingNetwork(replace(SMALL, style_map=2))
    missing, unexpected = mapped.load_state_dict(pooled.state_dict(), strict=False)
    assert (missing, unexpected) == (["style_encoder.to_style_map.weight"], [])
    labels, image = _labels(2, 64), torch.rand(2, 3, 64, 64) * 2 - 1
    style = mapped.encode_style(one_hot(labels), image)
    assert style.shape == (2, SMALL.style_dim, 2, 2)
    expected = pooled(one_hot(labels), one_hot(labels), image)
    torch.testing.assert_close(mapped(one_hot(labels), one_hot(labels), image), expected, rtol=0, atol=1e-5)


def test_a_style_map_differs_from_place_to_place_and_its_mean_is_the_pooled_style() -> None:
    torch.manual_seed(0)
    network = DenseMappingNetwork(replace(SMALL, style_map=2))
    network.balance()
    assert network.style_encoder.to_style_map is not None
    nn.init.normal_(network.style_encoder.to_style_map.weight)
    mask, image = one_hot(_labels(1, 64)), torch.rand(1, 3, 64, 64) * 2 - 1
    style = network.encode_style(mask, image)
    nn.init.zeros_(network.style_encoder.to_style_map.weight)
    pooled = network.encode_style(mask, image)
    assert float((style[..., 0, 0] - style[..., 1, 1]).detach().abs().max()) > 0.01
    torch.testing.assert_close(style.mean((2, 3)), pooled[..., 0, 0], rtol=0, atol=1e-4)


def test_a_style_map_has_at_most_one_cell_per_8_pixels() -> None:
    with pytest.raises(ValueError, match="style_map must be 1 to 8"):
        replace(SMALL, style_map=9)


def test_the_published_encoder_runs_the_head_as_one_layer() -> None:
    """Checkpointing replaces the `forward` of that layer, so its parts must not be called one by one."""
    network, calls = DenseMappingNetwork(SMALL), list[int]()
    network.style_encoder.image_head.register_forward_hook(lambda *_: calls.append(1))
    network.encode_style(one_hot(_labels(1, 64)), torch.zeros(1, 3, 64, 64))
    assert calls == [1]


SKIPS = replace(SMALL, downs=3, style_map=4)
SMALL_CODES = SKIPS.style_dim


def test_new_skip_connections_change_nothing() -> None:
    torch.manual_seed(0)
    without = DenseMappingNetwork(SKIPS)
    network = DenseMappingNetwork(replace(SKIPS, skips=True))
    missing, unexpected = network.load_state_dict(without.state_dict(), strict=False)
    assert not unexpected and {name.split(".")[1] for name in missing} == {"skips", "to_skips"}
    mask, image = one_hot(_labels(2, 64)), torch.rand(2, 3, 64, 64) * 2 - 1
    style = network.encode_style(mask, image)
    # the mask and 32 channels of 16 x 16 pixels, and 8 channels of 32 x 32 pixels, in 4 x 4 cells
    assert style.shape == (2, SKIPS.style_dim + (19 + 32) * 16 + 8 * 64, 4, 4)
    torch.testing.assert_close(network(mask, mask, image), without(mask, mask, image), rtol=0, atol=1e-5)


@pytest.mark.parametrize("fusion", ["sft", "none"])
def test_skip_connections_show_a_detail_at_its_place(fusion: Fusion) -> None:
    torch.manual_seed(0)
    network = DenseMappingNetwork(replace(SKIPS, fusion=fusion, skips=True))
    network.balance()
    assert network.backbone.skips is not None
    for layer in network.backbone.skips.values():
        assert isinstance(layer, SkipFusion)
        nn.init.normal_(layer.conv2.weight, 0.0, 0.1)
    mask, image = one_hot(_labels(1, 64)), torch.zeros(1, 3, 64, 64)
    changed = image.clone()
    changed[..., 40:44, 20:24] = 1.0
    style, other = (network.encode_style(mask, picture) for picture in (image, changed))
    other[:, : SKIPS.style_dim] = style[:, : SKIPS.style_dim]  # only the skip connections differ
    difference = (network.generate(mask, other) - network.generate(mask, style)).detach().abs().sum((0, 1))
    share = float(difference[32:52, 12:32].sum() / difference.sum())
    assert share > 0.3, "a tenth of the pixels, around the detail; instance norm spreads the rest"


def test_a_style_map_is_fitted_to_another_mask() -> None:
    torch.manual_seed(0)
    network = DenseMappingNetwork(replace(SKIPS, skips=True))
    network.balance()
    assert network.style_encoder.to_style_map is not None
    nn.init.normal_(network.style_encoder.to_style_map.weight)
    labels = torch.full((1, 64, 64), ID["background"])
    labels[:, 16:, 16:] = ID["hair"]
    changed = labels.clone()
    changed[:, :, 32:48] = ID["background"]  # columns of cells 2
    changed[:, 48:, 48:] = ID["hat"]  # the last cell; the picture has none
    backbone, image = network.backbone, torch.rand(1, 3, 64, 64) * 2 - 1
    style = network.encode_style(one_hot(labels), image).detach()
    torch.testing.assert_close(backbone.fit_style(one_hot(labels), style), style, rtol=0, atol=1e-5)
    fitted = backbone.fit_style(changed, style)
    codes, before = fitted[0, :SMALL_CODES], style[0, :SMALL_CODES]
    kept = torch.ones(4, 4, dtype=torch.bool)
    kept[1:, 2], kept[3, 3] = False, False
    torch.testing.assert_close(codes[:, kept], before[:, kept], rtol=0, atol=1e-5)
    behind = torch.cat([before[:, 0], before[:, 1:, 0]], 1).mean(1)
    for row in (1, 2, 3):
        torch.testing.assert_close(codes[:, row, 2], behind, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(codes[:, 3, 3], before.mean((1, 2)), rtol=1e-4, atol=1e-4)
    details, had = (one[0, SMALL_CODES + 19 * 16 : SMALL_CODES + (19 + 32) * 16] for one in (fitted, style))
    torch.testing.assert_close(details[:, 2, 1], had[:, 2, 1], rtol=0, atol=1e-5)
    whole = had.unflatten(0, (32, 16)).mean((1, 2, 3))
    torch.testing.assert_close(details[:, 3, 3].unflatten(0, (32, 16)).std(1), torch.zeros(32))
    torch.testing.assert_close(details[::16, 3, 3], whole, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(backbone.fit_style(changed, fitted), fitted, rtol=0, atol=1e-5)
    torch.testing.assert_close(network.generate(changed, fitted), network.generate(one_hot(changed), style))


@pytest.mark.parametrize("change", [{"downs": 2}, {"style_map": 1}, {"style_map": 3}])
def test_skip_connections_need_a_style_map_that_fits(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="skips needs downs of 3 or more"):
        replace(SKIPS, **change, skips=True)


@pytest.mark.parametrize("side", [4, 8])
@pytest.mark.parametrize("fusion", ["sft", "none"])
def test_a_finer_style_map_needs_no_new_weights_and_shows_smaller_details(fusion: Fusion, side: int) -> None:
    torch.manual_seed(0)
    coarse = DenseMappingNetwork(replace(SMALL, fusion=fusion, style_map=2))
    coarse.balance()
    assert coarse.style_encoder.to_style_map is not None
    nn.init.normal_(coarse.style_encoder.to_style_map.weight)
    fine = DenseMappingNetwork(replace(SMALL, fusion=fusion, style_map=side))
    fine.load_state_dict(coarse.state_dict())
    mask, image = one_hot(_labels(2, 64)), torch.rand(2, 3, 64, 64) * 2 - 1
    maps = [network.encode_style(mask, image).detach() for network in (coarse, fine)]
    assert maps[1].shape == (2, SMALL.style_dim, side, side)
    steps = (maps[1][..., 1:] - maps[1][..., :-1]).abs().amax((0, 1, 2))
    assert len(steps) == side - 1 and float(steps.min()) > 0.01, "every cell has its own style"
    assert fine(mask, mask, image).shape == image.shape


def test_the_dense_convolution_of_a_ramp_is_the_ramp_of_the_strided_one() -> None:
    layer = conv4_down(1, 1)
    convolution = layer[-1]
    assert isinstance(convolution, nn.Conv2d) and convolution.bias is not None
    nn.init.constant_(convolution.weight, 1 / 16)
    nn.init.zeros_(convolution.bias)
    ramp = torch.arange(16.0).expand(1, 1, 16, 16)
    strided, dense = layer(ramp), dense_conv4(layer, ramp)
    assert dense.shape == ramp.shape
    torch.testing.assert_close(dense[..., 8, 4:12], ramp[..., 8, 4:12])
    torch.testing.assert_close(F.avg_pool2d(dense, 2)[..., 2:6, 2:6], strided[..., 2:6, 2:6])


def test_two_dense_convolutions_of_a_ramp_are_the_ramp() -> None:
    layers = [conv4_down(1, 1), conv4_down(1, 1)]
    for layer in layers:
        convolution = layer[-1]
        assert isinstance(convolution, nn.Conv2d) and convolution.bias is not None
        nn.init.constant_(convolution.weight, 1 / 16)
        nn.init.zeros_(convolution.bias)
    ramp = torch.arange(32.0).expand(1, 1, 32, 32)
    strided = layers[1](layers[0](ramp))
    dense = dense_conv4(layers[1], dense_conv4(layers[0], ramp), spacing=2)
    assert dense.shape == ramp.shape
    torch.testing.assert_close(dense[..., 16, 8:24], ramp[..., 16, 8:24])
    torch.testing.assert_close(F.avg_pool2d(dense, 4)[..., 3:5, 3:5], strided[..., 3:5, 3:5])


def test_norm_limit_clamps_a_channel_that_one_huge_value_dominates() -> None:
    features = torch.randn(1, 2, 32, 32)
    features[0, 0, 5, 5] = 1e4
    limited = instance_norm(2, 4.0)(features)
    assert float(instance_norm(2)(features).max()) > 30
    assert float(limited.max()) == 4
    assert torch.equal(limited[:, 1], instance_norm(2)(features)[:, 1].clamp(-4, 4))
    with pytest.raises(ValueError, match="norm_limit must be 0"):
        replace(SMALL, norm_limit=-1.0)
