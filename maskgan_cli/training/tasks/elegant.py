"""Train ELEGANT (Xiao et al. 2018, Sec. 3), which transfers an attribute between two faces.

In training, a face with an attribute and a face without it exchange this attribute.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import torch
from accelerate import Accelerator
from pydantic import model_validator
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer
from torch.utils.data import Sampler

from maskgan_cli.config import DataSettings, Positive, Section, TrainingRecipe
from maskgan_cli.data.dataset import Batch
from maskgan_cli.data.draws import Draw, StepSampler
from maskgan_cli.errors import InputError
from maskgan_cli.files import Picture
from maskgan_cli.models.baselines.elegant import (
    Elegant,
    ElegantConfig,
    ElegantDiscriminatorConfig,
    ElegantDiscriminators,
)
from maskgan_cli.models.layers import to_bytes, to_unit
from maskgan_cli.training import losses
from maskgan_cli.training.augment import NotNegative
from maskgan_cli.training.learner import Learner
from maskgan_cli.training.loop import Loop
from maskgan_cli.training.setup import TrainingPlan
from maskgan_cli.training.tasks.attributes import Truth
from maskgan_cli.weights.format import save_weights

_USED: Final = ("images", "labels", "indices", "mirrored")  # the required fields of `Batch`


class ElegantCriticSettings(Section):
    """Settings of the two discriminators. They have the same image size and attributes as the network.

    Attributes:
        width: channels of the first layer.
    """

    width: Positive = 64


class ElegantLossSettings(Section):
    """Weight of the reconstruction loss; the adversarial losses have weight 1."""

    reconstruction: NotNegative = 5.0


class ElegantRecipe(TrainingRecipe):
    """Settings of ``maskgan train elegant``.

    Each step makes one update for each attribute. An update uses ``data.batch_size`` / (2 * number of attributes) faces
    with the attribute, and the same number of faces without it.

    Attributes:
        weight_decay: weight decay of both Adam optimisers.
    """

    task: Literal["elegant"] = "elegant"
    data: DataSettings = DataSettings(batch_size=64, flip=False)
    network: ElegantConfig = ElegantConfig()
    discriminator: ElegantCriticSettings = ElegantCriticSettings()
    loss: ElegantLossSettings = ElegantLossSettings()
    weight_decay: NotNegative = 1e-5

    @model_validator(mode="after")
    def _batch_is_divisible(self) -> ElegantRecipe:
        """Check that a batch can be divided equally among the attributes, with and without each attribute."""
        if self.data.batch_size % (2 * len(self.network.attributes)):
            raise ValueError("data.batch_size must be a multiple of twice the number of network.attributes")
        return self

    @property
    def pairs(self) -> int:
        """Number of pairs in one update of all processes; a pair has a face with and a face without the attribute."""
        return self.data.batch_size // (2 * len(self.network.attributes))


class PairSampler(Sampler[list[Draw]]):
    """Chooses the training faces of each step: for every attribute, faces with it, then as many faces without it.

    The faces with an attribute and the faces without this attribute are two lists; each list is shuffled anew in every
    epoch.

    Args:
        truth: attributes of the training faces (faces, attributes), 0 or 1.
        names: names of the attributes, in the order of the columns of ``truth``.
        pairs: number of pairs of each attribute in one step of all processes; a pair is a face with the attribute and a
            face without it.
        seed: seed of the random order.
        flip: mirror each face with a probability of 0.5.
        first_step: number of the first step.
        rank: index of this process.
        world: number of processes.

    Raises:
        InputError: there is an attribute that no face has, or that all faces have.
    """

    def __init__(
        self,
        truth: Tensor,
        names: tuple[str, ...],
        pairs: int,
        *,
        seed: int,
        flip: bool,
        first_step: int = 0,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self.first_step = first_step
        self.lists: list[tuple[list[int], StepSampler]] = []
        for place, name in enumerate(names):
            for value in (1, 0):
                chosen = torch.nonzero(truth[:, place] == value).flatten().tolist()
                if not chosen:
                    raise InputError(
                        name,
                        expected="training faces with this attribute and without it",
                        found=f"all {len(truth)} {'without' if value else 'with'}",
                    )
                own_seed = int(np.random.SeedSequence((seed, len(self.lists))).generate_state(1)[0])
                sampler = StepSampler(len(chosen), pairs, seed=own_seed, flip=flip, rank=rank, world=world)
                self.lists.append((chosen, sampler))

    def __iter__(self) -> Iterator[list[Draw]]:
        step = self.first_step
        while True:
            yield self.draws(step)
            step += 1

    def draws(self, step: int) -> list[Draw]:
        """Return a list of this process's training faces in a step, as pairs (index of the face, whether to mirror)."""
        return [(chosen[index], mirrored) for chosen, sampler in self.lists for index, mirrored in sampler.draws(step)]


