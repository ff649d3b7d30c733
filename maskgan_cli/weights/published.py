"""Networks straight from published checkpoints, without `maskgan weights import` before."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import torch

from maskgan_cli.files import sha256
from maskgan_cli.networks import KINDS, canonical
from maskgan_cli.weights.convert import convert
from maskgan_cli.weights.format import Weights, load

SUFFIXES: Final = (".pt", ".pth", ".pkl", ".bin", ".ckpt")  # what torch.save's files are called


def load_any(kind: str, where: str | Path, device: torch.device) -> tuple[Any, Weights]:
    """The network of our weights file or run folder, or of a published checkpoint in its own layout.

    Args:
        kind: what it must hold, see `maskgan_cli.networks`.
        where: the file or folder; a checkpoint is told by its suffix.
        device: where the network is put, ready for inference.

    Raises:
        InputError: missing, damaged, or of another kind.
    """
    path = Path(where)
    if path.is_dir() or path.suffix not in SUFFIXES:
        return load(kind, where, device)
    converted = convert(KINDS[canonical(kind)], path, {})
    network = converted.network.to(device).to(memory_format=torch.channels_last).eval().requires_grad_(False)
    return network, Weights(path, canonical(kind), dict(converted.settings), {}, {}, sha256(path))
