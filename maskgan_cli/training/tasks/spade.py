"""Train SPADE (Park et al. 2019, Sec. 3 and 4), which reconstructs a face from its mask and one style code."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from accelerate import Accelerator
from pydantic import model_validator
from torch import Tensor, nn
from torch.optim import Optimizer

from maskgan_cli.config import OptimiserSettings, Section, TrainingRecipe
from maskgan_cli.data.dataset import Batch
from maskgan_cli.models.baselines.spade import SPADE, SPADEConfig, SPADEDiscriminator
from maskgan_cli.models.discriminator import DiscriminatorConfig, MultiScaleDiscriminator
from maskgan_cli.models.layers import one_hot, to_bytes, to_unit
from maskgan_cli.models.mask_vae import draw_code
from maskgan_cli.models.perceptual import VGG19Features
from maskgan_cli.training import losses
from maskgan_cli.training.augment import NotNegative
from maskgan_cli.training.learner import Learner
from maskgan_cli.training.loop import Loop
from maskgan_cli.training.measures import PaintingMeasures, ValidationSettings
from maskgan_cli.training.painting_task import PaintingTask
from maskgan_cli.training.perceptual_features import PerceptualSettings, feature_network
from maskgan_cli.training.setup import TrainingPlan
from maskgan_cli.weights.format import save_weights


class HingeLossSettings(Section):
    """Weights of the loss terms of SPADE and SEAN; the term ``pixel`` (L1) is not in their papers."""

    adversarial: NotNegative = 1.0
    feature_matching: NotNegative = 10.0
    perceptual: NotNegative = 10.0
    pixel: NotNegative = 0.0


class SPADELossSettings(HingeLossSettings):
    """Weights of SPADE's loss terms.

    Attributes:
        kl: weight of the KL divergence between the style codes' normal distributions and N(0, 1), which is summed over
            the batch.
    """

    kl: NotNegative = 0.05


class HingeRecipe(TrainingRecipe):
    """The settings that the trainings of SPADE and SEAN share.

    Attributes:
        two_rates: train generator and encoder with half of the learning rate ``optimiser.lr``, and the discriminator
            with twice this rate (TTUR, Heusel et al. 2017).
    """

    two_rates: bool = True
    discriminator: DiscriminatorConfig = DiscriminatorConfig()
    perceptual: PerceptualSettings = PerceptualSettings()
    loss: HingeLossSettings = HingeLossSettings()
    validation: ValidationSettings = ValidationSettings()

    @model_validator(mode="after")
    def _no_parser_features(self) -> HingeRecipe:
        """Check that the perceptual loss does not use a face parser."""
        if self.perceptual.network == "parser":
            raise ValueError("perceptual.network must be vgg19, random or none")
        return self


class SPADERecipe(HingeRecipe):
    """Settings of ``maskgan train spade``; see `HingeRecipe`."""

    task: Literal["spade"] = "spade"
    optimiser: OptimiserSettings = OptimiserSettings(beta1=0.0, beta2=0.9)
    network: SPADEConfig = SPADEConfig()
    loss: SPADELossSettings = SPADELossSettings()


class HingeTask(PaintingTask):
    """Trains a generator with its style encoder, and a discriminator, with hinge losses.

    Subclasses implement `new_network`, `new_discriminator`, `generate` and `paint`.

    Args:
        recipe: see `HingeRecipe`.
        accelerator: device, processes and precision.
        features: the frozen network of the perceptual loss; None if the recipe has no perceptual loss.
        validation: faces for validation and sample grids.

    Attributes:
        kind: kind of the weights files that the task writes, a key of `networks.KINDS`.
    """

    kind: ClassVar[str]
    recipe: HingeRecipe

    def __init__(
        self, recipe: HingeRecipe, accelerator: Accelerator, features: VGG19Features | None, validation: Batch
    ) -> None:
        self.recipe, self.accelerator, self.validation = recipe, accelerator, validation
        self.measures = PaintingMeasures.of(recipe.validation, accelerator.device, recipe.data.batch_size)
        torch.manual_seed(recipe.seed)  # the same initialisation in every process
        slow, fast = (0.5, 2.0) if recipe.two_rates else (1.0, 1.0)
        network = self.new_network()
        self.generator: Learner[Any] = Learner(self.kind, network, recipe.optimiser, accelerator, rate=slow)
        self.critic = Learner("discriminator", self.new_discriminator(), recipe.optimiser, accelerator, rate=fast)
        self.features = None if features is None else features.to(accelerator.device)
        self.networks: Mapping[str, nn.Module] = {**self.generator.networks, **self.critic.networks}
        self.optimisers: Mapping[str, Optimizer] = {**self.generator.optimisers, **self.critic.optimisers}

    @abstractmethod
    def new_network(self) -> nn.Module:
        """Create a new generator with its style encoder, as one module with the attribute ``config``."""

    @abstractmethod
    def new_discriminator(self) -> MultiScaleDiscriminator:
        """Create a new discriminator."""

    @abstractmethod
    def generate(self, mask: Tensor, real: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Reconstruct faces from their own masks and style codes.

        Args:
            mask: one-hot masks (N, 19, S, S) of the faces.
            real: the faces (N, 3, S, S) in [-1, 1], from which the style codes are computed.

        Returns:
            The reconstructed faces (N, 3, S, S) in [-1, 1]; and a dict of further loss terms by name, which are trained
            with in addition to the loss terms of `PaintingTask.terms`.
        """

    @property
    def weights(self) -> HingeLossSettings:
        """The weights of the loss terms, ``recipe.loss``; its fields have the names of the terms."""
        return self.recipe.loss

    def generator_adversarial_loss(self, fake: losses.Features) -> Tensor:
        """Return the generator's hinge loss, a scalar.

        Args:
            fake: the discriminator's layer outputs for the generated pictures.
        """
        return losses.hinge_generator_loss(fake)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update generator and encoder once, then the discriminator once on newly generated faces.

        Returns:
            A dict from the names of the losses to their values, not multiplied by their weights.
        """
        return self.step_in_parts([batch])

    def step_in_parts(self, parts: Sequence[Batch]) -> dict[str, Tensor]:
        """Update generator and encoder, then the discriminator, on a batch that is split into parts.

        The generator is updated from all parts before the discriminator processes the first part.

        Returns:
            A dict from the names of the losses to their means over the parts.
        """
        terms = self.generator.step_in_parts(parts, self._update_generator)
        return {**terms, **self.critic.step_in_parts(parts, self._update_critic)}

    def _update_generator(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the generator's losses for one part of a batch, and backpropagate the weighted sum of these losses.

        Returns:
            A dict from the name of each loss to its value, without its weight.
        """
        mask, real = one_hot(batch.labels), to_unit(batch.images)
        with self.accelerator.autocast():
            fake, more = self.generate(mask, real)
            fake_features, real_features = self._discriminate(mask, fake, real)
        # `feature_matching` with four layers and two scales has SPADE's weights: 1 for each layer, mean over scales.
        terms = {**self.terms(batch.labels, fake, real, fake_features, real_features), **more}
        self.generator.update(self.weighted(terms))
        return terms

    def _update_critic(self, batch: Batch) -> dict[str, Tensor]:
        """Backpropagate the discriminator's loss for one part of a batch; return ``{"discriminator": loss}``."""
        mask, real = one_hot(batch.labels), to_unit(batch.images)
        with self.accelerator.autocast():
            with torch.no_grad():
                fake, _ = self.generate(mask, real)
            fake_features, real_features = self._discriminate(mask, fake, real)
        loss = losses.hinge_discriminator_loss
        discriminator = loss(fake_features, real=False) + loss(real_features, real=True)
        self.critic.update(discriminator)
        return {"discriminator": discriminator}

    def _discriminate(self, mask: Tensor, fake: Tensor, real: Tensor) -> tuple[losses.Features, losses.Features]:
        """Run the discriminator on generated and real pictures, as one batch.

        Args:
            mask: one-hot masks (N, 19, S, S), the same for the generated and the real pictures.
            fake, real: generated and real pictures (N, 3, S, S) in [-1, 1].

        Returns:
            The discriminator's features of the generated pictures and of the real pictures, see `losses.Features`.
        """
        both = self.critic.network(torch.cat([mask, mask]), torch.cat([fake, real.to(fake.dtype)]))
        halves = [[layer.chunk(2) for layer in scale] for scale in both]
        fakes, reals = ([[layer[i] for layer in scale] for scale in halves] for i in (0, 1))
        return fakes, reals

    def save_model(self, path: Path, about: Mapping[str, Any]) -> None:
        """Write generator and encoder to ``path``, and the discriminator to ``discriminator.safetensors`` beside it.

        Both files get the metadata ``about``.
        """
        network, critic = self.generator.network, self.critic.network
        beside, config = path.with_name("discriminator.safetensors"), asdict(critic.config)
        save_weights(beside, critic, kind=f"{self.kind}-discriminator", config=config, about=about)
        save_weights(path, network, kind=self.kind, config=asdict(network.config), about=about)


