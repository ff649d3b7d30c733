"""Stage I: train the Dense Mapping Network to paint a face back from its own mask and look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import torch
from accelerate import Accelerator
from pydantic import model_validator
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Adam, Optimizer
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from maskgan_cli.config import Positive, Section, Share, TrainingRecipe
from maskgan_cli.data.dataset import Batch
from maskgan_cli.errors import InputError
from maskgan_cli.files import Picture, sha256
from maskgan_cli.labels import colourise
from maskgan_cli.models.discriminator import DiscriminatorConfig, MultiScaleDiscriminator
from maskgan_cli.models.dmn import DenseMappingNetwork, DMNConfig
from maskgan_cli.models.layers import one_hot, to_bytes, to_unit
from maskgan_cli.models.perceptual import VGG19Features
from maskgan_cli.pretrained import find_weights, load_vgg19, save_weights
from maskgan_cli.training import losses
from maskgan_cli.training.loop import Loop, average_gradients
from maskgan_cli.training.setup import Plan


class PerceptualSettings(Section):
    """Which features the perceptual loss compares.

    ``vgg19`` needs ``weights``, a file in torchvision's layout, or VGG-19 in the cache (``maskgan
    weights pull vgg19``). ``random`` is the same network with
    ``width`` channels in its first layer and seeded random weights. ``none`` switches the loss off.
    ``normalise`` feeds ImageNet-normalised images instead of [-1, 1].
    """

    network: Literal["vgg19", "random", "none"] = "vgg19"
    weights: Path | None = None
    width: Positive = 64
    normalise: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> PerceptualSettings:
        if self.network == "vgg19" and self.width != 64:
            raise ValueError("width is for network=random; VGG-19 has 64")
        return self


class LossSettings(Section):
    """Weights of the loss terms; ``pixel`` (L1) is ours, and 0 in the paper's recipes."""

    adversarial: float = 1.0
    feature_matching: float = 10.0
    perceptual: float = 10.0
    pixel: float = 0.0


class GANRecipe(TrainingRecipe):
    """What both stages of the paper's training need besides the data set.

    ``ema`` is the decay of a moving average of the generator's weights, 0 for none;
    ``initialisation: balanced`` is for narrow networks, see `DenseMappingNetwork.balance`.
    """

    ema: Share = 0.0
    initialisation: Literal["published", "balanced"] = "published"
    network: DMNConfig = DMNConfig()
    discriminator: DiscriminatorConfig = DiscriminatorConfig()
    perceptual: PerceptualSettings = PerceptualSettings()
    loss: LossSettings = LossSettings()


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
    """

    def __init__(
        self, recipe: GANRecipe, accelerator: Accelerator, features: VGG19Features | None, validation: Batch
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
            decay = get_ema_multi_avg_fn(recipe.ema)  # type: ignore[no-untyped-call]
            self.average = AveragedModel(self.generator, multi_avg_fn=decay)
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

    @property
    def best(self) -> DenseMappingNetwork:
        """The generator to show and to ship: the moving average where the recipe keeps one."""
        return cast(DenseMappingNetwork, self.average.module) if self.average is not None else self.generator

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update generator and discriminator once; both see the same forward passes."""
        mask, real = one_hot(batch.labels), to_unit(batch.images)
        with self.accelerator.autocast():
            fake = self.generator(mask, mask, real)
            fake_features = self.discriminator(mask, fake)
            real_features = self.discriminator(mask, real)
        terms = self._generator_terms(fake, real, fake_features, real_features)
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

    def _generator_terms(
        self, fake: Tensor, real: Tensor, fake_features: losses.Features, real_features: losses.Features
    ) -> dict[str, Tensor]:
        terms = {
            "adversarial": losses.least_squares(fake_features, real=True),
            "feature_matching": losses.feature_matching(fake_features, real_features),
            "pixel": F.l1_loss(fake.float(), real),
        }
        if self.features is not None:
            with self.accelerator.autocast():
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
        save_weights(path, self.best, kind="dmn", config=asdict(self.recipe.network), about=about)


def feature_network(settings: PerceptualSettings) -> tuple[VGG19Features | None, dict[str, Any]]:
    """The network of the perceptual loss and the record of which one it is.

    Raises:
        InputError: VGG-19 is wanted and its weights are not given or do not fit.
    """
    if settings.network == "none":
        return None, {"network": "none"}
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


def prepare_training(plan: Plan, recipe: DMNRecipe) -> Loop:
    """Everything up to the first step; `Loop.steps` does the rest.

    Raises:
        InputError: data, recipe, weights and run folder do not go together.
    """
    plan.check_size(recipe.network.image_size)
    features, record = feature_network(recipe.perceptual)
    plan.say(f"perceptual loss: {record['network']}")
    return plan.loop(
        recipe, lambda validation: DMNTask(recipe, plan.accelerator, features, validation), {"perceptual": record}
    )
