"""Tests of the discriminator: published tensor shapes, two scales, and dependence on the mask."""

from __future__ import annotations

import torch
from torch import nn

from maskgan_cli.models.discriminator import DiscriminatorConfig, MultiScaleDiscriminator, highpass
from maskgan_cli.models.layers import one_hot
from tests.layouts import layout


def test_default_tensor_shapes_equal_the_published_ones() -> None:
    ours = {name: tuple(p.shape) for name, p in MultiScaleDiscriminator(DiscriminatorConfig()).state_dict().items()}
    # The published checkpoint numbers scales from the smallest picture; both scales have the same shapes.
    theirs = {}
    for key, shape in layout("official_netD").items():
        scale, layer, kind = key[5], key[12], key.rpartition(".")[2]
        inner = "" if layer == "4" else ".0"
        theirs[f"scales.{1 - int(scale)}.layers.{layer}{inner}.{kind}"] = shape
    assert ours == theirs


def test_second_scale_reads_half_the_resolution() -> None:
    network = MultiScaleDiscriminator(DiscriminatorConfig(width=4))
    mask = one_hot(torch.zeros(1, 64, 64, dtype=torch.uint8))
    full, half = network(mask, torch.rand(1, 3, 64, 64))
    assert [tuple(f.shape[1:]) for f in full] == [(4, 33, 33), (8, 17, 17), (16, 9, 9), (32, 10, 10), (1, 11, 11)]
    assert [f.shape[-1] for f in half] == [17, 9, 5, 6, 7]


def test_average_pooling_excludes_the_padding() -> None:
    network = MultiScaleDiscriminator(DiscriminatorConfig(width=4))
    assert torch.equal(network.halve(torch.ones(1, 1, 8, 8)), torch.ones(1, 1, 4, 4))


def test_output_depends_on_the_mask() -> None:
    network = MultiScaleDiscriminator(DiscriminatorConfig(width=4))
    image = torch.rand(1, 3, 64, 64)
    masks = [one_hot(torch.full((1, 64, 64), i, dtype=torch.uint8)) for i in (1, 2)]
    first, second = (network(mask, image)[0][0] for mask in masks)
    assert not torch.allclose(first, second)


def test_without_norm_the_score_depends_on_the_picture_from_the_start() -> None:
    torch.manual_seed(0)
    network = MultiScaleDiscriminator(DiscriminatorConfig(width=8, scales=2, layers=3, norm="none"))
    assert not any(isinstance(module, nn.GroupNorm) for module in network.modules())
    labels = torch.randint(0, 19, (2, 4, 4)).repeat_interleave(16, 1).repeat_interleave(16, 2)
    mask, picture = one_hot(labels), torch.rand(2, 3, 64, 64) * 2 - 1
    scores, other, masked = (
        network(m, p)[0][-1] for m, p in ((mask, picture), (mask, picture.flip(0)), (mask.flip(0), picture))
    )
    assert float((scores - other).detach().abs().mean()) > float((scores - masked).detach().abs().mean())
    assert float(scores.detach().abs().mean()) < 1  # far from both verdicts


def test_the_highpass_discriminator_sees_texture_and_no_colours() -> None:
    torch.manual_seed(0)
    settings = DiscriminatorConfig(width=8, scales=2, layers=3, norm="none", highpass=True)
    network = MultiScaleDiscriminator(settings)
    mask, picture = one_hot(torch.zeros(1, 64, 64, dtype=torch.uint8)), torch.rand(1, 3, 64, 64) - 0.5
    scores = network(mask, picture)[0][-1]
    tinted = network(mask, picture + torch.tensor([0.3, -0.2, 0.1]).view(1, 3, 1, 1))[0][-1]
    torch.testing.assert_close(tinted, scores, rtol=0, atol=1e-4)
    assert float((network(mask, picture * 1.1)[0][-1] - scores).detach().abs().max()) > 1e-3
    assert float(highpass(torch.full((1, 3, 16, 16), 0.7)).abs().max()) < 1e-5