class ExchangePair(NamedTuple):
    """N faces A with an attribute, and N faces B without it, which exchange the attribute.

    After the exchange, C is face A without the attribute, and D is face B with the attribute.

    Attributes:
        attribute: index of the attribute.
        a, b: the faces A and B, (N, 3, S, S) each, in [-1, 1].
        label_a, label_b: the attributes of A and of B, (N, attributes) each, 0 or 1.
        label_c, label_d: the attributes that C and D should have, (N, attributes) each, 0 or 1.
    """

    attribute: int
    a: Tensor
    label_a: Tensor
    b: Tensor
    label_b: Tensor
    label_c: Tensor
    label_d: Tensor

    @classmethod
    def of(cls, attribute: int, a: Tensor, label_a: Tensor, b: Tensor, label_b: Tensor) -> ExchangePair:
        """Build an `ExchangePair` from faces with an attribute and faces without this attribute.

        Args:
            attribute: index of the attribute.
            a: faces with the attribute, (N, 3, S, S) ``uint8``.
            b: faces without the attribute, (N, 3, S, S) ``uint8``.
            label_a, label_b: the attributes of ``a`` and of ``b``, (N, attributes) each, 0 or 1.
        """
        label_c, label_d = label_a.clone(), label_b.clone()
        label_c[:, attribute], label_d[:, attribute] = label_b[:, attribute], label_a[:, attribute]
        return cls(attribute, to_unit(a), label_a, to_unit(b), label_b, label_c, label_d)


class Exchanged(NamedTuple):
    """Outputs of the network for an `ExchangePair`.

    Attributes:
        same_a, same_b: reconstructions of the faces A and B, (N, 3, S, S) each, in [-1, 1].
        c: the faces A without the attribute, (N, 3, S, S) in [-1, 1].
        d: the faces B with the attribute, (N, 3, S, S) in [-1, 1].
    """

    same_a: Tensor
    same_b: Tensor
    c: Tensor
    d: Tensor


