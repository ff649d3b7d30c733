"""Activation checkpointing (Chen et al. 2016): saves memory, but needs a second forward pass of each layer."""

from __future__ import annotations

import functools

from torch import nn
from torch.utils.checkpoint import checkpoint


def checkpoint_each(*layers: nn.Module) -> None:
    """Change layers in place so that a layer stores only its input and recomputes its activations in the backward pass.

    The layers must not use random numbers or running statistics, because the second forward pass must equal the first.
    Do not copy a network after this call: the copy may run the layers of the original network.
    """
    for layer in layers:
        layer.forward = functools.partial(checkpoint, layer.forward, use_reentrant=False)
