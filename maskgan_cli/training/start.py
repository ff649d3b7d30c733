"""Begin with trained weights: ``--start-from``."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from maskgan_cli.networks import KINDS
from maskgan_cli.training.checkpoint import RunFolder
from maskgan_cli.weights.foreign import load_foreign
from maskgan_cli.weights.format import MODEL_FILE, Weights, kind_of, load_strictly, read_weights


def read_start(where: Path, kind: str) -> Weights:
    """Weights of the network that will be trained, or of a trunk that its kind may begin with.

    Raises:
        InputError: no such weights, or of another kind.
    """
    where, trunks = generator_file(where, kind), KINDS[kind].trunks
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


def generator_file(where: Path, kind: str) -> Path:
    """The file of a generator: ``where`` itself, or in a folder ``model.safetensors``, or else ``KIND.safetensors``."""
    named = where / f"{kind}.safetensors"
    return named if named.is_file() and not (where / MODEL_FILE).is_file() else where


def trained(name: str, where: Path | None) -> dict[str, Tensor] | None:
    """The discriminator, say, that a run's newest state holds, or that lies in a folder beside the generator.

    Returns:
        Its tensors, not yet compared with a network; None if there is none.

    Raises:
        InputError: the file is damaged.
    """
    if where is None or not where.is_dir():
        return None
    states = RunFolder(where).states
    path = (states[-1] if states else where) / f"{name}.safetensors"
    return load_foreign(path, f"tensors of a {name}") if path.is_file() else None
