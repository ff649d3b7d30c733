"""Train SEAN (Zhu et al. 2020, Sec. 4.2), which reconstructs a face from its mask and a style code for each class."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from maskgan_cli.config import OptimiserSettings
from maskgan_cli.models.baselines.sean import SEAN, SEANConfig, SEANDiscriminator
from maskgan_cli.models.layers import one_hot, to_bytes, to_unit
from maskgan_cli.training.learner import Learner
from maskgan_cli.training.loop import Loop
from maskgan_cli.training.setup import TrainingPlan
from maskgan_cli.training.tasks.spade import HingeRecipe, HingeTask, prepare_hinge


class SEANRecipe(HingeRecipe):
    """Settings of ``maskgan train sean``; see `HingeRecipe`."""

    task: Literal["sean"] = "sean"
    optimiser: OptimiserSettings = OptimiserSettings(beta1=0.0, beta2=0.999)
    network: SEANConfig = SEANConfig()


class SEANTask(HingeTask):
    """Trains SEAN: SPADE's losses without the KL divergence, because the style codes are not sampled."""

    kind = "sean"
    recipe: SEANRecipe
    generator: Learner[SEAN]

    def new_network(self) -> SEAN:
        """Create a new SEAN network (generator and encoder)."""
        return SEAN(self.recipe.network)

    def new_discriminator(self) -> SEANDiscriminator:
        """Create a new discriminator of SEAN."""
        return SEANDiscriminator(self.recipe.discriminator)

    def generate(self, mask: Tensor, real: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Reconstruct faces from their own masks and style codes.

        Args:
            mask: one-hot masks (N, 19, S, S) of the faces.
            real: the faces (N, 3, S, S) in [-1, 1].

        Returns:
            The reconstructed faces (N, 3, S, S) in [-1, 1], and an empty dict: there are no further loss terms.
        """
        return self.generator.network(mask, mask, real), {}

    def paint(self, labels: Tensor, style_labels: Tensor, style_images: Tensor) -> Tensor:
        """Generate faces from masks, in the style of other faces.

        Args:
            labels: label maps (N, S, S) of the faces to generate.
            style_labels: label maps (N, S, S) of the style pictures.
            style_images: style pictures (N, 3, S, S) ``uint8``.

        Returns:
            The generated faces (N, 3, S, S) ``uint8`` on the CPU.
        """
        network, device = self.generator.network, self.accelerator.device

        def paint_rows(rows: Tensor) -> Tensor:
            rows = rows.cpu()
            masks = (one_hot(x[rows].to(device)) for x in (labels, style_labels))
            return to_bytes(network(*masks, to_unit(style_images[rows].to(device))))

        return self.generator.predict(torch.arange(len(labels)), paint_rows, self.recipe.data.batch_size)


def prepare_training(plan: TrainingPlan, recipe: SEANRecipe) -> Loop:
    """Set up the training of SEAN, and return the training loop; iterate over `Loop.steps` to train.

    Raises:
        InputError: data, recipe, weights and run folder do not fit together.
    """
    return prepare_hinge(plan, recipe, SEANTask, recipe.network.image_size)