class ElegantTask:
    """Trains ELEGANT: one Adam for encoder and decoder, and one Adam for the two discriminators.

    Args:
        recipe: see `ElegantRecipe`.
        accelerator: device, processes and precision.
        truth: ground truth of the network's attributes (``recipe.network.attributes``).
        validation: faces for validation and sample grids.
    """

    def __init__(self, recipe: ElegantRecipe, accelerator: Accelerator, truth: Truth, validation: Batch) -> None:
        self.recipe, self.accelerator = recipe, accelerator
        self.truth = truth.train.to(accelerator.device)
        self.validation, self.validation_truth = validation, truth.val[validation.indices]
        torch.manual_seed(recipe.seed)  # the same initialisation in every process
        config, count = recipe.network, len(recipe.network.attributes)
        critics = ElegantDiscriminators(
            ElegantDiscriminatorConfig(config.image_size, count, recipe.discriminator.width)
        )
        decay = {"weight_decay": recipe.weight_decay}
        self.elegant = Learner("elegant", Elegant(config), recipe.optimiser, accelerator, **decay)
        self.critics = Learner("discriminator", critics, recipe.optimiser, accelerator, **decay)
        self.networks: Mapping[str, nn.Module] = {**self.elegant.networks, **self.critics.networks}
        self.optimisers: Mapping[str, Optimizer] = {**self.elegant.optimisers, **self.critics.optimisers}

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Make one update for each attribute: first of the discriminators, then of encoder and decoder.

        Returns:
            A dict from the names of the losses to their means over the attributes.
        """
        return self._step(batch, 1)

    def step_in_parts(self, parts: Sequence[Batch]) -> dict[str, Tensor]:
        """Run one step with gradient accumulation: each update processes its faces in ``len(parts)`` micro-batches.

        Each attribute has its own update, which needs only the faces chosen for this attribute. Therefore, ``parts``
        are first joined to the whole batch; then the faces of each update are divided into micro-batches.

        Returns:
            A dict from the names of the losses to their means over the attributes.
        """
        whole = Batch(*(torch.cat([getattr(part, name) for part in parts]) for name in _USED))
        return self._step(whole, len(parts))

    def _step(self, batch: Batch, count: int) -> dict[str, Tensor]:
        """Run one step on a batch; each update processes its faces in ``count`` micro-batches, one after the other.

        Returns:
            A dict from the names of the losses to their means over the attributes.
        """
        attributes = len(self.recipe.network.attributes)
        images, labels = (x.chunk(2 * attributes) for x in (batch.images, self.truth[batch.indices]))
        each = []
        for i in range(attributes):
            faces = [x.chunk(count) for x in (images[2 * i], labels[2 * i], images[2 * i + 1], labels[2 * i + 1])]
            each.append(self._update([ExchangePair.of(i, *one) for one in zip(*faces, strict=True)]))
        return {name: torch.stack([terms[name] for terms in each]).mean() for name in each[0]}

    def _update(self, pairs: Sequence[ExchangePair]) -> dict[str, Tensor]:
        """Make the updates for one attribute: first of the discriminators, then of encoder and decoder.

        If there is only one micro-batch, the network's outputs are computed once, for both updates. If there are
        several micro-batches, the outputs are computed again for the second update, so that only one micro-batch is in
        memory at a time.

        Args:
            pairs: the micro-batches, each with faces with and without the attribute.

        Returns:
            A dict from the names of the losses to their means over the micro-batches.
        """
        kept = [self._exchange(pair) for pair in pairs] if len(pairs) == 1 else []

        def critics_step(pair: ExchangePair) -> dict[str, Tensor]:
            with torch.no_grad():
                changed = kept[0] if kept else self._exchange(pair)
            return self._update_critics(pair, changed)

        def network_step(pair: ExchangePair) -> dict[str, Tensor]:
            return self._update_network(pair, kept[0] if kept else self._exchange(pair))

        discriminator = self.critics.step_in_parts(pairs, critics_step)
        return {**self.elegant.step_in_parts(pairs, network_step), **discriminator}

    def _exchange(self, pair: ExchangePair) -> Exchanged:
        """Exchange the attribute between the faces A and B, and reconstruct A and B; return the four images."""
        network, i = self.elegant.network, pair.attribute
        with self.accelerator.autocast():
            code_a, skips_a = network.encoder(pair.a)
            code_b, skips_b = network.encoder(pair.b)
            same_a, c = (
                network.decode(pair.a, code, (code_a, skips_a)) for code in (code_a, network.replace(code_a, code_b, i))
            )
            same_b, d = (
                network.decode(pair.b, code, (code_b, skips_b)) for code in (code_b, network.replace(code_b, code_a, i))
            )
        return Exchanged(same_a, same_b, c, d)

    def _update_critics(self, pair: ExchangePair, changed: Exchanged) -> dict[str, Tensor]:
        """Compute and backpropagate the discriminators' loss for one micro-batch; return ``{"discriminator": loss}``.

        Args:
            pair: the real faces and their attributes.
            changed: the network's outputs for ``pair``.
        """
        critics, loss = self.critics.network, losses.elegant_adversarial
        with self.accelerator.autocast():
            real = [critics(x, label) for x, label in ((pair.a, pair.label_a), (pair.b, pair.label_b))]
            fakes = ((changed.c.detach(), pair.label_c), (changed.d.detach(), pair.label_d))
            fake = [critics(x, label) for x, label in fakes]
        discriminator = torch.stack([loss(x, real=True) for x in real] + [loss(x, real=False) for x in fake]).sum() / 4
        self.critics.update(discriminator)
        return {"discriminator": discriminator}

    def _update_network(self, pair: ExchangePair, changed: Exchanged) -> dict[str, Tensor]:
        """Compute the losses of encoder and decoder for one micro-batch, and backpropagate their weighted sum.

        Returns:
            A dict from the name of each loss to its value, without its weight.
        """
        critics, loss = self.critics.network, losses.elegant_adversarial
        with self.accelerator.autocast():  # with the updated discriminators
            fake = [critics(x, label) for x, label in ((changed.c, pair.label_c), (changed.d, pair.label_d))]
        adversarial = torch.stack([loss(x, real=True) for x in fake]).sum()
        reconstruction = F.mse_loss(changed.same_a.float(), pair.a) + F.mse_loss(changed.same_b.float(), pair.b)
        self.elegant.update(self.recipe.loss.reconstruction * reconstruction + adversarial)
        return {"reconstruction": reconstruction, "adversarial": adversarial}

    def _pairs(self, i: int) -> tuple[Tensor, Tensor]:
        """Return N validation faces without attribute ``i``, and N validation faces with attribute ``i`` (exemplars).

        Both are pictures (N, 3, S, S) ``uint8``. N is as large as possible.
        """
        has = self.validation_truth[:, i] > 0
        faces, exemplars = self.validation.images[~has], self.validation.images[has]
        count = min(len(faces), len(exemplars))
        return faces[:count], exemplars[:count]

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Reconstruct the validation faces, and transfer every attribute to validation faces that do not have it.

        Returns:
            A dict with ``val_own_l1``, the mean absolute difference between faces and their reconstructions, and
            ``val_changed_l1``, the mean absolute difference between faces and the same faces with a transferred
            attribute, over all attributes. Both differences are for pictures in [0, 1].
        """
        network, size = self.elegant.network, self.recipe.data.batch_size

        def reconstruction_error(part: Tensor) -> Tensor:
            image = to_unit(part)
            encoded = network.encoder(image)
            error: Tensor = (network.decode(image, encoded[0], encoded) - image).abs().mean((1, 2, 3))
            return error

        changes = [torch.zeros(0)]
        for i in range(len(self.recipe.network.attributes)):

            def change_of(pair: Tensor, i: int = i) -> Tensor:
                image, exemplar = to_unit(pair[:, 0]), to_unit(pair[:, 1])
                change: Tensor = (network(image, exemplar, i) - image).abs().mean((1, 2, 3))
                return change

            if len(pairs := torch.stack(self._pairs(i), 1)):
                changes.append(self.elegant.predict(pairs, change_of, size))
        errors, changed = self.elegant.predict(self.validation.images, reconstruction_error, size), torch.cat(changes)
        return {
            "val_own_l1": float(errors.mean()) / 2,
            "val_changed_l1": float(changed.sum()) / max(len(changed), 1) / 2,
        }

    @torch.no_grad()
    def sample_grid(self) -> Picture:
        """Draw rows of four pictures for each attribute, and return the picture (H, W, 3).

        From left to right: a face without the attribute; an exemplar, i.e. another face that has the attribute; the
        edited face, to which the attribute was added; the edited exemplar, from which the attribute was removed.
        """
        device, network = self.accelerator.device, self.elegant.network
        rows = []
        for i in range(len(self.recipe.network.attributes)):
            faces, exemplars = (x[: self.recipe.schedule.sheet_rows].to(device) for x in self._pairs(i))
            if len(faces):
                b, a = to_unit(faces), to_unit(exemplars)
                columns = (faces, exemplars, to_bytes(network(b, a, i)), to_bytes(network(a, b, i)))
                rows.append(torch.cat([x.cpu().permute(0, 2, 3, 1) for x in columns], dim=2).flatten(0, 1))
        if not rows:
            return np.full((8, 8, 3), 255, np.uint8)
        return torch.cat(rows).numpy()

    def save_model(self, path: Path, about: Mapping[str, Any]) -> None:
        """Write encoder and decoder to ``path``, and the discriminators to ``discriminator.safetensors`` beside it.

        Both files get the metadata ``about``.
        """
        network, critics = self.elegant.network, self.critics.network
        beside, config = path.with_name("discriminator.safetensors"), asdict(critics.config)
        save_weights(beside, critics, kind="elegant-discriminator", config=config, about=about)
        save_weights(path, network, kind="elegant", config=asdict(network.config), about=about)


