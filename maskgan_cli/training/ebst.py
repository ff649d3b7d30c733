"""Editing Behaviour Simulated Training (paper, Sec. 3.2, Algorithm 1): learn from edits nobody drew.

A trained Dense Mapping Network goes on learning. Besides every face's own mask it paints two edits
of it, a step towards another face's mask and the same step away from it along MaskVAE's manifold;
the Alpha Blender joins the two paintings, and the face itself is what they should join to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from accelerate import Accelerator
from pydantic import Field
from torch import Tensor

from maskgan_cli.config import OptimiserSettings
from maskgan_cli.data.dataset import Batch
from maskgan_cli.errors import InputError
from maskgan_cli.files import Picture
from maskgan_cli.labels import colourise
from maskgan_cli.models.alpha_blender import AlphaBlender, AlphaBlenderConfig
from maskgan_cli.models.dmn import DMNConfig
from maskgan_cli.models.layers import one_hot, to_bytes, to_unit
from maskgan_cli.models.mask_vae import MaskVAE, simulated_edits
from maskgan_cli.training import losses
from maskgan_cli.training.dmn import DMNTask, FeatureNetwork, GANRecipe, feature_network, trained_discriminator
from maskgan_cli.training.learner import Learner
from maskgan_cli.training.loop import Loop
from maskgan_cli.training.setup import Plan
from maskgan_cli.weights.format import load, read_weights, save_weights


class EBSTRecipe(GANRecipe):
    """Everything ``maskgan train ebst`` needs besides data and weights.

    ``network`` is not to be set: it is that of the weights. The edits go 1 / ``lambda_inter`` of
    the way between two codes.
    """

    task: Literal["ebst"] = "ebst"
    optimiser: OptimiserSettings = OptimiserSettings(lr=5e-5)
    blender: AlphaBlenderConfig = AlphaBlenderConfig()
    lambda_inter: Annotated[float, Field(gt=0.0)] = 2.5


class EBSTTask(DMNTask):
    """Generator, blender and discriminator learn; the MaskVAE does not.

    Args:
        recipe: see `EBSTRecipe`; its ``network`` is the trained generator's.
        accelerator, features, validation: as for `DMNTask`.
        vae: frozen, in the state for inference, on any device.
    """

    recipe: EBSTRecipe

    def __init__(
        self,
        recipe: EBSTRecipe,
        accelerator: Accelerator,
        features: FeatureNetwork | None,
        validation: Batch,
        vae: MaskVAE,
    ) -> None:
        super().__init__(recipe, accelerator, features, validation)
        self.vae = vae.to(accelerator.device).eval().requires_grad_(False)
        learner = Learner("blender", AlphaBlender(recipe.blender), recipe.optimiser, accelerator)
        self.blender = learner.network
        self.networks = {**self.networks, **learner.networks}
        self.optimisers = {**self.optimisers, **learner.optimisers}

    @torch.no_grad()
    def edited_masks(self, mask: Tensor) -> tuple[Tensor, Tensor]:
        """One-hot masks (N, 19, S, S) -> M_inter and M_outer; a face's reference is its neighbour in the batch."""
        code, _ = self.vae.encode(mask)
        inter, outer = simulated_edits(self.vae, code, code.roll(1, 0), self.recipe.lambda_inter)
        return one_hot(inter), one_hot(outer)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Stage I and Stage II in one update: the look is encoded once and painted in three shapes."""
        mask, real, seen = self._inputs(batch)
        inter_mask, outer_mask = self.edited_masks(mask)
        with self.accelerator.autocast():
            style = self.generator.encode_style(mask, seen)
            shapes = torch.cat([mask, inter_mask, outer_mask])
            fake, inter, outer = self.generator.generate(shapes, style.repeat(3, 1)).chunk(3)
            blend, _ = self.blender(inter, outer)
            fake_features, blend_features, real_features = (self.discriminator(mask, x) for x in (fake, blend, real))
        first = self._generator_terms(batch.labels, fake, real, fake_features, real_features)
        second = self._generator_terms(batch.labels, blend, real, blend_features, real_features)
        as_fake = 0.5 * (
            losses.least_squares(fake_features, real=False) + losses.least_squares(blend_features, real=False)
        )
        discriminator_loss = 0.5 * (as_fake + losses.least_squares(real_features, real=True))
        generator_loss = self._weighted(first) + self._weighted(second)
        self._update(generator_loss, "generator", "blender", retain_graph=True)
        self._update(discriminator_loss, "discriminator")
        if self.average is not None:
            self.average.update_parameters(self.generator)
        blended = {f"blend_{name}": term for name, term in second.items()}
        return {**first, **blended, "discriminator": discriminator_loss}

    def save_model(self, path: Path, about: Mapping[str, Any]) -> None:
        """Write the generator, and beside it the blender, each with what is needed to build it."""
        super().save_model(path, about)
        config = asdict(self.recipe.blender)
        save_weights(path.with_name("blender.safetensors"), self.blender, kind="blender", config=config, about=about)

    @torch.no_grad()
    def sheet(self) -> Picture:
        """Rows of: mask, face, reconstruction, M_inter, I_inter, M_outer, I_outer, alpha, and their blend."""
        device = self.accelerator.device
        rows = max(2, self.recipe.schedule.sheet_rows)
        labels, pictures = self.validation.labels[:rows].to(device), self.validation.images[:rows].to(device)
        mask, image = one_hot(labels), to_unit(pictures)
        style = self.best.encode_style(mask, image)
        inter_mask, outer_mask = self.edited_masks(mask)
        same, inter, outer = (self.best.generate(m, style) for m in (mask, inter_mask, outer_mask))
        blend, alpha = self.blender(inter, outer)
        columns = [_coloured(mask), _picture(image), _picture(same), _coloured(inter_mask), _picture(inter)]
        columns += [_coloured(outer_mask), _picture(outer), _picture(alpha * 2 - 1), _picture(blend)]
        return np.concatenate(columns, axis=1)


def _coloured(masks: Tensor) -> Picture:
    return colourise(np.concatenate(list(masks.argmax(1).to("cpu", torch.uint8).numpy())))


def _picture(images: Tensor) -> Picture:
    return np.concatenate(list(to_bytes(images).permute(0, 2, 3, 1).cpu().numpy()))


def prepare_training(plan: Plan, recipe: EBSTRecipe, *, dmn: Path, vae: Path) -> Loop:
    """Everything up to the first step; `Loop.steps` does the rest.

    Args:
        dmn: run folder or weights of the trained generator; a run folder lends its discriminator too.
        vae: run folder or weights of the MaskVAE.

    Raises:
        InputError: data, recipe, weights and run folder do not go together.
    """
    if plan.start is not None:
        raise InputError("--start-from", expected="--dmn, whose weights EBST begins with", found=str(plan.start))
    trained = read_weights(dmn, "dmn")
    network = DMNConfig(**trained.config)
    if "network" in recipe.model_fields_set and recipe.network != network:
        raise InputError("network", expected=f"that of {trained.path}", found="another", hint="leave it out")
    recipe = recipe.model_copy(update={"network": network})
    plan.check_size(network.image_size)
    mask_vae, vae_weights = load("vae", vae, plan.accelerator.device)
    if mask_vae.config.image_size != network.image_size:
        raise InputError(
            vae_weights.path, expected=f"a MaskVAE of {network.image_size} px, as {trained.path} is",
            found=f"{mask_vae.config.image_size} px",
        )  # fmt: skip
    if recipe.data.batch_size < 2 * plan.accelerator.num_processes:
        raise InputError("data.batch_size", expected="two faces or more a process, to go from one to another",
                         found=str(recipe.data.batch_size))  # fmt: skip
    features, record = feature_network(recipe.perceptual)
    discriminator = trained_discriminator(dmn)
    plan.host.say(
        f"perceptual loss: {record['network']}; discriminator: {'trained' if discriminator else 'from scratch'}"
    )

    def make_task(validation: Batch) -> EBSTTask:
        task = EBSTTask(recipe, plan.accelerator, features, validation, mask_vae)
        task.start_from(trained.tensors, discriminator, dmn)
        return task

    rests = {"perceptual": record, "dmn": {"sha256": trained.sha256}, "vae": {"sha256": vae_weights.sha256}}
    return plan.loop(recipe, make_task, rests)
