"""Run networks that paint or change pictures, in PyTorch or in onnxruntime.

The classes for PyTorch and for onnxruntime take the same NumPy arrays, in the order of the network's inputs in
`maskgan_cli.weights.export`. An array contains label maps (N, S, S) ``uint8``, pictures (N, S, S, 3) ``uint8``, or
values for each attribute or class (N, attributes or 19) ``float32``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from maskgan_cli.devices import pick_device
from maskgan_cli.errors import InputError
from maskgan_cli.files import sha256
from maskgan_cli.models.layers import to_bytes, to_unit
from maskgan_cli.networks import KINDS, resolve
from maskgan_cli.weights.export import Portable
from maskgan_cli.weights.format import Weights, described, load, settings_of
from maskgan_cli.weights.runtime import available_providers, open_onnx

Bytes = npt.NDArray[np.uint8]
Inputs = Bytes | npt.NDArray[np.float32]


class Painter(Protocol):
    """Interface of the painters: a loaded network that maps arrays to pictures.

    Attributes:
        weights: weights of the network; ``weights.config["image_size"]`` is the side S of all inputs and outputs.
    """

    weights: Weights

    def paint(self, *inputs: Inputs) -> Bytes:
        """Run the network on a batch; return pictures (N, S, S, 3) ``uint8``.

        Args:
            *inputs: label maps, pictures and values, in the order of the network's inputs: see the module's docstring.
        """


def open_painter(kind: str, weights: str | Path, device: str = "auto") -> Painter:
    """Load a network that paints pictures, in PyTorch or from an ONNX file, and return its painter.

    Args:
        kind: kind of network, a key of `networks.KINDS`, e.g. ``dmn``.
        weights: a weights file or run folder, or an ONNX file written by ``maskgan weights export --onnx``.
        device: see `pick_device`; ONNX runs on the CPU, or on CUDA if onnxruntime supports it.

    Raises:
        InputError: the weights or the device do not exist.
    """
    return (ONNXPainter if Path(weights).suffix == ".onnx" else NetworkPainter)(kind, weights, device)


class NetworkPainter:
    """A `Painter` that runs the network in PyTorch. For its arguments see `open_painter`.

    Raises:
        InputError: the weights or the device do not exist.
    """

    def __init__(self, kind: str, weights: str | Path, device: str) -> None:
        self.device = pick_device(device)
        network, self.weights = load(kind, weights, self.device)
        portable: Portable = resolve(KINDS[kind].onnx)
        self.network = portable.wrap(network).to(self.device).eval()

    @torch.inference_mode()
    def paint(self, *inputs: Inputs) -> Bytes:
        """Run the network on a batch; return pictures (N, S, S, 3) ``uint8``. For ``inputs`` see `Painter.paint`."""
        images: Tensor = self.network(*(_read(torch.from_numpy(x).to(self.device)) for x in inputs))
        return to_bytes(images).permute(0, 2, 3, 1).cpu().numpy()


class ONNXPainter:
    """A `Painter` that runs an exported network (see `weights.export`) in onnxruntime.

    For its arguments see `open_painter`.

    Raises:
        InputError: the file does not exist or is not an export of a ``kind`` network, or onnxruntime is missing or
            does not support the device.
    """

    def __init__(self, kind: str, weights: str | Path, device: str) -> None:
        path = Path(weights)
        self.session = open_onnx(path, _providers(path, device), "a network as ONNX")
        self.expected = expected = f"a {KINDS[kind].title} exported by `maskgan weights export --onnx`"
        description = described(path, self.session.get_modelmeta().custom_metadata_map.get("maskgan"), expected)
        if (found := description.pop("kind")) != kind:
            raise InputError(path, expected=expected, found=f"{found[:40]} weights")
        self.portable: Portable = resolve(KINDS[kind].onnx)
        inputs, outputs = self.session.get_inputs(), self.session.get_outputs()
        if [one.name for one in (*inputs, *outputs)] != [*self.portable.inputs, self.portable.output]:
            raise InputError(path, expected=expected, found="other inputs and outputs")
        config = description.pop("config")
        try:
            settings_of(KINDS[kind], config)
        except ValueError as error:
            raise InputError(path, expected=f"the settings of a {kind}", found=str(error)) from error
        self.weights = Weights(path, kind, config, description, {}, sha256(path))

    def paint(self, *inputs: Inputs) -> Bytes:
        """Run the network on a batch; return pictures (N, S, S, 3) ``uint8``. For ``inputs`` see `Painter.paint`."""
        arrays = [_read(torch.from_numpy(x)).contiguous().numpy() for x in inputs]
        count, size = len(arrays[0]), self.weights.config["image_size"]
        try:
            (images,) = self.session.run([self.portable.output], dict(zip(self.portable.inputs, arrays, strict=True)))
            good = images.shape == (count, 3, size, size) and bool(np.isfinite(images).all())
        except Exception as error:  # onnxruntime's errors have no common base class
            raise InputError(
                self.weights.path, expected=self.expected, found="a network that fails on faces"
            ) from error
        if not good:
            raise InputError(self.weights.path, expected=self.expected, found="NaN or another size in its output")
        return to_bytes(torch.from_numpy(images)).permute(0, 2, 3, 1).contiguous().numpy()


def _read(values: Tensor) -> Tensor:
    """Convert pictures (N, S, S, 3) to network inputs (N, 3, S, S) in [-1, 1]; return other arrays unchanged."""
    return to_unit(values.permute(0, 3, 1, 2)) if values.ndim == 4 else values


def _providers(path: Path, device: str) -> list[str]:
    """Return the execution providers that onnxruntime uses for a device, in order of preference.

    Args:
        path: the ONNX file, for error messages.
        device: auto, cpu or cuda.

    Raises:
        InputError: onnxruntime does not support the device.
    """
    available = available_providers(path)
    cuda = "CUDAExecutionProvider"
    if device == "auto":
        return [name for name in (cuda, "CPUExecutionProvider") if name in available]
    chosen = {"cpu": "CPUExecutionProvider", "cuda": cuda}.get(device)
    if chosen is None or chosen not in available:
        devices = "auto or cpu" + (" or cuda" if cuda in available else "")
        raise InputError("--device", expected=f"{devices} with ONNX", found=device)
    return [chosen]
