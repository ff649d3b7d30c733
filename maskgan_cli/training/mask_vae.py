"""Train MaskVAE (paper, Sec. 3.2): masks to codes and back, the codes near a unit normal."""

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
from maskgan_cli.training.setup import Plan
from maskgan_cli.weights.format import save_weights

NotNegative = Annotated[float, Field(ge=0.0)]


class VAELossSettings(Section):
    """Cross-entropy (mean over pixels) + ``kl`` times KL (nats a mask, summed over the code).

    With ``kl_warmup`` the weight of KL rises linearly from 0 over that many steps.
    """

    kl: NotNegative = 1e-5
    kl_warmup: Annotated[int, Field(ge=0)] = 0


class VAERecipe(TrainingRecipe):
    """Everything ``maskgan train vae`` needs besides the data set."""

    task: Literal["vae"] = "vae"
    network: MaskVAEConfig = MaskVAEConfig()
    loss: VAELossSettings = VAELossSettings()


class VAETask:
    """One MaskVAE. With several processes, batch norm sees each process's share of a batch.

    Args:
        recipe: see `VAERecipe`.
        accelerator: device, processes, precision.
        validation: faces whose masks are measured and shown.
    """

    def __init__(self, recipe: VAERecipe, accelerator: Accelerator, validation: Batch) -> None:
        self.recipe, self.accelerator, self.validation = recipe, accelerator, validation
        torch.manual_seed(recipe.seed)  # the same start in every process
        self.learner = Learner("vae", MaskVAE(recipe.network), recipe.optimiser, accelerator)
        self.vae = self.learner.network
        self.networks, self.optimisers = self.learner.networks, self.learner.optimisers

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update once; the code is drawn from torch's generator, which the loop seeds by the step."""
        with self.accelerator.autocast():
            logits, mean, log_variance = self.vae(one_hot(batch.labels))
        cross_entropy = F.cross_entropy(logits.float(), batch.labels.long())
        kl = losses.kl_divergence(mean, log_variance)
        self.learner.update(cross_entropy + self.kl_weight() * kl)
        return {"cross_entropy": cross_entropy, "kl": kl}

    def step_in_parts(self, parts: Sequence[Batch]) -> dict[str, Tensor]:
        """See `Learner.step_in_parts`."""
        return self.learner.step_in_parts(parts, self.step)

    def kl_weight(self) -> Tensor:
        """The weight of KL in this step, a scalar on the device."""
        settings = self.recipe.loss
        counted = self.recipe.data.accumulate * max(settings.kl_warmup, 1)  # batch norm counts every part of a batch
        share = (self.vae.batches_seen / counted).clamp(max=1.0)
        return settings.kl * share

    def _reconstruct(self, labels: Tensor) -> Tensor:
        """Label maps (N, S, S) -> those of their most likely codes, ``uint8`` on the CPU."""

        def answer(part: Tensor) -> Tensor:
            return self.vae.reconstruct(one_hot(part)).argmax(1).to(torch.uint8)

        return self.learner.answers(labels, answer, self.recipe.data.batch_size)

    def validate(self) -> dict[str, float]:
        """Reconstruction of the validation masks, see `agreement`."""
        labels = self.validation.labels
        return {f"val_{name}": value for name, value in agreement(labels, self._reconstruct(labels)).items()}

    def sheet(self) -> Picture:
        """Rows of: mask, its reconstruction."""
        labels = self.validation.labels[: self.recipe.schedule.sheet_rows]
        pair = torch.cat([labels, self._reconstruct(labels)], dim=2).numpy()  # (N, S, 2S)
        return colourise(np.concatenate(list(pair)))

    def save_model(self, path: Path, about: Mapping[str, Any]) -> None:
        """Write the weights and what is needed to build the network."""
        save_weights(path, self.vae, kind="vae", config=asdict(self.recipe.network), about=about)


def prepare_training(plan: Plan, recipe: VAERecipe) -> Loop:
    """Everything up to the first step; `Loop.steps` does the rest.

    Raises:
        InputError: data, recipe and run folder do not go together.
    """
    plan.check_size(recipe.network.image_size)
    return plan.loop(recipe, lambda validation: VAETask(recipe, plan.accelerator, validation), {}, begins="vae")
