"""Measures of generated validation faces: sharpness, mask accuracy and kernel distance to the photos."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from maskgan_cli.config import Positive, Section
from maskgan_cli.judges.inception import Inception
from maskgan_cli.judges.parser import ParserJudge, load_parser
from maskgan_cli.metrics.kernel import kernel_distance
from maskgan_cli.metrics.sharpness import sharpness
from maskgan_cli.training.processes import in_shares
from maskgan_cli.weights.lookup import find_weights


class ValidationSettings(Section):
    """Settings of the measures of generated faces.

    The generator paints every validation mask in the style of the next validation face. Three measures of these painted
    pictures are computed:

    - ``val_sharpness``: the mean sharpness of the painted pictures, divided by the mean sharpness of the photos.
    - ``val_mask_accuracy``: the share of pixels that a face parser assigns to the class of the mask.
    - ``val_kid``: the kernel distance (KID) between painted pictures and photos, computed from the features of
      Inception with its published weights. With other Inception weights, or with the parser's features (if
      ``inception`` is null), the measure is called ``val_kernel_distance``.

    Attributes:
        every: interval in steps at which the measures are computed; they are also computed after the last step. Null:
            never.
        parser: weights of the face parser; if null, the weights that all commands find by default.
        inception: file of Inception weights from pytorch-fid; if null, the parser's features are used.
    """

    every: Positive | None = None
    parser: Path | None = None
    inception: Path | None = None


class PaintingMeasures:
    """Computes measures of generated faces: sharpness, mask accuracy and kernel distance; see `ValidationSettings`.

    Args:
        settings: see `ValidationSettings`.
        device: device of the face parser and of Inception.
        batch_size: number of faces in one forward pass of these networks.

    Attributes:
        every: interval in steps at which a task computes the measures.

    Raises:
        InputError: weights are missing or do not fit.
    """

    @classmethod
    def of(cls, settings: ValidationSettings, device: torch.device, batch_size: int) -> PaintingMeasures | None:
        """Create and return an instance; return None if ``settings.every`` is None (the measures are never computed).

        For the arguments see the class.
        """
        return None if settings.every is None else cls(settings, device, batch_size)

    def __init__(self, settings: ValidationSettings, device: torch.device, batch_size: int) -> None:
        self.every = settings.every
        self._parser: ParserJudge = load_parser(find_weights(settings.parser, "parser"), device)
        self._features: Any = self._parser if settings.inception is None else Inception(settings.inception, device)
        self._distance = "val_kid" if getattr(self._features, "published", False) else "val_kernel_distance"
        self._batch = batch_size
        self._real: tuple[float, Tensor] | None = None  # sharpness and features of the photos

    @torch.no_grad()
    def __call__(self, painted: Tensor, photos: Tensor, labels: Tensor) -> dict[str, float]:
        """Return a dict from the names of the measures to their values, see `ValidationSettings`.

        If N is 1, the kernel distance is left out.

        Args:
            painted: generated faces (N, 3, S, S) ``uint8``.
            photos: real faces (N, 3, S, S) ``uint8``, the same in every call, because their features are cached.
            labels: label maps (N, S, S) from which ``painted`` was generated.
        """
        if self._real is None:
            self._real = float(sharpness(photos).mean()), self._each(self._features.features, photos)
        sharp, real = self._real
        measures = {
            "val_sharpness": float(sharpness(painted).mean()) / max(sharp, 1e-6),
            "val_mask_accuracy": float((self._each(self._parser, painted) == labels).float().mean()),
        }
        if len(painted) > 1:
            fake = self._each(self._features.features, painted)
            measures[self._distance] = kernel_distance(fake.numpy(), real.numpy()).mean
        return measures

    def _each(self, network: Any, pictures: Tensor) -> Tensor:
        """Return a network's outputs for pictures (N, 3, S, S) ``uint8``, on the CPU.

        If there are several processes, each of them computes the outputs for some of the pictures.
        """

        def compute(rows: slice) -> Tensor:
            return torch.cat([network(part) for part in torch.split(pictures[rows], self._batch)])

        return in_shares(len(pictures), compute)
