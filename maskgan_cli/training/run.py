"""Run a whole training: from a recipe and a data set to finished weights."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, PartialState

from maskgan_cli.config import TrainingRecipe, load_recipe
from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.devices import pick_device
from maskgan_cli.errors import InputError
from maskgan_cli.locks import locked
from maskgan_cli.training.callbacks import TrainingCallbacks
from maskgan_cli.training.loop import Loop
from maskgan_cli.training.setup import TrainingPlan
from maskgan_cli.training.trackers import check_trackers


@dataclass(frozen=True)
class Order:
    """Arguments of `train`: task, data, run folder and settings.

    Attributes:
        task: name of the training command and of the folder with its recipes, e.g. ``dmn``.
        recipe_class: class of the task's recipes.
        prepare: the task's function ``prepare_training``: (`TrainingPlan`, recipe, **options) -> `Loop`.
        data: folder of a prepared data set.
        out: the run folder.
        recipe: name of a recipe, or path of a YAML file.
        changes: changes of the recipe, ``key.subkey=value`` each.
        start: weights file or run folder whose weights replace the random initialisation.
        resume: continue an existing run; if False, an existing run is an error.
        overwrite: delete an existing run.
        options: further keyword arguments of ``prepare``, which only this task has.
        track: names of experiment trackers that receive the metrics, in addition to ``metrics.jsonl``. If empty,
            TensorBoard is used if it is installed.
    """

    task: str
    recipe_class: type[TrainingRecipe]
    prepare: Callable[..., Loop]
    data: Path
    out: Path
    recipe: str = "tiny-cpu"
    changes: Sequence[str] = ()
    start: Path | None = None
    resume: bool = True
    overwrite: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    track: Sequence[str] = ()


def train(order: Order, callbacks: TrainingCallbacks) -> Loop:
    """Train the networks of a task up to the last step of the schedule. The run folder is locked meanwhile.

    Returns:
        The finished training loop. ``loop.run.model`` is the path of the weights file; ``loop.progress`` has the number
        of steps and the results of the last validation.

    Raises:
        InputError: recipe, data, weights and run folder do not fit together, or another process has locked the folder.
        WorkError: a loss or a weight became NaN or infinite, or the disk is full.
        Interrupted: the caller requested a stop; the state was saved.
    """
    track = check_trackers(order.track)
    recipe = load_recipe(order.recipe_class, order.task, order.recipe, list(order.changes))
    data = PreparedData.load(order.data)
    accelerator = make_accelerator(callbacks.device, recipe.precision)
    plan = TrainingPlan(data, order.out, accelerator, order.resume, order.overwrite, callbacks, order.start, track)
    if not accelerator.is_main_process:
        silent = TrainingCallbacks(callbacks.device, callbacks.stop)
        return _run(order, dataclasses.replace(plan, callbacks=silent), recipe)
    with locked(order.out, f"maskgan train {order.task}"):
        return _run(order, plan, recipe)


def is_main_process() -> bool:
    """Return whether this process writes files and messages; of the processes that torchrun starts, only one does."""
    return int(os.environ.get("WORLD_SIZE", "1")) < 2 or os.environ.get("RANK", "0") == "0"


def _run(order: Order, plan: TrainingPlan, recipe: TrainingRecipe) -> Loop:
    """Prepare the training, run it up to the last step, and return the finished loop."""
    loop = order.prepare(plan, recipe, **order.options)
    done, total = loop.progress.step, recipe.schedule.steps
    if done >= total:
        plan.callbacks.say(f"{order.out} has finished its {total} steps; raise schedule.steps to train longer")
    elif done:
        plan.callbacks.say(f"resuming after step {done}")
    for _ in loop.steps():
        pass
    return loop


def make_accelerator(device: str, precision: str) -> Accelerator:
    """Create Hugging Face's `Accelerator` for a device and a precision. A process can run one training at a time.

    Args:
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
        precision: ``no`` (float32), ``fp16`` or ``bf16``.

    Raises:
        InputError: the device does not exist, or does not support the precision.
    """
    chosen = pick_device(device)
    if precision == "fp16" and chosen.type == "cpu":
        raise InputError("precision", expected="no or bf16 on the CPU", found="fp16")
    # Accelerate keeps the first device and precision of a process, but a process may run several trainings.
    before = PartialState._shared_state.get("device")
    other = before is not None and (before.type, before.index or 0) != (chosen.type, chosen.index or 0)
    if not torch.distributed.is_initialized() and (other or _precision() not in (None, precision)):
        AcceleratorState._reset_state(reset_partial_state=True)
    name, kept = "ACCELERATE_TORCH_DEVICE", os.environ.get("ACCELERATE_TORCH_DEVICE")
    if chosen.index is not None:
        os.environ[name] = str(chosen)
    if chosen.type == "cuda":  # all batches have one shape, so cuDNN's benchmark pays; TF32 is precise enough
        torch.backends.cudnn.benchmark = True
        torch.set_float32_matmul_precision("high")
    try:
        return Accelerator(cpu=chosen.type == "cpu", mixed_precision=precision)
    except ValueError as error:
        raise InputError("precision", expected="one that the device supports", found=str(error)) from error
    finally:
        if chosen.index is not None:
            os.environ.pop(name)
            if kept is not None:
                os.environ[name] = kept


def _precision() -> str | None:
    """Return the precision that Accelerate already uses in this process; None if it has not been set up yet."""
    found = AcceleratorState._shared_state.get("_mixed_precision")
    return None if found is None else str(found)
