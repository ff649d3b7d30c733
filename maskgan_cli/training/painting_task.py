"""Losses, validation and sample grids of all tasks that train a generator of faces from masks (paper, Sec. 3.3)."""

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
    """Base class of tasks that train a generator of faces from masks, with a discriminator and a perceptual loss.

    Subclasses implement `paint` and `weights`. They override `generator_adversarial_loss` if their adversarial loss is
    not least squares. To add a loss term (e.g. a KL divergence), they add it to the result of `terms`, and its weight
    to their recipe's ``loss`` under the same name.

    Attributes:
        recipe: a recipe with a section ``loss``, which holds the weights of the loss terms.
        accelerator: device, processes and precision.
        features: the frozen network of the perceptual loss; None if the recipe has no perceptual loss.
        class_weights: weights of the classes (19,) in the loss term ``pixel``; None if all weights are 1.
        validation: faces for validation and sample grids.
        measures: computes slow measures of generated validation faces, see `measures.ValidationSettings`; None if the
            measures are never computed.
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
        """The recipe's weights of the loss terms; the fields have the names of the terms."""

    @abstractmethod
    def paint(self, labels: Tensor, style_labels: Tensor, style_images: Tensor) -> Tensor:
        """Generate faces from masks, in the style of other faces.

        Args:
            labels: label maps (N, S, S) of the faces to generate.
            style_labels: label maps (N, S, S) of the style pictures.
            style_images: style pictures (N, 3, S, S) ``uint8``.

        Returns:
            The generated faces (N, 3, S, S) ``uint8`` on the CPU.
        """

    def generator_adversarial_loss(self, fake: losses.Features) -> Tensor:
        """Return the generator's adversarial loss, a scalar; here the least-squares loss.

        Args:
            fake: the discriminator's layer outputs for the generated pictures.
        """
        return losses.least_squares(fake, real=True)

    def terms(
        self,
        labels: Tensor,
        fake: Tensor,
        real: Tensor,
        fake_features: losses.Features | None,
        real_features: losses.Features | None,
    ) -> dict[str, Tensor]:
        """Return a dict from the names of the generator's losses to their values, not multiplied by their weights.

        Args:
            labels: label maps (N, S, S) from which ``fake`` was generated.
            fake, real: generated and real pictures (N, 3, S, S) in [-1, 1].
            fake_features, real_features: the discriminator's layer outputs for ``fake`` and for ``real``. If they are
                None, the terms ``adversarial`` and ``feature_matching`` are left out.
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
        """Return the weighted sum of the loss terms, a scalar; the weights are those in ``recipe.loss``.

        Args:
            terms: the loss terms by name, as returned by `terms`.
        """
        weights = self.weights.model_dump()
        return torch.stack([weights[name] * term for name, term in terms.items()]).sum()

    def validate(self) -> dict[str, float]:
        """Reconstruct each validation face from its own mask and style, and compare the result with the face.

        Returns:
            A dict with the keys ``val_l1`` (mean absolute difference, for pictures in [0, 1]) and ``val_psnr`` (mean
            PSNR in dB).
        """
        real = self.validation.images
        fake = self.paint(self.validation.labels, self.validation.labels, real)
        error = (fake.float() - real.float()) / 255
        psnr = -10 * torch.log10(error.square().mean(dim=(1, 2, 3)).clamp_min(1e-10))
        return {"val_l1": float(error.abs().mean()), "val_psnr": float(psnr.mean())}

    @property
    def measure_every(self) -> int | None:
        """Interval of `measure` in steps; None if the measures are never computed."""
        return None if self.measures is None else self.measures.every

    def measure(self) -> dict[str, float]:
        """Paint each validation mask in the style of the next validation face, and measure the painted pictures.

        Returns:
            A dict with sharpness, mask accuracy and kernel distance, see `ValidationSettings`.
        """
        assert self.measures is not None
        labels, images = self.validation.labels, self.validation.images
        return self.measures(self.paint(labels, labels.roll(-1, 0), images.roll(-1, 0)), images, labels)

    def sample_grid(self) -> Picture:
        """Draw one row for each of the first validation faces, and return the picture (H, W, 3).

        A row shows the face's mask, the face, the reconstruction of the face, and the same mask painted in the style of
        the next face.
        """
        rows = min(self.recipe.schedule.sheet_rows, len(self.validation.images))
        labels, images = self.validation.labels[:rows], self.validation.images[:rows]
        same = self.paint(labels, labels, images)
        other = self.paint(labels, labels.roll(-1, 0), images.roll(-1, 0))
        columns = [np.concatenate([colourise(row) for row in labels.numpy()])]
        columns += [np.concatenate(list(x.permute(0, 2, 3, 1).numpy())) for x in (images, same, other)]
        return np.concatenate(columns, axis=1)
