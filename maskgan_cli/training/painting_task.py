"""Losses, validation and sample grids of all generators that paint faces from masks (paper, Sec. 3.3)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np
import torch
from accelerate import Accelerator
from pydantic import BaseModel
from torch import Tensor
from torch.nn import functional as F

from maskgan_cli.config import TrainingRecipe
from maskgan_cli.data.dataset import Batch
from maskgan_cli.files import Picture
from maskgan_cli.labels import colourise
from maskgan_cli.models.parser import FaceParser, resized
from maskgan_cli.training import losses
from maskgan_cli.training.measures import PaintingMeasures
from maskgan_cli.training.perceptual_features import FeatureNetwork


class PaintingTask(ABC):
    """A generator that paints faces from masks, trained with a discriminator and a fixed feature network.

    Subclasses implement `paint`, and override `generator_adversarial_loss` if their adversarial loss is another. They
    add a new term (KL, a cycle) to the result of `terms` and to their recipe's ``loss``, which holds the weights of
    the terms by name.

    Attributes:
        recipe: with a section ``loss``.
        accelerator: device, processes, precision.
        features: the frozen network of the perceptual loss, on its device, or None.
        class_weights: (19,) weights of the classes in L1, or None.
        validation: faces to measure and to show.
        measures: further measures of these faces, or None.
    """

    recipe: TrainingRecipe
    accelerator: Accelerator
    features: FeatureNetwork | None
    class_weights: Tensor | None = None
    validation: Batch
    measures: PaintingMeasures | None = None

    @property
    @abstractmethod
    def weights(self) -> BaseModel:
        """The recipe's weights of the loss terms, by name."""

    @abstractmethod
    def paint(self, labels: Tensor, style_labels: Tensor, style_images: Tensor) -> Tensor:
        """Paint faces.

        Args:
            labels: (N, S, S) label maps to paint.
            style_labels: (N, S, S) label maps of the style pictures.
            style_images: (N, 3, S, S) ``uint8`` style pictures.

        Returns:
            Pictures (N, 3, S, S) ``uint8`` on the CPU.
        """

    def generator_adversarial_loss(self, fake: losses.Features) -> Tensor:
        """The generator's adversarial loss, from the discriminator's features of its pictures."""
        return losses.least_squares(fake, real=True)

    def terms(
        self,
        labels: Tensor,
        fake: Tensor,
        real: Tensor,
        fake_features: losses.Features | None,
        real_features: losses.Features | None,
    ) -> dict[str, Tensor]:
        """The generator's losses by name, not weighted.

        Args:
            labels: (N, S, S) label maps of the generator's input.
            fake, real: generated and real pictures (N, 3, S, S) in [-1, 1].
            fake_features, real_features: the discriminator's features of both; None leaves the two terms out that need
                them.
        """
        terms = {}
        if fake_features is not None and real_features is not None:
            terms["adversarial"] = self.generator_adversarial_loss(fake_features)
            terms["feature_matching"] = losses.feature_matching(fake_features, real_features)
        terms["pixel"] = losses.pixel(fake, real, self.class_weights, labels)
        if self.features is None:
            return terms
        with self.accelerator.autocast():
            if isinstance(self.features, FaceParser):
                real, fake = (self.features.fitted(picture) for picture in (real, fake))
                bottom, ours = self.features.encode(fake)
                if getattr(self.weights, "segmentation", 0.0):
                    logits = resized(self.features.decode(bottom, ours).float(), labels.shape[-1])
                    terms["segmentation"] = F.cross_entropy(logits, labels.long())
                ours = [*ours, bottom]
                with torch.no_grad():
                    bottom, theirs = self.features.encode(real)
                    theirs = [*theirs, bottom]
            else:
                ours = self.features(fake)
                with torch.no_grad():
                    theirs = self.features(real)
        terms["perceptual"] = losses.perceptual(ours, theirs)
        return terms

    def weighted(self, terms: Mapping[str, Tensor]) -> Tensor:
        """The sum of the terms, weighted by ``recipe.loss``."""
        weights = self.weights.model_dump()
        return torch.stack([weights[name] * term for name, term in terms.items()]).sum()

    def validate(self) -> dict[str, float]:
        """Reconstruction of the validation faces: L1 in [0, 1] and PSNR in dB."""
        real = self.validation.images
        fake = self.paint(self.validation.labels, self.validation.labels, real)
        error = (fake.float() - real.float()) / 255
        psnr = -10 * torch.log10(error.square().mean(dim=(1, 2, 3)).clamp_min(1e-10))
        return {"val_l1": float(error.abs().mean()), "val_psnr": float(psnr.mean())}

    @property
    def measure_every(self) -> int | None:
        """See `task.Measuring`."""
        return None if self.measures is None else self.measures.every

    def measure(self) -> dict[str, float]:
        """See `PaintingMeasures`: the validation masks, each painted in the style of the next face."""
        assert self.measures is not None
        labels, images = self.validation.labels, self.validation.images
        return self.measures(self.paint(labels, labels.roll(-1, 0), images.roll(-1, 0)), images, labels)

    def sample_grid(self) -> Picture:
        """Rows of: mask, face, its reconstruction, its mask painted in the style of the next face."""
        rows = min(self.recipe.schedule.sheet_rows, len(self.validation.images))
        labels, images = self.validation.labels[:rows], self.validation.images[:rows]
        same = self.paint(labels, labels, images)
        other = self.paint(labels, labels.roll(-1, 0), images.roll(-1, 0))
        columns = [np.concatenate([colourise(row) for row in labels.numpy()])]
        columns += [np.concatenate(list(x.permute(0, 2, 3, 1).numpy())) for x in (images, same, other)]
        return np.concatenate(columns, axis=1)
