"""Larger networks from trained ones: twice the side (Karras et al. 2018), or wider styles (Chen et al. 2016)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from maskgan_cli.models.dmn import DMNConfig


def grown_from(small: DMNConfig) -> DMNConfig:
    """The shape that a network grows into: twice the side, one level more, the same bottleneck.

    Raises:
        ValueError: an odd width cannot be halved.
    """
    if small.width % 2:
        raise ValueError(f"a network of width {small.width} cannot grow: its width is halved")
    return replace(small, image_size=2 * small.image_size, width=small.width // 2, downs=small.downs + 1)


def grow(tensors: Mapping[str, Tensor], fresh: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a network of the shape of `grown_from`: the trained ones one level further in, fresh ones around.

    Args:
        tensors: of the trained network.
        fresh: of a new network of the grown shape.
    """
    grown = dict(fresh)
    for name, tensor in tensors.items():
        if name.startswith(("backbone.head.", "backbone.tail.")):
            continue  # they see pixels of another size, and have another width
        level = re.sub(r"^backbone\.downs\.(\d+)", lambda found: f"backbone.downs.{int(found[1]) + 1}", name)
        grown[level] = tensor
    return grown


def widen(tensors: Mapping[str, Tensor], fresh: Mapping[str, Tensor], *, noise: float = 0.1) -> dict[str, Tensor]:
    """The tensors of a network whose style encoder is wider by a whole factor, and that paints the same at first.

    Every channel of the style encoder is repeated, and the weights that read it are divided by the number of copies
    (Net2WiderNet, Chen et al. 2016). Noise makes the copies differ, so that they can learn different things.

    Args:
        tensors: of the trained network.
        fresh: of a new network with the wider style encoder, otherwise of the same shape.
        noise: as a share of the deviation of each tensor.

    Raises:
        ValueError: a tensor of the new network is not a whole multiple of the trained one.
    """
    wider = dict(tensors)
    for name, old in tensors.items():
        new = fresh[name].shape
        if old.shape == new or not name.startswith("style_encoder."):
            continue
        if any(b % a for a, b in zip(old.shape, new, strict=True)):
            raise ValueError(f"{name}: {tuple(new)} is no multiple of {tuple(old.shape)}")
        times = [b // a for a, b in zip(old.shape, new, strict=True)]
        tiled = old.repeat(*times)
        if old.ndim > 1:
            tiled = tiled / times[1]
            tiled = tiled + noise * tiled.std() * torch.randn_like(tiled)
        wider[name] = tiled
    return wider


def noise_of(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a generator's noise inputs, for a start from a generator that has none."""
    return {name: tensor for name, tensor in tensors.items() if ".noise." in name}
