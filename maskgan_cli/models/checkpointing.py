"""Activation checkpointing (Chen et al. 2016): saves memory at the cost of a second forward pass of each layer."""

from __future__ import annotations

import functools

from torch import nn
from torch.utils.checkpoint import checkpoint


def checkpoint_each(*layers: nn.Module) -> None:
    """Make layers keep only their inputs for the backward pass, which computes all other activations again.

    The layers must not use random numbers or running statistics, because the second forward pass must equal the first.
    Copy a network before this call, not after: the layers of a later copy may still refer to the original's.
    """
    for layer in layers:
        layer.forward = functools.partial(checkpoint, layer.forward, use_reentrant=False)
