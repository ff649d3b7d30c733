"""Stage I: train the Dense Mapping Network to paint a face back from its own mask and look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, cast

import numpy as np
import torch
from accelerate import Accelerator
from pydantic import Field, model_validator
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Adam, Optimizer
from torch.optim.swa_utils import AveragedModel

from maskgan_cli.config import Positive, Section, Share, TrainingRecipe
from maskgan_cli.data.dataset import Batch
from maskgan_cli.errors import InputError
from maskgan_cli.files import Picture, sha256
from maskgan_cli.labels import ID, NUM_CLASSES, colourise
from maskgan_cli.models.discriminator import DiscriminatorConfig, MultiScaleDiscriminator
from maskgan_cli.models.dmn import DenseMappingNetwork, DMNConfig
from maskgan_cli.models.layers import one_hot, to_bytes, to_unit
from maskgan_cli.models.parser import FaceParser
from maskgan_cli.models.perceptual import VGG19Features
from maskgan_cli.training import losses
from maskgan_cli.training.augment import AugmentSettings, NotNegative, recolour
from maskgan_cli.training.checkpoint import RunFolder
from maskgan_cli.training.grow import grow, grown_from
from maskgan_cli.training.loop import Loop, average_gradients
from maskgan_cli.training.setup import Plan
from maskgan_cli.weights.foreign import load_vgg19
from maskgan_cli.weights.format import load, load_strictly, read_weights, save_weights
from maskgan_cli.weights.lookup import find_weights

FeatureNetwork = VGG19Features | FaceParser
_SMALL = ("l_eye", "r_eye", "l_brow", "r_brow", "u_lip", "l_lip", "mouth", "eye_g", "l_ear", "r_ear", "ear_r")


class PerceptualSettings(Section):
    """Which features the perceptual loss compares.

    ``vgg19`` needs ``weights``, a file in torchvision's layout, or VGG-19 in the cache (``maskgan
    weights pull vgg19``). ``random`` is the same network with
    ``width`` channels in its first layer and seeded random weights. ``parser`` is a face parser of
    ours (``weights``, or the one that commands find), whose features tie the picture to the mask.
    ``none`` switches the loss off.
    ``normalise`` feeds ImageNet-normalised images instead of [-1, 1].
    """

    network: Literal["vgg19", "random", "parser", "none"] = "vgg19"
    weights: Path | None = None
    width: Positive = 64
    normalise: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> PerceptualSettings:
        if self.network != "random" and self.width != 64:
            raise ValueError("width is for network=random; VGG-19 has 64")
        return self


class LossSettings(Section):
    """Weights of the loss terms; ``pixel`` and ``segmentation`` are ours, and 0 in the paper's recipes.

    ``pixel`` is L1, in which the small classes (eyes, brows, lips, mouth, glasses, ears, earrings)
    weigh ``small_classes`` times as much as the others. ``segmentation`` is the cross-entropy of what
    the face parser (``perceptual.network: parser``) reads in the picture against the mask asked for.
    """

    adversarial: float = 1.0
    feature_matching: float = 10.0
    perceptual: float = 10.0
    pixel: float = 0.0
    small_classes: Annotated[float, Field(gt=0.0)] = 1.0
    segmentation: float = 0.0


class LookSettings(Section):
    """How far faces are changed in training, so that looks foreign to the data are not foreign to the network.

    ``light`` and ``tint`` change the face itself, as the network sees it and as it shall paint it;
    ``blur`` and ``noise`` only what the style encoder sees. See `AugmentSettings`.
    """

    light: NotNegative = 0.0
    tint: NotNegative = 0.0
    blur: Share = 0.0
    noise: NotNegative = 0.0


class GANRecipe(TrainingRecipe):
    """What both stages of the paper's training need besides the data set.

    ``ema`` is the decay of a moving average of the generator's weights, 0 for none; with
    ``ema_warmup`` it averages over few steps at first, so that an early picture is not an old one;
    ``initialisation: balanced`` is for narrow networks, see `DenseMappingNetwork.balance`.
    """

    ema: Share = 0.0
    ema_warmup: bool = False
    initialisation: Literal["published", "balanced"] = "published"
    network: DMNConfig = DMNConfig()
    discriminator: DiscriminatorConfig = DiscriminatorConfig()
    perceptual: PerceptualSettings = PerceptualSettings()
    loss: LossSettings = LossSettings()
    look: LookSettings = LookSettings()

    @model_validator(mode="after")
    def _parsed(self) -> GANRecipe:
        if self.loss.segmentation and self.perceptual.network != "parser":
            raise ValueError("loss.segmentation needs perceptual.network=parser")
        return self


class DMNRecipe(GANRecipe):
    """Everything ``maskgan train dmn`` needs besides the data set, see `GANRecipe`."""

    task: Literal["dmn"] = "dmn"


class DMNTask:
    """One generator, one discriminator, one fixed feature network.

    Args:
        recipe: see `GANRecipe`.
        accelerator: device, processes, precision.
        features: the frozen network of the perceptual loss, or None.
        validation: faces to measure and to show.

    Attributes:
        kind: of the weights it writes.
    """

    kind: ClassVar[str] = "dmn"

    def __init__(
        self, recipe: GANRecipe, accelerator: Accelerator, features: FeatureNetwork | None, validation: Batch
    ) -> None:
        self.recipe, self.accelerator = recipe, accelerator
        torch.manual_seed(recipe.seed)  # the same start in every process
        place: dict[str, Any] = {"device": accelerator.device, "memory_format": torch.channels_last}
        self.generator = DenseMappingNetwork(recipe.network).to(**place)
        if recipe.initialisation == "balanced":
            self.generator.balance()
        self.discriminator = MultiScaleDiscriminator(recipe.discriminator).to(**place)
        self.features = features.to(**place) if features is not None else None
        self.average: AveragedModel | None = None
        if recipe.ema:
            self.average = AveragedModel(self.generator, multi_avg_fn=moving_average(recipe.ema, recipe.ema_warmup))
        self.emphasis: Tensor | None = None  # (19,), what a pixel of each class weighs
        if recipe.loss.small_classes != 1.0:
            self.emphasis = torch.ones(NUM_CLASSES, device=accelerator.device)
            self.emphasis[[ID[name] for name in _SMALL]] = recipe.loss.small_classes
        self.validation = validation
        betas = (recipe.optimiser.beta1, recipe.optimiser.beta2)
        adam = {
            name: Adam(network.parameters(), lr=recipe.optimiser.lr, betas=betas)
            for name, network in (("generator", self.generator), ("discriminator", self.discriminator))
        }
        self.optimisers: Mapping[str, Optimizer] = {
            name: accelerator.prepare_optimizer(optimiser) for name, optimiser in adam.items()
        }
        self.networks: Mapping[str, nn.Module] = {"generator": self.generator, "discriminator": self.discriminator}
        if self.average is not None:
            self.networks = {**self.networks, "average": self.average}

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

    @property
    def best(self) -> DenseMappingNetwork:
        """The generator to show and to ship: the moving average where the recipe keeps one."""
        return cast(DenseMappingNetwork, self.average.module) if self.average is not None else self.generator

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update generator and discriminator once; both see the same forward passes."""
        mask, real, seen = self._inputs(batch)
        with self.accelerator.autocast():
            fake = self.generator(mask, mask, seen)
            fake_features = self.discriminator(mask, fake)
            real_features = self.discriminator(mask, real)
        terms = self._generator_terms(batch.labels, fake, real, fake_features, real_features)
        generator_loss = self._weighted(terms)
        discriminator_loss = 0.5 * (
            losses.least_squares(fake_features, real=False) + losses.least_squares(real_features, real=True)
        )
        # Each loss is propagated to its own network only, so one forward of the discriminator
        # serves both and neither network collects the other's gradient.
        self._update(generator_loss, "generator", retain_graph=True)
        self._update(discriminator_loss, "discriminator")
        if self.average is not None:
            self.average.update_parameters(self.generator)
        return {**terms, "discriminator": discriminator_loss}

    def _inputs(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """One-hot masks, the faces to paint, and the same faces as the style encoder sees them."""
        mask, real, look = one_hot(batch.labels), to_unit(batch.images), self.recipe.look
        if look.light or look.tint:
            real = recolour(real, AugmentSettings(light=look.light, tint=look.tint, noise=0.0))
        seen = real
        if look.blur or look.noise:
            seen = recolour(real, AugmentSettings(light=0.0, tint=0.0, blur=look.blur, noise=look.noise))
        return mask, real, seen

    def _generator_terms(
        self, labels: Tensor, fake: Tensor, real: Tensor, fake_features: losses.Features, real_features: losses.Features
    ) -> dict[str, Tensor]:
        terms = {
            "adversarial": losses.least_squares(fake_features, real=True),
            "feature_matching": losses.feature_matching(fake_features, real_features),
            "pixel": losses.pixel(fake, real, self.emphasis, labels),
        }
        if self.features is None:
            return terms
        with self.accelerator.autocast():
            if isinstance(self.features, FaceParser):
                bottom, ours = self.features.encode(fake)
                if self.recipe.loss.segmentation:
                    logits = self.features.decode(bottom, ours).float()
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

    def _weighted(self, terms: Mapping[str, Tensor]) -> Tensor:
        weights = self.recipe.loss.model_dump()
        return torch.stack([weights[name] * term for name, term in terms.items()]).sum()

    def _update(self, loss: Tensor, *names: str, retain_graph: bool = False) -> None:
        """One step of the named networks down one loss."""
        for name in names:
            self.optimisers[name].zero_grad()
        inputs = [parameter for name in names for parameter in self.networks[name].parameters()]
        self.accelerator.backward(loss, inputs=inputs, retain_graph=retain_graph)
        for name in names:
            average_gradients(self.accelerator, self.networks[name])
            self.optimisers[name].step()

    @torch.no_grad()
    def _paint(self, labels: Tensor, style_labels: Tensor, style_images: Tensor) -> Tensor:
        """Byte tensors in, ``uint8`` pictures (N, 3, H, W) out, in batches of the training size."""
        device, size = self.accelerator.device, self.recipe.data.batch_size
        pictures = []
        for i in range(0, len(labels), size):
            mask, style_mask = (one_hot(x[i : i + size].to(device)) for x in (labels, style_labels))
            image = self.best(mask, style_mask, to_unit(style_images[i : i + size].to(device)))
            pictures.append(to_bytes(image).cpu())
        return torch.cat(pictures)

    def validate(self) -> dict[str, float]:
        """Reconstruction of the validation faces: L1 in [0, 1] and PSNR in dB."""
        real = self.validation.images
        fake = self._paint(self.validation.labels, self.validation.labels, real)
        error = (fake.float() - real.float()) / 255
        psnr = -10 * torch.log10(error.square().mean(dim=(1, 2, 3)).clamp_min(1e-10))
        return {"val_l1": float(error.abs().mean()), "val_psnr": float(psnr.mean())}

    def sheet(self) -> Picture:
        """Rows of: mask, face, its reconstruction, and its shape in the next face's style."""
        rows = min(self.recipe.schedule.sheet_rows, len(self.validation.images))
        labels, images = self.validation.labels[:rows], self.validation.images[:rows]
        same = self._paint(labels, labels, images)
        other = self._paint(labels, labels.roll(-1, 0), images.roll(-1, 0))
        columns = [np.concatenate([colourise(row) for row in labels.numpy()])]
        columns += [np.concatenate(list(x.permute(0, 2, 3, 1).numpy())) for x in (images, same, other)]
        return np.concatenate(columns, axis=1)

    def save_model(self, path: Path, about: Mapping[str, Any]) -> None:
        """Write the generator's weights and what is needed to build it."""
        save_weights(path, self.best, kind=self.kind, config=asdict(self.recipe.network), about=about)


def moving_average(decay: float, warmup: bool) -> Callable[[Any, Any, Any], None]:
    """What `AveragedModel` calls: new = decay * old + (1 - decay) * current.

    With ``warmup`` the decay is at most (1 + n) / (10 + n) in the n-th step.
    """

    @torch.no_grad()
    def update(averages: Any, current: Any, count: Any) -> None:
        n = int(count)
        kept = min(decay, (1 + n) / (10 + n)) if warmup else decay
        torch._foreach_lerp_(averages, current, 1 - kept)

    return update


def feature_network(settings: PerceptualSettings) -> tuple[FeatureNetwork | None, dict[str, Any]]:
    """The network of the perceptual loss and the record of which one it is.

    Raises:
        InputError: VGG-19 is wanted and its weights are not given or do not fit.
    """
    if settings.network == "none":
        return None, {"network": "none"}
    if settings.network == "parser":
        where = find_weights(settings.weights, "parser", "perceptual.weights")
        parser, weights = load("parser", where, torch.device("cpu"))
        return parser, {"network": "face parser", "sha256": weights.sha256}
    if settings.network == "random":
        network = VGG19Features.random(settings.width)
        return network, {"network": f"untrained VGG-19 of width {settings.width}, seed 0"}
    try:
        path = find_weights(settings.weights, "vgg19", "perceptual.weights")
    except InputError as error:
        raise InputError(
            "perceptual.weights", expected="a VGG-19 file in torchvision's layout", found="none",
            hint="run `maskgan weights pull vgg19`, or add --set perceptual.weights=vgg19.pth, or --set "
            "perceptual.network=random --set perceptual.width=32",
        ) from error  # fmt: skip
    return load_vgg19(path, normalise=settings.normalise), {"network": "VGG-19", "sha256": sha256(path)}


def trained_discriminator(where: Path | None) -> dict[str, Tensor] | None:
    """The discriminator that a run's newest state holds, or that lies beside its weights; None if there is none."""
    if where is None or not where.is_dir():
        return None
    states = RunFolder(where).states
    path = (states[-1] if states else where) / "discriminator.safetensors"
    return load_file(path) if path.is_file() else None


def prepare_training(plan: Plan, recipe: DMNRecipe) -> Loop:
    """Everything up to the first step; `Loop.steps` does the rest.

    Raises:
        InputError: data, recipe, weights and run folder do not go together.
    """
    return prepare_stage_one(plan, recipe, DMNTask)


def prepare_stage_one(plan: Plan, recipe: GANRecipe, task_class: type[DMNTask]) -> Loop:
    """`prepare_training` for the Dense Mapping Network or a relative of it.

    Raises:
        InputError: see `prepare_training`.
    """
    plan.check_size(recipe.network.image_size)
    features, record = feature_network(recipe.perceptual)
    plan.host.say(f"perceptual loss: {record['network']}")
    start = None if plan.start is None else read_weights(plan.start, task_class.kind)
    rests: dict[str, Any] = {"perceptual": record}
    if start is not None:
        rests["start"] = {"sha256": start.sha256}

    def make(validation: Batch) -> DMNTask:
        task = task_class(recipe, plan.accelerator, features, validation)
        if start is not None:
            tensors, small = start.tensors, DMNConfig(**start.config)
            if small.image_size < recipe.network.image_size and recipe.network == grown_from(small):
                plan.host.say(f"growing {start.path} from {small.image_size} to {recipe.network.image_size} px")
                tensors = grow(tensors, task.generator.state_dict())
            task.start_from(tensors, trained_discriminator(plan.start), start.path)
        return task

    return plan.loop(recipe, make, rests)
