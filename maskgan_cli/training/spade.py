"""Train SPADE (Park et al. 2019, Sec. 3 and 4): faces painted from their own masks and a code of their look."""

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
    """Weights of the loss terms; ``kl`` is of the divergence summed over the batch, ``pixel`` (L1) is ours."""

    adversarial: NotNegative = 1.0
    feature_matching: NotNegative = 10.0
    perceptual: NotNegative = 10.0
    kl: NotNegative = 0.05
    pixel: NotNegative = 0.0


class SPADERecipe(TrainingRecipe):
    """Everything ``maskgan train spade`` needs besides the data set.

    With ``two_rates`` generator and encoder learn at half of ``optimiser.lr`` and the discriminator at
    twice that (TTUR, Heusel et al. 2017).
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
    def _vgg(self) -> SPADERecipe:
        if self.perceptual.network == "parser":
            raise ValueError("perceptual.network is vgg19, random or none")
        return self


class SPADETask(PaintingTask):
    """Generator with encoder, discriminator, one fixed feature network.

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
        torch.manual_seed(recipe.seed)  # the same start in every process
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

    def wish(self, fake: losses.Features) -> Tensor:
        """The generator's side of the hinge loss."""
        return losses.hinge_wish(fake)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update generator and encoder, then the discriminator on faces painted anew."""
        mask, real = one_hot(batch.labels), to_unit(batch.images)
        with self.accelerator.autocast():
            fake, kl = self._paint(mask, real)
            fake_features, real_features = self._judge(mask, fake, real)
        # With the published four layers each weighs 1 and the sum is halved for two scales, as in SPADE.
        terms = {**self.terms(batch.labels, fake, real, fake_features, real_features), "kl": kl}
        self.spade.update(self.weighted(terms))
        with self.accelerator.autocast():
            with torch.no_grad():
                fake, _ = self._paint(mask, real)
            fake_features, real_features = self._judge(mask, fake, real)
        discriminator = losses.hinge(fake_features, real=False) + losses.hinge(real_features, real=True)
        self.critic.update(discriminator)
        return {**terms, "discriminator": discriminator}

    def _paint(self, mask: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """Faces (N, 3, S, S) from codes that are drawn, and KL summed over the batch of all processes."""
        network = self.spade.network
        if network.encoder is None:
            return network.generator(mask, None), real.new_zeros(())
        mean, log_variance = network.encoder(real)
        fake: Tensor = network.generator(mask, draw_code(mean, log_variance))
        # The mean over each process's share, times the whole batch: averaged gradients are the sum's.
        return fake, losses.kl_divergence(mean, log_variance) * self.recipe.data.batch_size

    def _judge(self, mask: Tensor, fake: Tensor, real: Tensor) -> tuple[losses.Features, losses.Features]:
        """Features of fake and real, which pass the discriminator as one batch."""
        both = self.critic.network(torch.cat([mask, mask]), torch.cat([fake, real.to(fake.dtype)]))
        halves = [[layer.chunk(2) for layer in scale] for scale in both]
        fakes, reals = ([[layer[i] for layer in scale] for scale in halves] for i in (0, 1))
        return fakes, reals

    def painted(self, labels: Tensor, style_labels: Tensor, style_images: Tensor) -> Tensor:
        """See `PaintingTask.painted`: the most likely codes of the pictures, whose own masks SPADE does not look at."""
        network, device = self.spade.network, self.accelerator.device

        def answer(rows: Tensor) -> Tensor:
            rows = rows.cpu()
            return to_bytes(network(one_hot(labels[rows].to(device)), to_unit(style_images[rows].to(device))))

        return self.spade.answers(torch.arange(len(labels)), answer, self.recipe.data.batch_size)

    def save_model(self, path: Path, about: Mapping[str, Any]) -> None:
        """Write generator and encoder, and beside them the discriminator."""
        network, critic = self.spade.network, self.critic.network
        save_weights(path.with_name("discriminator.safetensors"), critic, kind="spade-discriminator",
                     config=asdict(critic.config), about=about)  # fmt: skip
        save_weights(path, network, kind="spade", config=asdict(network.config), about=about)


def prepare_training(plan: Plan, recipe: SPADERecipe) -> Loop:
    """Everything up to the first step; `Loop.steps` does the rest.

    Raises:
        InputError: data, recipe, weights and run folder do not go together.
    """
    plan.check_size(recipe.network.image_size)
    features, record = feature_network(recipe.perceptual)
    assert features is None or isinstance(features, VGG19Features)  # the recipe saw to it
    plan.host.say(f"perceptual loss: {record['network']}")
    return plan.loop(
        recipe, lambda validation: SPADETask(recipe, plan.accelerator, features, validation),
        {"perceptual": record}, begins="spade",
    )  # fmt: skip
