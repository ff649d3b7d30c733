"""Activation checkpointing (Chen et al. 2016): saves memory, but needs a second forward pass of each layer."""

from __future__ import annotations

import functools

from torch import nn
from torch.utils.checkpoint import checkpoint


def checkpoint_each(*layers: nn.Module) -> None:
    """Change layers in place, so that each stores only its input, and recomputes its activations in the backward pass.

    The layers must not use random numbers or running statistics, because the second forward pass must equal the first.
    Copy a network before this call, not after: the layers of a later copy may still refer to the original's.
    """
    for layer in layers:
        layer.forward = functools.partial(checkpoint, layer.forward, use_reentrant=False)
