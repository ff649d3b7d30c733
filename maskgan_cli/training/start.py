"""Initialisation of a training from trained weights (option ``--start-from``)."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from maskgan_cli.networks import KINDS
from maskgan_cli.training.checkpoint import RunFolder
from maskgan_cli.weights.foreign import load_foreign
from maskgan_cli.weights.format import MODEL_FILE, Weights, kind_of, load_strictly, read_weights


def read_start(where: Path, kind: str) -> Weights:
    """Read trained weights that can initialise a network of the given kind.

    Args:
        where: weights file, run folder or weights folder.
        kind: kind of the network, a key of `networks.KINDS`. The weights of a pretrained trunk (the network without its
            last layer) are accepted too.

    Raises:
        InputError: the weights do not exist or are of another kind.
    """
    where, trunks = generator_file(where, kind), KINDS[kind].trunks
    return read_weights(where, found if trunks and (found := kind_of(where)) in trunks else kind)


def initialise(network: nn.Module, start: Weights, kind: str) -> None:
    """Load trained weights into a network. The weights may be those of another image size, but every tensor must fit.

    Layers that the weights file does not contain keep their random initialisation: the last layer of a classifier if
    the file has only the other layers, and the class centres of ``train identity``.

    Args:
        network: the network to initialise.
        start: weights from `read_start`.
        kind: kind of the network, a key of `networks.KINDS`.

    Raises:
        InputError: tensors do not fit; the message names the differences.
    """
    entry = KINDS[kind]
    part = entry.start if start.kind == kind else entry.trunks[start.kind]
    load_strictly(network.get_submodule(part), start.tensors, start.path)


def generator_file(where: Path, kind: str) -> Path:
    """Return the path from which weights of a kind are read: a weights file or a folder.

    Args:
        where: weights file, run folder or weights folder.
        kind: kind of the network, a key of `networks.KINDS`.

    Returns:
        The path of ``KIND.safetensors`` if ``where`` is a folder with this file and without ``model.safetensors``;
        otherwise ``where``.
    """
    named = where / f"{kind}.safetensors"
    return named if named.is_file() and not (where / MODEL_FILE).is_file() else where


def trained(name: str, where: Path | None) -> dict[str, Tensor] | None:
    """Read the tensors of a trained network that was saved beside the main network, e.g. of the discriminator.

    Args:
        name: name of the network; its file is called ``NAME.safetensors``.
        where: a run folder, whose newest checkpoint is read, or a folder of weights files.

    Returns:
        A dict of the tensors by name, which may not fit the caller's network; None if ``where`` is not a folder or has
        no such file.

    Raises:
        InputError: the file is corrupt.
    """
    if where is None or not where.is_dir():
        return None
    states = RunFolder(where).states
    path = (states[-1] if states else where) / f"{name}.safetensors"
    return load_foreign(path, f"tensors of a {name}") if path.is_file() else None
