"""From what was asked for to finished weights, under any host."""

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
from maskgan_cli.training.host import Host
from maskgan_cli.training.loop import Loop
from maskgan_cli.training.setup import Plan
from maskgan_cli.training.trackers import check_trackers


@dataclass(frozen=True)
class Order:
    """What shall be trained, on what, and where to.

    Attributes:
        task: the command's name and the folder of its recipes, e.g. ``dmn``.
        recipe_class: what its recipes are checked against.
        prepare: the task's ``prepare_training``: (`Plan`, recipe, **options) -> `Loop`.
        data: a prepared data set.
        out: the run folder.
        recipe: name of a recipe, or a YAML file.
        changes: ``key.subkey=value`` each, applied to the recipe.
        start: begin with these weights.
        resume: go on with what ``out`` holds, or refuse to.
        overwrite: throw away what ``out`` holds.
        options: the task's own.
        track: trackers of the metrics besides ``metrics.jsonl``; TensorBoard if there are none and it is installed.
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


def train(order: Order, host: Host) -> Loop:
    """Carry out an order to its last step, alone on its run folder.

    Returns:
        The finished loop: ``run.model`` are the weights, ``progress`` says where it ended.

    Raises:
        InputError: the parts of the order do not go together, or someone else is at the run folder.
        WorkError: a loss or a weight became NaN or infinite, or the disk is full.
        Interrupted: the host asked to stop; the state was saved.
    """
    track = check_trackers(order.track)
    recipe = load_recipe(order.recipe_class, order.task, order.recipe, list(order.changes))
    data = PreparedData.load(order.data)
    accelerator = make_accelerator(host.device, recipe.precision)
    plan = Plan(data, order.out, accelerator, order.resume, order.overwrite, host, order.start, track)
    if not accelerator.is_main_process:
        return _run(order, dataclasses.replace(plan, host=Host(host.device, host.stop)), recipe)
    with locked(order.out, f"maskgan train {order.task}"):
        return _run(order, plan, recipe)


def is_main_process() -> bool:
    """Whether this is the process that speaks and writes, of one or of torchrun's several."""
    return int(os.environ.get("WORLD_SIZE", "1")) < 2 or os.environ.get("RANK", "0") == "0"


def _run(order: Order, plan: Plan, recipe: TrainingRecipe) -> Loop:
    loop = order.prepare(plan, recipe, **order.options)
    done, total = loop.progress.step, recipe.schedule.steps
    if done >= total:
        plan.host.say(f"{order.out} has its {total} steps already; raise schedule.steps to train on")
    elif done:
        plan.host.say(f"going on after step {done}")
    for _ in loop.steps():
        pass
    return loop


def make_accelerator(device: str, precision: str) -> Accelerator:
    """Hugging Face Accelerate on the device asked for; one training a process at a time.

    Raises:
        InputError: no such device, or a precision it cannot do.
    """
    chosen = pick_device(device)
    if precision == "fp16" and chosen.type == "cpu":
        raise InputError("precision", expected="no or bf16 on the CPU", found="fp16")
    # Accelerate remembers a process's first choice for good; an editor or a measurement may choose again.
    before = PartialState._shared_state.get("device")
    other = before is not None and (before.type, before.index or 0) != (chosen.type, chosen.index or 0)
    if not torch.distributed.is_initialized() and (other or _precision() not in (None, precision)):
        AcceleratorState._reset_state(reset_partial_state=True)
    name, kept = "ACCELERATE_TORCH_DEVICE", os.environ.get("ACCELERATE_TORCH_DEVICE")
    if chosen.index is not None:
        os.environ[name] = str(chosen)
    if chosen.type == "cuda":  # every batch is of one size: let cuDNN look for its quickest way, in TF32
        torch.backends.cudnn.benchmark = True
        torch.set_float32_matmul_precision("high")
    try:
        return Accelerator(cpu=chosen.type == "cpu", mixed_precision=precision)
    except ValueError as error:
        raise InputError("precision", expected="one this device can do", found=str(error)) from error
    finally:
        if chosen.index is not None:
            os.environ.pop(name)
            if kept is not None:
                os.environ[name] = kept


def _precision() -> str | None:
    """The mixed precision that Accelerate was started with in this process, if it was."""
    found = AcceleratorState._shared_state.get("_mixed_precision")
    return None if found is None else str(found)
