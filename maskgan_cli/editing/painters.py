"""Who paints: a Dense Mapping Network in PyTorch, or the same one as ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch

from maskgan_cli.devices import pick_device
from maskgan_cli.errors import InputError
from maskgan_cli.files import sha256
from maskgan_cli.models.layers import one_hot, to_bytes, to_unit
from maskgan_cli.networks import KINDS
from maskgan_cli.weights.export import PAINTER
from maskgan_cli.weights.format import Weights, described, load, settings_of
from maskgan_cli.weights.runtime import open_onnx, there

Bytes = npt.NDArray[np.uint8]


class Painter(Protocol):
    """Batches of a fixed size in, pictures out.

    Attributes:
        weights: what is painted with; ``config["image_size"]`` is the side of everything.
    """

    weights: Weights

    def paint(self, labels: Bytes, style_labels: Bytes, style_pictures: Bytes) -> Bytes:
        """Label maps (N, S, S) twice and pictures (N, S, S, 3) -> pictures (N, S, S, 3), all ``uint8``."""


class NetworkPainter:
    """PyTorch.

    Raises:
        InputError: no such weights, or no such device.
    """

    def __init__(self, weights: str | Path, device: str, kind: str = "dmn") -> None:
        self.device = pick_device(device)
        self.network, self.weights = load(kind, weights, self.device)

    @torch.inference_mode()
    def paint(self, labels: Bytes, style_labels: Bytes, style_pictures: Bytes) -> Bytes:
        """See `Painter.paint`."""
        masks, style_masks, pictures = (
            torch.from_numpy(x).to(self.device) for x in (labels, style_labels, style_pictures)
        )
        images = self.network(one_hot(masks), one_hot(style_masks), to_unit(pictures.permute(0, 3, 1, 2)))
        return to_bytes(images).permute(0, 2, 3, 1).cpu().numpy()


class ONNXPainter:
    """onnxruntime; the file is `weights.export`'s.

    Raises:
        InputError: no such file, not one of ours, or onnxruntime or its CUDA part is missing.
    """

    def __init__(self, weights: str | Path, device: str, kind: str = "dmn") -> None:
        path = Path(weights)
        self.session = open_onnx(path, _providers(path, device), "a network as ONNX")
        self.ours = ours = f"a {KINDS[kind].title} exported by `maskgan weights export --onnx`"
        description = described(path, self.session.get_modelmeta().custom_metadata_map.get("maskgan"), ours)
        if (found := description.pop("kind")) != kind:
            raise InputError(path, expected=ours, found=f"{found[:40]} weights")
        inputs, outputs = self.session.get_inputs(), self.session.get_outputs()
        if [one.name for one in (*inputs, *outputs)] != [*PAINTER.inputs, PAINTER.output]:
            raise InputError(path, expected=ours, found="other inputs and outputs")
        config = description.pop("config")
        try:
            settings_of(KINDS[kind], config)
        except ValueError as error:
            raise InputError(path, expected=f"the settings of a {kind}", found=str(error)) from error
        self.weights = Weights(path, kind, config, description, {}, sha256(path))

    def paint(self, labels: Bytes, style_labels: Bytes, style_pictures: Bytes) -> Bytes:
        """See `Painter.paint`."""
        unit = to_unit(torch.from_numpy(style_pictures).permute(0, 3, 1, 2)).contiguous().numpy()
        inputs = {"mask": labels, "style_mask": style_labels, "style_image": unit}
        try:
            (images,) = self.session.run(["image"], inputs)
            good = images.shape == unit.shape and bool(np.isfinite(images).all())
        except Exception as error:  # onnxruntime names no common base for what a network's inside raises
            raise InputError(self.weights.path, expected=self.ours, found="a network that fails on faces") from error
        if not good:
            raise InputError(self.weights.path, expected=self.ours, found="NaN, or another size, in its answer")
        return to_bytes(torch.from_numpy(images)).permute(0, 2, 3, 1).contiguous().numpy()


def _providers(path: Path, device: str) -> list[str]:
    """``--device`` in onnxruntime's words."""
    here = there(path)
    cuda = "CUDAExecutionProvider"
    if device == "auto":
        return [name for name in (cuda, "CPUExecutionProvider") if name in here]
    chosen = {"cpu": "CPUExecutionProvider", "cuda": cuda}.get(device)
    if chosen is None or chosen not in here:
        raise InputError("--device", expected="auto or cpu" + (" or cuda" if cuda in here else "") + " with ONNX",
                         found=device)  # fmt: skip
    return [chosen]
