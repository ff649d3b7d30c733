"""Growing a network: the trained layers move one level inwards and compute the same."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from maskgan_cli.models.dmn import DenseMappingNetwork, DMNConfig
from maskgan_cli.models.layers import one_hot
from maskgan_cli.training.grow import grow, grown_from, widen

SMALL = DMNConfig(image_size=64, width=8, downs=2, blocks=2, style_width=4, upsampling="resize")


def test_trained_layers_compute_the_same_in_the_grown_network() -> None:
    torch.manual_seed(0)
    small = DenseMappingNetwork(SMALL).eval()
    large = DenseMappingNetwork(grown_from(SMALL)).eval()
    large.load_state_dict(grow(small.state_dict(), large.state_dict()))
    labels = torch.randint(0, 19, (2, 64, 64))
    image = torch.rand(2, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        style = small.encode_style(one_hot(labels), image)
        assert torch.equal(large.encode_style(one_hot(labels), image), style), "the style code is the same"
        inner = small.backbone.head(one_hot(labels))  # (2, 8, 64, 64), the shape in the grown network after one halving
        assert torch.equal(large.backbone.downs[1:](inner), small.backbone.downs(inner))
        deep = small.backbone.downs(inner)
        assert torch.equal(large.backbone.ups[:-1](deep), small.backbone.ups(deep))


def test_the_grown_network_has_twice_the_size_and_the_same_bottleneck() -> None:
    large = grown_from(SMALL)
    assert (large.image_size, large.width, large.downs) == (128, 4, 3)
    assert large.bottleneck == SMALL.bottleneck and large.style_dim == SMALL.style_dim
    with pytest.raises(ValueError, match="halved"):
        grown_from(DMNConfig(image_size=64, width=7, downs=2))


def test_a_wider_style_encoder_computes_the_same_function() -> None:
    torch.manual_seed(0)
    small = DenseMappingNetwork(SMALL).eval()
    small.balance()
    wide = DenseMappingNetwork(replace(SMALL, style_width=12)).eval()
    mask, image = one_hot(torch.randint(0, 19, (2, 64, 64))), torch.rand(2, 3, 64, 64) * 2 - 1
    wide.load_state_dict(widen(small.state_dict(), wide.state_dict(), noise=0.0))
    with torch.no_grad():
        torch.testing.assert_close(wide(mask, mask, image), small(mask, mask, image), atol=1e-5, rtol=1e-4)
        noisy = widen(small.state_dict(), wide.state_dict())["style_encoder.to_style.weight"]
        assert not torch.equal(noisy[:, :16], noisy[:, 16:32]), "copies differ, so that training can separate them"
    with pytest.raises(ValueError, match="multiple"):
        widen(small.state_dict(), DenseMappingNetwork(replace(SMALL, style_width=6)).state_dict())
