"""Train StarGAN (Choi et al. 2018, Sec. 3 and 4): faces change attributes and come back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from maskgan_cli.config import DataSettings, OptimiserSettings, Positive, Section, TrainingRecipe
from maskgan_cli.data.dataset import Batch
from maskgan_cli.files import Picture
from maskgan_cli.models.baselines.stargan import (
    StarGANConfig,
    StarGANDiscriminator,
    StarGANDiscriminatorConfig,
    StarGANGenerator,
    asked_labels,
)
from maskgan_cli.models.layers import to_bytes, to_unit
from maskgan_cli.training import losses
from maskgan_cli.training.attributes import Truth
from maskgan_cli.training.augment import NotNegative
from maskgan_cli.training.learner import Learner
from maskgan_cli.training.loop import Loop
from maskgan_cli.training.setup import Plan
from maskgan_cli.weights.format import save_weights


class StarGANCriticSettings(Section):
    """The discriminator's width and depth; size and attributes are the generator's."""

    width: Positive = 64
    layers: Positive = 6


class StarGANLossSettings(Section):
    """Weights of the loss terms besides the adversarial one."""

    classification: NotNegative = 1.0
    reconstruction: NotNegative = 10.0
    gradient_penalty: NotNegative = 10.0


class StarGANRecipe(TrainingRecipe):
    """Everything ``maskgan train stargan`` needs besides the data set.

    A step is an update of the discriminator; every ``critic_steps``-th is one of the generator too.
    """

    task: Literal["stargan"] = "stargan"
    optimiser: OptimiserSettings = OptimiserSettings(lr=1e-4)
    data: DataSettings = DataSettings(batch_size=16)
    network: StarGANConfig = StarGANConfig()
    discriminator: StarGANCriticSettings = StarGANCriticSettings()
    loss: StarGANLossSettings = StarGANLossSettings()
    critic_steps: Positive = 5


class StarGANTask:
    """One generator, one discriminator that also names the attributes.

    Args:
        recipe: see `StarGANRecipe`.
        accelerator: device, processes, precision.
        truth: the network's attributes.
        validation: faces that are measured and shown.
    """

    def __init__(self, recipe: StarGANRecipe, accelerator: Accelerator, truth: Truth, validation: Batch) -> None:
        self.recipe, self.accelerator = recipe, accelerator
        self.truth = truth.train.to(accelerator.device)
        self.validation, self.validation_truth = validation, truth.val[validation.indices]
        torch.manual_seed(recipe.seed)  # the same start in every process
        self.generator = Learner("generator", StarGANGenerator(recipe.network), recipe.optimiser, accelerator)
        critic = StarGANDiscriminator(_critic_config(recipe))
        self.critic = Learner("discriminator", critic, recipe.optimiser, accelerator)
        self.networks: Mapping[str, nn.Module] = {**self.generator.networks, **self.critic.networks}
        self.optimisers: Mapping[str, Optimizer] = {**self.generator.optimisers, **self.critic.optimisers}

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update the discriminator and, every ``critic_steps``-th time, the generator.

        The generator's terms are 0 in between and that many times as large when they are there, so
        that their mean over a window of steps is their mean over its updates.
        """
        real, labels = to_unit(batch.images), self.truth[batch.indices]
        asked = labels[torch.randperm(len(labels)).to(labels.device)]
        every = self.recipe.critic_steps
        terms = self._criticise(real, labels, asked)
        wished = {name: real.new_zeros(()) for name in ("adversarial", "asked", "reconstruction")}
        if self.critic.updates % every == 0:
            wished = {name: term.detach() * every for name, term in self._generate(real, labels, asked).items()}
        return {**wished, **terms}

    def _criticise(self, real: Tensor, labels: Tensor, asked: Tensor) -> dict[str, Tensor]:
        weights = self.recipe.loss
        with self.accelerator.autocast():
            with torch.no_grad():
                fake = self.generator.network(real, asked).float()
            real_scores, logits = self.critic.network(real)
            fake_scores, _ = self.critic.network(fake)
        # The penalty is a derivative of a derivative: it stays in single precision.
        penalty = losses.gradient_penalty(lambda mixed: self.critic.network(mixed)[0], real, fake)
        terms = {
            "discriminator": fake_scores.float().mean() - real_scores.float().mean(),
            "classification": losses.classification(logits, labels),
            "gradient_penalty": penalty,
        }
        self.critic.update(
            terms["discriminator"] + weights.classification * terms["classification"]
            + weights.gradient_penalty * penalty
        )  # fmt: skip
        return terms

    def _generate(self, real: Tensor, labels: Tensor, asked: Tensor) -> dict[str, Tensor]:
        weights = self.recipe.loss
        with self.accelerator.autocast():
            fake = self.generator.network(real, asked)
            scores, logits = self.critic.network(fake)
            back = self.generator.network(fake, labels)
        terms = {
            "adversarial": -scores.float().mean(),
            "asked": losses.classification(logits, asked),
            "reconstruction": F.l1_loss(back.float(), real),
        }
        self.generator.update(
            terms["adversarial"] + weights.classification * terms["asked"]
            + weights.reconstruction * terms["reconstruction"]
        )  # fmt: skip
        return terms

    @torch.no_grad()
    def _changed(self, images: Tensor, labels: Tensor) -> Tensor:
        """Pictures (N, 3, S, S) ``uint8`` with other labels (N, attributes), on the CPU, in [-1, 1]."""

        def answer(rows: Tensor) -> Tensor:
            changed: Tensor = self.generator.network(to_unit(everything[rows]), asked[rows])
            return changed

        everything, asked = images.to(self.accelerator.device), labels.to(self.accelerator.device)
        return self.generator.answers(torch.arange(len(images)), answer, self.recipe.data.batch_size)

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Each attribute inverted: L1 in [0, 1] of the faces brought back, and how many show what was asked.

        Whether a face shows it is the discriminator's own opinion, see `maskgan eval attributes` for another's.
        """
        images, truth, names = self.validation.images, self.validation_truth, self.recipe.network.attributes
        errors, right = [], {}
        for place, name in enumerate(names):
            asked = _inverted(names, truth, place)
            changed = self._changed(images, asked)
            back = self._changed(to_bytes(changed), truth)
            errors.append(float((back - to_unit(images)).abs().mean()) / 2)
            seen = self.critic.answers(changed, lambda part: self.critic.network(part)[1], self.recipe.data.batch_size)
            right[name] = float(((seen[:, place] > 0) == (asked[:, place] > 0)).float().mean())
        each = {f"val_asked/{name}": share for name, share in right.items()}
        return {"val_back_l1": float(np.mean(errors)), "val_asked": float(np.mean(list(right.values())))} | each

    def sheet(self) -> Picture:
        """Rows of: face, then the face with each attribute inverted, in the recipe's order."""
        rows, names = self.recipe.schedule.sheet_rows, self.recipe.network.attributes
        images, truth = self.validation.images[:rows], self.validation_truth[:rows]
        columns = [images] + [to_bytes(self._changed(images, _inverted(names, truth, i))) for i in range(len(names))]
        pictures = [np.concatenate(list(column.permute(0, 2, 3, 1).numpy())) for column in columns]
        return np.concatenate(pictures, axis=1)

    def save_model(self, path: Path, about: Mapping[str, Any]) -> None:
        """Write the generator's weights, and beside them the discriminator's."""
        generator, critic = self.generator.network, self.critic.network
        save_weights(path.with_name("discriminator.safetensors"), critic, kind="stargan-discriminator",
                     config=asdict(critic.config), about=about)  # fmt: skip
        save_weights(path, generator, kind="stargan", config=asdict(generator.config), about=about)


def _critic_config(recipe: StarGANRecipe) -> StarGANDiscriminatorConfig:
    return StarGANDiscriminatorConfig(
        recipe.network.image_size, len(recipe.network.attributes), **recipe.discriminator.model_dump()
    )


def _inverted(names: tuple[str, ...], labels: Tensor, place: int) -> Tensor:
    """Labels with one attribute inverted in every row; a hair colour that is set clears the others."""
    with_it, without = (asked_labels(names, labels, names[place], value) for value in (True, False))
    return torch.where(labels[:, [place]] > 0, without, with_it)


def prepare_training(plan: Plan, recipe: StarGANRecipe) -> Loop:
    """Everything up to the first step; `Loop.steps` does the rest. Masks are not read.

    Raises:
        InputError: data, recipe and run folder do not go together.
    """
    plan.check_size(recipe.network.image_size)
    truth = Truth.read(plan.data, recipe.network.attributes)
    return plan.loop(
        recipe, lambda validation: StarGANTask(recipe, plan.accelerator, truth, validation), {},
        begins="stargan", masked=False,
    )  # fmt: skip
