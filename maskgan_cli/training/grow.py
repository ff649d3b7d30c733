"""Initialises a larger network from a trained one.

The larger network has twice the image size (Karras et al. 2018) or a wider style encoder (Chen et al. 2016).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from maskgan_cli.models.dmn import DMNConfig


def grown_from(small: DMNConfig) -> DMNConfig:
    """Return the configuration of a generator for twice the image size of ``small``.

    The larger generator has one more downsampling level and half the width, so the bottleneck stays the same.

    Raises:
        ValueError: the width of ``small`` is odd.
    """
    if small.width % 2:
        raise ValueError(f"a network of width {small.width} cannot grow: its width is halved")
    return replace(small, image_size=2 * small.image_size, width=small.width // 2, downs=small.downs + 1)


def grow(tensors: Mapping[str, Tensor], fresh: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a dict of the tensors of a network for twice the image size, initialised from a trained network.

    Level i of the trained network becomes level i + 1 of the larger network, which has the same resolution and
    channels. The outermost layers take their tensors from ``fresh``.

    Args:
        tensors: tensors of the trained network, by name.
        fresh: tensors of a newly initialised network with the configuration `grown_from`, by name.

    Returns:
        The tensors of the larger network, by name.
    """
    grown = dict(fresh)
    for name, tensor in tensors.items():
        if name.startswith(("backbone.head.", "backbone.tail.")):
            continue  # the outermost layers have another width
        level = re.sub(r"^backbone\.downs\.(\d+)", lambda found: f"backbone.downs.{int(found[1]) + 1}", name)
        grown[level] = tensor
    return grown


def widen(tensors: Mapping[str, Tensor], fresh: Mapping[str, Tensor], *, noise: float = 0.1) -> dict[str, Tensor]:
    """Return a dict of the tensors of a trained network after its style encoder was made wider by an integer factor.

    Every channel of the style encoder is repeated, and the weights that read the copies are divided by the number of
    copies. The wider network therefore computes nearly the same function (Net2WiderNet, Chen et al. 2016). Noise makes
    the copies differ, so that they can become different features in training.

    Args:
        tensors: tensors of the trained network, by name.
        fresh: tensors of a new network with the wider style encoder, by name; only their shapes are used.
        noise: standard deviation of the noise, as a multiple of the standard deviation of each tensor.

    Raises:
        ValueError: a dimension in ``fresh`` is not a multiple of the trained dimension.
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
    """Return a dict from full names to tensors, only for the layers called ``name``.

    Use these new tensors to complete the tensors of a trained network that has no such layers.

    Args:
        fresh: all tensors of a newly initialised network, by name.
        name: name of the layers, e.g. ``noise``.
    """
    return {key: tensor for key, tensor in fresh.items() if f".{name}." in key}
