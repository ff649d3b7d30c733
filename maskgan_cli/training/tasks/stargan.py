"""Train StarGAN (Choi et al. 2018, Sec. 3 and 4), which changes attributes of a face.

The generator must also be able to reconstruct the original face from the changed face.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal, NamedTuple

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
from maskgan_cli.training.augment import NotNegative
from maskgan_cli.training.learner import Learner
from maskgan_cli.training.loop import Loop
from maskgan_cli.training.setup import TrainingPlan
from maskgan_cli.training.tasks.attributes import Truth
from maskgan_cli.weights.format import save_weights


class StarGANCriticSettings(Section):
    """Settings of the discriminator. It has the same image size and attributes as the generator.

    Attributes:
        width: channels of the first layer.
        layers: number of layers, each of which halves the resolution and doubles the channels.
    """

    width: Positive = 64
    layers: Positive = 6


class StarGANLossSettings(Section):
    """Weights of the loss terms of StarGAN's generator and discriminator; the adversarial term has weight 1."""

    classification: NotNegative = 1.0
    reconstruction: NotNegative = 10.0
    gradient_penalty: NotNegative = 10.0


class StarGANRecipe(TrainingRecipe):
    """Settings of ``maskgan train stargan``.

    Attributes:
        critic_steps: number of updates of the discriminator for each update of the generator. Each step updates the
            discriminator once; every ``critic_steps``-th step then also updates the generator.
    """

    task: Literal["stargan"] = "stargan"
    optimiser: OptimiserSettings = OptimiserSettings(lr=1e-4)
    data: DataSettings = DataSettings(batch_size=16)
    network: StarGANConfig = StarGANConfig()
    discriminator: StarGANCriticSettings = StarGANCriticSettings()
    loss: StarGANLossSettings = StarGANLossSettings()
    critic_steps: Positive = 5


class Change(NamedTuple):
    """N real faces, and the attributes that the generator should give these faces.

    Attributes:
        real: the real faces (N, 3, S, S) in [-1, 1].
        labels: the attributes of the real faces (N, attributes), 0 or 1.
        target: the attributes that the faces should have after the change (N, attributes), 0 or 1.
    """

    real: Tensor
    labels: Tensor
    target: Tensor


