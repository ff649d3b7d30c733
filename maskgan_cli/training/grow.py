"""A network of twice the side around a trained one (progressive growing, Karras et al. 2018)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

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
