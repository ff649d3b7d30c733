"""Train an identity network with the ArcFace loss (Deng et al. 2019), which learns a class centre for each person."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from accelerate import Accelerator
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from maskgan_cli.config import Section, TrainingRecipe
from maskgan_cli.data.alignment import Points, align, batch_points
from maskgan_cli.data.dataset import Batch
from maskgan_cli.data.prepared import identities_of
from maskgan_cli.errors import InputError
from maskgan_cli.files import Picture
from maskgan_cli.metrics.verification import balanced_pairs, measure
from maskgan_cli.models.arcface import ArcFaceConfig, ArcFaceMargin, IResNet
from maskgan_cli.models.layers import to_unit
from maskgan_cli.training.augment import AugmentSettings, move, recolour
from maskgan_cli.training.learner import Learner
from maskgan_cli.training.loop import Loop
from maskgan_cli.training.setup import TrainingPlan
from maskgan_cli.weights.format import save_weights


class MarginSettings(Section):
    """Settings of the ArcFace loss.

    Attributes:
        scale: factor s of the logits.
        margin: angular margin m in radians.
        warmup: number of steps in which the margin rises linearly from 0; 0 for a constant margin.
    """

    scale: Annotated[float, Field(gt=0.0)] = 64.0
    margin: Annotated[float, Field(ge=0.0, le=1.0)] = 0.5
    warmup: Annotated[int, Field(ge=0)] = 0


class IdentityRecipe(TrainingRecipe):
    """Settings of ``maskgan train identity``.

    Attributes:
        pairs: number of pairs of validation faces for face verification; in half of the pairs, both faces show the same
            person.
    """

    task: Literal["identity"] = "identity"
    network: ArcFaceConfig = ArcFaceConfig()
    loss: MarginSettings = MarginSettings()
    augment: AugmentSettings = AugmentSettings()
    pairs: Annotated[int, Field(ge=20)] = 1000


class Classifier(nn.Module):
    """The identity network, followed by the classification layer, which is needed only in training.

    The classification layer has a class centre for each person of the training split.

    Args:
        recipe: settings of the network and of the loss.
        people: number of people in the training split.

    Attributes:
        batches_seen: number of forward passes so far, from which the current margin is computed.
    """

    batches_seen: Tensor

    def __init__(self, recipe: IdentityRecipe, people: int) -> None:
        super().__init__()
        self.face = IResNet(recipe.network)
        self.people = ArcFaceMargin(recipe.network.embedding, people)
        self.settings = recipe.loss
        self.register_buffer("batches_seen", torch.zeros((), dtype=torch.long))
        self._seen: int | None = None
        self._warmup = recipe.loss.warmup * recipe.data.accumulate  # `batches_seen` counts every part of a batch

    def forward(self, faces: Tensor, people: Tensor) -> Tensor:
        """Return the logits (N, number of people) of faces, with ArcFace's margin on the true person.

        Args:
            faces: aligned faces (N, 3, S, S) in [-1, 1].
            people: for each face, the index (N,) of the true person.
        """
        if self._seen is None:  # read from the device once; it is not 0 after a resume
            self._seen = int(self.batches_seen)
        share = min(1.0, self._seen / self._warmup) if self._warmup else 1.0
        self.batches_seen += 1
        self._seen += 1
        self.people.scale, self.people.margin = self.settings.scale, share * self.settings.margin
        logits: Tensor = self.people(self.face(faces), people)
        return logits


class IdentityTask:
    """Trains an identity network to classify the people of the training split.

    The validation measures how well the network tells whether two validation faces show the same person.

    Args:
        recipe: see `IdentityRecipe`.
        accelerator: device, processes and precision.
        people: for each training face, the index of its person, from 0; `Batch.indices` are indices of this tensor.
        validation: faces for validation and sample grids.
        names: for each validation face, the name of its person.
    """

    def __init__(
        self, recipe: IdentityRecipe, accelerator: Accelerator, people: Tensor, validation: Batch, names: list[str]
    ) -> None:
        self.recipe, self.accelerator, self.validation = recipe, accelerator, validation
        self.people = people.to(accelerator.device)
        self._cached_points: dict[tuple[int, bool], Points] = {}
        self.pairs, self.same = balanced_pairs(names, recipe.pairs, recipe.seed)
        torch.manual_seed(recipe.seed)  # the same initialisation in every process
        classifier = Classifier(recipe, int(people.max()) + 1)
        self.learner = Learner("arcface", classifier, recipe.optimiser, accelerator)
        self.networks, self.optimisers = self.learner.networks, self.learner.optimisers

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update the network once on aligned and augmented faces.

        A mirrored face counts as the same person.

        Returns:
            A dict with ``cross_entropy`` and ``accuracy`` (share of the faces whose person is predicted, 0 to 1).
        """
        aligned = align(batch.images, self._points(batch), self.recipe.network.image_size)
        moved, _, _ = move(to_unit(aligned), None, self.recipe.augment)
        faces, people = recolour(moved, self.recipe.augment), self.people[batch.indices]
        with self.accelerator.autocast():
            logits = self.learner.network(faces, people)
        loss = F.cross_entropy(logits, people)
        self.learner.update(loss)
        # This accuracy includes the margin on the true class, so it rises late.
        return {"cross_entropy": loss, "accuracy": (logits.argmax(1) == people).float().mean()}

    def step_in_parts(self, parts: Sequence[Batch]) -> dict[str, Tensor]:
        """Update the network once on a batch that is split into parts (gradient accumulation).

        Returns:
            The dict of `step`, with means over the parts.
        """
        return self.learner.step_in_parts(parts, self.step)

    def _points(self, batch: Batch) -> Points:
        """Return the landmarks (N, 5, 2) of training faces: eyes, tip of the nose, corners of the mouth, in pixels.

        The landmarks are cached for each face and for its mirror image.
        """
        keys = list(zip(batch.indices.tolist(), batch.mirrored.tolist(), strict=True))
        new = [row for row, key in enumerate(keys) if key not in self._cached_points]
        points = batch_points(batch.labels[new], batch.images.shape[-1])
        self._cached_points |= {keys[row]: own for row, own in zip(new, points, strict=True)}
        return np.stack([self._cached_points[key] for key in keys])

    @functools.cached_property
    def _faces(self) -> Tensor:
        """The validation faces (N, 3, S, S) ``uint8``, aligned and resized to the network's ``image_size`` S."""
        points = batch_points(self.validation.labels, self.validation.images.shape[-1])
        return align(self.validation.images, points, self.recipe.network.image_size)

    def _embed(self) -> Tensor:
        """Return the embeddings (N, D) of the validation faces, normalised to length 1, on the CPU."""

        def embed_part(part: Tensor) -> Tensor:
            embedded: Tensor = self.learner.network.face(to_unit(part))
            return embedded.float()

        return F.normalize(self.learner.predict(self._faces, embed_part, self.recipe.data.batch_size))

    def verify(self) -> dict[str, Any]:
        """Measure how well embeddings tell whether two validation faces show the same person.

        Returns:
            A dict with ``accuracy``, ``auc``, ``threshold`` and other results, see `metrics.verification.measure`.
        """
        return measure(_cosines(self._embed(), self.pairs), self.same)

    def validate(self) -> dict[str, float]:
        """Return the dict of `verify` with other keys: ``val_accuracy``, ``val_auc``, and ``val_verify/NAME``."""
        shown = ("accuracy", "auc")
        return {f"val_{'' if name in shown else 'verify/'}{name}": float(v) for name, v in self.verify().items()}

    def sample_grid(self) -> Picture:
        """Draw pairs of aligned validation faces, up to four pairs per row, and return the picture (H, W, 3).

        In the upper half of the rows, both faces of a pair show the same person; in the lower half, two people.
        """
        rows = self.recipe.schedule.sheet_rows
        faces = self._faces.permute(0, 2, 3, 1).numpy()
        chosen = [
            pairs[i :: max(1, rows)][:4].flatten()
            for pairs in (self.pairs[self.same], self.pairs[~self.same])
            for i in range(rows)
        ]
        width = max(map(len, chosen))
        lines = [np.hstack([*faces[row], *[np.full_like(faces[0], 255)] * (width - len(row))]) for row in chosen]
        return np.vstack(lines)

    def save_model(self, path: Path, about: Mapping[str, Any]) -> None:
        """Write the weights to ``path``, with the configuration, the metadata ``about`` and the results of `verify`."""
        measured = self.verify()
        about = {**about, "threshold": measured["threshold"], "verification": measured}
        config = asdict(self.recipe.network)
        save_weights(path, self.learner.network.face, kind="identity", config=config, about=about)


