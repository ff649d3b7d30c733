"""Blocks shared by the networks."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from maskgan_cli.models.layers import instance_norm, normalised, up


@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last])
def test_the_bfloat16_instance_norm_has_pytorchs_values_and_gradients(memory: torch.memory_format) -> None:
    torch.manual_seed(0)
    features = (torch.randn(3, 8, 17, 16) * 3 + 2).to(memory_format=memory)
    weight = torch.randn_like(features)
    exact = features.clone().requires_grad_()
    wanted = F.group_norm(exact, 8)
    (wanted * weight).sum().backward()
    quick = features.bfloat16().requires_grad_()
    found = normalised(quick)
    (found.float() * weight).sum().backward()
    assert found.dtype is torch.bfloat16
    assert exact.grad is not None and quick.grad is not None
    torch.testing.assert_close(found.float(), wanted, atol=0.03, rtol=0.01)
    torch.testing.assert_close(quick.grad.float(), exact.grad, atol=0.02, rtol=0.03)


def test_float32_instance_norm_keeps_its_bits() -> None:
    features = torch.randn(2, 4, 9, 9, requires_grad=True)
    assert torch.equal(instance_norm(4)(features), torch.nn.GroupNorm(4, 4, affine=False)(features))


def test_bilinear_upsampling_has_no_steps() -> None:
    ramp = torch.arange(6.0).expand(1, 1, 6, 6)
    stepped, smooth = (up(1, 1, name)[0](ramp)[0, 0, 0].diff() for name in ("resize", "bilinear"))
    assert torch.equal(stepped[1:].view(-1, 2), torch.tensor([[1.0, 0.0]] * 5))
    assert torch.equal(smooth[1:-1], torch.full((9,), 0.5))
