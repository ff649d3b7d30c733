"""``train ...``: one command per network."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.shell import Shell, stage
from maskgan_cli.errors import InputError

if TYPE_CHECKING:
    from accelerate import Accelerator

    from maskgan_cli.config import Recipe
    from maskgan_cli.training.loop import Loop

app = typer.Typer(
    name="train",
    help="Train a network; interrupted runs go on.",
    no_args_is_help=True,
    rich_help_panel="Training",
)

RecipeName = Annotated[str, typer.Option("--recipe", "-r", help="Name of a recipe, or a YAML file.")]
Out = Annotated[Path, typer.Option("--out", "-o", help="The run folder.")]
Changes = Annotated[
    list[str], typer.Option("--set", help="Change a setting, e.g. --set optimiser.lr=1e-4; may be repeated.")
]
Resume = Annotated[str, typer.Option("--resume", help="auto: go on with what -o holds; never: refuse to.")]
Start = Annotated[
    Path | None,
    typer.Option("--start-from", help="Begin with these weights (a run folder or file), e.g. to fine-tune."),
]
NewSeed = Annotated[int | None, typer.Option("--seed", min=0, help="The recipe's seed, replaced.")]
NewWorkers = Annotated[int | None, typer.Option("--workers", min=0, help="Data loader processes.")]


@stage(app, "dmn")
def train_dmn(
    shell: Shell,
    data: options.Data,
    recipe: RecipeName = "tiny-cpu",
    out: Out = Path("runs/dmn"),
    changes: Changes = [],  # noqa: B006 (Typer reads the default and never changes it)
    start: Start = None,
    resume: Resume = "auto",
    device: options.Device = "auto",
    seed: NewSeed = None,
    workers: NewWorkers = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Train the Dense Mapping Network (Stage I): faces painted from their own masks and looks.

    Several GPUs or processes: torchrun --standalone --nproc-per-node 2 -m maskgan_cli train dmn ...
    """
    from maskgan_cli.training.dmn import DMNRecipe, prepare_training

    changes = _with_options(changes, seed, workers)
    _train(
        shell, DMNRecipe, prepare_training, data, "dmn", recipe, out, changes, resume, device, overwrite,
        next_command=f"maskgan swap-mouth SRC.png TGT.png --weights {out} -o result.png", start=start,
    )  # fmt: skip


