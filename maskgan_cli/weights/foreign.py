"""State dicts that others have saved: read without running code, and without believing what they say of their size."""

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

# Under these names foreign training scripts keep a network's tensors inside a larger checkpoint.
_WRAPPERS = (
    "state_dict", "state_dict_backbone", "model_state_dict", "backbone", "model", "network", "net", "params", "weights",
)  # fmt: skip
_DEPTH = 8  # how often a state dict may be wrapped


def load_vgg19(path: str | Path, *, normalise: bool) -> VGG19Features:
    """VGG-19 up to relu5_1 from a file in torchvision's layout, which may go on after it.

    Raises:
        InputError: see `load_foreign` and `load_strictly`.
    """
    tensors = load_foreign(path, "VGG-19 weights in torchvision's layout")
    used = {name: tensor for name, tensor in tensors.items() if not PAST_RELU5_1.match(name)}
    return load_strictly(VGG19Features(normalise=normalise), used, path)


def load_foreign(path: str | Path, expected: str, say: Callable[[str], None] = lambda _: None) -> dict[str, Tensor]:
    """A state dict from a foreign file: ``.safetensors``, or a ``torch.save`` file read without code.

    A state dict inside a larger checkpoint is taken out of it, and ``module.`` before every name
    (``DataParallel``'s) is dropped; ``say`` is told both.

    Raises:
        InputError: missing, damaged, without a state dict, or with tensors that are larger than the file.
    """
    path = Path(path)
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, framework="pt") as file:
                loaded: Any = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        else:
            _refuse_inflating(path, expected)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of kinds of tensors that are refused below
                loaded = torch.load(path, map_location="cpu", weights_only=True)
    except InputError:
        raise
    except pickle.UnpicklingError as error:
        raise InputError(
            path, expected=expected, found="no file of tensors alone, or a damaged one",
            hint="only files that run no code are read: save the network's state_dict() with torch.save",
        ) from error  # fmt: skip
    except OSError as error:
        raise unreadable(path, error, expected) from error
    except Exception as error:  # torch.load names no common base for what a damaged file raises
        raise InputError(path, expected=expected, found="a damaged file, or one of another kind") from error
    for _ in range(_DEPTH):
        inner = next((w for w in _WRAPPERS if _is_dict(loaded.get(w))), None) if isinstance(loaded, dict) else None
        if inner is None:
            break
        say(f"{path}: the tensors are those of its entry {inner!r}")
        loaded = loaded[inner]
    if not _is_dict(loaded) or not all(isinstance(value, Tensor) for value in loaded.values()):
        raise InputError(path, expected=expected, found="a file that is no plain state dict")
    _refuse_expanding(path, loaded, expected)
    if all(name.startswith("module.") for name in loaded):
        say(f"{path}: the prefix 'module.' was taken off the tensors' names")
        loaded = {name.removeprefix("module."): tensor for name, tensor in loaded.items()}
    return dict(loaded)


def _refuse_inflating(path: Path, expected: str) -> None:
    """Refuse the two ways in which torch.load itself would take memory at a small file's word.

    torch.save compresses nothing, so an archive that holds more than its own size is none of its files; and a
    ``bytearray`` is the one thing besides tensors that it makes of any length.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            held = sum(entry.file_size for entry in archive.infolist())
        if held > path.stat().st_size:
            raise InputError(path, expected=expected, found=f"an archive that unpacks to {held / 1e9:.1f} GB")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content.find(b"bytearray") >= 0:
            raise InputError(path, expected=expected, found="more than tensors (a bytearray, of any length)")


def _refuse_expanding(path: Path, tensors: dict[str, Tensor], expected: str) -> None:
    """A tensor may repeat one stored number for ever; together they are to be no larger than the file."""
    for name, tensor in tensors.items():
        if tensor.layout is not torch.strided or tensor.is_quantized or tensor.device.type != "cpu":
            raise InputError(path, expected=expected, found=f"{name}, which is no plain tensor")
    held = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    size = path.stat().st_size
    if held > 2 * size:  # two names for one tensor are common
        raise InputError(path, expected=expected, found=f"tensors of {held / 1e9:.1f} GB in a file of {size:,} bytes")


def _is_dict(value: object) -> bool:
    return isinstance(value, dict) and bool(value) and all(isinstance(name, str) for name in value)
