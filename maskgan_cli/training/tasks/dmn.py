"""Stage I: train the Dense Mapping Network to reconstruct a face from its own mask and style."""

from __future__ import annotations

from typing import Any, Literal

from maskgan_cli.data.dataset import Batch
from maskgan_cli.models.dmn import DMNConfig
from maskgan_cli.training.adversarial import AdversarialTask
from maskgan_cli.training.gan_recipe import GANRecipe
from maskgan_cli.training.grow import grow, grown_from, new_layers, widen
from maskgan_cli.training.loop import Loop
from maskgan_cli.training.perceptual_features import feature_network
from maskgan_cli.training.setup import TrainingPlan
from maskgan_cli.training.start import generator_file, trained
from maskgan_cli.weights.format import read_weights


class DMNRecipe(GANRecipe):
    """Settings of ``maskgan train dmn``, see `GANRecipe`."""

    task: Literal["dmn"] = "dmn"


class DMNTask(AdversarialTask):
    """Trains the Dense Mapping Network: `AdversarialTask` without changes."""


def prepare_training(plan: TrainingPlan, recipe: DMNRecipe) -> Loop:
    """Set up Stage I of the training, and return the training loop; iterate over `Loop.steps` to train.

    Raises:
        InputError: data, recipe, weights and run folder do not fit together.
    """
    return prepare_stage_one(plan, recipe, DMNTask)


def prepare_stage_one(plan: TrainingPlan, recipe: GANRecipe, task_class: type[DMNTask]) -> Loop:
    """Set up Stage I of the Dense Mapping Network or of a variant, e.g. Pix2PixHD-m, and return the training loop.

    The training may start from weights (``plan.start``) of a smaller network, which is enlarged, see `grow`.

    Args:
        plan: data set, run folder and device.
        recipe: the resolved recipe.
        task_class: class of the training task; ``task_class.kind`` is the kind of the weights files.

    Raises:
        InputError: data, recipe, weights and run folder do not fit together.
    """
    plan.check_size(recipe.network.image_size)
    features, record = feature_network(recipe.perceptual)
    plan.callbacks.say(f"perceptual loss: {record['network']}")
    start = None if plan.start is None else read_weights(generator_file(plan.start, task_class.kind), task_class.kind)
    dependencies: dict[str, Any] = {"perceptual": record}
    if start is not None:
        dependencies["start"] = {"sha256": start.sha256}

    def make(validation: Batch) -> DMNTask:
        task = task_class(recipe, plan.accelerator, features, validation)
        if start is not None:
            tensors, small = start.tensors, DMNConfig(**start.config)
            if small.image_size < recipe.network.image_size and recipe.network == grown_from(small):
                plan.callbacks.say(f"growing {start.path} from {small.image_size} to {recipe.network.image_size} px")
                tensors = grow(tensors, task.generator.state_dict())
            elif small.style_width < recipe.network.style_width:
                plan.callbacks.say(f"widening the style encoder of {start.path} from {small.style_width} channels")
                tensors = widen(tensors, task.generator.state_dict())
            if recipe.network.noise and not small.noise:
                plan.callbacks.say(f"adding noise inputs to {start.path}")
                tensors = {**tensors, **new_layers(task.generator.state_dict(), "noise")}
            if recipe.network.style_map > 1 and small.style_map == 1:
                plan.callbacks.say(f"adding a style map to {start.path}")
                tensors = {**tensors, **new_layers(task.generator.state_dict(), "to_style_map")}
            if recipe.network.skips and not small.skips:
                plan.callbacks.say(f"adding skip connections to {start.path}")
                fresh = task.generator.state_dict()
                tensors = {**tensors, **new_layers(fresh, "skips"), **new_layers(fresh, "to_skips")}
            task.start_from(tensors, trained("discriminator", plan.start), start.path)
        return task

    variants = recipe.style_augmentation.expression_variants > 0
    return plan.loop(recipe, make, dependencies, expression_variants=variants)
