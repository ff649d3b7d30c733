"""Tests of the discriminator: published tensor shapes, two scales, and dependence on the mask."""

from __future__ import annotations

import torch

from maskgan_cli.models.discriminator import DiscriminatorConfig, MultiScaleDiscriminator
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
