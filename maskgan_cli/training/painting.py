"""What all painters' trainings share: the losses of a picture, how it is measured, what is shown (paper, Sec. 3.3)."""

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
from maskgan_cli.training.perceptual import FeatureNetwork


class PaintingTask(ABC):
    """A network that paints faces by their masks, judged by a discriminator and a fixed feature network.

    A painter replaces `painted`, and `wish` if its adversarial loss is another; a term of its own (KL, a cycle) is
    added to what `terms` returns and to its recipe's ``loss``, which weighs the terms by their names.

    Attributes:
        recipe: with a section ``loss``.
        accelerator: device, processes, precision.
        features: the frozen network of the perceptual loss, on its device, or None.
        emphasis: (19,), what a pixel of each class weighs in L1, or None.
        validation: faces to measure and to show.
        measures: what is measured of them besides their reconstruction, or None.
    """

    recipe: TrainingRecipe
    accelerator: Accelerator
    features: FeatureNetwork | None
    emphasis: Tensor | None = None
    validation: Batch
    measures: PaintingMeasures | None = None

    @property
    @abstractmethod
    def weights(self) -> BaseModel:
        """The recipe's weights of the terms, by their names."""

    @abstractmethod
    def painted(self, labels: Tensor, style_labels: Tensor, style_images: Tensor) -> Tensor:
        """Label maps (N, S, S) twice and pictures (N, 3, S, S) ``uint8`` -> ``uint8`` pictures, on the CPU."""

    def wish(self, fake: losses.Features) -> Tensor:
        """The adversarial loss of the generator: that its pictures be taken for real."""
        return losses.least_squares(fake, real=True)

    def terms(
        self, labels: Tensor, fake: Tensor, real: Tensor, fake_features: losses.Features, real_features: losses.Features
    ) -> dict[str, Tensor]:
        """The generator's losses by name, not yet weighed; ``labels`` are the label maps that were asked for."""
        terms = {
            "adversarial": self.wish(fake_features),
            "feature_matching": losses.feature_matching(fake_features, real_features),
            "pixel": losses.pixel(fake, real, self.emphasis, labels),
        }
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
        """The sum of the terms, each times its weight in ``recipe.loss``."""
        weights = self.weights.model_dump()
        return torch.stack([weights[name] * term for name, term in terms.items()]).sum()

    def validate(self) -> dict[str, float]:
        """Reconstruction of the validation faces: L1 in [0, 1] and PSNR in dB."""
        real = self.validation.images
        fake = self.painted(self.validation.labels, self.validation.labels, real)
        error = (fake.float() - real.float()) / 255
        psnr = -10 * torch.log10(error.square().mean(dim=(1, 2, 3)).clamp_min(1e-10))
        return {"val_l1": float(error.abs().mean()), "val_psnr": float(psnr.mean())}

    @property
    def measure_every(self) -> int | None:
        """See `task.Measuring`."""
        return None if self.measures is None else self.measures.every

    def measure(self) -> dict[str, float]:
        """See `PaintingMeasures`: the validation faces' masks, each in the style of the next face."""
        assert self.measures is not None
        labels, images = self.validation.labels, self.validation.images
        return self.measures(self.painted(labels, labels.roll(-1, 0), images.roll(-1, 0)), images, labels)

    def sheet(self) -> Picture:
        """Rows of: mask, face, its reconstruction, and its shape in the next face's style."""
        rows = min(self.recipe.schedule.sheet_rows, len(self.validation.images))
        labels, images = self.validation.labels[:rows], self.validation.images[:rows]
        same = self.painted(labels, labels, images)
        other = self.painted(labels, labels.roll(-1, 0), images.roll(-1, 0))
        columns = [np.concatenate([colourise(row) for row in labels.numpy()])]
        columns += [np.concatenate(list(x.permute(0, 2, 3, 1).numpy())) for x in (images, same, other)]
        return np.concatenate(columns, axis=1)
