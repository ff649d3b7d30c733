"""The face parser as a judge: pictures in, label maps out."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from maskgan_cli.judges import prepare
from maskgan_cli.labels import FLIP_IDS, NUM_CLASSES
from maskgan_cli.models.parser import FaceParser
from maskgan_cli.weights.format import Weights
from maskgan_cli.weights.published import load_any

_SCALES: Final = (0.75, 1.0, 1.25)


class ParserJudge:
    """See `maskgan_cli.judges.Judge`.

    Args:
        network: in evaluation mode, on its device.
        weights: the file it came from.
        size: side at which the pictures are looked at, a multiple of 16; the training's if None.
    """

    name = "parser"

    def __init__(self, network: FaceParser, weights: Weights, size: int | None = None) -> None:
        self.network, self.sha256 = network, weights.sha256
        self.size = size or network.config.image_size
        self.device = next(network.parameters()).device
        self._exchanged = torch.from_numpy(FLIP_IDS[:NUM_CLASSES].astype("int64")).to(self.device)

    @torch.inference_mode()
    def __call__(self, images: Tensor) -> Tensor:
        """Pictures (N, 3, S, S) ``uint8`` -> their label maps (N, S, S) ``uint8`` at the same side.

        Each picture is looked at as it is and in the mirror: a face's other half is a second opinion.
        """
        return self._labels(images, [self.size])

    @torch.inference_mode()
    def carefully(self, images: Tensor) -> Tensor:
        """The same from looks at three sizes, about three times the work: for photos that are to be edited."""
        return self._labels(images, self._sizes)

    @torch.inference_mode()
    def probabilities(self, images: Tensor, side: int) -> Tensor:
        """Pictures (N, 3, S, S) ``uint8`` -> class probabilities (N, 19, side, side) from looks at three sizes."""
        together = self._looks(images, self._sizes, side)
        return together / together.sum(1, keepdim=True)

    @property
    def _sizes(self) -> list[int]:
        """The three sides at which a careful look sees a picture."""
        return sorted({max(16, round(self.size * share / 16) * 16) for share in _SCALES})

    def _labels(self, images: Tensor, sizes: list[int]) -> Tensor:
        return self._looks(images, sizes, images.shape[-1]).argmax(1).to(torch.uint8)

    def _looks(self, images: Tensor, sizes: list[int], side: int) -> Tensor:
        """The sum of the looks at each size, (N, 19, side, side)."""
        looks = (self._look(images, size) for size in sizes)
        together = torch.stack([_resized(look, sizes[-1]) for look in looks]).sum(0)
        # Interpolating probabilities keeps borders smooth, interpolating ids would not.
        return _resized(together, side)

    def _look(self, images: Tensor, size: int) -> Tensor:
        """Pictures (N, 3, S, S) -> how likely each class is, straight and mirrored together (N, 19, size, size)."""
        pictures = prepare(images, size, self.device)
        straight = self.network(pictures).softmax(1)
        mirrored = self.network(pictures.flip(-1)).softmax(1).flip(-1)[:, self._exchanged]
        both: Tensor = straight + mirrored
        return both

    @torch.inference_mode()
    def features(self, images: Tensor) -> Tensor:
        """Pictures -> the means of the bottom level's channels (N, 16 * width)."""
        bottom, _ = self.network.encode(prepare(images, self.size, self.device))
        pooled: Tensor = bottom.mean((2, 3))
        return pooled.float()


def _resized(planes: Tensor, side: int) -> Tensor:
    return planes if planes.shape[-1] == side else F.interpolate(planes, (side, side), mode="bilinear")


def load_parser(where: str | Path, device: torch.device, size: int | None = None) -> ParserJudge:
    """The face parser of a weights file or run folder of ``maskgan train parser``, or the published checkpoint.

    Raises:
        InputError: no such weights, or of another kind or shape.
    """
    network, weights = load_any("parser", where, device)
    return ParserJudge(network, weights, size)