class SPADETask(HingeTask):
    """Trains SPADE with sampled style codes, and with the KL divergence as an additional loss term."""

    kind = "spade"
    recipe: SPADERecipe
    generator: Learner[SPADE]

    def new_network(self) -> SPADE:
        """Create a new SPADE network (generator and encoder)."""
        return SPADE(self.recipe.network)

    def new_discriminator(self) -> SPADEDiscriminator:
        """Create a new discriminator of SPADE."""
        return SPADEDiscriminator(self.recipe.discriminator)

    def generate(self, mask: Tensor, real: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Reconstruct faces from their own masks and from style codes that are sampled from their style distributions.

        Args:
            mask: one-hot masks (N, 19, S, S) of the faces.
            real: the faces (N, 3, S, S) in [-1, 1].

        Returns:
            The reconstructed faces (N, 3, S, S) in [-1, 1]; and the loss term ``kl``, the KL divergence of the style
            distributions, summed over the batch of all processes.
        """
        network = self.generator.network
        if network.encoder is None:
            return network.generator(mask, None), {"kl": real.new_zeros(())}
        mean, log_variance = network.encoder(real)
        fake: Tensor = network.generator(mask, draw_code(mean, log_variance))
        # Mean over the process's share, times the size of the whole batch: the mean over processes is the sum.
        return fake, {"kl": losses.kl_divergence(mean, log_variance) * self.recipe.data.batch_size}

    def paint(self, labels: Tensor, style_labels: Tensor, style_images: Tensor) -> Tensor:
        """Generate faces from masks; the style code of a picture is the mean of its style distribution.

        Args:
            labels: label maps (N, S, S) of the faces to generate.
            style_labels: ignored.
            style_images: style pictures (N, 3, S, S) ``uint8``.

        Returns:
            The generated faces (N, 3, S, S) ``uint8`` on the CPU.
        """
        network, device = self.generator.network, self.accelerator.device

        def paint_rows(rows: Tensor) -> Tensor:
            rows = rows.cpu()
            return to_bytes(network(one_hot(labels[rows].to(device)), to_unit(style_images[rows].to(device))))

        return self.generator.predict(torch.arange(len(labels)), paint_rows, self.recipe.data.batch_size)


def prepare_training(plan: TrainingPlan, recipe: SPADERecipe) -> Loop:
    """Set up the training of SPADE, and return the training loop; iterate over `Loop.steps` to train.

    Raises:
        InputError: data, recipe, weights and run folder do not fit together.
    """
    return prepare_hinge(plan, recipe, SPADETask, recipe.network.image_size)


def prepare_hinge(plan: TrainingPlan, recipe: HingeRecipe, task: type[HingeTask], image_size: int) -> Loop:
    """Set up the training of SPADE or SEAN, and return the training loop; iterate over `Loop.steps` to train.

    Args:
        plan: data set, run folder and device.
        recipe: the resolved recipe.
        task: class of the training task, `SPADETask` or `SEANTask`.
        image_size: side of the network's pictures in pixels; the data set must have the same size.

    Raises:
        InputError: data, recipe, weights and run folder do not fit together.
    """
    plan.check_size(image_size)
    features, record = feature_network(recipe.perceptual)
    assert features is None or isinstance(features, VGG19Features)  # the recipe does not allow a parser
    plan.callbacks.say(f"perceptual loss: {record['network']}")

    def make(validation: Batch) -> HingeTask:
        return task(recipe, plan.accelerator, features, validation)

    return plan.loop(recipe, make, {"perceptual": record}, start_kind=task.kind)
