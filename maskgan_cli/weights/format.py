"""Self-describing weights: safetensors files that contain the kind and the settings of their network.

The entry ``maskgan`` of the header is a JSON document ``{"kind": ..., "config": {...}, ...}``, so ``--weights
runs/dmn-256`` or ``--weights file.safetensors`` is enough to build the network.
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

# Types in which weights may be stored; they are converted to the network's type.
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


@dataclass(frozen=True)
class Weights:
    """The content of a weights file.

    Attributes:
        path: the file.
        kind: the kind of network, e.g. ``dmn``.
        config: settings of the architecture, as keyword arguments of its configuration.
        about: the other entries of the file's description of the network (recipe, step, data hash, ...).
        tensors: the network's state dict, on the CPU.
        sha256: SHA-256 of the file, which is recorded in results.
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
    """Write a network's weights file atomically, and its model card (``.md``) beside the file.

    Args:
        path: the ``.safetensors`` file to write; an existing file is replaced.
        network: the network whose state dict is written.
        kind: the kind of network, e.g. ``dmn``.
        config: settings of the architecture, as keyword arguments of the kind's configuration.
        about: other entries of the description in the file (recipe, step, data hash, ...).

    Returns:
        The path of the weights file.
    """
    description = {"kind": canonical(kind), "config": dict(config), "version": __version__, **about}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    path = write_bytes(path, save(tensors, metadata={"maskgan": json.dumps(description, sort_keys=True)}))
    write_card(path, description, sha256=sha256(path), count=sum(tensor.numel() for tensor in tensors.values()))
    return path


def read_weights(where: str | Path, kind: str) -> Weights:
    """Read a weights file, or the ``model.safetensors`` of a run folder, and return its content.

    Args:
        where: the file or folder.
        kind: the expected kind of network, e.g. ``dmn``.

    Raises:
        InputError: the file is missing, damaged, of another kind, or has no description.
    """
    path, kind = _file_of(where), canonical(kind)
    with _opened(path, f"{kind} weights") as file:
        about = described(path, _header(file), f"{kind} weights written by maskgan")
        if (found := about.pop("kind")) != kind:
            raise InputError(path, expected=f"{kind} weights", found=f"{found[:40]} weights")
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    return Weights(path, kind, about.pop("config"), about, tensors, sha256(path))


def kind_of(where: str | Path) -> str:
    """Return the kind of network (e.g. ``dmn``) in a weights file or run folder.

    Raises:
        InputError: the file is missing, damaged, or has no description.
    """
    path = _file_of(where)
    with _opened(path, "weights written by maskgan") as file:
        return str(described(path, _header(file), "weights written by maskgan")["kind"])


def published_sha256(where: str | Path) -> str:
    """Return the SHA-256 of the published checkpoint from which a weights file was imported.

    If the weights were not imported, return the SHA-256 of the weights file. ``where`` is the file or a run folder.
    """
    path = _file_of(where)
    if path.suffix == ".safetensors":
        with contextlib.suppress(InputError, KeyError, TypeError), _opened(path, "weights") as file:
            return str(described(path, _header(file), "weights written by maskgan")["source"]["sha256"])
    return sha256(path)


@contextlib.contextmanager
def _opened(path: Path, expected: str) -> Iterator[Any]:
    """Context manager that opens a safetensors file and yields the open file.

    Errors that the safetensors library raises inside its block are converted to an InputError. ``expected`` describes
    the expected file for the message.
    """
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except (InputError, KeyError, TypeError):
        raise
    except Exception as error:  # the library also passes on torch's errors for unsupported types
        known = isinstance(error, OSError | SafetensorError)
        reason = error if known else ValueError("tensors of a type that cannot be read")
        raise unreadable(path, reason, expected) from error


def _header(file: Any) -> str | None:
    """Return the entry ``maskgan`` in the header of an open safetensors file; None if it is missing."""
    header: str | None = (file.metadata() or {}).get("maskgan")
    return header


def _file_of(where: str | Path) -> Path:
    """Return the path ``where`` of a weights file; if it is a run folder, return the path of its ``model.safetensors``.

    Raises:
        InputError: the folder has no such file.
    """
    path = Path(where)
    if path.is_dir():
        path = path / MODEL_FILE
        if not path.exists():
            raise InputError(
                where,
                expected=f"a run folder with {MODEL_FILE}",
                found="a folder without it",
                hint="train longer (the first checkpoint writes the file) or give another --weights",
            )
    return path


def described(path: Path, header: str | None, expected: str) -> dict[str, Any]:
    """Parse and check the description of a network, the JSON text that a weights or ONNX file contains.

    Args:
        path: the file, for error messages.
        header: the entry ``maskgan`` of the file; None if it is missing.
        expected: description of the expected file, for error messages.

    Returns:
        The description as a dict with at least the keys ``kind`` (the current name of the kind of network) and
        ``config`` (the settings of the architecture).

    Raises:
        InputError: the entry is missing or not valid.
    """
    if header is None:
        raise InputError(path, expected=expected, found="a file without a description of its network")
    try:
        description = json.loads(header)
    except (ValueError, RecursionError):
        description = None
    if not isinstance(description, dict):
        raise InputError(path, expected=expected, found="a description of another format")
    for name, kind in (("kind", str), ("config", dict)):
        if not isinstance(description.get(name), kind):
            raise InputError(path, expected=expected, found=f"a description without {name}")
    return {**description, "kind": canonical(description["kind"])}


