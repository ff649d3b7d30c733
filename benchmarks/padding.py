"""Reflection padding and upsampling in bfloat16 on one core: ours against PyTorch's, with the convolution that follows.

python benchmarks/padding.py
"""

from __future__ import annotations

import torch
from instance_norm import seconds
from torch import nn

from maskgan_cli.models.padding import ReflectionPad, Upsample


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
        print(
            f"{name}, {tuple(features.shape)}: {1e3 * mine:.0f} ms, PyTorch {1e3 * pytorchs:.0f} ms, "
            f"ratio {mine / pytorchs:.2f}"
        )


if __name__ == "__main__":
    main()
