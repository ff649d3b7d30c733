"""Gradients are sent bucket by bucket during the backward pass, and come back as means."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import distributed, nn

from maskgan_cli.training.reduction import GradientReduction


class _Work:
    """A message that has already arrived."""

    def wait(self) -> None:
        """Nothing to wait for."""


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Two simulated processes; the other one's gradients are three times ours. Lists the sizes of all messages."""
    messages: list[tuple[int, int]] = []

    def all_reduce(flat: torch.Tensor, async_op: bool) -> _Work:
        assert async_op
        messages.append((flat.numel(), len(messages)))
        flat *= 4
        return _Work()

    monkeypatch.setattr(distributed, "all_reduce", all_reduce)
    monkeypatch.setattr(distributed, "get_world_size", lambda: 2)
    return messages


def test_the_last_layers_are_sent_before_the_first_layers_have_a_gradient(sent: list[tuple[int, int]]) -> None:
    first, middle, last = nn.Linear(2, 3), nn.Linear(3, 4), nn.Linear(4, 1)
    unused = nn.Linear(1, 1)
    parameters = [*first.parameters(), *middle.parameters(), *unused.parameters(), *last.parameters()]
    reduce = GradientReduction(parameters, bucket_bytes=16)
    seen: list[tuple[int, bool]] = []
    send: Any = reduce._send

    def watched() -> None:
        send()
        seen.append((len(sent), first.weight.grad is None))

    reduce._send = watched  # type: ignore[method-assign]
    loss = last(middle(first(torch.randn(5, 2)))).square().sum()
    used = [p for layer in (first, middle, last) for p in layer.parameters()]
    expected = torch.autograd.grad(loss, used, retain_graph=True)
    loss.backward(retain_graph=True)
    assert sent == [], "outside of its context it does nothing"
    for parameter in parameters:
        parameter.grad = None
    with reduce.during_backward():
        loss.backward()
    assert seen[0] == (1, True)
    assert sum(size for size, _ in sent) == sum(p.numel() for p in used)
    for parameter, gradient in zip(used, expected, strict=True):
        assert parameter.grad is not None
        torch.testing.assert_close(parameter.grad, 2 * gradient)
    assert unused.weight.grad is None


def test_parts_of_a_batch_are_sent_once(sent: list[tuple[int, int]]) -> None:
    layer, inputs = nn.Conv2d(2, 3, 3).to(memory_format=torch.channels_last), torch.randn(2, 1, 2, 5, 5)
    reduce = GradientReduction(list(layer.parameters()))
    layer(inputs[0]).square().sum().backward()
    with reduce.during_backward():
        layer(inputs[1]).square().sum().backward()
    assert len(sent) == 1
    found = [p.grad.clone() for p in layer.parameters() if p.grad is not None]
    layer.zero_grad()
    layer(inputs.flatten(0, 1)).square().sum().backward()
    for gradient, parameter in zip(found, layer.parameters(), strict=True):
        assert parameter.grad is not None
        torch.testing.assert_close(gradient, 2 * parameter.grad)
