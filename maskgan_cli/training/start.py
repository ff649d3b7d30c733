"""Begin with trained weights: ``--start-from``."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from maskgan_cli.networks import KINDS
from maskgan_cli.weights.format import Weights, kind_of, load_strictly, read_weights


def read_start(where: Path, kind: str) -> Weights:
    """Weights of the network that will be trained, or of a trunk that its kind may begin with.

    Raises:
        InputError: no such weights, or of another kind.
    """
    trunks = KINDS[kind].trunks
    return read_weights(where, found if trunks and (found := kind_of(where)) in trunks else kind)


def begin_with(network: nn.Module, start: Weights, kind: str) -> None:
    """Take the weights over; the image size may be another, every tensor must fit.

    What they do not fill (a classifier's last layer where only the trunk is given, the people of
    ``train identity``) stays new.

    Raises:
        InputError: naming the differences.
    """
    entry = KINDS[kind]
    part = entry.start if start.kind == kind else entry.trunks[start.kind]
    load_strictly(network.get_submodule(part), start.tensors, start.path)
