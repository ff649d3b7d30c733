"""Train Pix2PixHD-m, the baseline of the paper (Sec. 5): the Dense Mapping Network without its label branch."""

from __future__ import annotations

from typing import Literal

from maskgan_cli.models.dmn import Pix2PixHDmConfig
from maskgan_cli.training.gan_recipe import GANRecipe
from maskgan_cli.training.loop import Loop
from maskgan_cli.training.setup import TrainingPlan
from maskgan_cli.training.tasks.dmn import DMNTask, prepare_stage_one


class Pix2PixHDmRecipe(GANRecipe):
    """Settings of ``maskgan train pix2pixhd-m``, see `GANRecipe`."""

    task: Literal["pix2pixhd-m"] = "pix2pixhd-m"
    network: Pix2PixHDmConfig = Pix2PixHDmConfig()


class Pix2PixHDmTask(DMNTask):
    """Trains Pix2PixHD-m in the same way as the Dense Mapping Network in Stage I."""

    kind = "pix2pixhd-m"


def prepare_training(plan: TrainingPlan, recipe: Pix2PixHDmRecipe) -> Loop:
    """Set up the training of Pix2PixHD-m, and return the training loop; iterate over `Loop.steps` to train.

    Raises:
        InputError: data, recipe, weights and run folder do not fit together.
    """
    return prepare_stage_one(plan, recipe, Pix2PixHDmTask)
