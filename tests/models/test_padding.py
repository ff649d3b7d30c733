"""Padding and upsampling in bfloat16 equal PyTorch's own layers, values and gradients, in channels-last memory."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from maskgan_cli.models.padding import ReflectionPad, Upsample

LAYERS = [
    (ReflectionPad(1), nn.ReflectionPad2d(1)),
    (ReflectionPad(3), nn.ReflectionPad2d(3)),
    (Upsample(), nn.Upsample(scale_factor=2)),
]


def _run(layer: nn.Module, features: Tensor, pull: Tensor) -> tuple[Tensor, Tensor]:
    features = features.clone().requires_grad_(True)
    answer: Tensor = layer(features)
    (answer.float() * pull).sum().backward()
    assert features.grad is not None
    return answer.detach(), features.grad


@pytest.mark.parametrize("ours, theirs", LAYERS)
@pytest.mark.parametrize("shape", [(2, 8, 12, 10), (1, 3, 4, 4), (3, 16, 5, 7)])
def test_equal_pytorch(ours: nn.Module, theirs: nn.Module, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    features = torch.randint(-8, 9, shape).float()  # sums of small whole numbers are exact in bfloat16
    pull = torch.randint(-4, 5, theirs(features).shape).float()
    values, gradient = _run(theirs, features, pull)
    fast, fast_gradient = _run(ours, features.bfloat16().to(memory_format=torch.channels_last), pull)
    assert torch.equal(fast.float(), values)
    assert torch.equal(fast_gradient.float(), gradient)
    assert fast.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("ours, theirs", LAYERS)
def test_float32_is_pytorchs_own(ours: nn.Module, theirs: nn.Module) -> None:
    features = torch.randn(2, 4, 9, 9)
    assert torch.equal(ours(features), theirs(features))


def test_gradients_are_right_in_double_precision_too() -> None:
    """A second proof of the sums: the functions' derivatives by finite differences."""
    from maskgan_cli.models.padding import _ReflectionPad, _Upsample

    features = torch.randn(2, 3, 5, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: _ReflectionPad.apply(x, 2), (features,))
    assert torch.autograd.gradcheck(_Upsample.apply, (features,))
