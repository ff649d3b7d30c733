"""The adversarial training step of DMN, EBST and Pix2PixHD-m (paper, Sec. 3.3)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Final, cast

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch._functorch import config as functorch_config
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel

from maskgan_cli.data.dataset import Batch
from maskgan_cli.errors import InputError
from maskgan_cli.models.discriminator import MultiScaleDiscriminator
from maskgan_cli.models.dmn import DenseMappingNetwork
from maskgan_cli.models.layers import one_hot, to_bytes, to_unit
from maskgan_cli.training import accumulate, losses
from maskgan_cli.training.accumulate import BatchPart
from maskgan_cli.training.augment import PairAugment
from maskgan_cli.training.ema import moving_average
from maskgan_cli.training.gan_recipe import GANRecipe, LossSettings, class_weights
from maskgan_cli.training.learner import AdamUpdate
from maskgan_cli.training.measures import PaintingMeasures
from maskgan_cli.training.painting_task import PaintingTask
from maskgan_cli.training.perceptual_features import FeatureNetwork
from maskgan_cli.training.processes import in_shares
from maskgan_cli.training.style_inputs import augment_geometry, generator_inputs
from maskgan_cli.training.style_losses import StyleLosses
from maskgan_cli.weights.format import load_strictly, save_weights

# Share of the steps with an R1 penalty; the penalty's weight is divided by this share (Karras et al. 2020, Sec. 3.1).
_R1_SHARE: Final = 1 / 8
_PAIRED: Final = ("pixel", "feature_matching", "perceptual")  # loss terms that need the ground truth


class AdversarialTask(PaintingTask):
    """Trains a generator and its discriminator; the network of the perceptual loss is frozen.

    `step` updates both networks once, as in the paper's Stage I, which trains the generator to reconstruct faces.
    Subclasses can override:

    - `new_generator`: creates the generator, which is called as ``generator(mask, style_mask, image)``. If it has other
      arguments, also override `generate`, which training, validation and sample grids use.
    - `generator_adversarial_loss` and `discriminator_loss`: the adversarial losses of the generator and of the
      discriminator.
    - `terms`: the generator's losses by name. ``recipe.loss`` has their weights under the same names. To add a loss
      (e.g. a KL divergence), add it to the result of ``super().terms(...)`` and add its weight to the recipe's
      ``loss``.
    - `step`: for another training step, e.g. on edited masks (Stage II). A new `step` can use `generator_inputs`,
      `discriminate`, `terms`, `weighted`, `update` and `update_average`. After every backward pass exactly one
      optimiser must step, because fp16 has one loss scale for all optimisers.

    Args:
        recipe: see `GANRecipe`.
        accelerator: device, processes and precision.
        features: the frozen network of the perceptual loss; None if the recipe has no perceptual loss.
        validation: faces for validation and sample grids.

    Attributes:
        kind: kind of the weights files that the task writes, a key of `networks.KINDS`.
    """

    kind: ClassVar[str] = "dmn"
    recipe: GANRecipe

    def __init__(
        self, recipe: GANRecipe, accelerator: Accelerator, features: FeatureNetwork | None, validation: Batch
    ) -> None:
        self.recipe, self.accelerator = recipe, accelerator
        torch.manual_seed(recipe.seed)  # the same initialisation in every process
        place: dict[str, Any] = {"device": accelerator.device, "memory_format": torch.channels_last}
        self.generator = self.new_generator().to(**place)
        self.discriminator = MultiScaleDiscriminator(recipe.discriminator).to(**place)
        self.features = features.to(**place) if features is not None else None
        self.style_losses = StyleLosses(recipe.loss, recipe.identity.weights, accelerator)
        self.average: AveragedModel | None = None
        if recipe.ema:
            self.average = AveragedModel(self.generator, multi_avg_fn=moving_average(recipe.ema, recipe.ema_warmup))
        self.class_weights: Tensor | None = None
        if recipe.loss.small_classes != 1.0:
            self.class_weights = class_weights(recipe.loss.small_classes, accelerator.device)
        self.validation = validation
        self.measures = PaintingMeasures.of(recipe.validation, accelerator.device, recipe.data.batch_size)
        self.part = BatchPart()
        self.optimisers: Mapping[str, Optimizer] = {}
        self._updates: dict[str, AdamUpdate] = {}
        self.add_optimiser("generator", self.generator)
        self.add_optimiser("discriminator", self.discriminator, rate=recipe.discriminator_rate)
        self.networks: Mapping[str, nn.Module] = {"generator": self.generator, "discriminator": self.discriminator}
        if self.average is not None:
            self.networks = {**self.networks, "average": self.average}
        if recipe.compile:
            self._compile()
        if recipe.checkpointing:
            self.generator.checkpoint_activations()

    def _compile(self) -> None:
        """Compile generator and discriminator with PyTorch.

        Raises:
            InputError: the device is the CPU, and there is no C++ compiler.
        """
        if self.accelerator.device.type == "cpu" and shutil.which(os.environ.get("CXX", "g++")) is None:
            raise InputError(
                "compile",
                expected="a C++ compiler (g++, or the one that CXX names)",
                found="none",
                hint="train without compile",
            )
        functorch_config.donated_buffer = False  # each picture's graph is backpropagated for both networks
        for network in (self.generator, self.discriminator):
            network.compile()

    def new_generator(self) -> DenseMappingNetwork:
        """Create a new generator on the CPU, with the initialisation that the recipe names."""
        network = DenseMappingNetwork(self.recipe.network)
        if self.recipe.initialisation == "balanced":
            network.balance()
        return network

    def start_from(
        self, generator: Mapping[str, Tensor], discriminator: Mapping[str, Tensor] | None, source: Path
    ) -> None:
        """Load trained weights into generator, moving average and discriminator.

        Args:
            generator: tensors of the trained generator, by name.
            discriminator: tensors of the trained discriminator; None: the discriminator keeps its initialisation.
            source: file or folder of the weights, for error messages.

        Raises:
            InputError: tensors do not fit the networks; the message names ``source`` and the tensors.
        """
        load_strictly(self.generator, generator, source)
        load_strictly(self.best, generator, source)
        if discriminator is not None:
            load_strictly(self.discriminator, discriminator, source)

    def add_optimiser(self, name: str, *networks: nn.Module, rate: float = 1.0, decay: bool = True) -> None:
        """Add an Adam optimiser called ``name`` for the parameters of ``networks``.

        Args:
            name: name of the optimiser, for `update` and in checkpoints.
            networks: the networks to train.
            rate: factor of the recipe's learning rate.
            decay: whether the learning rate follows the recipe's schedule; if False, it is constant.
        """
        self._updates[name] = AdamUpdate(networks, self.recipe.optimiser, self.accelerator, rate=rate, decay=decay)
        self.optimisers = {**self.optimisers, name: self._updates[name].optimiser}

    @property
    def weights(self) -> LossSettings:
        """The weights of the loss terms, ``recipe.loss``; its fields have the names of the terms."""
        return self.recipe.loss

    @property
    def adversarial(self) -> bool:
        """Whether a loss term with a weight above 0 needs the discriminator; if not, `step` does not train it."""
        return self.weights.adversarial > 0 or self.weights.feature_matching > 0

    @property
    def best(self) -> DenseMappingNetwork:
        """The generator for samples and saved weights: its moving average if the recipe has one, else the generator."""
        return cast(DenseMappingNetwork, self.average.module) if self.average is not None else self.generator

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update generator and discriminator once, from the same forward passes.

        Returns:
            A dict from the names of the losses to their values (scalars), not multiplied by their weights.
        """
        settings = self.recipe.style_augmentation
        batch = augment_geometry(batch, settings)
        mask, real, style_mask, style = generator_inputs(batch, settings)
        others = settings.others > 0 and float(torch.rand(())) < settings.others
        if others:
            style_mask, style = mask.roll(1, 0), real.roll(1, 0)
        with self.accelerator.autocast():
            fake = self.generate(self.generator, mask, style_mask, style)
        fake_features = real_features = None
        if self.adversarial:
            view = PairAugment(self.recipe.discriminator_augment, real.shape, real.device)
            fake_features = self.discriminate(*view(mask, fake.float()))
            real_features = self.discriminate(*view(mask, real))
        terms = self.terms(batch.labels, fake, real, fake_features, real_features)
        target, target_mask = (style, style_mask) if others else (real, mask)
        terms |= self.style_losses.terms(fake, mask, target, target_mask)
        if others:
            terms = {name: torch.zeros_like(term) if name in _PAIRED else term for name, term in terms.items()}
        if fake_features is None or real_features is None:
            self.update("generator", self.weighted(terms))
            self.update_average()
            return terms
        discriminator_loss = self.discriminator_loss([fake_features], real_features)
        if self.recipe.r1 and float(torch.rand(())) < _R1_SHARE:
            penalty = losses.r1_penalty(lambda faces: self._scores(*view(mask, faces)), real)
            discriminator_loss = discriminator_loss + self.recipe.r1 / 2 / _R1_SHARE * penalty
        # Each loss is backpropagated into its own network only. So one forward pass of the discriminator serves both,
        # and no network collects gradients of the other's loss.
        self.update("generator", self.weighted(terms), retain_graph=True)
        self.update("discriminator", discriminator_loss)
        self.update_average()
        return {**terms, "discriminator": discriminator_loss}

    def step_in_parts(self, parts: Sequence[Batch]) -> dict[str, Tensor]:
        """Call `step` for each part of a batch (gradient accumulation); both optimisers step after the last part.

        Returns:
            A dict from the names of the losses to their means over the parts.
        """
        return accumulate.step_in_parts(self, parts, self.step)

    def generate(self, generator: DenseMappingNetwork, mask: Tensor, style_mask: Tensor, image: Tensor) -> Tensor:
        """Generate faces (N, 3, S, S) in [-1, 1] from masks, in the style of pictures.

        Args:
            generator: the generator or its moving average.
            mask: one-hot masks (N, 19, S, S) of the faces to generate.
            style_mask: one-hot masks (N, 19, S, S) of the style pictures.
            image: style pictures (N, 3, S, S) in [-1, 1].
        """
        picture: Tensor = generator(mask, style_mask, image)
        return picture

    def discriminate(self, mask: Tensor, picture: Tensor) -> losses.Features:
        """Run the discriminator on pictures (N, 3, S, S) in [-1, 1] with their one-hot masks (N, 19, S, S).

        Returns:
            For each scale, a list of the outputs of all layers; the last output of a list is the scores.
        """
        with self.accelerator.autocast():
            features: losses.Features = self.discriminator(mask, picture)
        return features

    def _scores(self, mask: Tensor, picture: Tensor) -> Tensor:
        """Return the discriminator's score of each picture (N,): the mean over patches, summed over scales.

        Args:
            mask: one-hot masks (N, 19, S, S) of the pictures.
            picture: pictures (N, 3, S, S) in [-1, 1].
        """
        return torch.stack([scale[-1].float().mean((1, 2, 3)) for scale in self.discriminate(mask, picture)]).sum(0)

    def generator_adversarial_loss(self, fake: losses.Features) -> Tensor:
        """Return the generator's adversarial loss, a scalar: hinge or least squares (``recipe.adversarial_loss``).

        Args:
            fake: the discriminator's layer outputs for generated pictures.
        """
        if self.recipe.adversarial_loss == "hinge":
            return losses.hinge_generator_loss(fake)
        return super().generator_adversarial_loss(fake)

    def discriminator_loss(self, fakes: list[losses.Features], real: losses.Features) -> Tensor:
        """Return the discriminator's loss, a scalar: hinge or least squares (``recipe.adversarial_loss``).

        The hinge loss is the loss of the real faces plus the loss of the generated faces. The least-squares loss is
        half of the corresponding sum.

        Args:
            fakes: the discriminator's layer outputs for one or more batches of generated faces, whose losses are
                averaged.
            real: the discriminator's layer outputs for the real faces.
        """
        if self.recipe.adversarial_loss == "hinge":
            generated = torch.stack([losses.hinge_discriminator_loss(fake, real=False) for fake in fakes]).mean()
            return generated + losses.hinge_discriminator_loss(real, real=True)
        generated = torch.stack([losses.least_squares(fake, real=False) for fake in fakes]).mean()
        return 0.5 * (generated + losses.least_squares(real, real=True))

    def update(
        self, name: str, loss: Tensor, *, retain_graph: bool = False, through: tuple[Tensor, Tensor] | None = None
    ) -> None:
        """Backpropagate a loss into the networks of one optimiser; after the last part of a batch, step this optimiser.

        Args:
            name: name of the optimiser, see `add_optimiser`.
            loss: mean loss of the current part of the batch.
            retain_graph: keep the graph, for the backward pass of another loss.
            through: generated pictures and a detached copy of these pictures, if ``loss`` was computed from the copy;
                see `AdamUpdate.__call__`.
        """
        self._updates[name](loss, self.part, retain_graph=retain_graph, through=through)

    def update_average(self) -> None:
        """Update the moving average of the generator, if there is one, after the last part of a batch."""
        if self.average is not None and self.part.last:
            self.average.update_parameters(self.generator)

    @torch.no_grad()
    def paint(self, labels: Tensor, style_labels: Tensor, style_images: Tensor) -> Tensor:
        """Generate faces from masks, in the style of other faces, in batches of at most ``data.batch_size`` faces.

        Args:
            labels: label maps (N, S, S) of the faces to generate.
            style_labels: label maps (N, S, S) of the style pictures.
            style_images: style pictures (N, 3, S, S) ``uint8``.

        Returns:
            The generated faces (N, 3, S, S) ``uint8`` on the CPU.
        """
        device, size = self.accelerator.device, self.recipe.data.batch_size

        def compute(rows: slice) -> Tensor:
            pictures = []
            for parts in zip(*(torch.split(x[rows], size) for x in (labels, style_labels, style_images)), strict=True):
                mask, style_mask, image = (part.to(device) for part in parts)
                painted = self.generate(self.best, one_hot(mask), one_hot(style_mask), to_unit(image))
                pictures.append(to_bytes(painted).cpu())
            return torch.cat(pictures)

        return in_shares(len(labels), compute)

    def save_model(self, path: Path, about: Mapping[str, Any]) -> None:
        """Write the generator, or its moving average if there is one, to ``path``.

        The file also contains the configuration of the network and the metadata ``about``.
        """
        save_weights(path, self.best, kind=self.kind, config=asdict(self.recipe.network), about=about)
