"""The face parser: published shapes, sizes, and that skips reach the output."""

from __future__ import annotations

import pytest
import torch

from maskgan_cli.models.parser import FaceParser, ParserConfig
from tests.layouts import layout


def test_the_defaults_have_the_published_shapes_in_order() -> None:
    """The published keys list encoder, centre, decoder and last layer in our order, each Up conv before its up."""
    with torch.device("meta"):
        ours = [tuple(p.shape) for p in FaceParser(ParserConfig()).state_dict().values()]
    theirs = [tuple(shape) for shape in layout("official_unet").values()]
    assert sorted(ours) == sorted(theirs)
    assert sum(torch.Size(shape).numel() for shape in ours) == sum(torch.Size(shape).numel() for shape in theirs)


@pytest.mark.parametrize("size", [32, 48])
def test_one_logit_per_class_and_pixel(size: int) -> None:
    network = FaceParser(ParserConfig(image_size=size, width=2)).eval()
    assert network(torch.zeros(2, 3, size, size)).shape == (2, 19, size, size)


def test_fine_detail_passes_by_the_bottom() -> None:
    """With the bottom silenced, the skips alone still tell neighbouring pixels apart."""
    torch.manual_seed(0)
    network = FaceParser(ParserConfig(image_size=32, width=8))  # training: batch norm keeps signals alive
    network.bottom.register_forward_hook(lambda module, inputs, output: torch.zeros_like(output))
    stripes = torch.ones(1, 3, 32, 32)
    stripes[..., ::2] = -1
    logits = network(stripes)
    assert (logits[..., 8, 8] - logits[..., 8, 9]).abs().max() > 1e-3


@pytest.mark.parametrize("settings", [{"image_size": 100}, {"image_size": 16}, {"width": 0}])
def test_impossible_settings_are_refused(settings: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"image_size|width"):
        ParserConfig(**settings)
