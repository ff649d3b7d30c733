"""Safe reading of state dicts of other projects: no code is run, and size claims in files are never trusted."""

from __future__ import annotations

import mmap
import pickle
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

from maskgan_cli.errors import InputError
from maskgan_cli.files import unreadable
from maskgan_cli.models.perceptual import PAST_RELU5_1, VGG19Features
from maskgan_cli.weights.format import load_strictly

# Keys under which training scripts store the state dict of a network in a checkpoint.
_WRAPPERS = (
    "state_dict",
    "state_dict_backbone",
    "model_state_dict",
    "backbone",
    "model",
    "network",
    "net",
    "params",
    "weights",
)
_DEPTH = 8  # maximum number of nested keys


def load_vgg19(path: str | Path, *, normalise: bool) -> VGG19Features:
    """Return VGG-19 up to the layer relu5_1, with weights from a file with torchvision's tensor names.

    Args:
        path: the file.
        normalise: whether the network normalises images by ImageNet's mean and standard deviation first.

    Raises:
        InputError: see `load_foreign` and `load_strictly`.
    """
    tensors = load_foreign(path, "VGG-19 weights in torchvision's layout")
    used = {name: tensor for name, tensor in tensors.items() if not PAST_RELU5_1.match(name)}
    return load_strictly(VGG19Features(normalise=normalise), used, path)


def load_foreign(path: str | Path, expected: str, say: Callable[[str], None] = lambda _: None) -> dict[str, Tensor]:
    """Read a state dict from a ``.safetensors`` file, or from a ``torch.save`` file without running its code.

    If the file is a larger checkpoint, the state dict is found under one of the usual keys. The prefix ``module.``,
    which ``DataParallel`` adds to tensor names, is removed.

    Args:
        path: the file.
        expected: description of the expected file, for error messages.
        say: function that receives a message if the state dict was found under a key, or if the prefix is removed.

    Raises:
        InputError: the file is missing or damaged, holds no state dict, or its tensors are larger than the file.
    """
    path = Path(path)
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, framework="pt") as file:
                loaded: Any = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        else:
            _check_archive(path, expected)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about types of tensors that raise an error below
                loaded = torch.load(path, map_location="cpu", weights_only=True)
    except InputError:
        raise
    except pickle.UnpicklingError as error:
        raise InputError(
            path,
            expected=expected,
            found="a file with other objects than tensors, or a damaged one",
            hint="files with code are not read: save the network's state_dict() with torch.save",
        ) from error
    except OSError as error:
        raise unreadable(path, error, expected) from error
    except Exception as error:  # the errors of torch.load for damaged files have no common base class
        raise InputError(path, expected=expected, found="a damaged file, or one of another kind") from error
    for _ in range(_DEPTH):
        inner = next((w for w in _WRAPPERS if _is_dict(loaded.get(w))), None) if isinstance(loaded, dict) else None
        if inner is None:
            break
        say(f"{path}: using the tensors of its entry {inner!r}")
        loaded = loaded[inner]
    if not _is_dict(loaded) or not all(isinstance(value, Tensor) for value in loaded.values()):
        raise InputError(path, expected=expected, found="a file without a plain state dict")
    _check_tensors(path, loaded, expected)
    if all(name.startswith("module.") for name in loaded):
        say(f"{path}: removed the prefix 'module.' from the tensor names")
        loaded = {name.removeprefix("module."): tensor for name, tensor in loaded.items()}
    return dict(loaded)


def _check_archive(path: Path, expected: str) -> None:
    """Raise an error for a small file for which torch.load would allocate much memory.

    torch.save does not compress, so a larger unpacked size shows that another program wrote the archive. Files with a
    ``bytearray`` are rejected, because torch.load would create it with any length that the file claims.

    Raises:
        InputError: the file is a compressed archive or contains a ``bytearray``.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > path.stat().st_size:
            raise InputError(path, expected=expected, found=f"an archive that unpacks to {unpacked / 1e9:.1f} GB")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content.find(b"bytearray") >= 0:
            raise InputError(path, expected=expected, found="other objects than tensors (a bytearray of any length)")


def _check_tensors(path: Path, tensors: dict[str, Tensor], expected: str) -> None:
    """Check that the tensors are plain and not larger than the file.

    A small file could otherwise contain a huge tensor that repeats one stored number.

    Raises:
        InputError: a tensor is sparse, quantised or on another device, or the tensors are larger than the file.
    """
    for name, tensor in tensors.items():
        if tensor.layout is not torch.strided or tensor.is_quantized or tensor.device.type != "cpu":
            raise InputError(path, expected=expected, found=f"{name}, which is not a plain tensor")
    total = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    size = path.stat().st_size
    if total > 2 * size:  # two names for one tensor are common
        raise InputError(path, expected=expected, found=f"tensors of {total / 1e9:.1f} GB in a file of {size:,} bytes")


def _is_dict(value: object) -> bool:
    return isinstance(value, dict) and bool(value) and all(isinstance(name, str) for name in value)