class StarGANTask:
    """Trains StarGAN: a generator, and a discriminator that also classifies attributes.

    Args:
        recipe: see `StarGANRecipe`.
        accelerator: device, processes and precision.
        truth: ground truth of the network's attributes (``recipe.network.attributes``).
        validation: faces for validation and sample grids.
    """

    def __init__(self, recipe: StarGANRecipe, accelerator: Accelerator, truth: Truth, validation: Batch) -> None:
        self.recipe, self.accelerator = recipe, accelerator
        self.truth = truth.train.to(accelerator.device)
        self.validation, self.validation_truth = validation, truth.val[validation.indices]
        torch.manual_seed(recipe.seed)  # the same initialisation in every process
        self.generator = Learner("generator", StarGANGenerator(recipe.network), recipe.optimiser, accelerator)
        critic = StarGANDiscriminator(_critic_config(recipe))
        self.critic = Learner("discriminator", critic, recipe.optimiser, accelerator)
        self.networks: Mapping[str, nn.Module] = {**self.generator.networks, **self.critic.networks}
        self.optimisers: Mapping[str, Optimizer] = {**self.generator.optimisers, **self.critic.optimisers}

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update the discriminator and, in every ``critic_steps``-th step, the generator; return a dict of the losses.

        In steps without an update of the generator, the generator's losses are 0; in the other steps, the generator's
        losses are multiplied by ``critic_steps``. The mean over all steps is thus the mean over the generator's
        updates.
        """
        return self.step_in_parts([batch])

    def step_in_parts(self, parts: Sequence[Batch]) -> dict[str, Tensor]:
        """Run one training step, see `step`, on a batch that is split into parts (gradient accumulation).

        The discriminator is updated from all parts before the generator processes the first part.

        Returns:
            A dict from the names of the losses to their means over the parts.
        """
        labels = [self.truth[part.indices] for part in parts]
        shuffled = torch.cat(labels)
        shuffled = shuffled[torch.randperm(len(shuffled)).to(shuffled.device)]
        targets = torch.split(shuffled, [len(own) for own in labels])
        real = [to_unit(part.images) for part in parts]
        inputs = [Change(*one) for one in zip(real, labels, targets, strict=True)]
        every = self.recipe.critic_steps
        critic_terms = self.critic.step_in_parts(inputs, self._update_critic)
        terms = {name: torch.zeros((), device=shuffled.device) for name in ("adversarial", "asked", "reconstruction")}
        if self.critic.updates % every == 0:
            found = self.generator.step_in_parts(inputs, self._update_generator)
            terms = {name: term * every for name, term in found.items()}
        return {**terms, **critic_terms}

    def _update_critic(self, change: Change) -> dict[str, Tensor]:
        """Compute the discriminator's losses for one part of a batch, and backpropagate the losses' weighted sum.

        Returns:
            A dict from the name of each loss to its value, without its weight.
        """
        weights, (real, labels, target) = self.recipe.loss, change
        with self.accelerator.autocast():
            with torch.no_grad():
                fake = self.generator.network(real, target).float()
            real_scores, logits = self.critic.network(real)
            fake_scores, _ = self.critic.network(fake)
        # The gradient penalty needs second derivatives, so it is computed in single precision.
        penalty = losses.gradient_penalty(lambda mixed: self.critic.network(mixed)[0], real, fake)
        terms = {
            "discriminator": fake_scores.float().mean() - real_scores.float().mean(),
            "classification": losses.classification(logits, labels),
            "gradient_penalty": penalty,
        }
        classification = weights.classification * terms["classification"]
        self.critic.update(terms["discriminator"] + classification + weights.gradient_penalty * penalty)
        return terms

    def _update_generator(self, change: Change) -> dict[str, Tensor]:
        """Compute the generator's losses for one part of a batch, and backpropagate the losses' weighted sum.

        Returns:
            A dict from the name of each loss to its value, without its weight.
        """
        weights, (real, labels, target) = self.recipe.loss, change
        with self.accelerator.autocast():
            fake = self.generator.network(real, target)
            scores, logits = self.critic.network(fake)
            back = self.generator.network(fake, labels)
        terms = {
            "adversarial": -scores.float().mean(),
            "asked": losses.classification(logits, target),
            "reconstruction": F.l1_loss(back.float(), real),
        }
        classification = weights.classification * terms["asked"]
        self.generator.update(terms["adversarial"] + classification + weights.reconstruction * terms["reconstruction"])
        return terms

    @torch.no_grad()
    def _translate(self, images: Tensor, labels: Tensor) -> Tensor:
        """Change the attributes of faces with the generator, and return the changed pictures.

        Args:
            images: faces (N, 3, S, S) ``uint8``.
            labels: attributes (N, attributes) that the returned faces should have, 0 or 1.

        Returns:
            The changed pictures (N, 3, S, S) in [-1, 1], on the CPU.
        """

        def translate_rows(rows: Tensor) -> Tensor:
            changed: Tensor = self.generator.network(to_unit(images[rows]), labels[rows])
            return changed

        images, labels = images.to(self.accelerator.device), labels.to(self.accelerator.device)
        return self.generator.predict(torch.arange(len(images)), translate_rows, self.recipe.data.batch_size)

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Invert each attribute of the validation faces with the generator, and check the changed faces.

        Returns:
            A dict with these keys. ``val_back_l1``: the mean absolute difference, for pictures in [0, 1], between the
            faces and their reconstructions from the changed faces. ``val_asked``: the share of the changed faces in
            which the discriminator recognises the new value of the attribute, over all attributes. ``val_asked/NAME``:
            the same share for the attribute NAME. (``maskgan eval attributes`` uses a separate classifier.)
        """
        images, truth, names = self.validation.images, self.validation_truth, self.recipe.network.attributes
        errors, right = [], {}
        for place, name in enumerate(names):
            target = _inverted(names, truth, place)
            changed = self._translate(images, target)
            back = self._translate(to_bytes(changed), truth)
            errors.append(float((back - to_unit(images)).abs().mean()) / 2)
            logits = self.critic.predict(
                changed, lambda part: self.critic.network(part)[1], self.recipe.data.batch_size
            )
            right[name] = float(((logits[:, place] > 0) == (target[:, place] > 0)).float().mean())
        each = {f"val_asked/{name}": share for name, share in right.items()}
        return {"val_back_l1": float(np.mean(errors)), "val_asked": float(np.mean(list(right.values())))} | each

    def sample_grid(self) -> Picture:
        """Draw a row for each validation face, and return the picture (H, W, 3).

        A row has the face, and then, for each attribute, the face with this attribute inverted.
        """
        rows, names = self.recipe.schedule.sheet_rows, self.recipe.network.attributes
        images, truth = self.validation.images[:rows], self.validation_truth[:rows]
        columns = [images] + [to_bytes(self._translate(images, _inverted(names, truth, i))) for i in range(len(names))]
        pictures = [np.concatenate(list(column.permute(0, 2, 3, 1).numpy())) for column in columns]
        return np.concatenate(pictures, axis=1)

    def save_model(self, path: Path, about: Mapping[str, Any]) -> None:
        """Write the generator to ``path``, and the discriminator to ``discriminator.safetensors`` in the same folder.

        Both files get the metadata ``about``.
        """
        generator, critic = self.generator.network, self.critic.network
        beside, config = path.with_name("discriminator.safetensors"), asdict(critic.config)
        save_weights(beside, critic, kind="stargan-discriminator", config=config, about=about)
        save_weights(path, generator, kind="stargan", config=asdict(generator.config), about=about)


def _critic_config(recipe: StarGANRecipe) -> StarGANDiscriminatorConfig:
    """Return the configuration of the discriminator that the recipe describes."""
    return StarGANDiscriminatorConfig(
        recipe.network.image_size, len(recipe.network.attributes), **recipe.discriminator.model_dump()
    )


def _inverted(names: tuple[str, ...], labels: Tensor, place: int) -> Tensor:
    """Return a copy of the attribute labels in which one attribute of every face is inverted.

    If a hair colour is set, the other hair colours are cleared.

    Args:
        names: names of the attributes, in the order of the columns.
        labels: attributes (N, attributes) of the faces, 0 or 1.
        place: column of the attribute to invert.
    """
    with_it, without = (asked_labels(names, labels, names[place], value) for value in (True, False))
    return torch.where(labels[:, [place]] > 0, without, with_it)


def prepare_training(plan: TrainingPlan, recipe: StarGANRecipe) -> Loop:
    """Set up the training of StarGAN, and return the training loop; iterate over `Loop.steps` to train.

    Masks are not needed.

    Raises:
        InputError: data, recipe and run folder do not fit together.
    """
    plan.check_size(recipe.network.image_size)
    truth = Truth.read(plan.data, recipe.network.attributes)

    def make(validation: Batch) -> StarGANTask:
        return StarGANTask(recipe, plan.accelerator, truth, validation)

    return plan.loop(recipe, make, {}, start_kind="stargan", masked=False)
