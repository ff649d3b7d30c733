"""Measures of painted validation faces: sharpness, mask accuracy and kernel distance."""

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
    """Measures of the validation faces, each painted from its mask in the style of the next face.

    They are computed every ``every`` steps and after the last step; null: never. ``val_sharpness`` is relative to the
    photos. ``val_mask_accuracy`` is the share of pixels that a face parser assigns to the class of the mask. The third
    is the kernel distance to the photos: ``val_kid`` with the published weights of Inception, otherwise
    ``val_kernel_distance`` over the parser's features.

    Attributes:
        every: interval in steps.
        parser: weights of the face parser; the bundled one if null.
        inception: pytorch-fid's weights of Inception.
    """

    every: Positive | None = None
    parser: Path | None = None
    inception: Path | None = None


class PaintingMeasures:
    """The measures of `ValidationSettings`.

    Args:
        settings: see `ValidationSettings`.
        device: of the parser and Inception.
        batch_size: faces that they process at once.

    Attributes:
        every: interval in steps.

    Raises:
        InputError: weights are missing or do not fit.
    """

    @classmethod
    def of(cls, settings: ValidationSettings, device: torch.device, batch_size: int) -> PaintingMeasures | None:
        """The measures; None if the settings ask for none."""
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
        """Compute the measures; the photos must be the same in every call.

        With fewer than two faces there is no kernel distance.

        Args:
            painted: pictures (N, 3, S, S) ``uint8``.
            photos: (N, 3, S, S) ``uint8``.
            labels: label maps (N, S, S) from which the pictures were painted.
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
        """The network's output for all pictures, on the CPU; each process computes its share."""

        def compute(rows: slice) -> Tensor:
            return torch.cat([network(part) for part in torch.split(pictures[rows], self._batch)])

        return in_shares(len(pictures), compute)
