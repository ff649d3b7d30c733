"""A Dense Mapping Network for users: pictures of any size in, pictures out, in batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from maskgan_cli.data.prepare import resize_image, resize_labels
from maskgan_cli.devices import pick_device
from maskgan_cli.files import Picture
from maskgan_cli.labels import LabelMap
from maskgan_cli.models.layers import one_hot, to_bytes, to_unit
from maskgan_cli.pretrained import load_dmn


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
        weights: a weights file or run folder.
        device: see `pick_device`.

    Raises:
        InputError: no such weights, or no such device.
    """

    def __init__(self, weights: str | Path, device: str = "auto") -> None:
        self.device = pick_device(device)
        self.network, self.weights = load_dmn(weights, self.device)
        self.size = self.network.config.image_size

    @torch.inference_mode()
    def paint(self, requests: Sequence[Request]) -> npt.NDArray[np.uint8]:
        """Requests -> pictures (N, size, size, 3) at the network's own size."""
        masks = self._labels([r.labels for r in requests])
        style_masks = self._labels([r.style_labels for r in requests])
        stack = np.stack([resize_image(r.style_picture, self.size) for r in requests])
        style_images = torch.from_numpy(stack).to(self.device).permute(0, 3, 1, 2)
        images = self.network(one_hot(masks), one_hot(style_masks), to_unit(style_images))
        return to_bytes(images).permute(0, 2, 3, 1).cpu().numpy()

    def _labels(self, maps: list[LabelMap]) -> torch.Tensor:
        stack = np.stack([resize_labels(labels, self.size) for labels in maps])
        return torch.from_numpy(stack).to(self.device)
