"""Tests of the face parser: published tensor shapes, sizes, and skip connections."""

from __future__ import annotations

import pytest
import torch

from maskgan_cli.models.parser import FaceParser, ParserConfig
from tests.layouts import layout


def test_default_tensor_shapes_equal_the_published_ones_in_order() -> None:
    """The published keys have the same order, but in each decoder level the convolutions precede the upsampling."""
    with torch.device("meta"):
        ours = [tuple(p.shape) for p in FaceParser(ParserConfig()).state_dict().values()]
    theirs = [tuple(shape) for shape in layout("official_unet").values()]
    assert sorted(ours) == sorted(theirs)
    assert sum(torch.Size(shape).numel() for shape in ours) == sum(torch.Size(shape).numel() for shape in theirs)


@pytest.mark.parametrize("size", [32, 48])
def test_output_has_one_logit_per_class_and_pixel(size: int) -> None:
    network = FaceParser(ParserConfig(image_size=size, width=2)).eval()
    assert network(torch.zeros(2, 3, size, size)).shape == (2, 19, size, size)


def test_skip_connections_carry_fine_detail() -> None:
    """With the bottleneck set to zero, the output still differs between neighbouring pixels."""
    torch.manual_seed(0)
    network = FaceParser(ParserConfig(image_size=32, width=8))  # training mode: batch norm keeps the scale
    network.bottom.register_forward_hook(lambda module, inputs, output: torch.zeros_like(output))
    stripes = torch.ones(1, 3, 32, 32)
    stripes[..., ::2] = -1
    logits = network(stripes)
    assert (logits[..., 8, 8] - logits[..., 8, 9]).abs().max() > 1e-3


@pytest.mark.parametrize("settings", [{"image_size": 100}, {"image_size": 16}, {"width": 0}])
def test_invalid_settings_are_rejected(settings: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"image_size|width"):
        ParserConfig(**settings)
