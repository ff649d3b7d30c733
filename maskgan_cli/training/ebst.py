"""Editing Behaviour Simulated Training (paper, Sec. 3.2, Algorithm 1): learn from edits nobody drew.

A trained Dense Mapping Network goes on learning. Besides every face's own mask it paints two edits
of it, a step towards another face's mask and the same step away from it along MaskVAE's manifold;
the Alpha Blender joins the two paintings, and the face itself is what they should join to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from accelerate import Accelerator
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from maskgan_cli.config import OptimiserSettings
from maskgan_cli.data.dataset import Batch
from maskgan_cli.errors import InputError
from maskgan_cli.files import Picture
from maskgan_cli.labels import colourise
from maskgan_cli.models.alpha_blender import AlphaBlender, AlphaBlenderConfig
from maskgan_cli.models.dmn import DMNConfig
from maskgan_cli.models.layers import one_hot, to_bytes, to_unit
from maskgan_cli.models.mask_vae import MaskVAE, draw_code, simulated_edits
from maskgan_cli.training import losses
from maskgan_cli.training.accumulate import Part, mean_terms
from maskgan_cli.training.adversarial import AdversarialTask, GANRecipe
from maskgan_cli.training.loop import Loop
from maskgan_cli.training.perceptual import FeatureNetwork, feature_network
from maskgan_cli.training.setup import Plan
from maskgan_cli.training.start import generator_file, trained
from maskgan_cli.weights.format import load, load_strictly, read_weights, save_weights
from maskgan_cli.weights.lookup import find_weights

STAGE_TWO = "generator+blender"  # the Adam that Stage II has for both; Stage I's is "generator"


class EBSTRecipe(GANRecipe):
    """Everything ``maskgan train ebst`` needs besides data and weights.

    ``network`` is not to be set: it is that of the weights. The edits go 1 / ``lambda_inter`` of
    the way between two codes. The codes are MaskVAE's means; with ``sampled_codes`` they are drawn around the means, as
    the paper has it.
    """

    task: Literal["ebst"] = "ebst"
    optimiser: OptimiserSettings = OptimiserSettings(lr=5e-5)
    blender: AlphaBlenderConfig = AlphaBlenderConfig()
    lambda_inter: Annotated[float, Field(gt=0.0)] = 2.5
    sampled_codes: bool = False


class EBSTTask(AdversarialTask):
    """Generator, blender and discriminator learn; the MaskVAE does not.

    Args:
        recipe: see `EBSTRecipe`; its ``network`` is the trained generator's.
        accelerator, features, validation: as for `AdversarialTask`.
        vae: frozen, in the state for inference, on any device; of any size.
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
        self.blender = AlphaBlender(recipe.blender).to(accelerator.device).to(memory_format=torch.channels_last)
        self.networks = {**self.networks, "blender": self.blender}
        self.learn(STAGE_TWO, self.generator, self.blender)
        if recipe.checkpointing:
            self.blender.checkpoint_activations()

    def edited_masks(self, mask: Tensor) -> tuple[Tensor, Tensor]:
        """One-hot masks (N, 19, S, S) -> M_inter and M_outer, one-hot; see `edited_labels`."""
        inter, outer = self.edited_labels(mask)
        return one_hot(inter), one_hot(outer)

    @torch.no_grad()
    def edited_labels(self, mask: Tensor) -> tuple[Tensor, Tensor]:
        """One-hot masks (N, 19, S, S) -> M_inter and M_outer as label maps (N, S, S) ``uint8``.

        A face's reference is its neighbour in the batch; where each of several processes has one face, it is the face
        of the process before. A MaskVAE of another size sees the masks at its own, and its edits come back at that of
        the faces.
        """
        side, size = mask.shape[-1], self.vae.config.image_size
        if side != size:
            mask = F.interpolate(mask, (size, size), mode="nearest-exact")  # a pixel is still of one class
        code, log_variance = self.vae.encode(mask)
        if self.recipe.sampled_codes:
            code = draw_code(code, log_variance)
        reference = code.roll(1, 0)
        if len(code) == 1 and self.accelerator.num_processes > 1:
            everyone = self.accelerator.gather(code)
            reference = everyone[[self.accelerator.process_index - 1]]
        return simulated_edits(self.vae, code, reference, self.recipe.lambda_inter, side)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Two updates of the generator, each with its own Adam, then one of the discriminator.

        Stage I is that of the Dense Mapping Network. Stage II paints with what Stage I has just learnt and
        teaches generator and blender together; the look is encoded once for both edits.
        """
        inputs = self.inputs(batch)
        mask = inputs[0]
        real_features, fake_features, first = self._stage_one(batch, inputs)
        blend_features, second = self._stage_two(batch, inputs, self.edited_masks(mask), real_features)
        verdict = self.verdict([fake_features, blend_features], real_features)
        self.update("discriminator", verdict)
        self.averaged()
        blended = {f"blend_{name}": term for name, term in second.items()}
        return {**first, **blended, "discriminator": verdict}

    def _stage_one(
        self, batch: Batch, inputs: tuple[Tensor, Tensor, Tensor, Tensor]
    ) -> tuple[losses.Features, losses.Features, dict[str, Tensor]]:
        """Update the generator as the Dense Mapping Network learns.

        Nothing that it computes for the picture outlives it: Stage II needs the memory.

        Returns:
            the discriminator's features of the faces and of the paintings, and the losses, detached.
        """
        mask, real, style_mask, seen = inputs
        with self.accelerator.autocast():
            fake = self.generate(self.generator, mask, style_mask, seen)
        shown = fake.detach().requires_grad_()
        fake_features, real_features = self.judge(mask, shown), self.judge(mask, real)
        terms = self.terms(batch.labels, shown, real, fake_features, real_features)
        self.update("generator", self.weighted(terms), retain_graph=True, through=(fake, shown))
        return real_features, fake_features, _detached(terms)

    def _stage_two(
        self, batch: Batch, inputs: tuple[Tensor, Tensor, Tensor, Tensor], edits: tuple[Tensor, Tensor],
        real_features: losses.Features,
    ) -> tuple[losses.Features, dict[str, Tensor]]:  # fmt: skip
        """Update generator and blender on the blend of two simulated edits.

        Args:
            edits: one-hot masks, M_inter and M_outer.
            real_features: the discriminator's, of the faces.

        Returns:
            the discriminator's features of the blend, and the losses, detached.
        """
        mask, real, style_mask, seen = inputs
        with self.accelerator.autocast():
            style = self.generator.encode_style(style_mask, seen)
            inter, outer = self.generator.generate(torch.cat(edits), style.repeat(2, 1)).chunk(2)
            blend, _ = self.blender(inter, outer)
        shown = blend.detach().requires_grad_()
        blend_features = self.judge(mask, shown)
        terms = self.terms(batch.labels, shown, real, blend_features, real_features)
        self.update(STAGE_TWO, self.weighted(terms), retain_graph=True, through=(blend, shown))
        return blend_features, _detached(terms)

    def step_in_parts(self, parts: Sequence[Batch]) -> dict[str, Tensor]:
        """See `task.Accumulating`: Stage I on all parts, then Stage II on all parts, then the discriminator's step.

        A face's reference is its neighbour in the whole batch, as in `step`.
        """
        count, inputs = len(parts), [self.inputs(batch) for batch in parts]
        edits = [labels.chunk(count) for labels in self.edited_labels(torch.cat([mask for mask, *_ in inputs]))]
        first, second = [], []
        for i, batch in enumerate(parts):
            self.part = Part(i, count)
            real_features, features, terms = self._stage_one(batch, inputs[i])
            first.append({**terms, "discriminator": self._discriminate(features, real_features, Part(i, 2 * count))})
        for i, batch in enumerate(parts):
            self.part = Part(i, count)
            mask, real, _, _ = inputs[i]
            real_features, shapes = self.judge(mask, real), (one_hot(edits[0][i]), one_hot(edits[1][i]))
            features, terms = self._stage_two(batch, inputs[i], shapes, real_features)
            part = Part(count + i, 2 * count)
            second.append({**terms, "discriminator": self._discriminate(features, real_features, part)})
        self.part = Part()
        self.averaged()
        early, late = mean_terms(first), mean_terms(second)
        judged = (early.pop("discriminator") + late.pop("discriminator")) / 2
        return {**early, **{f"blend_{name}": term for name, term in late.items()}, "discriminator": judged}

    def _discriminate(self, features: losses.Features, real_features: losses.Features, part: Part) -> Tensor:
        """Half of the discriminator's loss: that of one stage's pictures. Half of `step`'s, which has both stages'."""
        self.part = part
        loss = self.verdict([features], real_features)
        self.update("discriminator", loss)
        return loss.detach()

    def save_model(self, path: Path, about: Mapping[str, Any]) -> None:
        """Write the generator, and beside it the blender, each with what is needed to build it."""
        config = asdict(self.recipe.blender)
        save_weights(path.with_name("blender.safetensors"), self.blender, kind="blender", config=config, about=about)
        super().save_model(path, about)

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


def _detached(terms: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: term.detach() for name, term in terms.items()}


def _coloured(masks: Tensor) -> Picture:
    return colourise(np.concatenate(list(masks.argmax(1).to("cpu", torch.uint8).numpy())))


def _picture(images: Tensor) -> Picture:
    return np.concatenate(list(to_bytes(images).permute(0, 2, 3, 1).cpu().numpy()))


def prepare_training(plan: Plan, recipe: EBSTRecipe, *, vae: Path | None = None, dmn: Path | None = None) -> Loop:
    """Everything up to the first step; `Loop.steps` does the rest.

    Args:
        vae: run folder or weights of the MaskVAE; None: those that all commands take, see `find_weights`.
        dmn: run folder or weights of the trained generator; a folder lends its discriminator too. With
            ``plan.start`` in its place the blender comes from there as well.

    Raises:
        InputError: data, recipe, weights and run folder do not go together.
    """
    source = plan.start or dmn
    if source is None or (plan.start and dmn):
        raise InputError("--dmn", expected="a trained generator, by --dmn or with its blender by --start-from",
                         found="both" if source else "neither")  # fmt: skip
    start = read_weights(generator_file(source, "dmn"), "dmn")
    network = DMNConfig(**start.config)
    if "network" in recipe.model_fields_set and recipe.network != network:
        raise InputError("network", expected=f"that of {start.path}", found="another", hint="leave it out")
    recipe = recipe.model_copy(update={"network": network})
    plan.check_size(network.image_size)
    mask_vae, vae_weights = load("vae", find_weights(vae, "vae", "--vae"), plan.accelerator.device)
    least = max(2, plan.accelerator.num_processes)
    if recipe.data.batch_size < least:
        raise InputError("data.batch_size", expected=f"{least} faces or more, to go from one to another",
                         found=str(recipe.data.batch_size))  # fmt: skip
    features, record = feature_network(recipe.perceptual)
    discriminator = trained("discriminator", source)
    blender = trained("blender", plan.start)
    begun = {name: "trained" if part else "from scratch" for name, part in
             (("discriminator", discriminator), ("blender", blender))}  # fmt: skip
    plan.host.say(", ".join([f"perceptual loss: {record['network']}", *(f"{n}: {how}" for n, how in begun.items())]))

    def make_task(validation: Batch) -> EBSTTask:
        task = EBSTTask(recipe, plan.accelerator, features, validation, mask_vae)
        task.start_from(start.tensors, discriminator, source)
        if blender is not None:
            load_strictly(task.blender, blender, source)
        return task

    rests: dict[str, Any] = {
        "perceptual": record,
        "dmn": {"sha256": start.sha256},
        "vae": {"sha256": vae_weights.sha256},
    }
    if plan.start is not None:
        rests["start"] = {"sha256": start.sha256}
    return plan.loop(recipe, make_task, rests, takes=recipe.look.takes > 0)