@stage(app, "vae")
def train_vae(
    shell: Shell,
    data: options.Data,
    recipe: RecipeName = "tiny-cpu",
    out: Out = Path("runs/vae"),
    changes: Changes = [],  # noqa: B006
    resume: Resume = "auto",
    device: options.Device = "auto",
    seed: NewSeed = None,
    workers: NewWorkers = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Train MaskVAE: masks to codes that can be mixed, and back to masks.

    Several GPUs or processes: torchrun --standalone --nproc-per-node 2 -m maskgan_cli train vae ...
    """
    from maskgan_cli.training.mask_vae import VAERecipe, prepare_training

    changes = _with_options(changes, seed, workers)
    _train(
        shell, VAERecipe, prepare_training, data, "vae", recipe, out, changes, resume, device, overwrite,
        next_command=f"maskgan interpolate A.png B.png --weights {out} -o between",
    )  # fmt: skip


@stage(app, "ebst")
def train_ebst(
    shell: Shell,
    data: options.Data,
    dmn: Annotated[Path, typer.Option("--dmn", help="Run folder (or weights) of `maskgan train dmn`.")],
    vae: Annotated[Path, typer.Option("--vae", help="Run folder (or weights) of `maskgan train vae`.")],
    recipe: RecipeName = "tiny-cpu",
    out: Out = Path("runs/ebst"),
    changes: Changes = [],  # noqa: B006
    resume: Resume = "auto",
    device: options.Device = "auto",
    seed: NewSeed = None,
    workers: NewWorkers = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Train on with simulated edits (EBST): a trained generator learns to follow masks nobody drew.

    Several GPUs or processes: torchrun --standalone --nproc-per-node 2 -m maskgan_cli train ebst ...
    """
    from maskgan_cli.training.ebst import EBSTRecipe, prepare_training

    changes = _with_options(changes, seed, workers)
    _train(
        shell, EBSTRecipe, functools.partial(prepare_training, dmn=dmn, vae=vae), data, "ebst", recipe, out, changes,
        resume, device, overwrite,
        next_command=f"maskgan swap-mouth SRC.png TGT.png --weights {out} -o result.png",
    )  # fmt: skip


@stage(app, "parser")
def train_parser(
    shell: Shell,
    data: options.Data,
    recipe: RecipeName = "tiny-cpu",
    out: Out = Path("runs/parser"),
    changes: Changes = [],  # noqa: B006
    start: Start = None,
    resume: Resume = "auto",
    device: options.Device = "auto",
    seed: NewSeed = None,
    workers: NewWorkers = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Train the face parser: from a photo to its mask."""
    from maskgan_cli.training.parser import ParserRecipe, prepare_training

    changes = _with_options(changes, seed, workers)
    _train(
        shell, ParserRecipe, prepare_training, data, "parser", recipe, out, changes, resume, device, overwrite,
        next_command=f"maskgan parse PHOTO.jpg --weights {out} -o masks", start=start,
    )  # fmt: skip


@stage(app, "attributes")
def train_attributes(
    shell: Shell,
    data: options.Data,
    attributes: Annotated[str, typer.Option("--attributes", help="Their names, e.g. Smiling,Male.")] = "",
    recipe: RecipeName = "tiny-cpu",
    out: Out = Path("runs/attributes"),
    changes: Changes = [],  # noqa: B006
    start: Start = None,
    resume: Resume = "auto",
    device: options.Device = "auto",
    seed: NewSeed = None,
    workers: NewWorkers = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Train an attribute classifier: one network for all the attributes named.

    The paper has one network for each attribute: name one at a time.
    """
    from maskgan_cli.training.attributes import AttributeRecipe, prepare_training

    changes = _with_options(changes, seed, workers)
    if attributes:
        changes.append(f"network.names=[{attributes}]")
    _train(
        shell, AttributeRecipe, prepare_training, data, "attributes", recipe, out, changes, resume, device, overwrite,
        next_command=f"maskgan eval attributes RESULTS --weights {out}", start=start,
    )  # fmt: skip


@stage(app, "pose")
def train_pose(
    shell: Shell,
    data: options.Data,
    recipe: RecipeName = "tiny-cpu",
    out: Out = Path("runs/pose"),
    changes: Changes = [],  # noqa: B006
    start: Start = None,
    resume: Resume = "auto",
    device: options.Device = "auto",
    seed: NewSeed = None,
    workers: NewWorkers = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Train HopeNet: from a face to its yaw, pitch and roll."""
    from maskgan_cli.training.pose import PoseRecipe, prepare_training

    changes = _with_options(changes, seed, workers)
    _train(
        shell, PoseRecipe, prepare_training, data, "pose", recipe, out, changes, resume, device, overwrite,
        next_command=f"maskgan eval pairs DATA --pose-weights {out} -o pairs.csv", start=start,
    )  # fmt: skip


@stage(app, "identity")
def train_identity(
    shell: Shell,
    data: options.Data,
    recipe: RecipeName = "tiny-cpu",
    out: Out = Path("runs/identity"),
    changes: Changes = [],  # noqa: B006
    start: Start = None,
    resume: Resume = "auto",
    device: options.Device = "auto",
    seed: NewSeed = None,
    workers: NewWorkers = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Train an ArcFace network: it tells whether two faces are the same person."""
    from maskgan_cli.training.identity import IdentityRecipe, prepare_training

    changes = _with_options(changes, seed, workers)
    _train(
        shell, IdentityRecipe, prepare_training, data, "identity", recipe, out, changes, resume, device, overwrite,
        next_command=f"maskgan eval verify {data} --weights {out}", start=start,
    )  # fmt: skip


def _with_options(changes: list[str], seed: int | None, workers: int | None) -> list[str]:
    """The ``--set`` changes and the two options that are short for one."""
    named = {"seed": seed, "data.workers": workers}
    return [*changes, *(f"{name}={value}" for name, value in named.items() if value is not None)]


def _train(
    shell: Shell,
    kind: type[Recipe],
    prepare: Callable[..., Loop],
    data: Path,
    task: str,
    recipe: str,
    out: Path,
    changes: list[str],
    resume: str,
    device: str,
    overwrite: bool,
    *,
    next_command: str,
    start: Path | None = None,
) -> None:
    """Resolve the recipe, run the loop with a progress bar, report the weights.

    ``prepare`` is the task's ``prepare_training``.
    """
    from maskgan_cli.config import load_recipe
    from maskgan_cli.data.prepared import PreparedData
    from maskgan_cli.training.setup import Plan

    if resume not in ("auto", "never"):
        raise InputError("--resume", expected="auto or never", found=resume)
    settings = load_recipe(kind, task, recipe, changes)
    prepared = PreparedData.load(data)
    accelerator = make_accelerator(device, settings.precision)
    if not accelerator.is_main_process:
        shell = Shell(quiet=True)
    loop = prepare(Plan(prepared, out, accelerator, resume == "auto", overwrite, shell.say, start), settings)
    done, total = loop.progress.step, settings.schedule.steps
    if done >= total:
        shell.say(f"{out} has its {total} steps already; raise schedule.steps to train on")
    elif done:
        shell.say(f"going on after step {done}")
    for _ in shell.track(loop.steps(), total, "training", done=done):
        pass
    if accelerator.is_main_process:
        shell.wrote(loop.run.model)
        shell.finish({"steps": loop.progress.step, "run": str(out)}, next_command=next_command)


def make_accelerator(device: str, precision: str) -> Accelerator:
    """Hugging Face Accelerate on the device asked for.

    Raises:
        InputError: no such device, or a precision it cannot do.
    """
    from maskgan_cli.devices import pick_device

    chosen = pick_device(device)
    if chosen.index is not None:
        os.environ["ACCELERATE_TORCH_DEVICE"] = str(chosen)
    from accelerate import Accelerator

    if precision == "fp16" and chosen.type == "cpu":
        raise InputError("precision", expected="no or bf16 on the CPU", found="fp16")
    try:
        return Accelerator(cpu=chosen.type == "cpu", mixed_precision=precision)
    except ValueError as error:
        raise InputError("precision", expected="one this device can do", found=str(error)) from error
