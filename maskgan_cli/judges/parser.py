"""The face parser as a judge: pictures in, label maps out."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from maskgan_cli.judges import prepare
from maskgan_cli.models.parser import FaceParser
from maskgan_cli.weights.format import Weights, load


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

    @torch.inference_mode()
    def __call__(self, images: Tensor) -> Tensor:
        """Pictures (N, 3, S, S) ``uint8`` -> their label maps (N, S, S) ``uint8`` at the same side."""
        logits: Tensor = self.network(prepare(images, self.size, self.device))
        if images.shape[-1] != self.size:  # interpolating logits keeps borders smooth, interpolating ids would not
            logits = F.interpolate(logits, images.shape[-2:], mode="bilinear")
        return logits.argmax(1).to(torch.uint8)

    @torch.inference_mode()
    def features(self, images: Tensor) -> Tensor:
        """Pictures -> the means of the bottom level's channels (N, 16 * width)."""
        bottom, _ = self.network.encode(prepare(images, self.size, self.device))
        pooled: Tensor = bottom.mean((2, 3))
        return pooled.float()


def load_parser(where: str | Path, device: torch.device, size: int | None = None) -> ParserJudge:
    """The face parser of a weights file or run folder of ``maskgan train parser``.

    Raises:
        InputError: no such weights, or of another kind or shape.
    """
    network, weights = load("parser", where, device)
    return ParserJudge(network, weights, size)
