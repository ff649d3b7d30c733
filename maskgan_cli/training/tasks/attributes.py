"""Train a classifier of one or more binary attributes of faces (paper, Sec. 5.3: attribute accuracy)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor
from torch.nn import functional as F

from maskgan_cli.config import TrainingRecipe
from maskgan_cli.data.dataset import Batch
from maskgan_cli.data.prepared import PreparedData, attributes_of
from maskgan_cli.files import Picture
from maskgan_cli.judges import prepare
from maskgan_cli.metrics.confusion import Confusion
from maskgan_cli.models.attributes import AttributeConfig, AttributeNet
from maskgan_cli.training.augment import AugmentSettings, move, recolour
from maskgan_cli.training.learner import Learner
from maskgan_cli.training.loop import Loop
from maskgan_cli.training.setup import TrainingPlan
from maskgan_cli.weights.format import save_weights


class AttributeRecipe(TrainingRecipe):
    """Settings of ``maskgan train attributes``.

    Attributes:
        balance: weight the loss of each attribute so that the faces with this attribute and the faces without it have
            equal influence in total.
    """

    task: Literal["attributes"] = "attributes"
    network: AttributeConfig = AttributeConfig()
    augment: AugmentSettings = AugmentSettings()
    balance: bool = False


@dataclass(frozen=True)
class Truth:
    """Ground-truth attributes of the faces of a data set: 1.0 if a face has the attribute, else 0.0.

    Attributes:
        train: attributes of the training faces, (number of faces, number of attributes).
        val: attributes of the validation faces, with the same columns.
    """

    train: Tensor
    val: Tensor

    @classmethod
    def read(cls, data: PreparedData, names: tuple[str, ...]) -> Truth:
        """Read attributes of all training and validation faces from the data set's manifest.

        Args:
            data: the data set.
            names: names of the attributes, in the order of the columns of `train` and `val`.

        Raises:
            InputError: a sample has no value for one of the attributes.
        """
        return cls(*(torch.from_numpy(attributes_of(data.split(split), names)).float() for split in ("train", "val")))


class AttributeTask:
    """Trains an attribute classifier with the binary cross-entropy, averaged over the attributes.

    Args:
        recipe: see `AttributeRecipe`.
        accelerator: device, processes and precision.
        truth: ground truth of the recipe's attributes (``recipe.network.names``).
        validation: faces for validation and sample grids.
    """

    def __init__(self, recipe: AttributeRecipe, accelerator: Accelerator, truth: Truth, validation: Batch) -> None:
        self.recipe, self.accelerator = recipe, accelerator
        self.truth = truth.train.to(accelerator.device)
        self.validation, self.validation_truth = validation, truth.val[validation.indices]
        share = self.truth.mean(0).clamp(1 / len(self.truth), 1 - 1 / len(self.truth))
        self.weight = 0.5 / torch.stack([1 - share, share])  # (2, attributes): weights of faces without and with it
        torch.manual_seed(recipe.seed)  # the same initialisation in every process
        self.learner = Learner("attributes", AttributeNet(recipe.network), recipe.optimiser, accelerator)
        self.networks, self.optimisers = self.learner.networks, self.learner.optimisers

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update the classifier once on augmented faces. Mirrored faces have the same attributes as the original faces.

        Returns:
            A dict with ``cross_entropy`` and ``accuracy`` (share of correct predictions, 0 to 1).
        """
        images, _, _ = move(self._prepared(batch.images), None, self.recipe.augment)
        truth = self.truth[batch.indices]
        with self.accelerator.autocast():
            logits = self.learner.network(recolour(images, self.recipe.augment))
        weight = torch.where(truth > 0, self.weight[1], self.weight[0]) if self.recipe.balance else None
        loss = F.binary_cross_entropy_with_logits(logits.float(), truth, weight)
        self.learner.update(loss)
        return {"cross_entropy": loss, "accuracy": ((logits > 0) == (truth > 0)).float().mean()}

    def step_in_parts(self, parts: Sequence[Batch]) -> dict[str, Tensor]:
        """Update the classifier once on a batch that is split into parts (gradient accumulation).

        Returns:
            The dict of `step`, with means over the parts.
        """
        return self.learner.step_in_parts(parts, self.step)

    def _classify(self, images: Tensor) -> Tensor:
        """Predict, for each picture (N, 3, S, S) ``uint8`` of a face, which attributes the face has.

        Returns:
            The predictions (N, attributes), ``bool``, on the CPU.
        """

        def classify_part(part: Tensor) -> Tensor:
            logits: Tensor = self.learner.network(self._prepared(part))
            return logits > 0

        return self.learner.predict(images, classify_part, self.recipe.data.batch_size)

    def _prepared(self, images: Tensor) -> Tensor:
        """Convert pictures (N, 3, H, W) ``uint8`` to the network's input: (N, 3, S, S) in [-1, 1], on the device."""
        return prepare(images, self.recipe.network.image_size, self.accelerator.device)

    def validate(self) -> dict[str, float]:
        """Classify the validation faces, and compare the predictions with the ground truth.

        Returns:
            A dict with ``val_accuracy`` and ``val_balanced_accuracy`` (0 to 1, means over the attributes), and with the
            accuracies and confusion counts of each attribute, e.g. ``val_accuracy/Smiling``.
        """
        predictions = self._classify(self.validation.images)
        tables = {
            name: Confusion.count(self.validation_truth[:, i] > 0, predictions[:, i])
            for i, name in enumerate(self.recipe.network.names)
        }
        means = {
            "val_accuracy": float(np.mean([table.accuracy for table in tables.values()])),
            "val_balanced_accuracy": float(np.mean([table.balanced_accuracy for table in tables.values()])),
        }
        each = {f"val_{key}/{name}": value for name, table in tables.items() for key, value in table.as_dict().items()}
        return means | each

    def sample_grid(self) -> Picture:
        """Draw two rows of validation faces, and return the picture (H, W, 3).

        The upper row has faces for which the first attribute in ``network.names`` is predicted correctly; the lower row
        has faces for which it is predicted wrongly. If there are too few faces for a row, the rest of the row is white.
        """
        rows = self.recipe.schedule.sheet_rows * 2
        predictions = self._classify(self.validation.images)[:, 0]
        right = predictions == (self.validation_truth[:, 0] > 0)
        faces = self.validation.images.permute(0, 2, 3, 1).numpy()
        strips = []
        for chosen in (right, ~right):
            row = list(faces[chosen.numpy()][:rows])
            row += [np.full_like(faces[0], 255)] * (rows - len(row))
            strips.append(np.hstack(row))
        return np.vstack(strips)

    def save_model(self, path: Path, about: Mapping[str, Any]) -> None:
        """Write the network's weights to ``path``, with its configuration and the metadata ``about``."""
        save_weights(path, self.learner.network, kind="attributes", config=asdict(self.recipe.network), about=about)


def prepare_training(plan: TrainingPlan, recipe: AttributeRecipe) -> Loop:
    """Set up the training of an attribute classifier, and return the training loop; iterate over `Loop.steps` to train.

    Faces of any size are resized to the network's size; masks are not needed.

    Raises:
        InputError: data, recipe and run folder do not fit together.
    """
    truth = Truth.read(plan.data, recipe.network.names)

    def make(validation: Batch) -> AttributeTask:
        return AttributeTask(recipe, plan.accelerator, truth, validation)

    return plan.loop(recipe, make, {}, start_kind="attributes", masked=False)
