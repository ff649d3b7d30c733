"""A Dense Mapping Network for users: pictures of any size in, pictures out, in batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from maskgan_cli.data.resize import resize_image, resize_labels
from maskgan_cli.editing.painters import NetworkPainter, ONNXPainter, Painter
from maskgan_cli.files import Picture
from maskgan_cli.labels import LabelMap


@dataclass(frozen=True)
class Request:
    """One picture to paint: a shape, and the face whose look it shall have.

    Attributes:
        labels: (S, S) the edited label map.
        style_labels: (T, T) label map of the face whose look is kept.
        style_picture: (T, T, 3) that face.
    """

    labels: LabelMap
    style_labels: LabelMap
    style_picture: Picture


class Renderer:
    """Loaded weights, ready to paint.

    Args:
        weights: a weights file or run folder, or what ``maskgan weights export --onnx`` made of one.
        device: see `pick_device`; ONNX is painted on the CPU, or on CUDA where onnxruntime has it.

    Raises:
        InputError: no such weights, or no such device.
    """

    def __init__(self, weights: str | Path, device: str = "auto") -> None:
        painter = ONNXPainter if Path(weights).suffix == ".onnx" else NetworkPainter
        self.painter: Painter = painter(weights, device)
        self.weights = self.painter.weights
        self.size = int(self.weights.config["image_size"])

    def paint(self, requests: Sequence[Request]) -> npt.NDArray[np.uint8]:
        """Requests -> pictures (N, size, size, 3) at the network's own size."""
        labels = np.stack([resize_labels(r.labels, self.size) for r in requests])
        style_labels = np.stack([resize_labels(r.style_labels, self.size) for r in requests])
        style_pictures = np.stack([resize_image(r.style_picture, self.size) for r in requests])
        return self.painter.paint(labels, style_labels, style_pictures)