def load(kind: str, where: str | Path, device: torch.device) -> tuple[Any, Weights]:
    """Load the network of a weights file or run folder for inference.

    The network is first built on the meta device, which allocates no memory, so that a file with wrong settings cannot
    allocate much memory.

    Args:
        kind: the expected kind, see `maskgan_cli.networks`.
        where: the file or folder.
        device: the device of the network.

    Returns:
        The network in evaluation mode on the device, and the content of the file.

    Raises:
        InputError: see `read_weights` and `load_strictly`; or the settings are not valid.
    """
    weights = read_weights(where, kind)
    try:
        network = build(KINDS[weights.kind], weights.config)
    except ValueError as error:
        raise InputError(weights.path, expected=f"the settings of a {weights.kind}", found=str(error)) from error
    load_strictly(network, weights.tensors, weights.path)
    return network.to(device).to(memory_format=torch.channels_last).eval().requires_grad_(False), weights


def build(kind: Kind, config: Mapping[str, Any]) -> nn.Module:
    """Return a network with the given settings on the meta device, which allocates no memory for tensors.

    Args:
        kind: registry entry of the kind of network.
        config: settings of the architecture, as in a weights file.

    Raises:
        ValueError: a setting is unknown, of another type or out of range.
    """
    make = resolve(kind.network)
    if not kind.config and config:
        raise ValueError(f"no settings, not {', '.join(config)[:40]}")
    settings = (settings_of(kind, config),) if kind.config else ()
    with torch.device("meta"), _WithoutNormal():
        network: nn.Module = make(*settings)
    return network


class _WithoutNormal(TorchFunctionMode):
    """Context manager that skips the random normal initialisation of tensors inside its block.

    On the meta device, this initialisation has no effect but takes two seconds.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call the PyTorch function ``func``; for ``normal_``, return the tensor to initialise unchanged instead.

        PyTorch calls this method for every function call inside the block, see `torch.overrides`.
        """
        given = {"tensor": args[0] if args else None, **(kwargs or {})}
        return given["tensor"] if func in (Tensor.normal_, nn.init.normal_) else func(*args, **(kwargs or {}))


def settings_of(kind: Kind, config: Mapping[str, Any]) -> Any:
    """Create the configuration object of a kind of network, e.g. a `DMNConfig`, from the settings in a weights file.

    The values must have the types of the configuration; only lists are converted to tuples.

    Raises:
        ValueError: a setting is unknown, of another type or out of range.
    """
    try:
        return TypeAdapter(resolve(kind.config)).validate_json(json.dumps(config), strict=True)
    except RecursionError as error:
        raise ValueError("settings are nested too deeply") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])[:40]
        message = first["msg"].removeprefix("Value error, ")
        raise ValueError(f"{where}: {message}" if where else message) from error


def load_strictly(network: Network, tensors: Mapping[str, Tensor], source: str | Path) -> Network:
    """Load a state dict into a network, and return the network.

    If the network is on the meta device, its parameters are replaced by ``tensors``; otherwise the values are copied.

    Args:
        network: the network.
        tensors: the state dict.
        source: file from which the tensors were read, for error messages.

    Raises:
        InputError: tensors are missing, unexpected, of another shape or type, or not finite; the message names them.
    """
    expected = network.state_dict()
    if different := differences(shapes_of(expected), shapes_of(tensors)) or unfit(expected, tensors):
        raise InputError(source, expected=f"the tensors of {type(network).__name__}", found=different)
    empty = any(tensor.is_meta for tensor in expected.values())
    network.load_state_dict({n: tensors[n].to(tensor.dtype) for n, tensor in expected.items()}, assign=empty)
    return network


def unfit(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> str:
    """Return a message about the first tensor with a wrong type, NaN or infinity; an empty string if there is none.

    Args:
        expected: state dict with tensors of the right types.
        found: state dict to check, with the same names and shapes. Floating-point tensors may have another
            floating-point type.
    """
    for name, tensor in expected.items():
        other = found[name]
        if other.dtype not in (_FLOATS if tensor.is_floating_point() else (tensor.dtype,)):
            return f"{name} of type {_name(other)} instead of {_name(tensor)}"
        if other.is_floating_point() and not bool(torch.isfinite(other).all()):
            return f"NaN or infinity in {name}"
    return ""


def shapes_of(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    """Return a dict from the name of each tensor in a state dict to its shape."""
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def differences(expected: Shapes, found: Shapes) -> str:
    """Compare the names and shapes of two state dicts (tensor name -> shape).

    Returns:
        A message with the names of the tensors that ``found`` lacks, that only ``found`` has, and that have another
        shape in ``found``; an empty string if there are no differences.
    """
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
    """Return the name of a tensor's type, e.g. ``float32``."""
    return str(tensor.dtype).removeprefix("torch.")
