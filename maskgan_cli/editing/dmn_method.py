"""The editing method that runs the Dense Mapping Network. Pictures of any size are resized to the network's size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from maskgan_cli.data.resize import resize_image, resize_labels
from maskgan_cli.editing.compositing.moving import moved_labels, moved_picture
from maskgan_cli.editing.compositing.registration import displacement
from maskgan_cli.editing.methods import Request
from maskgan_cli.editing.painters import open_painter

__all__ = ["Renderer", "Request"]


class Renderer:
    """The editing method (see `maskgan_cli.editing.methods.Method`) that runs a Dense Mapping Network.

    Args:
        weights: a weights file or run folder of the network.
        device: the device that runs the network; see `open_painter`.

    Raises:
        InputError: the weights or the device do not exist.

    Attributes:
        kind: the kind of network, a key of `networks.KINDS`. Subclasses for other networks override this value.
    """

    kind: ClassVar[str] = "dmn"

    def __init__(self, weights: str | Path, device: str = "auto") -> None:
        self.painter = open_painter(self.kind, weights, device)
        self.weights = self.painter.weights
        self.size = int(self.weights.config["image_size"])

    @property
    def note(self) -> dict[str, Any]:
        """Dict that is stored with every result: ``weights`` (SHA-256); see `Method.note`."""
        return {"weights": self.weights.sha256}

    def paint(self, requests: Sequence[Request]) -> npt.NDArray[np.uint8]:
        """Paint the label map of each of N requests in the style (colours and texture) of the request's style picture.

        Returns:
            Pictures (N, size, size, 3), where ``size`` is the network's own image size.
        """
        labels = np.stack([resize_labels(r.labels, self.size) for r in requests])
        style_labels = np.stack([resize_labels(r.style_labels, self.size) for r in requests])
        style_pictures = np.stack([resize_image(r.style_picture, self.size) for r in requests])
        for i, request in enumerate(requests):
            if request.fit_style and self.weights.config.get("skips"):
                field = displacement(style_labels[i], labels[i])
                style_labels[i] = moved_labels(style_labels[i], field)
                style_pictures[i] = moved_picture(style_pictures[i], field)
        return self.painter.paint(labels, style_labels, style_pictures)