def prepare_training(plan: TrainingPlan, recipe: ElegantRecipe) -> Loop:
    """Set up the training of ELEGANT, and return the training loop; iterate over `Loop.steps` to train.

    Masks are not needed.

    Raises:
        InputError: data, recipe and run folder do not fit together.
    """
    plan.check_size(recipe.network.image_size)
    names, accelerator = recipe.network.attributes, plan.accelerator
    if recipe.pairs % (recipe.data.accumulate * accelerator.num_processes):
        raise InputError(
            "data.accumulate",
            expected=f"a divisor of the {recipe.pairs} pairs of an update in {accelerator.num_processes} process(es)",
            found=str(recipe.data.accumulate),
            hint="an update has data.batch_size / (2 * number of network.attributes) pairs",
        )
    truth = Truth.read(plan.data, names)

    def sampler(first_step: int) -> PairSampler:
        return PairSampler(
            truth.train,
            names,
            recipe.pairs,
            seed=recipe.seed,
            flip=recipe.data.flip,
            first_step=first_step,
            rank=accelerator.process_index,
            world=accelerator.num_processes,
        )

    def make(validation: Batch) -> ElegantTask:
        return ElegantTask(recipe, accelerator, truth, validation)

    sampler(0)  # raises its errors before the run folder is changed
    return plan.loop(recipe, make, {}, start_kind="elegant", masked=False, sampler=sampler)
