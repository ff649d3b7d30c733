"""Reflection padding and upsampling in bfloat16 on one core: ours against PyTorch's, with the convolution that follows.

python benchmarks/padding.py
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import nn

from maskgan_cli.models.padding import ReflectionPad, Upsample


def seconds(run: Callable[[], object], times: int = 5) -> float:
    """The least processor time of several runs."""
    run()
    spent = []
    for _ in range(times):
        started = time.process_time()
        run()
        spent.append(time.process_time() - started)
    return min(spent)


def main() -> None:
    torch.set_num_threads(1)
    cases: list[tuple[str, nn.Module, nn.Module, int, int]] = [
        ("padding of 1", ReflectionPad(1), nn.ReflectionPad2d(1), 256, 32),
        ("padding of 3", ReflectionPad(3), nn.ReflectionPad2d(3), 32, 256),
        ("upsampling", Upsample(), nn.Upsample(scale_factor=2), 64, 128),
    ]
    for name, ours, theirs, channels, side in cases:
        convolution = nn.Conv2d(channels, channels // 2, 3).bfloat16().to(memory_format=torch.channels_last)
        features = torch.randn(4, channels, side, side).bfloat16().to(memory_format=torch.channels_last)
        features.requires_grad_()

        def step(layer: nn.Module, x: torch.Tensor = features, after: nn.Module = convolution) -> object:
            return torch.autograd.grad(after(layer(x)).mean(), x)

        mine, pytorchs = (seconds(lambda layer=layer: step(layer)) for layer in (ours, theirs))
        print(f"{name}, {tuple(features.shape)}: {1e3 * mine:.0f} ms, PyTorch {1e3 * pytorchs:.0f} ms, "
              f"ratio {mine / pytorchs:.2f}")  # fmt: skip


if __name__ == "__main__":
    main()
