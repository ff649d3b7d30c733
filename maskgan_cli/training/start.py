"""Begin with trained weights: ``--start-from``."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from maskgan_cli.weights.format import Weights, kind_of, load_strictly, read_weights

TRUNK = "resnet18"  # ImageNet's ResNet-18, as `maskgan weights import resnet18` writes it


def read_start(where: Path, kind: str) -> Weights:
    """Weights of the network that will be trained; an attribute classifier may begin with a bare trunk.

    Raises:
        InputError: no such weights, or of another kind.
    """
    trunk = kind == "attributes" and kind_of(where) == TRUNK
    return read_weights(where, TRUNK if trunk else kind)


def begin_with(network: nn.Module, start: Weights) -> None:
    """Take the weights over; the image size may be another, every tensor must fit.

    Raises:
        InputError: naming the differences.
    """
    # A classifier's last layer stays new where only the trunk is given; the people of `train identity` always do.
    part = {TRUNK: "trunk", "arcface": "face"}.get(start.kind, "")
    load_strictly(network.get_submodule(part), start.tensors, start.path)
