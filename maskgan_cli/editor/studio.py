"""The networks, loaded once and used by every session: a face's style, its painting, its mask, its codes."""

from __future__ import annotations

import copy
import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from maskgan_cli.data.resize import resize_image, resize_labels
from maskgan_cli.devices import pick_device
from maskgan_cli.editing.compose import Painting, Place, paste_back
from maskgan_cli.editing.directions import Directions
from maskgan_cli.editing.interpolate import MaskManifold
from maskgan_cli.editing.mouths import Reference
from maskgan_cli.editing.moving import PhotoMotion
from maskgan_cli.editing.options import Blend
from maskgan_cli.editing.parse import MaskMaker
from maskgan_cli.files import Picture
from maskgan_cli.judges.finder import FaceFinder
from maskgan_cli.labels import LabelMap
from maskgan_cli.models.dmn import DenseMappingNetwork
from maskgan_cli.models.layers import one_hot, to_bytes, to_unit
from maskgan_cli.weights.format import load

PREVIEW = 256  # side of what is shown while one draws


@dataclass(frozen=True)
class Files:
    """Which weights are used. All are there when the editor starts; what is rarely needed is loaded late."""

    dmn: Path
    vae: Path
    parser: Path


class Studio:
    """Everything that takes a network. One thread at a time uses it.

    Args:
        files: the weights.
        device: see `pick_device`.

    Raises:
        InputError: no such weights, or no such device.
    """

    def __init__(self, files: Files, device: str = "auto") -> None:
        self.device, self.files, self._device = pick_device(device), files, device
        self._personal: tuple[tuple[Path, int], Studio] | None = None
        self._load(files.dmn)

    def _load(self, path: Path) -> None:
        network, self.weights = load("dmn", path, self.device)
        assert isinstance(network, DenseMappingNetwork)
        self.network = network.to(memory_format=torch.channels_last)
        self.size = network.config.image_size

    def with_weights(self, path: Path) -> Studio:
        """The same with another generator; the latest one stays in memory. It is to encode and to paint.

        Raises:
            InputError: a file that cannot be read.
        """
        key = (path, path.stat().st_mtime_ns)
        if self._personal is None or self._personal[0] != key:
            other = copy.copy(self)
            other._load(path)
            self._personal = (key, other)
        return self._personal[1]

    @functools.cached_property
    def manifold(self) -> MaskManifold:
        """The MaskVAE."""
        return MaskManifold(self.files.vae, self._device)

    @functools.cached_property
    def directions(self) -> Directions:
        """The ways along its manifold, each found once."""
        return Directions(self.manifold)

    @functools.cached_property
    def finder(self) -> FaceFinder:
        """Finds faces in photos; an InputError where facenet-pytorch is missing."""
        return FaceFinder(self.device)

    @functools.cached_property
    def _parser(self) -> MaskMaker:
        return MaskMaker(self.files.parser, self._device, lambda line: None)

    def parse(self, picture: Picture) -> tuple[LabelMap, str]:
        """A face (S, S, 3) -> its label map (S, S) and the SHA-256 of the parser's weights."""
        return self._parser(Path("picture"), picture)

    @torch.inference_mode()
    def encode(self, picture: Picture, labels: LabelMap) -> Tensor:
        """A face (S, S, 3) and its label map (S, S) -> its style (1, style_dim)."""
        pixels = torch.from_numpy(np.array(resize_image(picture, self.size))).permute(2, 0, 1)[None].to(self.device)
        mask = one_hot(self._batch(labels))
        return self.network.encode_style(mask, to_unit(pixels))

    @torch.inference_mode()
    def paint(self, labels: LabelMap, style: Tensor) -> Picture:
        """A label map (S, S) and a style (1, style_dim) -> the painting (size, size, 3)."""
        image = to_bytes(self.network.generate(one_hot(self._batch(labels)), style))
        return image[0].permute(1, 2, 0).cpu().contiguous().numpy()

    def _batch(self, labels: LabelMap) -> Tensor:
        return torch.from_numpy(np.array(resize_labels(labels, self.size)))[None].to(self.device)

    def about(self) -> dict[str, Any]:
        """What painted, for the record of a result."""
        return {"weights": self.weights.sha256, "size": self.size}


def blend(
    picture: Picture, painted: Painting, before: LabelMap, after: LabelMap, place: Place | None = None,
    reference: Reference | None = None, motion: PhotoMotion | None = None,
) -> Picture:  # fmt: skip
    """The edit of the face (S, S, 3), composed as the commands do; in its photo if ``place`` is given."""
    return paste_back(picture, painted, before, after, Blend(), place, reference, motion)


def blend_quickly(
    picture: Picture, painted: Painting, before: LabelMap, after: LabelMap, reference: Reference | None,
    motion: PhotoMotion,
) -> Picture:  # fmt: skip
    """The same at `PREVIEW` pixels, for a moment's look."""
    side = min(PREVIEW, len(picture))
    small, labels = resize_image(picture, side), resize_labels(before, side)
    return blend(small, painted, labels, after, None, reference, motion.resized(side))
