"""Train MaskVAE (paper, Sec. 3.2), a variational autoencoder of face masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from accelerate import Accelerator
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from maskgan_cli.config import Section, TrainingRecipe
from maskgan_cli.data.dataset import Batch
from maskgan_cli.files import Picture
from maskgan_cli.labels import colourise
from maskgan_cli.metrics.confusion import agreement
from maskgan_cli.models.layers import one_hot
from maskgan_cli.models.mask_vae import MaskVAE, MaskVAEConfig
from maskgan_cli.training import losses
from maskgan_cli.training.learner import Learner
from maskgan_cli.training.loop import Loop
from maskgan_cli.training.setup import TrainingPlan
from maskgan_cli.weights.format import save_weights

NotNegative = Annotated[float, Field(ge=0.0)]


class VAELossSettings(Section):
    """Settings of the loss: cross-entropy (mean over pixels) + ``kl`` times the KL divergence + ``dice`` times Dice.

    Attributes:
        kl: weight of the KL divergence, which is in nats, summed over the dimensions of a code and averaged over masks.
        kl_warmup: number of steps in which this weight rises linearly from 0; 0 for a constant weight.
        dice: weight of the Dice loss, in which small classes count as much as large ones; 0, as published: no Dice.
    """

    dice: NotNegative = 0.0
    kl: NotNegative = 1e-5
    kl_warmup: Annotated[int, Field(ge=0)] = 0


class VAERecipe(TrainingRecipe):
    """Settings of ``maskgan train vae``."""

    task: Literal["vae"] = "vae"
    network: MaskVAEConfig = MaskVAEConfig()
    loss: VAELossSettings = VAELossSettings()


class VAETask:
    """Trains a MaskVAE to reconstruct face masks.

    If there are several processes, batch norm normalises the faces of each process separately.

    Args:
        recipe: see `VAERecipe`.
        accelerator: device, processes and precision.
        validation: faces whose masks are used for validation and sample grids.
    """

    def __init__(self, recipe: VAERecipe, accelerator: Accelerator, validation: Batch) -> None:
        self.recipe, self.accelerator, self.validation = recipe, accelerator, validation
        torch.manual_seed(recipe.seed)  # the same initialisation in every process
        self.learner = Learner("vae", MaskVAE(recipe.network), recipe.optimiser, accelerator)
        self.vae = self.learner.network
        self.networks, self.optimisers = self.learner.networks, self.learner.optimisers

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update the MaskVAE once, with latent codes sampled by torch's random generator.

        Returns:
            A dict with ``cross_entropy``, ``kl`` (the KL divergence in nats) and, if the recipe gives it a weight,
            ``dice``, not multiplied by their weights.
        """
        with self.accelerator.autocast():
            logits, mean, log_variance = self.vae(one_hot(batch.labels))
        cross_entropy = F.cross_entropy(logits.float(), batch.labels.long())
        kl = losses.kl_divergence(mean, log_variance)
        loss, terms = cross_entropy + self.kl_weight() * kl, {"cross_entropy": cross_entropy, "kl": kl}
        if self.recipe.loss.dice:
            terms["dice"] = losses.dice(logits.float(), batch.labels)
            loss = loss + self.recipe.loss.dice * terms["dice"]
        self.learner.update(loss)
        return terms

    def step_in_parts(self, parts: Sequence[Batch]) -> dict[str, Tensor]:
        """Update the MaskVAE once on a batch that is split into parts (gradient accumulation).

        Returns:
            The dict of `step`, with means over the parts.
        """
        return self.learner.step_in_parts(parts, self.step)

    def kl_weight(self) -> Tensor:
        """Return the weight of the KL divergence in the current step, a scalar tensor on the device."""
        settings = self.recipe.loss
        warmup = self.recipe.data.accumulate * max(settings.kl_warmup, 1)  # `batches_seen` counts every part of a batch
        share = (self.vae.batches_seen / warmup).clamp(max=1.0)
        return settings.kl * share

    def _reconstruct(self, labels: Tensor) -> Tensor:
        """Encode label maps (N, S, S) and decode their mean codes; return label maps (N, S, S) ``uint8`` on the CPU."""

        def reconstruct_part(part: Tensor) -> Tensor:
            return self.vae.reconstruct(one_hot(part)).argmax(1).to(torch.uint8)

        return self.learner.predict(labels, reconstruct_part, self.recipe.data.batch_size)

    def validate(self) -> dict[str, float]:
        """Reconstruct the validation masks, and compare the reconstructions with the masks.

        Returns:
            A dict with ``val_accuracy`` (share of equal pixels), ``val_miou`` (mean IoU) and values of each class, all
            in [0, 1]; see `metrics.confusion.agreement`.
        """
        labels = self.validation.labels
        return {f"val_{name}": value for name, value in agreement(labels, self._reconstruct(labels)).items()}

    def sample_grid(self) -> Picture:
        """Return a picture (H, W, 3) with one row for each validation mask: the mask and its reconstruction."""
        labels = self.validation.labels[: self.recipe.schedule.sheet_rows]
        pair = torch.cat([labels, self._reconstruct(labels)], dim=2).numpy()  # (N, S, 2S)
        return colourise(np.concatenate(list(pair)))

    def save_model(self, path: Path, about: Mapping[str, Any]) -> None:
        """Write the network's weights to ``path``, with its configuration and the metadata ``about``."""
        save_weights(path, self.vae, kind="vae", config=asdict(self.recipe.network), about=about)


def prepare_training(plan: TrainingPlan, recipe: VAERecipe) -> Loop:
    """Set up the training of MaskVAE, and return the training loop; iterate over `Loop.steps` to train.

    Raises:
        InputError: data, recipe and run folder do not fit together.
    """
    plan.check_size(recipe.network.image_size)
    return plan.loop(recipe, lambda validation: VAETask(recipe, plan.accelerator, validation), {}, start_kind="vae")
