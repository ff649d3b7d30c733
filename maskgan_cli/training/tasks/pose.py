"""Train HopeNet (Ruiz et al. 2018), which estimates the yaw, pitch and roll of a head.

Each angle is classified into bins of 3 degrees. The predicted angle is the mean angle of the bins, weighted by their
probabilities. The loss is the cross-entropy over the angle bins, plus the squared error of the predicted angle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from accelerate import Accelerator
from PIL import Image, ImageDraw
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from maskgan_cli.config import Section, TrainingRecipe
from maskgan_cli.data.dataset import Batch
from maskgan_cli.data.head_pose import mirror_pose, pose_of, rotation, turn_pose
from maskgan_cli.data.prepared import ANGLES
from maskgan_cli.files import Picture
from maskgan_cli.judges import prepare
from maskgan_cli.models.hopenet import HopeNet, HopeNetConfig, bin_of, expected_angles
from maskgan_cli.training.augment import AugmentSettings, move, recolour
from maskgan_cli.training.learner import Learner
from maskgan_cli.training.loop import Loop
from maskgan_cli.training.setup import TrainingPlan
from maskgan_cli.weights.format import save_weights

_AXES = ((220, 40, 40), (40, 180, 60), (60, 90, 255))  # colours of the head's axes: side, up, front


class PoseLossSettings(Section):
    """Settings of the loss: cross-entropy over the angle bins + ``alpha`` * mean squared error of the predicted angle.

    Attributes:
        alpha: weight of the squared error, which is in square degrees.
    """

    alpha: Annotated[float, Field(ge=0.0)] = 0.01


class PoseRecipe(TrainingRecipe):
    """Settings of ``maskgan train pose``."""

    task: Literal["pose"] = "pose"
    network: HopeNetConfig = HopeNetConfig()
    loss: PoseLossSettings = PoseLossSettings()
    augment: AugmentSettings = AugmentSettings()


class PoseTask:
    """Trains a HopeNet, which estimates head poses.

    Args:
        recipe: see `PoseRecipe`.
        accelerator: device, processes and precision.
        validation: faces for validation and sample grids, not mirrored.
        angles: yaw, pitch and roll of all training faces in degrees (faces, 3); `Batch.indices` are indices of rows of
            this tensor.
        truth: yaw, pitch and roll of the faces in ``validation`` in degrees (faces, 3).
    """

    def __init__(
        self, recipe: PoseRecipe, accelerator: Accelerator, validation: Batch, *, angles: Tensor, truth: Tensor
    ) -> None:
        self.recipe, self.accelerator, self.validation = recipe, accelerator, validation
        self.angles, self.truth = angles.to(accelerator.device), truth
        torch.manual_seed(recipe.seed)  # the same initialisation in every process
        self.learner = Learner("hopenet", HopeNet(recipe.network), recipe.optimiser, accelerator)
        self.networks, self.optimisers = self.learner.networks, self.learner.optimisers

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update the network once on faces that are augmented with torch's random generator.

        Returns:
            A dict with ``cross_entropy`` and ``square_error`` (in square degrees, not multiplied by its weight).
        """
        images, angles = self._augmented(batch)
        with self.accelerator.autocast():
            logits = self.learner.network(images)
        bins = bin_of(angles, self.recipe.network.bins)
        cross_entropy = F.cross_entropy(logits.float().flatten(0, 1), bins.flatten())
        square_error = F.mse_loss(expected_angles(logits), angles)
        self.learner.update(cross_entropy + self.recipe.loss.alpha * square_error)
        return {"cross_entropy": cross_entropy, "square_error": square_error}

    def step_in_parts(self, parts: Sequence[Batch]) -> dict[str, Tensor]:
        """Update the network once on a batch that is split into parts (gradient accumulation).

        Returns:
            The dict of `step`, with means over the parts.
        """
        return self.learner.step_in_parts(parts, self.step)

    def _augmented(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Augment the faces of a batch, and compute the head poses in the augmented pictures.

        Returns:
            The faces (N, 3, S, S) in [-1, 1]; and yaw, pitch and roll (N, 3) in degrees, after mirroring and rotation.
        """
        moved, _, anticlockwise = move(self._prepared(batch.images), None, self.recipe.augment)
        angles = turn_pose(mirror_pose(self.angles[batch.indices], batch.mirrored), -anticlockwise)
        return recolour(moved, self.recipe.augment), angles

    def _predict(self, images: Tensor) -> Tensor:
        """Predict the head poses of faces (N, 3, H, W) ``uint8``.

        Returns:
            Yaw, pitch and roll (N, 3) in degrees, on the CPU.
        """

        def predict_part(part: Tensor) -> Tensor:
            return expected_angles(self.learner.network(self._prepared(part)))

        return self.learner.predict(images, predict_part, self.recipe.data.batch_size)

    def _prepared(self, images: Tensor) -> Tensor:
        """Convert pictures (N, 3, H, W) ``uint8`` to the network's input: (N, 3, S, S) in [-1, 1], on the device."""
        return prepare(images, self.recipe.network.image_size, self.accelerator.device)

    def validate(self) -> dict[str, float]:
        """Predict the head poses of the validation faces, and return a dict of mean absolute errors in degrees.

        The keys are ``val_yaw``, ``val_pitch`` and ``val_roll``, and ``val_mean`` for the mean of the three errors.
        """
        errors = (self._predict(self.validation.images) - self.truth).abs().mean(0)
        named = {f"val_{name}": float(error) for name, error in zip(ANGLES, errors, strict=True)}
        return {**named, "val_mean": float(errors.mean())}

    def sample_grid(self) -> Picture:
        """Draw a row of two pictures for each validation face, and return the picture (H, W, 3).

        Both pictures show the face with the three axes of the head: on the left at the true pose, on the right at the
        predicted pose.
        """
        images = self.validation.images[: self.recipe.schedule.sheet_rows]
        faces = images.permute(0, 2, 3, 1).numpy()
        poses = zip(rotation(self.truth[: len(images)]), rotation(self._predict(images)), strict=True)
        rows = [
            np.concatenate([draw_axes(face, turn) for turn in pair], 1) for face, pair in zip(faces, poses, strict=True)
        ]
        return np.concatenate(rows)

    def save_model(self, path: Path, about: Mapping[str, Any]) -> None:
        """Write the network's weights to ``path``, with its configuration and the metadata ``about``."""
        save_weights(path, self.learner.network, kind="pose", config=asdict(self.recipe.network), about=about)


def draw_axes(picture: Picture, turn: Tensor) -> Picture:
    """Return a copy of a face on which the head's three axes are drawn: side (red), up (green) and front (blue).

    Args:
        picture: the face (S, S, 3).
        turn: rotation matrix of the head (3, 3), whose columns are the directions of the axes; see `rotation`.
    """
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    middle, length = image.width / 2, image.width / 3
    # Axes that point away from the viewer are drawn first.
    for axis in sorted(range(3), key=lambda k: float(turn[2, k])):
        tip = (middle + length * float(turn[0, axis]), middle - length * float(turn[1, axis]))
        draw.line([(middle, middle), tip], fill=_AXES[axis], width=max(2, image.width // 48))
    return np.asarray(image)


def prepare_training(plan: TrainingPlan, recipe: PoseRecipe) -> Loop:
    """Set up the training of HopeNet, and return the training loop; iterate over `Loop.steps` to train.

    Faces of any size are resized to the network's image size.

    Raises:
        InputError: faces have no angles, or data, recipe and run folder do not fit together.
    """
    angles, truth = pose_of(plan.data.split("train")), pose_of(plan.data.split("val"))

    def make(validation: Batch) -> PoseTask:
        return PoseTask(recipe, plan.accelerator, validation, angles=angles, truth=truth[validation.indices])

    return plan.loop(recipe, make, {}, start_kind="pose", masked=False)
