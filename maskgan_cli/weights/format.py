"""Self-describing weights: a safetensors file that carries what is needed to build its network.

The header's ``maskgan`` entry is a JSON document ``{"kind": ..., "config": {...}, ...}``, so that
``--weights runs/dmn-256`` or ``--weights file.safetensors`` is all a user gives.
"""

from __future__ import annotations

import contextlib
import json
import pickle
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
from maskgan_cli.models.perceptual import PAST_RELU5_1, VGG19Features
from maskgan_cli.weights.card import write_card

MODEL_FILE = "model.safetensors"

Network = TypeVar("Network", bound=nn.Module)
Shapes = Mapping[str, tuple[int, ...]]

# Under these names foreign training scripts keep a network's tensors inside a larger checkpoint.
_WRAPPERS = ("state_dict", "model_state_dict", "model", "network", "net", "params", "weights")


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
    """Write a network's tensors and its description atomically, and beside them the model card (``.md``)."""
    description = {"kind": kind, "config": dict(config), "version": __version__, **about}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    path = write_bytes(path, save(tensors, metadata={"maskgan": json.dumps(description, sort_keys=True)}))
    write_card(path, description, sha256=sha256(path), count=sum(tensor.numel() for tensor in tensors.values()))
    return path


def read_weights(where: str | Path, kind: str) -> Weights:
    """Read a weights file, or the ``model.safetensors`` of a run folder.

    Raises:
        InputError: missing, damaged, of another kind, or without a description.
    """
    path = _file_of(where)
    try:
        with safe_open(path, framework="pt") as file:
            about = _description(path, file.metadata(), kind)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (OSError, SafetensorError) as error:
        raise unreadable(path, error, f"{kind} weights") from error
    if (found := about.pop("kind")) != kind:
        raise InputError(path, expected=f"{kind} weights", found=f"{found} weights")
    return Weights(path, kind, about.pop("config"), about, tensors, sha256(path))


def kind_of(where: str | Path) -> str:
    """The kind of a weights file or run folder.

    Raises:
        InputError: missing, damaged, or without a description.
    """
    path = _file_of(where)
    try:
        with safe_open(path, framework="pt") as file:
            return str(_description(path, file.metadata(), "a network's")["kind"])
    except (OSError, SafetensorError) as error:
        raise unreadable(path, error, "weights written by maskgan") from error


def published_sha256(where: str | Path) -> str:
    """The SHA-256 of the published file that a weights file was imported from; of any other file, its own."""
    path = _file_of(where)
    if path.suffix == ".safetensors":
        with contextlib.suppress(OSError, SafetensorError, InputError, KeyError), safe_open(path, "pt") as file:
            return str(_description(path, file.metadata(), "any")["source"]["sha256"])
    return sha256(path)


def _file_of(where: str | Path) -> Path:
    """A weights file itself, or that of a run folder."""
    path = Path(where)
    if path.is_dir():
        path = path / MODEL_FILE
        if not path.exists():
            raise InputError(
                where, expected=f"a run folder with {MODEL_FILE}", found="a folder without it",
                hint="train longer (the file appears with the first checkpoint) or give another --weights",
            )  # fmt: skip
    return path


def _description(path: Path, metadata: Mapping[str, str] | None, kind: str) -> dict[str, Any]:
    """What a weights file says of itself."""
    header = (metadata or {}).get("maskgan")
    if header is None:
        raise InputError(
            path,
            expected=f"{kind} weights written by maskgan",
            found="a safetensors file that names no network",
        )
    description: dict[str, Any] = json.loads(header)
    return description


def load_strictly(network: Network, tensors: Mapping[str, Tensor], source: str | Path) -> Network:
    """Load every tensor into the network, none missing, none over, all of the right shape.

    Raises:
        InputError: naming the differences.
    """
    if different := differences(shapes_of(network.state_dict()), shapes_of(tensors)):
        raise InputError(source, expected=f"the tensors of {type(network).__name__}", found=different)
    network.load_state_dict(dict(tensors))
    return network


def shapes_of(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    """Name -> shape of a state dict."""
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def differences(expected: Shapes, found: Shapes) -> str:
    """What ``found`` lacks, has over or has of another shape, in a few words; empty if nothing."""
    groups = {
        "missing ": [name for name in expected if name not in found],
        "extra ": [name for name in found if name not in expected],
        "": [
            f"{name} of shape {found[name]} instead of {shape}"
            for name, shape in expected.items()
            if found.get(name, shape) != shape
        ],
    }
    return "; ".join(
        label + ", ".join(names[:3]) + (f" and {len(names) - 3} more" if names[3:] else "")
        for label, names in groups.items()
        if names
    )


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


def load_vgg19(path: str | Path, *, normalise: bool) -> VGG19Features:
    """VGG-19 up to relu5_1 from a file in torchvision's layout, which may go on after it.

    Raises:
        InputError: see `load_foreign` and `load_strictly`.
    """
    tensors = load_foreign(path, "VGG-19 weights in torchvision's layout")
    used = {name: tensor for name, tensor in tensors.items() if not PAST_RELU5_1.match(name)}
    return load_strictly(VGG19Features(normalise=normalise), used, path)


def load_foreign(path: str | Path, expected: str) -> dict[str, Tensor]:
    """A state dict from a foreign file: ``.safetensors``, or a ``torch.save`` file read without code.

    A state dict inside a larger checkpoint is taken out of it, and ``module.`` before every name
    (``DataParallel``'s) is dropped.

    Raises:
        InputError: missing, damaged, or without a state dict.
    """
    path = Path(path)
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, framework="pt") as file:
                loaded: Any = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        else:
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise InputError(
            path, expected=expected, found="no file of tensors alone, or a damaged one",
            hint="only files that run no code are read: save the network's state_dict() with torch.save",
        ) from error  # fmt: skip
    except OSError as error:
        raise unreadable(path, error, expected) from error
    except Exception as error:  # torch.load names no common base for what a damaged file raises
        raise InputError(path, expected=expected, found="a damaged file, or one of another kind") from error
    while isinstance(loaded, dict) and (inner := next((w for w in _WRAPPERS if _is_dict(loaded.get(w))), None)):
        loaded = loaded[inner]
    if not _is_dict(loaded) or not all(isinstance(value, Tensor) for value in loaded.values()):
        raise InputError(path, expected=expected, found="a file that is no plain state dict")
    if all(name.startswith("module.") for name in loaded):
        loaded = {name.removeprefix("module."): tensor for name, tensor in loaded.items()}
    return dict(loaded)


def _is_dict(value: object) -> bool:
    return isinstance(value, dict) and bool(value) and all(isinstance(name, str) for name in value)
