"""Tests of IResNet (published tensor layouts) and of the ArcFace margin (its definition by angles)."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from maskgan_cli.models.arcface import DEPTHS, ArcFaceConfig, ArcFaceMargin, IResNet
from tests.layouts import layout


@pytest.mark.parametrize("depth", [18, 50])
def test_state_dict_has_the_published_keys_and_shapes(depth: int) -> None:
    with torch.device("meta"):
        network = IResNet(ArcFaceConfig(blocks=DEPTHS[depth]))
    assert {k: tuple(v.shape) for k, v in network.state_dict().items()} == layout(f"arcface_iresnet{depth}")


@pytest.mark.parametrize("depth", [34, 100])
def test_depth_is_the_number_of_layers(depth: int) -> None:
    assert 2 * sum(DEPTHS[depth]) + 2 == depth  # first convolution + two per block + last layer


def test_embedding_size_and_independence_of_the_batch() -> None:
    network = IResNet(ArcFaceConfig(blocks=(1, 1, 1, 1), width=8, embedding=8, image_size=64)).eval()
    faces = torch.rand(3, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        together = network(faces)
        alone = torch.cat([network(face[None]) for face in faces])
    assert together.shape == (3, 8)
    assert torch.allclose(together, alone, atol=1e-5)
    with pytest.raises(ValueError, match="multiple of 16"):
        ArcFaceConfig(image_size=100)


def test_the_margin_is_added_to_the_angle() -> None:
    torch.manual_seed(0)
    head = ArcFaceMargin(6, 5, scale=10.0, margin=0.3)
    faces, people = torch.randn(7, 6), torch.tensor([0, 1, 2, 3, 4, 0, 1])
    angles = torch.acos(F.normalize(faces) @ F.normalize(head.weight).T)
    expected = angles.clone()
    expected[torch.arange(7), people] += 0.3
    assert expected.max() < math.pi
    assert torch.allclose(head(faces, people), 10 * torch.cos(expected), atol=1e-4)


def test_logit_decreases_monotonically_beyond_pi() -> None:
    head = ArcFaceMargin(2, 1, scale=1.0, margin=0.5)
    with torch.no_grad():
        head.weight.copy_(torch.tensor([[1.0, 0.0]]))
    angles = torch.linspace(0, math.pi, 50)
    faces = torch.stack([angles.cos(), angles.sin()], 1)
    logits = head(faces, torch.zeros(50, dtype=torch.long))[:, 0]
    assert bool((logits.diff() < 0).all())


def test_gradient_is_finite_at_angle_zero() -> None:
    head = ArcFaceMargin(2, 2)
    face = F.normalize(head.weight.detach()[:1]).requires_grad_()
    head(face, torch.tensor([0])).sum().backward()
    assert face.grad is not None
    assert bool(torch.isfinite(face.grad).all())
