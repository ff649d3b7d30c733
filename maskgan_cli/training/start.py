"""Initialisation from trained weights: ``--start-from``."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from maskgan_cli.networks import KINDS
from maskgan_cli.training.checkpoint import RunFolder
from maskgan_cli.weights.foreign import load_foreign
from maskgan_cli.weights.format import MODEL_FILE, Weights, kind_of, load_strictly, read_weights


def read_start(where: Path, kind: str) -> Weights:
    """Read weights of a kind of network, or of a trunk that can initialise it.

    Raises:
        InputError: the weights do not exist or are of another kind.
    """
    where, trunks = generator_file(where, kind), KINDS[kind].trunks
    return read_weights(where, found if trunks and (found := kind_of(where)) in trunks else kind)


def initialise(network: nn.Module, start: Weights, kind: str) -> None:
    """Load trained weights into a network. The image size may differ; every tensor must fit.

    Layers that the weights do not have keep their random initialisation: the last layer of a classifier if only the
    trunk is given, the person directions of ``train identity``.

    Raises:
        InputError: tensors do not fit; it names the differences.
    """
    entry = KINDS[kind]
    part = entry.start if start.kind == kind else entry.trunks[start.kind]
    load_strictly(network.get_submodule(part), start.tensors, start.path)


def generator_file(where: Path, kind: str) -> Path:
    """The weights file of a generator: ``where``, or ``KIND.safetensors`` in a folder without ``model.safetensors``."""
    named = where / f"{kind}.safetensors"
    return named if named.is_file() and not (where / MODEL_FILE).is_file() else where


def trained(name: str, where: Path | None) -> dict[str, Tensor] | None:
    """Tensors of another network of a run, e.g. its discriminator.

    They are read from the newest state of a run folder, or from a weights folder. They are not compared with a network.

    Args:
        name: of the network.
        where: run folder or weights folder; a file or None has no other networks.

    Returns:
        The tensors; None if there are none.

    Raises:
        InputError: the file is corrupt.
    """
    if where is None or not where.is_dir():
        return None
    states = RunFolder(where).states
    path = (states[-1] if states else where) / f"{name}.safetensors"
    return load_foreign(path, f"tensors of a {name}") if path.is_file() else None
