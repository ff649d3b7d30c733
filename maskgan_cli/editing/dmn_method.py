"""The Dense Mapping Network as an editing method. It accepts pictures of any size, and resizes them for the network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from maskgan_cli.data.resize import resize_image, resize_labels
from maskgan_cli.editing.methods import Request
from maskgan_cli.editing.painters import open_painter

__all__ = ["Renderer", "Request"]


class Renderer:
    """A Dense Mapping Network as a `maskgan_cli.editing.methods.Method`.

    Args:
        weights, device: the network's weights file or run folder, and the device that runs it; see `open_painter`.

    Raises:
        InputError: the weights or the device do not exist.

    Attributes:
        kind: the kind of network, a key of `networks.KINDS`; subclasses for other networks override it.
    """

    kind: ClassVar[str] = "dmn"

    def __init__(self, weights: str | Path, device: str = "auto") -> None:
        self.painter = open_painter(self.kind, weights, device)
        self.weights = self.painter.weights
        self.size = int(self.weights.config["image_size"])

    @property
    def note(self) -> dict[str, Any]:
        """Values for the record of every result: SHA-256 of the weights; see `Method.note`."""
        return {"weights": self.weights.sha256}

    def paint(self, requests: Sequence[Request]) -> npt.NDArray[np.uint8]:
        """Paint the mask of each of N requests in the style of its face.

        Returns:
            Pictures (N, size, size, 3), where ``size`` is the network's own image size.
        """
        labels = np.stack([resize_labels(r.labels, self.size) for r in requests])
        style_labels = np.stack([resize_labels(r.style_labels, self.size) for r in requests])
        style_pictures = np.stack([resize_image(r.style_picture, self.size) for r in requests])
        return self.painter.paint(labels, style_labels, style_pictures)
