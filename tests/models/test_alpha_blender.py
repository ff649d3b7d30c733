"""Tests of the Alpha Blender: published tensor shapes, and blends between the two inputs."""

from __future__ import annotations

import torch
from torch import nn

from maskgan_cli.models.alpha_blender import AlphaBlender, AlphaBlenderConfig
from tests.layouts import layout

# Module paths of the published checkpoint -> module paths here.
OFFICIAL = {
    "model.1": "head.0.1",
    **{f"model.{4 + 3 * i}": f"downs.{i}.0" for i in range(3)},
    **{f"model.{13 + i}.conv_block.{j}.conv": f"blocks.{i}.conv{j + 1}.1" for i in range(3) for j in range(2)},
    **{f"model.{16 + 3 * i}": f"ups.{i}.0" for i in range(3)},
    "model.26": "tail.0.1",
}


def _images(seed: int) -> torch.Tensor:
    return torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_default_tensor_shapes_equal_the_published_ones() -> None:
    with torch.device("meta"):
        ours = {name: tuple(p.shape) for name, p in AlphaBlender(AlphaBlenderConfig()).state_dict().items()}
    theirs = {}
    for key, shape in layout("official_netB").items():
        module, _, kind = key.rpartition(".")
        theirs[f"{OFFICIAL[module]}.{kind}"] = shape
    assert ours == theirs


def test_the_blend_lies_between_its_two_inputs() -> None:
    torch.manual_seed(0)
    first, second = _images(1), _images(2)
    blend, alpha = AlphaBlender(AlphaBlenderConfig(width=4, downs=2, blocks=1))(first, second)
    assert ((alpha >= 0) & (alpha <= 1)).all()
    assert alpha.detach().std() > 0
    torch.testing.assert_close(blend, alpha * first + (1 - alpha) * second)
    assert (blend >= torch.minimum(first, second) - 1e-6).all()
    assert (blend <= torch.maximum(first, second) + 1e-6).all()


def test_alpha_one_shows_the_first_and_alpha_zero_the_second() -> None:
    first, second = _images(1), _images(2)
    for logit, expected in ((100.0, first), (-100.0, second)):
        blender = AlphaBlender(AlphaBlenderConfig(width=4, downs=2, blocks=1, upsampling="resize"))
        last = blender.tail.get_submodule("0.1")
        assert isinstance(last, nn.Conv2d) and last.bias is not None
        nn.init.zeros_(last.weight)
        nn.init.constant_(last.bias, logit)
        torch.testing.assert_close(blender(first, second)[0], expected)
