"""Self-describing weights: a safetensors file that carries what is needed to build its network.

The header's ``maskgan`` entry is a JSON document ``{"kind": ..., "config": {...}, ...}``, so that
``--weights runs/dmn-256`` or ``--weights file.safetensors`` is all a user gives.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from maskgan_cli import __version__
from maskgan_cli.errors import InputError
from maskgan_cli.files import sha256, unreadable, write_bytes
from maskgan_cli.kinds import Kind
from maskgan_cli.networks import KINDS, canonical, resolve
from maskgan_cli.weights.card import write_card

MODEL_FILE = "model.safetensors"

Network = TypeVar("Network", bound=nn.Module)
Shapes = Mapping[str, tuple[int, ...]]

# Numbers that weights may be stored in; they become the network's own type.
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


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
    description = {"kind": canonical(kind), "config": dict(config), "version": __version__, **about}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    path = write_bytes(path, save(tensors, metadata={"maskgan": json.dumps(description, sort_keys=True)}))
    write_card(path, description, sha256=sha256(path), count=sum(tensor.numel() for tensor in tensors.values()))
    return path


def read_weights(where: str | Path, kind: str) -> Weights:
    """Read a weights file, or the ``model.safetensors`` of a run folder.

    Raises:
        InputError: missing, damaged, of another kind, or without a description.
    """
    path, kind = _file_of(where), canonical(kind)
    with _opened(path, f"{kind} weights") as file:
        about = described(path, _header(file), f"{kind} weights written by maskgan")
        if (found := about.pop("kind")) != kind:
            raise InputError(path, expected=f"{kind} weights", found=f"{found[:40]} weights")
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    return Weights(path, kind, about.pop("config"), about, tensors, sha256(path))


def kind_of(where: str | Path) -> str:
    """The kind of a weights file or run folder.

    Raises:
        InputError: missing, damaged, or without a description.
    """
    path = _file_of(where)
    with _opened(path, "weights written by maskgan") as file:
        return str(described(path, _header(file), "weights written by maskgan")["kind"])


def published_sha256(where: str | Path) -> str:
    """The SHA-256 of the published file that a weights file was imported from; of any other file, its own."""
    path = _file_of(where)
    if path.suffix == ".safetensors":
        with contextlib.suppress(InputError, KeyError, TypeError), _opened(path, "weights") as file:
            return str(described(path, _header(file), "weights written by maskgan")["source"]["sha256"])
    return sha256(path)


@contextlib.contextmanager
def _opened(path: Path, expected: str) -> Iterator[Any]:
    """A safetensors file, open; what the library cannot read in it is an InputError."""
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except (InputError, KeyError, TypeError):
        raise
    except Exception as error:  # besides its own error, the library raises what torch raises for types it lacks
        known = isinstance(error, OSError | SafetensorError)
        why = error if known else ValueError("tensors of a type that cannot be read")
        raise unreadable(path, why, expected) from error


def _header(file: Any) -> str | None:
    """A safetensors file's entry ``maskgan``, if it has one."""
    header: str | None = (file.metadata() or {}).get("maskgan")
    return header


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


def described(path: Path, header: str | None, expected: str) -> dict[str, Any]:
    """What a file says of itself in its entry ``maskgan``: ``kind`` (by its name today) and ``config`` at least.

    Raises:
        InputError: nothing, or nothing of ours.
    """
    if header is None:
        raise InputError(path, expected=expected, found="a file that names no network")
    try:
        description = json.loads(header)
    except (ValueError, RecursionError):
        description = None
    if not isinstance(description, dict):
        raise InputError(path, expected=expected, found="a description that is none of ours")
    for name, kind in (("kind", str), ("config", dict)):
        if not isinstance(description.get(name), kind):
            raise InputError(path, expected=expected, found=f"a description without {name}")
    return {**description, "kind": canonical(description["kind"])}


def load(kind: str, where: str | Path, device: torch.device) -> tuple[Any, Weights]:
    """The network of a weights file or run folder, ready for inference.

    It is built without memory first; only a file whose tensors are the network's fills it.

    Args:
        kind: what it must hold, see `maskgan_cli.networks`.
        where: the file or folder.
        device: where it goes.

    Raises:
        InputError: see `read_weights` and `load_strictly`; settings that no such network has.
    """
    weights = read_weights(where, kind)
    try:
        network = build(KINDS[weights.kind], weights.config)
    except ValueError as error:
        raise InputError(weights.path, expected=f"the settings of a {weights.kind}", found=str(error)) from error
    load_strictly(network, weights.tensors, weights.path)
    return network.to(device).to(memory_format=torch.channels_last).eval().requires_grad_(False), weights


def build(kind: Kind, config: Mapping[str, Any]) -> nn.Module:
    """The network that settings describe, on the meta device: nothing is allocated.

    Raises:
        ValueError: a setting that is unknown, of another type or out of range.
    """
    make = resolve(kind.network)
    if not kind.config and config:
        raise ValueError(f"no settings, not {', '.join(config)[:40]}")
    settings = (settings_of(kind, config),) if kind.config else ()
    with torch.device("meta"), _WithoutNormal():
        network: nn.Module = make(*settings)
    return network


class _WithoutNormal(TorchFunctionMode):
    """Skips normal initialisation: on the meta device it does nothing but import PyTorch's compiler, in two seconds."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """See `torch.overrides`."""
        given = {"tensor": args[0] if args else None, **(kwargs or {})}
        return given["tensor"] if func in (Tensor.normal_, nn.init.normal_) else func(*args, **(kwargs or {}))


def settings_of(kind: Kind, config: Mapping[str, Any]) -> Any:
    """A configuration of a kind; read as JSON, where a list stands for a tuple, and strictly: "64" is no number.

    Raises:
        ValueError: a setting that is unknown, of another type or out of range.
    """
    try:
        return TypeAdapter(resolve(kind.config)).validate_json(json.dumps(config), strict=True)
    except RecursionError as error:
        raise ValueError("settings within settings without end") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])[:40]
        message = first["msg"].removeprefix("Value error, ")
        raise ValueError(f"{where}: {message}" if where else message) from error


def load_strictly(network: Network, tensors: Mapping[str, Tensor], source: str | Path) -> Network:
    """Load every tensor into the network, none missing, none over, all of the right shape and type, and finite.

    A network on the meta device takes the tensors themselves, any other one copies them.

    Raises:
        InputError: naming the differences.
    """
    expected = network.state_dict()
    if different := differences(shapes_of(expected), shapes_of(tensors)) or unfit(expected, tensors):
        raise InputError(source, expected=f"the tensors of {type(network).__name__}", found=different)
    empty = any(tensor.is_meta for tensor in expected.values())
    network.load_state_dict({n: tensors[n].to(tensor.dtype) for n, tensor in expected.items()}, assign=empty)
    return network


def unfit(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> str:
    """Which tensor of ``found``, whose shapes are right, is of a wrong type or not finite; empty if none is."""
    for name, tensor in expected.items():
        other = found[name]
        if other.dtype not in (_FLOATS if tensor.is_floating_point() else (tensor.dtype,)):
            return f"{name} of type {_name(other)} instead of {_name(tensor)}"
        if other.is_floating_point() and not bool(torch.isfinite(other).all()):
            return f"NaN or infinity in {name}"
    return ""


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


def _name(tensor: Tensor) -> str:
    """The name of a tensor's type: ``float32``."""
    return str(tensor.dtype).removeprefix("torch.")
