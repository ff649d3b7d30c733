"""Loads networks directly from checkpoints that others have published, without `maskgan weights import`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import torch

from maskgan_cli.files import sha256
from maskgan_cli.networks import KINDS, canonical
from maskgan_cli.weights.convert import convert
from maskgan_cli.weights.format import Weights, load

SUFFIXES: Final = (".pt", ".pth", ".pkl", ".bin", ".ckpt")  # common suffixes of torch.save's files


def load_any(kind: str, where: str | Path, device: torch.device) -> tuple[Any, Weights]:
    """Load a network for inference from a weights file, a run folder, or a published checkpoint.

    Args:
        kind: the expected kind, see `maskgan_cli.networks`.
        where: the file or folder; published checkpoints are recognised by their suffix.
        device: the device of the network.

    Returns:
        The network in evaluation mode, and the content of the file. For a published checkpoint, this content has the
        settings and the hash of the file, but no tensors.

    Raises:
        InputError: the file is missing, damaged, or of another kind.
    """
    path = Path(where)
    if path.is_dir() or path.suffix not in SUFFIXES:
        return load(kind, where, device)
    converted = convert(KINDS[canonical(kind)], path, {})
    network = converted.network.to(device).to(memory_format=torch.channels_last).eval().requires_grad_(False)
    return network, Weights(path, canonical(kind), dict(converted.settings), {}, {}, sha256(path))
