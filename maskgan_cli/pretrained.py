"""Self-describing weights: a safetensors file that carries what is needed to build its network.

The header's ``maskgan`` entry is a JSON document ``{"kind": ..., "config": {...}, ...}``, so that
``--weights runs/dmn-256`` or ``--weights file.safetensors`` is all a user gives.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from maskgan_cli import __version__
from maskgan_cli.errors import InputError
from maskgan_cli.files import sha256, unreadable, write_bytes
from maskgan_cli.models.dmn import DenseMappingNetwork, DMNConfig
from maskgan_cli.models.mask_vae import MaskVAE, MaskVAEConfig

MODEL_FILE = "model.safetensors"

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Weights:
    """A weights file, read.

    Attributes:
        path: the file the tensors came from.
        kind: which network they belong to, e.g. ``dmn``.
        config: the network's shape, as keyword arguments of its configuration.
        about: everything else the file says of itself (recipe, step, data hash, ...).
        tensors: the state dict, on the CPU.
        sha256: of the file, for the results that are made with it.
    """

    path: Path
    kind: str
    config: dict[str, Any]
    about: dict[str, Any]
    tensors: dict[str, Tensor]
    sha256: str


def save_weights(
    path: str | Path, network: nn.Module, *, kind: str, config: Mapping[str, Any], about: Mapping[str, Any]
) -> Path:
    """Write a network's tensors and its description atomically."""
    description = {"kind": kind, "config": dict(config), "version": __version__, **about}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    return write_bytes(path, save(tensors, metadata={"maskgan": json.dumps(description, sort_keys=True)}))


def read_weights(where: str | Path, kind: str) -> Weights:
    """Read a weights file, or the ``model.safetensors`` of a run folder.

    Raises:
        InputError: missing, damaged, of another kind, or without a description.
    """
    path = Path(where)
    if path.is_dir():
        path = path / MODEL_FILE
        if not path.exists():
            raise InputError(
                where, expected=f"a run folder with {MODEL_FILE}", found="a folder without it",
                hint="train longer (the file appears with the first checkpoint) or give another --weights",
            )  # fmt: skip
    try:
        with safe_open(path, framework="pt") as file:
            header = (file.metadata() or {}).get("maskgan")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (OSError, SafetensorError) as error:
        raise unreadable(path, error, f"{kind} weights") from error
    if header is None:
        raise InputError(
            path,
            expected=f"{kind} weights written by maskgan",
            found="a safetensors file that names no network",
        )
    about = json.loads(header)
    if (found := about.pop("kind")) != kind:
        raise InputError(path, expected=f"{kind} weights", found=f"{found} weights")
    return Weights(path, kind, about.pop("config"), about, tensors, sha256(path))


def load_strictly(network: Network, tensors: Mapping[str, Tensor], source: str | Path) -> Network:
    """Load every tensor into the network, none missing, none over, all of the right shape.

    Raises:
        InputError: naming the differences.
    """
    ours = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    theirs = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    differences = [f"missing {name}" for name in ours if name not in theirs]
    differences += [f"extra {name}" for name in theirs if name not in ours]
    differences += [
        f"{name} of shape {theirs[name]} instead of {shape}"
        for name, shape in ours.items()
        if theirs.get(name, shape) != shape
    ]
    if differences:
        shown = ", ".join(differences[:4]) + (f" and {len(differences) - 4} more" if differences[4:] else "")
        raise InputError(source, expected=f"the tensors of {type(network).__name__}", found=shown)
    network.load_state_dict(dict(tensors))
    return network


def bundled(kind: str) -> Path | None:
    """The weights of a kind that come with the package, if any do."""
    path = Path(__file__).parent / "assets" / f"{kind}.safetensors"
    return path if path.is_file() else None


def find_weights(given: Path | None, kind: str, option: str = "--weights") -> Path:
    """``--weights`` if given, else the bundled ones.

    Args:
        given: what the user named, by option or environment.
        kind: e.g. ``dmn``.
        option: the option's name, for the error message.

    Raises:
        InputError: none given and none bundled.
    """
    path = given or bundled(kind)
    if path is None:
        raise InputError(
            option, expected="a run folder or a .safetensors file", found="none",
            hint=f"train one with `maskgan train {kind} DATA -o runs/{kind}`",
        )  # fmt: skip
    return path


def load_dmn(where: str | Path, device: torch.device) -> tuple[DenseMappingNetwork, Weights]:
    """The Dense Mapping Network of a weights file or run folder, ready for inference.

    Raises:
        InputError: see `read_weights` and `load_strictly`.
    """
    return load_network(where, "dmn", lambda config: DenseMappingNetwork(DMNConfig(**config)), device)


def load_vae(where: str | Path, device: torch.device) -> tuple[MaskVAE, Weights]:
    """The MaskVAE of a weights file or run folder, ready for inference.

    Raises:
        InputError: see `read_weights` and `load_strictly`.
    """
    return load_network(where, "vae", lambda config: MaskVAE(MaskVAEConfig(**config)), device)


def load_network(
    where: str | Path, kind: str, build: Callable[[dict[str, Any]], Network], device: torch.device
) -> tuple[Network, Weights]:
    """The network of a weights file or run folder, ready for inference.

    Args:
        where: the file or folder.
        kind: what it must hold.
        build: makes the network from the file's ``config``; TypeError or ValueError mean bad settings.
        device: where it goes.

    Raises:
        InputError: see `read_weights` and `load_strictly`.
    """
    weights = read_weights(where, kind)
    try:
        network = build(weights.config)
    except (TypeError, ValueError) as error:
        raise InputError(weights.path, expected=f"the settings of a {kind}", found=str(error)) from error
    load_strictly(network, weights.tensors, weights.path)
    return network.to(device).to(memory_format=torch.channels_last).eval().requires_grad_(False), weights


def load_foreign(path: str | Path, expected: str) -> dict[str, Tensor]:
    """A state dict from a foreign file: ``.safetensors``, or a ``torch.save`` file read without code.

    Raises:
        InputError: missing, damaged, or holding anything but tensors.
    """
    path = Path(path)
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, framework="pt") as file:
                return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch.load names no common base for what a damaged file raises
        raise unreadable(path, error, expected) from error
    if not isinstance(loaded, dict) or not all(isinstance(value, Tensor) for value in loaded.values()):
        raise InputError(path, expected=expected, found="a file that is no plain state dict")
    return loaded
