"""Editing Behaviour Simulated Training (paper, Sec. 3.2, Algorithm 1): train on simulated mask edits.

The training starts with a trained Dense Mapping Network. For every face, the generator paints the face's own mask and
two simulated edits of this mask. M_inter is a step towards another face's mask in MaskVAE's latent space, and M_outer
is the same step in the opposite direction. The Alpha Blender blends the painted pictures of the two edits; the target
of the blend is the face itself.

In this module, Stage I is the part of a step that paints the face's own mask, and Stage II is the part that paints and
blends the two edits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from accelerate import Accelerator
from pydantic import Field, model_validator
from torch import Tensor
from torch.nn import functional as F

from maskgan_cli.config import OptimiserSettings
from maskgan_cli.data.dataset import Batch
from maskgan_cli.data.edit_files import edits_sha256
from maskgan_cli.errors import InputError
from maskgan_cli.files import Picture
from maskgan_cli.labels import colourise
from maskgan_cli.models.alpha_blender import AlphaBlender, AlphaBlenderConfig
from maskgan_cli.models.dmn import DMNConfig
from maskgan_cli.models.layers import one_hot, to_bytes, to_unit
from maskgan_cli.models.mask_vae import MaskVAE, draw_code, simulated_edits
from maskgan_cli.training import losses
from maskgan_cli.training.accumulate import BatchPart, mean_terms
from maskgan_cli.training.adversarial import AdversarialTask
from maskgan_cli.training.gan_recipe import GANRecipe
from maskgan_cli.training.loop import Loop
from maskgan_cli.training.perceptual_features import FeatureNetwork, feature_network
from maskgan_cli.training.setup import TrainingPlan
from maskgan_cli.training.start import generator_file, trained
from maskgan_cli.training.style_inputs import generator_inputs
from maskgan_cli.weights.format import Weights, load, load_strictly, read_weights, save_weights
from maskgan_cli.weights.lookup import find_weights

STAGE_TWO = "generator+blender"  # name of Stage II's Adam, which trains both networks; Stage I's Adam is "generator"


class EBSTRecipe(GANRecipe):
    """Settings of ``maskgan train ebst``.

    The setting ``network`` must be left out, because the weights of the trained generator contain this configuration.
    The defaults of ``update_order`` and ``stage_two_decay`` follow the paper's Algorithm 1; the authors' released code
    corresponds to ``together`` and ``false``.

    Attributes:
        lambda_inter: size of the edits: the latent code of M_inter is 1 / ``lambda_inter`` of the way from the code of
            the face's mask to the code of another face's mask.
        sampled_codes: sample the codes from MaskVAE's normal distributions, as in the paper; if false, use the means of
            the distributions.
        update_order: ``stages`` updates the generator after Stage I (reconstruction of the face), so Stage II (edits)
            uses the new weights. ``together`` paints the face and both edits before any update, which needs the memory
            of both stages.
        stage_two_decay: whether the learning rate of Stage II's Adam follows the schedule; if false, it is constant.
    """

    task: Literal["ebst"] = "ebst"
    optimiser: OptimiserSettings = OptimiserSettings(lr=5e-5)
    blender: AlphaBlenderConfig = AlphaBlenderConfig()
    lambda_inter: Annotated[float, Field(gt=0.0)] = 2.5
    sampled_codes: bool = False
    update_order: Literal["stages", "together"] = "stages"
    stage_two_decay: bool = True

    @model_validator(mode="after")
    def _one_loss_scale(self) -> EBSTRecipe:
        """Check that the update order ``together`` is not combined with fp16."""
        if self.update_order == "together" and self.precision == "fp16":
            raise ValueError(
                "update_order=together needs precision bf16 or no: fp16 has one loss scale for each update"
            )
        return self

    @model_validator(mode="after")
    def _r1_is_of_stage_one(self) -> EBSTRecipe:
        """Check that ``r1`` is 0, because only Stage I has an R1 penalty."""
        if self.r1:
            raise ValueError("r1 is a setting of train dmn; leave it out, or set r1=0")
        return self


class EBSTTask(AdversarialTask):
    """Trains generator, blender and discriminator on simulated mask edits; the MaskVAE is frozen.

    Args:
        recipe: see `EBSTRecipe`; its ``network`` is the configuration of the trained generator.
        accelerator: device, processes and precision.
        features: the frozen network of the perceptual loss; None if the recipe has no perceptual loss.
        validation: faces for validation and sample grids.
        vae: a trained MaskVAE of any image size, on any device.
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
        self.add_optimiser(STAGE_TWO, self.generator, self.blender, decay=recipe.stage_two_decay)
        if recipe.checkpointing:
            self.blender.checkpoint_activations()

    def edited_masks(self, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return two simulated edits of one-hot masks (N, 19, S, S): M_inter and M_outer, see `edited_labels`.

        Both are one-hot masks (N, 19, S, S).
        """
        inter, outer = self.edited_labels(mask)
        return one_hot(inter), one_hot(outer)

    @torch.no_grad()
    def edited_labels(self, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return two simulated edits of one-hot masks (N, 19, S, S), as label maps: M_inter and M_outer.

        M_inter is a step from a face's mask towards the mask of the previous face in the batch, in MaskVAE's latent
        space; M_outer is the same step in the opposite direction. If there are several processes with one face each,
        the previous face is the face of the previous process. If MaskVAE has another image size, the masks are resized
        for MaskVAE, and the edits are resized back.

        Returns:
            M_inter and M_outer: two tensors of label maps (N, S, S).
        """
        side, size = mask.shape[-1], self.vae.config.image_size
        if side != size:
            mask = F.interpolate(mask, (size, size), mode="nearest-exact")  # keeps the mask one-hot
        code, log_variance = self.vae.encode(mask)
        if self.recipe.sampled_codes:
            code = draw_code(code, log_variance)
        reference = code.roll(1, 0)
        if len(code) == 1 and self.accelerator.num_processes > 1:
            codes = self.accelerator.gather(code)
            reference = codes[[self.accelerator.process_index - 1]]
        return simulated_edits(self.vae, code, reference, self.recipe.lambda_inter, side)

    def _edits_of(self, parts: Sequence[Batch], masks: Sequence[Tensor]) -> list[tuple[Tensor, Tensor]]:
        """Return a list with the two simulated edits, M_inter and M_outer, of each part of a batch.

        If the parts contain edits (`Batch.edited_labels`), the contained edits are returned; otherwise new edits are
        computed.

        Args:
            parts: the parts of a batch.
            masks: for each part, the one-hot masks (N, 19, S, S) of its faces.

        Returns:
            For each part, a pair of M_inter and M_outer: label maps (N, S, S) each.
        """
        read = [part.edited_labels for part in parts if part.edited_labels is not None]
        if read:
            return [(labels[:, 0], labels[:, 1]) for labels in read]
        inter, outer = self.edited_labels(torch.cat(list(masks)))
        return list(zip(inter.chunk(len(parts)), outer.chunk(len(parts)), strict=True))

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update the generator in Stage I and in Stage II, then the discriminator once; return a dict of the losses.

        Stage I trains the generator to reconstruct the faces. In Stage II, each mask is edited in two ways, and the
        generator, as updated by Stage I, generates a face from each edited mask. The Alpha Blender blends both faces,
        and generator and Alpha Blender are updated together. Each stage has its own Adam. The style is encoded once for
        both edits. See `EBSTRecipe.update_order` for another order of the updates.

        Returns:
            A dict from the names of the losses to their values, not multiplied by their weights. The names of Stage
            II's losses begin with ``blend_``.
        """
        if self.recipe.update_order == "together":
            return self._step_together([batch])
        inputs = generator_inputs(batch, self.recipe.style_augmentation)
        real_features, fake_features, first = self._stage_one(batch, inputs)
        (edits,) = self._edits_of([batch], [inputs[0]])
        blend_features, second = self._stage_two(batch, inputs, edits, real_features)
        discriminator_loss = self.discriminator_loss([fake_features, blend_features], real_features)
        self.update("discriminator", discriminator_loss)
        self.update_average()
        blended = {f"blend_{name}": term for name, term in second.items()}
        return {**first, **blended, "discriminator": discriminator_loss}

    def _stage_one(
        self, batch: Batch, inputs: tuple[Tensor, Tensor, Tensor, Tensor]
    ) -> tuple[losses.Features, losses.Features, dict[str, Tensor]]:
        """Update the generator so that it reconstructs the faces of a batch.

        The generator's graph is freed at the end, because Stage II needs the memory.

        Args:
            batch: the faces.
            inputs: masks, real faces, style masks and style pictures, as returned by `generator_inputs`.

        Returns:
            Three values: the discriminator's features of the real faces; the discriminator's features of the generated
            faces; and a dict of the losses by name, detached.
        """
        mask, real, style_mask, style_image = inputs
        with self.accelerator.autocast():
            fake = self.generate(self.generator, mask, style_mask, style_image)
        copy = fake.detach().requires_grad_()
        fake_features, real_features = self.discriminate(mask, copy), self.discriminate(mask, real)
        terms = self.terms(batch.labels, copy, real, fake_features, real_features)
        self.update("generator", self.weighted(terms), retain_graph=True, through=(fake, copy))
        return real_features, fake_features, _detached(terms)

    def _stage_two(
        self,
        batch: Batch,
        inputs: tuple[Tensor, Tensor, Tensor, Tensor],
        edits: tuple[Tensor, Tensor],
        real_features: losses.Features,
    ) -> tuple[losses.Features, dict[str, Tensor]]:
        """Update generator and blender so that the blend of two painted edits is the real face.

        Args:
            batch: the faces.
            inputs: masks, real faces, style masks and style pictures, as returned by `generator_inputs`.
            edits: M_inter and M_outer as label maps (N, S, S).
            real_features: the discriminator's features of the real faces.

        Returns:
            The discriminator's features of the blends, and a dict of the losses by name, detached.
        """
        mask, real, *_ = inputs
        blend = self._blend(inputs, edits)
        copy = blend.detach().requires_grad_()
        blend_features = self.discriminate(mask, copy)
        terms = self.terms(batch.labels, copy, real, blend_features, real_features)
        self.update(STAGE_TWO, self.weighted(terms), retain_graph=True, through=(blend, copy))
        return blend_features, _detached(terms)

    def _blend(self, inputs: tuple[Tensor, Tensor, Tensor, Tensor], edits: tuple[Tensor, Tensor]) -> Tensor:
        """Paint both edits of each face's mask, and return the blend of the two painted pictures.

        Args:
            inputs: masks, real faces, style masks and style pictures, as returned by `generator_inputs`.
            edits: M_inter and M_outer as label maps (N, S, S).

        Returns:
            The blends (N, 3, S, S) in [-1, 1].
        """
        _, _, style_mask, style_image = inputs
        with self.accelerator.autocast():
            style = self.generator.encode_style(style_mask, style_image)
            masks = torch.cat([one_hot(labels) for labels in edits])
            inter, outer = self.generator.generate(masks, style.repeat(2, 1)).chunk(2)
            blend: Tensor = self.blender(inter, outer)[0]
        return blend

    def _step_together(self, parts: Sequence[Batch]) -> dict[str, Tensor]:
        """Run one step with the update order ``together``: all pictures are painted before the first update.

        The losses and the order of the updates are the same as in `step`.

        Args:
            parts: the parts of the batch (gradient accumulation).

        Returns:
            A dict from the names of the losses to their means over the parts.
        """
        inputs = [generator_inputs(batch, self.recipe.style_augmentation) for batch in parts]
        edits, logged = self._edits_of(parts, [mask for mask, *_ in inputs]), []
        for i, batch in enumerate(parts):
            part, (mask, real, style_mask, style_image) = BatchPart(i, len(parts)), inputs[i]
            with self.accelerator.autocast():
                fake = self.generate(self.generator, mask, style_mask, style_image)
            blend = self._blend(inputs[i], edits[i])
            fake_features, blend_features, real_features = (
                self.discriminate(mask, picture) for picture in (fake, blend, real)
            )
            first = self.terms(batch.labels, fake, real, fake_features, real_features)
            second = self.terms(batch.labels, blend, real, blend_features, real_features)
            discriminator_loss = self.discriminator_loss([fake_features, blend_features], real_features)
            self._updates["generator"].collect(self.weighted(first), part, retain_graph=True)
            self._updates[STAGE_TWO].collect(self.weighted(second), part, retain_graph=True)
            self._updates["discriminator"].collect(discriminator_loss, part)
            blended = {f"blend_{name}": term for name, term in second.items()}
            logged.append(_detached({**first, **blended, "discriminator": discriminator_loss}))
        for name in ("generator", STAGE_TWO, "discriminator"):
            self._updates[name].step()
        self.update_average()
        return mean_terms(logged)

    def step_in_parts(self, parts: Sequence[Batch]) -> dict[str, Tensor]:
        """Run one training step on a batch that is split into parts (gradient accumulation).

        First, Stage I processes all parts, and the generator is updated. Then Stage II processes all parts, and
        generator and blender are updated. At the end, the discriminator is updated. As in `step`, each mask is
        interpolated towards the mask of the previous face in the whole batch.

        Returns:
            A dict from the names of the losses to their means over the parts.
        """
        if self.recipe.update_order == "together":
            return self._step_together(parts)
        count, inputs = len(parts), [generator_inputs(batch, self.recipe.style_augmentation) for batch in parts]
        edits = self._edits_of(parts, [mask for mask, *_ in inputs])
        first, second = [], []
        for i, batch in enumerate(parts):
            self.part = BatchPart(i, count)
            real_features, features, terms = self._stage_one(batch, inputs[i])
            loss = self._update_discriminator(features, real_features, BatchPart(i, 2 * count))
            first.append({**terms, "discriminator": loss})
        for i, batch in enumerate(parts):
            self.part = BatchPart(i, count)
            mask, real, _, _ = inputs[i]
            real_features = self.discriminate(mask, real)
            features, terms = self._stage_two(batch, inputs[i], edits[i], real_features)
            loss = self._update_discriminator(features, real_features, BatchPart(count + i, 2 * count))
            second.append({**terms, "discriminator": loss})
        self.part = BatchPart()
        self.update_average()
        early, late = mean_terms(first), mean_terms(second)
        discriminator_loss = (early.pop("discriminator") + late.pop("discriminator")) / 2
        return {**early, **{f"blend_{name}": term for name, term in late.items()}, "discriminator": discriminator_loss}

    def _update_discriminator(
        self, features: losses.Features, real_features: losses.Features, part: BatchPart
    ) -> Tensor:
        """Backpropagate the discriminator's loss for one part of a batch in one stage; return the loss, detached.

        The mean of these losses over both stages is the discriminator's loss in `step`. Adam steps after the last part
        in Stage II.

        Args:
            features: the discriminator's features of the pictures generated in this stage (in Stage II, the blends).
            real_features: the discriminator's features of the real faces.
            part: position of the part, where the parts in Stage II are counted after the parts in Stage I.
        """
        self.part = part
        loss = self.discriminator_loss([features], real_features)
        self.update("discriminator", loss)
        return loss.detach()

    def save_model(self, path: Path, about: Mapping[str, Any]) -> None:
        """Write the generator to ``path`` and the blender to ``blender.safetensors`` in the same folder.

        Both files get the metadata ``about``.
        """
        config = asdict(self.recipe.blender)
        save_weights(path.with_name("blender.safetensors"), self.blender, kind="blender", config=config, about=about)
        super().save_model(path, about)

    @torch.no_grad()
    def sample_grid(self) -> Picture:
        """Draw a row of nine pictures for each of the first validation faces, and return the whole picture (H, W, 3).

        A row has the face's mask, the face, the reconstructed face, the edited mask M_inter, the picture painted from
        M_inter, the edited mask M_outer, the picture painted from M_outer, the blender's weight alpha, and the blend of
        the two painted pictures.
        """
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
    """Return a dict from the names of the losses to their values, detached from the graph."""
    return {name: term.detach() for name, term in terms.items()}


def _coloured(masks: Tensor) -> Picture:
    """Return a picture (N * S, S, 3) of one-hot masks (N, 19, S, S) in colour, one mask below the other."""
    return colourise(np.concatenate(list(masks.argmax(1).to("cpu", torch.uint8).numpy())))


def _picture(images: Tensor) -> Picture:
    """Convert images (N, 3, S, S) in [-1, 1] to one picture (N * S, S, 3), one image below the other."""
    return np.concatenate(list(to_bytes(images).permute(0, 2, 3, 1).cpu().numpy()))


def prepare_training(
    plan: TrainingPlan,
    recipe: EBSTRecipe,
    *,
    vae: Path | None = None,
    dmn: Path | None = None,
    edits: Path | None = None,
) -> Loop:
    """Set up the training on simulated mask edits, and return the training loop; iterate over `Loop.steps` to train.

    Args:
        plan: data set, run folder and device.
        recipe: the resolved recipe.
        vae: run folder or weights file of the MaskVAE; None: the weights that all commands find by default.
        dmn: run folder or weights file of the trained generator. If it is a run folder, the discriminator of this run
            is used too. If ``plan.start`` is given instead of ``dmn``, the folder ``plan.start`` also provides the
            blender.
        edits: folder of ``maskgan simulate-edits`` with two edits of every training mask. These edits are used in every
            epoch; the MaskVAE is then needed only for sample grids. None: new edits are computed in every step.

    Raises:
        InputError: data, recipe, weights and run folder do not fit together.
    """
    source = plan.start or dmn
    if source is None or (plan.start and dmn):
        wanted = "a trained generator: --dmn, or --start-from with its blender"
        raise InputError("--dmn", expected=wanted, found="both" if source else "neither")
    start = read_weights(generator_file(source, "dmn"), "dmn")
    recipe = _with_network_of(start, recipe)
    plan.check_size(recipe.network.image_size)
    mask_vae, vae_weights = load("vae", find_weights(vae, "vae", "--vae"), plan.accelerator.device)
    smallest = max(2, plan.accelerator.num_processes)
    if edits is None and recipe.data.batch_size < smallest:
        raise InputError(
            "data.batch_size",
            expected=f"{smallest} faces or more, to interpolate from one to another",
            found=str(recipe.data.batch_size),
        )
    features, record = feature_network(recipe.perceptual)
    discriminator, blender = trained("discriminator", source), trained("blender", plan.start)
    origin = {True: "trained", False: "from scratch"}
    plan.callbacks.say(
        f"perceptual loss: {record['network']}, discriminator: {origin[bool(discriminator)]}, "
        f"blender: {origin[bool(blender)]}"
    )

    def make_task(validation: Batch) -> EBSTTask:
        task = EBSTTask(recipe, plan.accelerator, features, validation, mask_vae)
        task.start_from(start.tensors, discriminator, source)
        if blender is not None:
            load_strictly(task.blender, blender, source)
        return task

    dependencies: dict[str, Any] = {"perceptual": record, "dmn": {"sha256": start.sha256}}
    dependencies["vae"] = {"sha256": vae_weights.sha256}
    if plan.start is not None:
        dependencies["start"] = {"sha256": start.sha256}
    if edits is not None:
        dependencies["edits"] = {"sha256": edits_sha256(plan.data.split("train"), edits)}
    variants = recipe.style_augmentation.expression_variants > 0
    return plan.loop(recipe, make_task, dependencies, expression_variants=variants, edits=edits)


def _with_network_of(start: Weights, recipe: EBSTRecipe) -> EBSTRecipe:
    """Return a copy of the recipe whose ``network`` is the configuration of the trained generator.

    Raises:
        InputError: the recipe sets another configuration.
    """
    network = DMNConfig(**start.config)
    if "network" in recipe.model_fields_set and recipe.network != network:
        raise InputError(
            "network", expected=f"that of {start.path}", found="another", hint="remove network from the recipe"
        )
    return recipe.model_copy(update={"network": network})
