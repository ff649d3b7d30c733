"""Larger networks from trained ones: twice the size (Karras et al. 2018) or a wider style (Chen et al. 2016)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from maskgan_cli.models.dmn import DMNConfig


def grown_from(small: DMNConfig) -> DMNConfig:
    """The configuration of twice the image size: one level more, half the width, the same bottleneck.

    Raises:
        ValueError: the width is odd.
    """
    if small.width % 2:
        raise ValueError(f"a network of width {small.width} cannot grow: its width is halved")
    return replace(small, image_size=2 * small.image_size, width=small.width // 2, downs=small.downs + 1)


def grow(tensors: Mapping[str, Tensor], fresh: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of a network with the configuration of `grown_from`.

    The trained tensors move one level inwards; the outermost layers are new.

    Args:
        tensors: of the trained network.
        fresh: of a new network with the larger configuration.
    """
    grown = dict(fresh)
    for name, tensor in tensors.items():
        if name.startswith(("backbone.head.", "backbone.tail.")):
            continue  # the outermost layers have another width
        level = re.sub(r"^backbone\.downs\.(\d+)", lambda found: f"backbone.downs.{int(found[1]) + 1}", name)
        grown[level] = tensor
    return grown


def widen(tensors: Mapping[str, Tensor], fresh: Mapping[str, Tensor], *, noise: float = 0.1) -> dict[str, Tensor]:
    """Tensors of a network whose style encoder is wider by an integer factor and computes nearly the same function.

    Every channel of the style encoder is repeated, and the weights that read it are divided by the number of copies
    (Net2WiderNet, Chen et al. 2016). Noise makes the copies differ, so that training can separate them.

    Args:
        tensors: of the trained network.
        fresh: of a new network with the wider style encoder, and otherwise the same shapes.
        noise: standard deviation, relative to that of each tensor.

    Raises:
        ValueError: a side of a new tensor is not a multiple of the trained one's.
    """
    wider = dict(tensors)
    for name, old in tensors.items():
        new = fresh[name].shape
        if old.shape == new or not name.startswith("style_encoder."):
            continue
        if any(b % a for a, b in zip(old.shape, new, strict=True)):
            raise ValueError(f"{name}: {tuple(new)} is not a multiple of {tuple(old.shape)}")
        times = [b // a for a, b in zip(old.shape, new, strict=True)]
        tiled = old.repeat(*times)
        if old.ndim > 1:
            tiled = tiled / times[1]
            tiled = tiled + noise * tiled.std() * torch.randn_like(tiled)
        wider[name] = tiled
    return wider


def new_layers(fresh: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """The tensors of a new network's layers of a name; they complete those of a trained network without the layers."""
    return {key: tensor for key, tensor in fresh.items() if f".{name}." in key}
