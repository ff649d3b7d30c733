"""The adversarial step that DMN, EBST and their relatives share (paper, Sec. 3.3)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, cast

import torch
from accelerate import Accelerator
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch._functorch import config as donation
from torch.nn import functional as F
from torch.optim import Adam, Optimizer
from torch.optim.swa_utils import AveragedModel

from maskgan_cli.config import Section, Share, TrainingRecipe
from maskgan_cli.data.alignment import aligned, batch_points
from maskgan_cli.data.dataset import Batch
from maskgan_cli.errors import InputError
from maskgan_cli.labels import ID, NUM_CLASSES
from maskgan_cli.models.arcface import IResNet
from maskgan_cli.models.discriminator import DiscriminatorConfig, MultiScaleDiscriminator
from maskgan_cli.models.dmn import DenseMappingNetwork, DMNConfig
from maskgan_cli.models.layers import one_hot, to_bytes, to_unit
from maskgan_cli.training import losses
from maskgan_cli.training.accumulate import Part, mean_terms
from maskgan_cli.training.augment import (
    AugmentSettings,
    NotNegative,
    PairAugment,
    PairAugmentSettings,
    move,
    moving_grid,
    recolour,
    resampled,
)
from maskgan_cli.training.average import moving_average
from maskgan_cli.training.measures import PaintingMeasures, ValidationSettings
from maskgan_cli.training.painting import PaintingTask
from maskgan_cli.training.perceptual import FeatureNetwork, PerceptualSettings
from maskgan_cli.training.processes import average_gradients, in_shares
from maskgan_cli.weights.format import load, load_strictly, save_weights
from maskgan_cli.weights.lookup import find_weights

_PAIRED = ("pixel", "feature_matching", "perceptual")  # terms that need the true picture
_SMALL = ("l_eye", "r_eye", "l_brow", "r_brow", "u_lip", "l_lip", "mouth", "eye_g", "l_ear", "r_ear", "ear_r")


class LossSettings(Section):
    """Weights of the loss terms; ``pixel`` and ``segmentation`` are ours, and 0 in the paper's recipes.

    ``pixel`` is L1, in which the small classes (eyes, brows, lips, mouth, glasses, ears, earrings)
    weigh ``small_classes`` times as much as the others. ``segmentation`` is the cross-entropy of what
    the face parser (``perceptual.network: parser``) reads in the picture against the mask asked for. ``colours`` is
    `losses.class_colours`, ``texture`` `losses.texture`, ``identity`` one minus the cosine of the embeddings of face
    and style (``identity``). All of them are ours too.
    """

    adversarial: float = 1.0
    feature_matching: float = 10.0
    perceptual: float = 10.0
    pixel: float = 0.0
    small_classes: Annotated[float, Field(gt=0.0)] = 1.0
    segmentation: float = 0.0
    colours: float = 0.0
    texture: float = 0.0
    identity: float = 0.0


class IdentitySettings(Section):
    """The network of the identity loss: ``weights`` of ``maskgan train identity``, or a published ArcFace network."""

    weights: Path | None = None


def emphasis(small: float, device: torch.device) -> Tensor:
    """(19,): what a pixel of each class weighs, ``small`` for the small classes, 1 for the others."""
    weights = torch.ones(NUM_CLASSES, device=device)
    weights[[ID[name] for name in _SMALL]] = small
    return weights


class LookSettings(Section):
    """How far faces are changed in training, so that looks foreign to the data are not foreign to the network.

    ``light`` and ``tint`` change the face itself, as the network sees it and as it shall paint it;
    ``blur`` and ``noise`` only what the style encoder sees. See `AugmentSettings`. ``takes`` is the share of faces of
    which the style encoder sees another take: the same scene with another expression (``maskgan synth --takes``).
    So the network learns edits whose truth is known, e.g. to open a mouth whose teeth it has not seen.
    ``others`` is the share of steps in which the style is another person's: there is no truth then, so the terms
    ``pixel``, ``feature_matching`` and ``perceptual`` are 0.

    ``rotate`` (degrees), ``zoom`` and ``shift`` move whole faces, mask and picture alike, so that the network paints
    heads in many places; ``style_rotate``, ``style_zoom`` and ``style_shift`` move what the style encoder sees once
    more, so that the style holds what a face looks like and not where its parts lie.
    """

    light: NotNegative = 0.0
    tint: NotNegative = 0.0
    blur: Share = 0.0
    noise: NotNegative = 0.0
    takes: Share = 0.0
    others: Share = 0.0
    rotate: NotNegative = 0.0
    zoom: NotNegative = 0.0
    shift: NotNegative = 0.0
    style_rotate: NotNegative = 0.0
    style_zoom: NotNegative = 0.0
    style_shift: NotNegative = 0.0


class GANRecipe(TrainingRecipe):
    """What both stages of the paper's training need besides the data set.

    ``ema`` is the decay of a moving average of the generator's weights, 0 for none; with
    ``ema_warmup`` it averages over few steps at first, so that an early picture is not an old one;
    ``initialisation: balanced`` is for narrow networks, see `DenseMappingNetwork.balance`. ``compile`` has
    PyTorch compile generator and discriminator in the first step, which takes minutes. ``checkpointing`` keeps less of
    the forward pass and computes it again in the backward pass (activation checkpointing): less memory, more time.
    ``discriminator_rate`` is the discriminator's learning rate as a multiple of ``optimiser.lr`` (Heusel et al. 2017).
    """

    ema: Share = 0.0
    ema_warmup: bool = False
    initialisation: Literal["published", "balanced"] = "published"
    compile: bool = False
    checkpointing: bool = False
    discriminator_rate: Annotated[float, Field(gt=0.0)] = 1.0
    network: DMNConfig = DMNConfig()
    discriminator: DiscriminatorConfig = DiscriminatorConfig()
    perceptual: PerceptualSettings = PerceptualSettings()
    loss: LossSettings = LossSettings()
    look: LookSettings = LookSettings()
    discriminator_augment: PairAugmentSettings = PairAugmentSettings()
    identity: IdentitySettings = IdentitySettings()
    validation: ValidationSettings = ValidationSettings()

    @model_validator(mode="after")
    def _recomputed(self) -> GANRecipe:
        if self.compile and self.checkpointing:
            raise ValueError("checkpointing does not go with compile: PyTorch decides what compiled networks keep")
        return self

    @model_validator(mode="after")
    def _parsed(self) -> GANRecipe:
        if self.loss.segmentation and self.perceptual.network != "parser":
            raise ValueError("loss.segmentation needs perceptual.network=parser")
        return self


class AdversarialTask(PaintingTask):
    """A generator, its discriminator and a fixed feature network: what DMN, EBST and their relatives share.

    `step` is one update of Stage I. A relative replaces what it does otherwise:

    - `new_generator`: the network that paints, called as ``generator(mask, style_mask, image)``; one that
      is called in another way replaces `generate` too, in training and (`best`) for the sheets;
    - `wish` and `verdict`: the generator's and the discriminator's side of the adversarial loss;
    - `terms`: the generator's losses by name, which ``recipe.loss`` weighs by the same names; a term of its
      own (KL, a cycle) is added to what ``super().terms(...)`` returns and to its recipe's ``loss``;
    - `step`, built from `inputs`, `judge`, `terms`, `weighted`, `update` and `averaged`, for other stages: after
      every backward pass exactly one optimiser makes its step, so that fp16's loss scale is one for both.

    Args:
        recipe: see `GANRecipe`.
        accelerator: device, processes, precision.
        features: the frozen network of the perceptual loss, or None.
        validation: faces to measure and to show.

    Attributes:
        kind: of the weights it writes.
    """

    kind: ClassVar[str] = "dmn"
    recipe: GANRecipe

    def __init__(
        self, recipe: GANRecipe, accelerator: Accelerator, features: FeatureNetwork | None, validation: Batch
    ) -> None:
        self.recipe, self.accelerator = recipe, accelerator
        torch.manual_seed(recipe.seed)  # the same start in every process
        place: dict[str, Any] = {"device": accelerator.device, "memory_format": torch.channels_last}
        self.generator = self.new_generator().to(**place)
        self.discriminator = MultiScaleDiscriminator(recipe.discriminator).to(**place)
        self.features = features.to(**place) if features is not None else None
        self.identity: IResNet | None = None
        if recipe.loss.identity:
            where = find_weights(recipe.identity.weights, "identity", "identity.weights")
            network, _ = load("identity", where, accelerator.device)
            self.identity = network.eval().requires_grad_(False)
        self.average: AveragedModel | None = None
        if recipe.ema:
            self.average = AveragedModel(self.generator, multi_avg_fn=moving_average(recipe.ema, recipe.ema_warmup))
        self.emphasis: Tensor | None = None  # (19,), what a pixel of each class weighs
        if recipe.loss.small_classes != 1.0:
            self.emphasis = emphasis(recipe.loss.small_classes, accelerator.device)
        self.validation = validation
        self.measures = PaintingMeasures.of(recipe.validation, accelerator.device, recipe.data.batch_size)
        self.part = Part()  # of the batch that is learnt from
        self.learners: dict[str, tuple[nn.Module, ...]] = {}
        self.optimisers: Mapping[str, Optimizer] = {}
        self.learn("generator", self.generator)
        self.learn("discriminator", self.discriminator, rate=recipe.discriminator_rate)
        self.networks: Mapping[str, nn.Module] = {"generator": self.generator, "discriminator": self.discriminator}
        if self.average is not None:
            self.networks = {**self.networks, "average": self.average}
        if recipe.compile:
            self._compile()
        if recipe.checkpointing:
            self.generator.checkpoint_activations()

    def _compile(self) -> None:
        if self.accelerator.device.type == "cpu" and shutil.which(os.environ.get("CXX", "g++")) is None:
            raise InputError("compile", expected="a C++ compiler (g++, or the one that CXX names)", found="none",
                             hint="leave it out")  # fmt: skip
        donation.donated_buffer = False  # each picture's graph is gone through for both networks
        for network in (self.generator, self.discriminator):
            network.compile()

    def new_generator(self) -> DenseMappingNetwork:
        """The network that learns to paint, before it is moved to its device."""
        network = DenseMappingNetwork(self.recipe.network)
        if self.recipe.initialisation == "balanced":
            network.balance()
        return network

    def start_from(
        self, generator: Mapping[str, Tensor], discriminator: Mapping[str, Tensor] | None, source: Path
    ) -> None:
        """Take over trained weights; without ``discriminator`` it starts anew.

        Raises:
            InputError: naming ``source`` and the tensors that do not fit.
        """
        load_strictly(self.generator, generator, source)
        load_strictly(self.best, generator, source)
        if discriminator is not None:
            load_strictly(self.discriminator, discriminator, source)

    def learn(self, name: str, *networks: nn.Module, rate: float = 1.0) -> None:
        """Add an optimiser: one Adam for the parameters of these networks, at ``rate`` times the learning rate."""
        settings = self.recipe.optimiser
        parameters = [parameter for network in networks for parameter in network.parameters()]
        group: dict[str, Any] = {"params": parameters} if rate == 1.0 else {"params": parameters, "rate": rate}
        adam = Adam([group], lr=settings.lr, betas=(settings.beta1, settings.beta2))
        self.learners[name] = networks
        self.optimisers = {**self.optimisers, name: self.accelerator.prepare_optimizer(adam)}

    @property
    def weights(self) -> LossSettings:
        """See `PaintingTask.weights`."""
        return self.recipe.loss

    @property
    def best(self) -> DenseMappingNetwork:
        """The generator to show and to ship: the moving average where the recipe keeps one."""
        return cast(DenseMappingNetwork, self.average.module) if self.average is not None else self.generator

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update generator and discriminator once; both see the same forward passes."""
        batch = self.moved(batch)
        mask, real, style_mask, seen = self.inputs(batch)
        style, others = real, self.recipe.look.others > 0 and float(torch.rand(())) < self.recipe.look.others
        if others:
            style, style_mask, seen = (planes.roll(1, 0) for planes in (real, mask, real))
        with self.accelerator.autocast():
            fake = self.generate(self.generator, mask, style_mask, seen)
        view = PairAugment(self.recipe.discriminator_augment, real.shape, real.device)
        fake_features, real_features = self.judge(*view(mask, fake.float())), self.judge(*view(mask, real))
        terms = self.terms(batch.labels, fake, real, fake_features, real_features)
        terms |= self.likeness(fake, mask, style, mask.roll(1, 0) if others else mask)
        if others:
            terms = {name: torch.zeros_like(term) if name in _PAIRED else term for name, term in terms.items()}
        verdict = self.verdict([fake_features], real_features)
        # Each loss is propagated to its own network only, so one forward of the discriminator
        # serves both and neither network collects the other's gradient.
        self.update("generator", self.weighted(terms), retain_graph=True)
        self.update("discriminator", verdict)
        self.averaged()
        return {**terms, "discriminator": verdict}

    def likeness(self, fake: Tensor, mask: Tensor, style: Tensor, style_mask: Tensor) -> dict[str, Tensor]:
        """The terms that compare a painted face with the person of the style picture, in whatever shape."""
        terms = {}
        if self.recipe.loss.colours:
            terms["colours"] = losses.class_colours(fake, mask, style, style_mask)
        if self.recipe.loss.texture:
            terms["texture"] = losses.texture(fake, mask, style, style_mask)
        if self.identity is not None:
            with torch.no_grad(), self.accelerator.autocast():
                wanted = self.embedded(style, style_mask)
            with self.accelerator.autocast():
                terms["identity"] = 1 - (self.embedded(fake.float(), mask) * wanted).sum(1).mean()
        return terms

    def embedded(self, pictures: Tensor, mask: Tensor) -> Tensor:
        """Faces (N, 3, H, W) in [-1, 1] and their one-hot masks -> unit embeddings (N, D)."""
        assert self.identity is not None
        points = batch_points(mask.argmax(1).to(torch.uint8), pictures.shape[-1])
        faces = aligned(pictures, points, self.identity.config.image_size)
        return F.normalize(self.identity(faces).float())

    def step_in_parts(self, parts: Sequence[Batch]) -> dict[str, Tensor]:
        """See `task.Accumulating`: both networks learn from the same forward passes, so each part is a step."""
        terms = []
        for i, batch in enumerate(parts):
            self.part = Part(i, len(parts))
            terms.append({name: term.detach() for name, term in self.step(batch).items()})  # frees the part's graph
        self.part = Part()
        return mean_terms(terms)

    def generate(self, generator: DenseMappingNetwork, mask: Tensor, style_mask: Tensor, image: Tensor) -> Tensor:
        """One-hot masks (N, 19, S, S) and pictures (N, 3, S, S) in [-1, 1] -> pictures like them."""
        picture: Tensor = generator(mask, style_mask, image)
        return picture

    def judge(self, mask: Tensor, picture: Tensor) -> losses.Features:
        """What the discriminator sees in pictures of that mask."""
        with self.accelerator.autocast():
            features: losses.Features = self.discriminator(mask, picture)
        return features

    def verdict(self, fakes: list[losses.Features], real: losses.Features) -> Tensor:
        """The discriminator's loss: half for the faces, half for all that was painted."""
        painted = torch.stack([losses.least_squares(fake, real=False) for fake in fakes]).mean()
        return 0.5 * (painted + losses.least_squares(real, real=True))

    def moved(self, batch: Batch) -> Batch:
        """The batch with every face rotated, scaled and shifted as ``look`` says, other takes alike."""
        look = self.recipe.look
        if not (look.rotate or look.zoom or look.shift):
            return batch
        change = AugmentSettings(rotate=look.rotate, zoom=look.zoom, shift=look.shift)
        grid, _ = moving_grid(batch.images.shape, change, batch.images.device)
        assert grid is not None
        images, labels = resampled(batch.images.float(), batch.labels, grid, outside="reflection")
        others, other_labels = batch.other_images, batch.other_labels
        if others is not None:
            others, other_labels = resampled(others.float(), other_labels, grid, outside="reflection")
        assert labels is not None
        return replace(batch, images=images, labels=labels, other_images=others, other_labels=other_labels)

    def inputs(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """One-hot masks, the faces to paint, and masks and faces as the style encoder sees them."""
        mask, real, look = one_hot(batch.labels), to_unit(batch.images), self.recipe.look
        style_mask, seen = mask, real
        if batch.other_images is not None and batch.other_labels is not None:
            chosen = (torch.rand(len(mask), device=mask.device) < look.takes).view(-1, 1, 1, 1)
            style_mask = torch.where(chosen, one_hot(batch.other_labels), mask)
            seen = torch.where(chosen, to_unit(batch.other_images), real)
        if look.light or look.tint:
            change = AugmentSettings(light=look.light, tint=look.tint, noise=0.0)
            if seen is real:
                real = seen = recolour(real, change)
            else:  # one light for both, so side by side
                real, seen = recolour(torch.cat([real, seen], 3), change).chunk(2, 3)
        if look.style_rotate or look.style_zoom or look.style_shift:
            change = AugmentSettings(rotate=look.style_rotate, zoom=look.style_zoom, shift=look.style_shift)
            labels = style_mask.argmax(1).to(torch.uint8)
            seen, moved, _ = move(seen, labels, change)
            assert moved is not None
            style_mask = one_hot(moved)
        if look.blur or look.noise:
            seen = recolour(seen, AugmentSettings(light=0.0, tint=0.0, blur=look.blur, noise=look.noise))
        return mask, real, style_mask, seen

    def update(
        self, name: str, loss: Tensor, *, retain_graph: bool = False, through: tuple[Tensor, Tensor] | None = None
    ) -> None:
        """One step of one optimiser down one loss; of a batch in parts, after its last part.

        Args:
            name: of the optimiser.
            loss: of ``part`` of the batch.
            retain_graph: keep what the loss came from, for another loss.
            through: a picture and its detached copy, where the loss was computed from the copy. What the picture came
                from is freed, also with ``retain_graph``; the gradients are the same to the bit.
        """
        optimiser, learners = self.optimisers[name], self.learners[name]
        if self.part.first:
            optimiser.zero_grad()
        inputs = [parameter for network in learners for parameter in network.parameters()]
        if through is None:
            self.accelerator.backward(self.part.share(loss), inputs=inputs, retain_graph=retain_graph)
        else:
            picture, copy = through
            self.accelerator.backward(self.part.share(loss), inputs=[copy], retain_graph=retain_graph)
            torch.autograd.backward(picture, copy.grad, inputs=inputs)
            copy.grad = None
        if not self.part.last:
            return
        for network in learners:
            average_gradients(self.accelerator, network)
        optimiser.step()

    def averaged(self) -> None:
        """Let the moving average, if there is one, follow the generator."""
        if self.average is not None and self.part.last:
            self.average.update_parameters(self.generator)

    @torch.no_grad()
    def painted(self, labels: Tensor, style_labels: Tensor, style_images: Tensor) -> Tensor:
        """Byte tensors in, ``uint8`` pictures (N, 3, H, W) out, in batches of the training size."""
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
        """Write the generator's weights and what is needed to build it."""
        save_weights(path, self.best, kind=self.kind, config=asdict(self.recipe.network), about=about)
