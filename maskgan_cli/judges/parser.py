"""The face parser as an evaluation network ("judge"), which predicts the label maps of pictures."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from maskgan_cli.judges import prepare
from maskgan_cli.labels import FLIP_IDS, NUM_CLASSES
from maskgan_cli.models.parser import FaceParser
from maskgan_cli.weights.format import Weights, load
from maskgan_cli.weights.lookup import bundled_pair
from maskgan_cli.weights.published import load_any

_SCALES: Final = (0.75, 1.0, 1.25)


class ParserJudge:
    """The face parser, with the interface `maskgan_cli.judges.Judge`.

    Args:
        network: the parser, in evaluation mode, on the device where it will run.
        weights: the weights file from which the network was loaded.
        size: input side of the network in pixels, a multiple of 16; None: the training resolution.
        second: a second parser, or None. If it is given, `carefully` and `probabilities` average the probabilities of
            both parsers.
    """

    name = "parser"

    def __init__(
        self, network: FaceParser, weights: Weights, size: int | None = None, second: ParserJudge | None = None
    ) -> None:
        self.network, self.sha256, self.second = network, weights.sha256, second
        self.size = size or network.config.image_size
        self.device = next(network.parameters()).device
        self._exchanged = torch.from_numpy(FLIP_IDS[:NUM_CLASSES].astype("int64")).to(self.device)

    @torch.inference_mode()
    def __call__(self, images: Tensor) -> Tensor:
        """Predict label maps (N, S, S) ``uint8`` of pictures (N, 3, S, S) ``uint8``.

        The class probabilities are averaged over the picture and its mirror image.
        """
        return self._labels(images, [self.size])

    @torch.inference_mode()
    def carefully(self, images: Tensor) -> Tensor:
        """Predict label maps like `__call__`, but more accurately and more slowly; used for photos to edit.

        The class probabilities are averaged over three scales, which takes about three times as long. With a second
        parser, the probabilities are averaged over both parsers (the second parser uses two scales), which takes about
        seven times as long.
        """
        return self.probabilities(images, images.shape[-1]).argmax(1).to(torch.uint8)

    @property
    def careful_sha256(self) -> str:
        """SHA-256 of the weights that `carefully` uses; with a second parser, that of both concatenated hashes."""
        if self.second is None:
            return self.sha256
        return hashlib.sha256((self.sha256 + self.second.sha256).encode()).hexdigest()

    @torch.inference_mode()
    def probabilities(self, images: Tensor, side: int) -> Tensor:
        """Return class probabilities of pictures, averaged as in `carefully`.

        Args:
            images: (N, 3, S, S) ``uint8``.
            side: side of the returned arrays in pixels.

        Returns:
            (N, 19, side, side), probabilities that sum to 1 over the 19 classes.
        """
        if self.second is None:
            return _normalised(self._looks(images, self._sizes, side))
        first = _normalised(self._looks(images, [self.size], side))
        return (first + _normalised(self.second._looks(images, self.second._sizes[:2], side))) / 2

    @property
    def _sizes(self) -> list[int]:
        """The input sides, in pixels, at which `carefully` parses a picture; ascending."""
        return sorted({max(16, round(self.size * share / 16) * 16) for share in _SCALES})

    def _labels(self, images: Tensor, sizes: list[int]) -> Tensor:
        """Predict label maps (N, S, S) ``uint8`` from class probabilities summed over several input sizes.

        Args:
            images: (N, 3, S, S) ``uint8``.
            sizes: the input sides of the network in pixels.
        """
        return self._looks(images, sizes, images.shape[-1]).argmax(1).to(torch.uint8)

    def _looks(self, images: Tensor, sizes: list[int], side: int) -> Tensor:
        """Parse pictures at several input sizes, and return the sum of the class probabilities.

        Args:
            images: (N, 3, S, S) ``uint8``.
            sizes: the input sides of the network in pixels.
            side: side of the returned arrays in pixels.

        Returns:
            (N, 19, side, side), the summed probabilities, which are not normalised.
        """
        looks = (self._look(images, size) for size in sizes)
        together = torch.stack([_resized(look, sizes[-1]) for look in looks]).sum(0)
        # Probabilities are resized, not labels: labels cannot be interpolated, and probabilities give smooth borders.
        return _resized(together, side)

    def _look(self, images: Tensor, size: int) -> Tensor:
        """Parse pictures (N, 3, S, S) and their mirror images at one input size of the network (``size`` pixels).

        Returns:
            (N, 19, size, size), class probabilities summed over each picture and its mirror image.
        """
        pictures = prepare(images, size, self.device)
        straight = self.network(pictures).softmax(1)
        mirrored = self.network(pictures.flip(-1)).softmax(1).flip(-1)[:, self._exchanged]
        both: Tensor = straight + mirrored
        return both

    @torch.inference_mode()
    def features(self, images: Tensor) -> Tensor:
        """Return average-pooled bottleneck features (N, 16 * width) of pictures (N, 3, S, S) ``uint8``."""
        bottom, _ = self.network.encode(prepare(images, self.size, self.device))
        pooled: Tensor = bottom.mean((2, 3))
        return pooled.float()


def _normalised(together: Tensor) -> Tensor:
    """Scale summed class probabilities (N, 19, H, W) so that they sum to 1 at each pixel."""
    return together / together.sum(1, keepdim=True)


def _resized(planes: Tensor, side: int) -> Tensor:
    """Resize arrays (N, C, S, S) bilinearly to (N, C, side, side); if S is ``side``, return them unchanged."""
    return planes if planes.shape[-1] == side else F.interpolate(planes, (side, side), mode="bilinear")


def load_parser(where: str | Path, device: torch.device, size: int | None = None) -> ParserJudge:
    """Load the face parser from a weights file, a run folder of ``maskgan train parser`` or the published checkpoint.

    If ``where`` is the parser that the package includes, the second parser of the package is loaded too: see
    `bundled_pair`.

    Args:
        where: the file or folder.
        device: device of the networks.
        size: input side of the network, see `ParserJudge`.

    Raises:
        InputError: the weights do not exist, or have another kind or shape.
    """
    network, weights = load_any("parser", where, device)
    path = bundled_pair(Path(where))
    second = None if path is None else ParserJudge(*load("parser", path, device))
    return ParserJudge(network, weights, size, second)
