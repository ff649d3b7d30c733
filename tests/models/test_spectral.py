"""Tests of spectral norm: power iteration in training, fixed vectors in evaluation, and PyTorch's results."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from maskgan_cli.models.spectral import SpectralConv2d, xavier


def _largest(weight: torch.Tensor) -> torch.Tensor:
    return torch.linalg.svdvals(weight.flatten(1))[0]


def test_training_estimates_the_largest_singular_value_and_evaluation_keeps_it() -> None:
    torch.manual_seed(0)
    conv = SpectralConv2d(3, 8, 3, padding=1)
    x = torch.randn(1, 3, 8, 8)
    for _ in range(60):
        conv(x)
    conv.eval()
    torch.testing.assert_close(_largest(conv.weight()), torch.tensor(1.0))
    vectors = conv.weight_u.clone(), conv.weight_v.clone()
    expected = nn.functional.conv2d(x, conv.weight_orig / _largest(conv.weight_orig), conv.bias, padding=1)
    torch.testing.assert_close(conv(x), expected)
    assert all(map(torch.equal, vectors, (conv.weight_u, conv.weight_v)))


def test_each_forward_takes_one_power_iteration() -> None:
    torch.manual_seed(0)
    conv = SpectralConv2d(2, 4, 3)
    flat, u = conv.weight_orig.detach().flatten(1), conv.weight_u.clone()
    for _ in range(2):
        conv(torch.randn(1, 2, 5, 5))
        v = flat.T @ u / (flat.T @ u).norm()
        u = flat @ v / (flat @ v).norm()
    torch.testing.assert_close(conv.weight_v, v)
    torch.testing.assert_close(conv.weight_u, u)


def test_outputs_and_gradients_equal_pytorchs() -> None:
    torch.manual_seed(0)
    ours = SpectralConv2d(3, 6, 4, stride=2, padding=2, bias=False)
    theirs: Any = nn.utils.spectral_norm(nn.Conv2d(3, 6, 4, 2, 2, bias=False))
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 3, 9, 9)
    for _ in range(2):
        a, b = ours(x), theirs(x)
        torch.testing.assert_close(a, b)
        gradients = [torch.autograd.grad(y.square().sum(), net.weight_orig)[0] for y, net in ((a, ours), (b, theirs))]
        torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-4)
    assert ours.state_dict().keys() == theirs.state_dict().keys()


def test_singular_value_is_computed_in_single_precision_under_autocast() -> None:
    torch.manual_seed(0)
    conv = SpectralConv2d(3, 8, 3)
    with torch.autocast("cpu", torch.bfloat16):
        half = conv(torch.randn(1, 3, 8, 8))
        assert half.dtype == torch.bfloat16
        assert conv.eval().weight().dtype == torch.float32


def test_xavier_initialises_the_unnormalised_weight() -> None:
    torch.manual_seed(0)
    conv = SpectralConv2d(64, 64, 3)
    xavier(conv)
    assert abs(conv.weight_orig.std().item() / (0.02 * (2 / (2 * 64 * 9)) ** 0.5) - 1) < 0.05
    assert not conv.bias.any()  # type: ignore[union-attr]
