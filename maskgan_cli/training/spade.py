"""Train SPADE (Park et al. 2019, Sec. 3 and 4): faces painted from their own masks and a style code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import torch
from accelerate import Accelerator
from pydantic import model_validator
from torch import Tensor, nn
from torch.optim import Optimizer

from maskgan_cli.config import OptimiserSettings, Section, TrainingRecipe
from maskgan_cli.data.dataset import Batch
from maskgan_cli.models.baselines.spade import SPADE, SPADEConfig, SPADEDiscriminator
from maskgan_cli.models.discriminator import DiscriminatorConfig
from maskgan_cli.models.layers import one_hot, to_bytes, to_unit
from maskgan_cli.models.mask_vae import draw_code
from maskgan_cli.models.perceptual import VGG19Features
from maskgan_cli.training import losses
from maskgan_cli.training.augment import NotNegative
from maskgan_cli.training.learner import Learner
from maskgan_cli.training.loop import Loop
from maskgan_cli.training.measures import PaintingMeasures, ValidationSettings
from maskgan_cli.training.painting import PaintingTask
from maskgan_cli.training.perceptual import PerceptualSettings, feature_network
from maskgan_cli.training.setup import Plan
from maskgan_cli.weights.format import save_weights


class SPADELossSettings(Section):
    """Weights of the loss terms. The KL divergence is summed over the batch; ``pixel`` (L1) is not in the paper."""

    adversarial: NotNegative = 1.0
    feature_matching: NotNegative = 10.0
    perceptual: NotNegative = 10.0
    kl: NotNegative = 0.05
    pixel: NotNegative = 0.0


class SPADERecipe(TrainingRecipe):
    """Settings of ``maskgan train spade``.

    With ``two_rates`` generator and encoder learn at half of ``optimiser.lr``, the discriminator at twice
    ``optimiser.lr`` (TTUR, Heusel et al. 2017).
    """

    task: Literal["spade"] = "spade"
    optimiser: OptimiserSettings = OptimiserSettings(beta1=0.0, beta2=0.9)
    two_rates: bool = True
    network: SPADEConfig = SPADEConfig()
    discriminator: DiscriminatorConfig = DiscriminatorConfig()
    perceptual: PerceptualSettings = PerceptualSettings()
    loss: SPADELossSettings = SPADELossSettings()
    validation: ValidationSettings = ValidationSettings()

    @model_validator(mode="after")
    def _no_parser_features(self) -> SPADERecipe:
        if self.perceptual.network == "parser":
            raise ValueError("perceptual.network must be vgg19, random or none")
        return self


class SPADETask(PaintingTask):
    """Trains generator with encoder, and discriminator; the feature network is fixed.

    Args:
        recipe: see `SPADERecipe`.
        accelerator: device, processes, precision.
        features: the frozen network of the perceptual loss, or None.
        validation: faces to measure and to show.
    """

    recipe: SPADERecipe

    def __init__(
        self, recipe: SPADERecipe, accelerator: Accelerator, features: VGG19Features | None, validation: Batch
    ) -> None:
        self.recipe, self.accelerator, self.validation = recipe, accelerator, validation
        self.measures = PaintingMeasures.of(recipe.validation, accelerator.device, recipe.data.batch_size)
        torch.manual_seed(recipe.seed)  # the same initialisation in every process
        slow, fast = (0.5, 2.0) if recipe.two_rates else (1.0, 1.0)
        self.spade = Learner("spade", SPADE(recipe.network), recipe.optimiser, accelerator, rate=slow)
        critic = SPADEDiscriminator(recipe.discriminator)
        self.critic = Learner("discriminator", critic, recipe.optimiser, accelerator, rate=fast)
        self.features = None if features is None else features.to(accelerator.device)
        self.networks: Mapping[str, nn.Module] = {**self.spade.networks, **self.critic.networks}
        self.optimisers: Mapping[str, Optimizer] = {**self.spade.optimisers, **self.critic.optimisers}

    @property
    def weights(self) -> SPADELossSettings:
        """See `PaintingTask.weights`."""
        return self.recipe.loss

    def generator_adversarial_loss(self, fake: losses.Features) -> Tensor:
        """The generator's hinge loss."""
        return losses.hinge_generator_loss(fake)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update generator and encoder, then the discriminator on newly generated faces."""
        mask, real = one_hot(batch.labels), to_unit(batch.images)
        with self.accelerator.autocast():
            fake, kl = self._generate(mask, real)
            fake_features, real_features = self._discriminate(mask, fake, real)
        # `feature_matching` with four layers and two scales has SPADE's weights: 1 for each layer, mean over scales.
        terms = {**self.terms(batch.labels, fake, real, fake_features, real_features), "kl": kl}
        self.spade.update(self.weighted(terms))
        with self.accelerator.autocast():
            with torch.no_grad():
                fake, _ = self._generate(mask, real)
            fake_features, real_features = self._discriminate(mask, fake, real)
        loss = losses.hinge_discriminator_loss
        discriminator = loss(fake_features, real=False) + loss(real_features, real=True)
        self.critic.update(discriminator)
        return {**terms, "discriminator": discriminator}

    def _generate(self, mask: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """Faces (N, 3, S, S) from sampled codes, and the KL divergence summed over the batch of all processes."""
        network = self.spade.network
        if network.encoder is None:
            return network.generator(mask, None), real.new_zeros(())
        mean, log_variance = network.encoder(real)
        fake: Tensor = network.generator(mask, draw_code(mean, log_variance))
        # Mean over the process's share, times the size of the whole batch: the mean over processes is the sum.
        return fake, losses.kl_divergence(mean, log_variance) * self.recipe.data.batch_size

    def _discriminate(self, mask: Tensor, fake: Tensor, real: Tensor) -> tuple[losses.Features, losses.Features]:
        """The discriminator's features of fake and real pictures, computed as one batch."""
        both = self.critic.network(torch.cat([mask, mask]), torch.cat([fake, real.to(fake.dtype)]))
        halves = [[layer.chunk(2) for layer in scale] for scale in both]
        fakes, reals = ([[layer[i] for layer in scale] for scale in halves] for i in (0, 1))
        return fakes, reals

    def paint(self, labels: Tensor, style_labels: Tensor, style_images: Tensor) -> Tensor:
        """See `PaintingTask.paint`. SPADE takes the mean code of each style picture and ignores ``style_labels``."""
        network, device = self.spade.network, self.accelerator.device

        def paint_rows(rows: Tensor) -> Tensor:
            rows = rows.cpu()
            return to_bytes(network(one_hot(labels[rows].to(device)), to_unit(style_images[rows].to(device))))

        return self.spade.predict(torch.arange(len(labels)), paint_rows, self.recipe.data.batch_size)

    def save_model(self, path: Path, about: Mapping[str, Any]) -> None:
        """Write generator and encoder, and beside them the discriminator."""
        network, critic = self.spade.network, self.critic.network
        beside, config = path.with_name("discriminator.safetensors"), asdict(critic.config)
        save_weights(beside, critic, kind="spade-discriminator", config=config, about=about)
        save_weights(path, network, kind="spade", config=asdict(network.config), about=about)


def prepare_training(plan: Plan, recipe: SPADERecipe) -> Loop:
    """Set up the training; `Loop.steps` runs it.

    Raises:
        InputError: data, recipe, weights and run folder do not fit together.
    """
    plan.check_size(recipe.network.image_size)
    features, record = feature_network(recipe.perceptual)
    assert features is None or isinstance(features, VGG19Features)  # the recipe does not allow a parser
    plan.callbacks.say(f"perceptual loss: {record['network']}")

    def make(validation: Batch) -> SPADETask:
        return SPADETask(recipe, plan.accelerator, features, validation)

    return plan.loop(recipe, make, {"perceptual": record}, start_kind="spade")
