"""Train the face parser, which segments a face into 19 classes (paper, Sec. 5.3: segmentation accuracy)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor
from torch.nn import functional as F

from maskgan_cli.config import Section, TrainingRecipe
from maskgan_cli.data.dataset import Batch
from maskgan_cli.files import Picture
from maskgan_cli.labels import colourise
from maskgan_cli.metrics.confusion import agreement
from maskgan_cli.models.layers import to_unit
from maskgan_cli.models.parser import FaceParser, ParserConfig
from maskgan_cli.training import losses
from maskgan_cli.training.augment import AugmentSettings, NotNegative, change_backdrop, move, recolour, repaint
from maskgan_cli.training.learner import Learner
from maskgan_cli.training.loop import Loop
from maskgan_cli.training.mouth_augmentation import enlarge_lips, light_from_above, reshape_mouths
from maskgan_cli.training.setup import TrainingPlan
from maskgan_cli.weights.format import save_weights


class ParserLossSettings(Section):
    """Weights of the losses that are added to the cross-entropy, whose weight is 1.

    Attributes:
        dice: weight of the Dice loss, in which small classes count as much as large classes; see `losses.dice`.
    """

    dice: NotNegative = 0.0


class ParserRecipe(TrainingRecipe):
    """Settings of ``maskgan train parser``."""

    task: Literal["parser"] = "parser"
    network: ParserConfig = ParserConfig()
    loss: ParserLossSettings = ParserLossSettings()
    augment: AugmentSettings = AugmentSettings()


class ParserTask:
    """Trains a face parser with cross-entropy over all pixels, and with a Dice loss if the recipe has one.

    Args:
        recipe: see `ParserRecipe`.
        accelerator: device, processes and precision.
        validation: faces for validation and sample grids.
    """

    def __init__(self, recipe: ParserRecipe, accelerator: Accelerator, validation: Batch) -> None:
        self.recipe, self.accelerator, self.validation = recipe, accelerator, validation
        torch.manual_seed(recipe.seed)  # the same initialisation in every process
        self.learner = Learner("parser", FaceParser(recipe.network), recipe.optimiser, accelerator)
        self.networks, self.optimisers = self.learner.networks, self.learner.optimisers

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update the parser once on augmented faces.

        In the masks of mirrored faces, the data set has already swapped the classes of left and right.

        Returns:
            A dict with ``cross_entropy``, ``dice`` (if the recipe has this loss) and ``accuracy`` (share of the pixels
            with the right class).
        """
        change = self.recipe.augment
        images, labels, _ = move(to_unit(batch.images), batch.labels, change)
        assert labels is not None
        if change.mouths:
            images, labels = reshape_mouths(images, labels, change.mouths)
        images = repaint(change_backdrop(images, labels, change), labels, change)
        if change.lips:
            images = light_from_above(images, labels, change.lips)
        if change.outline:
            labels = enlarge_lips(labels, change.outline)
        with self.accelerator.autocast():
            logits = self.learner.network(recolour(images, change))
        terms = {"cross_entropy": F.cross_entropy(logits.float(), labels.long())}
        loss = terms["cross_entropy"]
        if self.recipe.loss.dice:
            terms["dice"] = losses.dice(logits.float(), labels)
            loss = loss + self.recipe.loss.dice * terms["dice"]
        self.learner.update(loss)
        return {**terms, "accuracy": (logits.argmax(1) == labels).float().mean()}

    def step_in_parts(self, parts: Sequence[Batch]) -> dict[str, Tensor]:
        """Update the parser once on a batch that is split into parts (gradient accumulation).

        Returns:
            The dict of `step`, with means over the parts.
        """
        return self.learner.step_in_parts(parts, self.step)

    def _parse(self, images: Tensor) -> Tensor:
        """Segment pictures (N, 3, S, S) ``uint8``; return label maps (N, S, S) ``uint8`` on the CPU."""

        def parse_part(part: Tensor) -> Tensor:
            logits: Tensor = self.learner.network(to_unit(part))
            return logits.argmax(1).to(torch.uint8)

        return self.learner.predict(images, parse_part, self.recipe.data.batch_size)

    def validate(self) -> dict[str, float]:
        """Segment the validation faces, and compare the predictions with the masks.

        Returns:
            A dict with ``val_accuracy`` (share of the pixels with the right class), ``val_miou`` (mean IoU) and values
            of each class, all in [0, 1]; see `metrics.confusion.agreement`.
        """
        found = agreement(self.validation.labels, self._parse(self.validation.images))
        return {f"val_{name}": value for name, value in found.items()}

    def sample_grid(self) -> Picture:
        """Return a picture (H, W, 3) with one row for each validation face: the face, its mask and the prediction."""
        rows = self.recipe.schedule.sheet_rows
        images, labels = self.validation.images[:rows], self.validation.labels[:rows]
        maps = torch.cat([labels, self._parse(images)], dim=2).numpy()  # (N, S, 2S)
        faces = images.permute(0, 2, 3, 1).numpy()
        return np.concatenate([np.hstack(pair) for pair in zip(faces, map(colourise, maps), strict=True)])

    def save_model(self, path: Path, about: Mapping[str, Any]) -> None:
        """Write the network's weights to ``path``, with its configuration and the metadata ``about``."""
        save_weights(path, self.learner.network, kind="parser", config=asdict(self.recipe.network), about=about)


def prepare_training(plan: TrainingPlan, recipe: ParserRecipe) -> Loop:
    """Set up the training of a face parser, and return the training loop; iterate over `Loop.steps` to train.

    Raises:
        InputError: data, recipe and run folder do not fit together.
    """
    plan.check_size(recipe.network.image_size)

    def make(validation: Batch) -> ParserTask:
        return ParserTask(recipe, plan.accelerator, validation)

    return plan.loop(recipe, make, {}, start_kind="parser")
