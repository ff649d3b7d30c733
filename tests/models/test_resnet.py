"""Tests of the ResNets against torchvision: names, shapes and outputs."""

from __future__ import annotations

import pytest
import torch

from maskgan_cli.models.resnet import ResNet


@pytest.mark.parametrize(("name", "blocks"), [("resnet18", (2, 2, 2, 2)), ("resnet50", (3, 4, 6, 3))])
def test_outputs_equal_torchvisions(name: str, blocks: tuple[int, ...]) -> None:
    models = pytest.importorskip("torchvision.models")
    theirs = getattr(models, name)(weights=None).eval()
    ours = ResNet(blocks, bottleneck=name == "resnet50").eval()
    state = {key: value for key, value in theirs.state_dict().items() if not key.startswith("fc.")}
    ours.load_state_dict(state)  # strict: the same names and shapes
    theirs.fc = torch.nn.Identity()
    images = torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert torch.allclose(ours(images), theirs(images), atol=1e-5)
        assert ours(images).shape == (2, ours.features)


def test_width_below_the_minimum_is_rejected() -> None:
    with pytest.raises(ValueError, match="width must be at least 8"):
        ResNet((1, 1, 1, 1), 4)


def test_width_scales_every_stage() -> None:
    assert ResNet((1, 1, 1, 1), 8).features == 64
    assert ResNet((1, 1, 1, 1), 8, bottleneck=True).features == 256