def _cosines(embeddings: Tensor, pairs: Any) -> Any:
    """Return the cosine similarities (P,) of P pairs of faces, as a NumPy array.

    Args:
        embeddings: embeddings (N, D) of the faces, normalised to length 1.
        pairs: indices of the two faces of each pair, (P, 2).
    """
    first, second = embeddings[pairs[:, 0]], embeddings[pairs[:, 1]]
    return (first * second).sum(1).double().numpy()


def prepare_training(plan: TrainingPlan, recipe: IdentityRecipe) -> Loop:
    """Set up the training of an identity network, and return the training loop; iterate over `Loop.steps` to train.

    Faces of any size are aligned and resized to the network's image size.

    Raises:
        InputError: faces have no identities, there are too few people, or data, recipe and run folder do not fit
            together.
    """
    train, names = identities_of(plan.data.split("train")), identities_of(plan.data.split("val"))
    numbers = {name: i for i, name in enumerate(sorted(set(train)))}
    people = torch.tensor([numbers[name] for name in train])
    chosen = names[: recipe.schedule.validation_samples]
    if len(numbers) < 2 or len(balanced_pairs(chosen, recipe.pairs, recipe.seed)[0]) < 20:
        raise InputError(
            plan.data.root,
            expected="at least 2 people to train on and 10 validation pairs of one person",
            found=f"{len(numbers)} people, {len(set(chosen))} in the {len(chosen)} validation faces",
            hint="raise schedule.validation_samples, or use a data set with several pictures of each person",
        )
    masked = all(sample.mask_file for sample in plan.data.samples)

    def make(validation: Batch) -> IdentityTask:
        return IdentityTask(recipe, plan.accelerator, people, validation, [names[i] for i in validation.indices])

    return plan.loop(recipe, make, {}, start_kind="identity", masked=masked)
