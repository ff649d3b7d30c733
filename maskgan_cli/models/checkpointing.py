"""Activation checkpointing (Chen et al. 2016): less memory for a second forward pass of each layer."""

from __future__ import annotations

import functools

from torch import nn
from torch.utils.checkpoint import checkpoint


def checkpoint_each(*layers: nn.Module) -> None:
    """From now on these layers keep only their inputs; the backward pass computes the rest again.

    For layers without random numbers and without running statistics, whose second forward pass equals the first.
    A network is copied before this, not after: a copy would keep the layers of the original.
    """
    for layer in layers:
        layer.forward = functools.partial(checkpoint, layer.forward, use_reentrant=False)
