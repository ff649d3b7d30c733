"""``train ...``: one command per network."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.shell import Shell, stage
from maskgan_cli.errors import InputError

if TYPE_CHECKING:
    from accelerate import Accelerator

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


@stage(app, "dmn")
def train_dmn(
    shell: Shell,
    data: options.Data,
    recipe: RecipeName = "tiny-cpu",
    out: Out = Path("runs/dmn"),
    changes: Changes = [],  # noqa: B006 (Typer reads the default and never changes it)
    resume: Resume = "auto",
    device: options.Device = "auto",
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="The recipe's seed, replaced.")] = None,
    workers: Annotated[int | None, typer.Option("--workers", min=0, help="Data loader processes.")] = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Train the Dense Mapping Network (Stage I): faces painted from their own masks and looks.

    Several GPUs or processes: torchrun --standalone --nproc-per-node 2 -m maskgan_cli train dmn ...
    """
    from maskgan_cli.config import load_recipe
    from maskgan_cli.data.prepared import PreparedData
    from maskgan_cli.training.dmn import DMNRecipe, prepare_training

    if resume not in ("auto", "never"):
        raise InputError("--resume", expected="auto or never", found=resume)
    changes = [*changes, *([f"seed={seed}"] if seed is not None else [])]
    changes += [f"data.workers={workers}"] if workers is not None else []
    settings = load_recipe(DMNRecipe, "dmn", recipe, changes)
    prepared = PreparedData.load(data)
    accelerator = make_accelerator(device, settings.precision)
    if not accelerator.is_main_process:
        shell = Shell(quiet=True)
    loop = prepare_training(
        prepared, settings, out, accelerator, resume=resume == "auto", overwrite=overwrite, say=shell.say
    )
    start, total = loop.progress.step, settings.schedule.steps
    if start >= total:
        shell.say(f"{out} has its {total} steps already; raise schedule.steps to train on")
    elif start:
        shell.say(f"going on after step {start}")
    for _ in shell.track(loop.steps(), total, "training", done=start):
        pass
    if accelerator.is_main_process:
        shell.wrote(loop.run.model)
        shell.finish(
            {"steps": loop.progress.step, "run": str(out)},
            next_command=f"maskgan swap-mouth SRC.png TGT.png --weights {out} -o result.png",
        )


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
