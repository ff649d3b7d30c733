"""``train ...``: one command per training in the table of networks."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.shell import Shell, stage
from maskgan_cli.errors import InputError
from maskgan_cli.networks import Option, Training, resolve, trainings

if TYPE_CHECKING:
    from accelerate import Accelerator

_SEVERAL = "\n\nSeveral GPUs or processes: torchrun --standalone --nproc-per-node 2 -m maskgan_cli train {} ..."

app = typer.Typer(
    name="train",
    help="Train a network; interrupted runs go on.",
    no_args_is_help=True,
    rich_help_panel="Training",
)


class Resume(str, enum.Enum):
    """What to do with a run that is there."""

    AUTO = "auto"
    NEVER = "never"


@dataclass(frozen=True)
class Options:
    """What every training takes. The fields are the command line's arguments, their defaults its defaults."""

    data: options.Data
    recipe: Annotated[str, typer.Option("--recipe", "-r", help="Name of a recipe, or a YAML file.")] = "tiny-cpu"
    out: Annotated[Path, typer.Option("--out", "-o", help="The run folder.")] = Path("runs")
    changes: Annotated[
        list[str], typer.Option("--set", help="Change a setting, e.g. --set optimiser.lr=1e-4; may be repeated.")
    ] = field(default_factory=list)
    start: Annotated[
        Path | None,
        typer.Option("--start-from", help="Begin with these weights (a run folder or file), e.g. to fine-tune."),
    ] = None
    resume: Annotated[Resume, typer.Option("--resume", help="auto: go on with what -o holds; never: refuse to.")] = (
        Resume.AUTO
    )
    device: options.Device = "auto"
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="The recipe's seed, replaced.")] = None
    workers: Annotated[int | None, typer.Option("--workers", min=0, help="Data loader processes.")] = None
    overwrite: options.Overwrite = False

    @property
    def settings(self) -> list[str]:
        """The ``--set`` changes and the two options that are short for one."""
        named = {"seed": self.seed, "data.workers": self.workers}
        return [*self.changes, *(f"{name}={value}" for name, value in named.items() if value is not None)]


def generate(app: typer.Typer) -> None:
    """Add a command for every training in the table."""
    for training in trainings():
        stage(app, training.name)(_command(training))


def _command(training: Training) -> Callable[..., None]:
    """``train NAME``: the shared options, its own after the data, its help."""

    def command(shell: Shell, **arguments: Any) -> None:
        own = {option.name: arguments.pop(option.name) for option in training.options}
        _train(shell, training, Options(**arguments), own)

    hints = get_type_hints(Options, include_extras=True)
    parameters = [inspect.Parameter("shell", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    for shared in dataclasses.fields(Options):
        default = shared.default_factory() if shared.default_factory is not dataclasses.MISSING else shared.default
        default = inspect.Parameter.empty if default is dataclasses.MISSING else default
        default = Path("runs") / training.name if shared.name == "out" else default
        parameters.append(inspect.Parameter(shared.name, inspect.Parameter.KEYWORD_ONLY, default=default))
        if shared.name == "data":
            parameters += [_parameter(option) for option in training.options]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    own = {option.name: _annotation(option) for option in training.options}
    command.__annotations__ = {"shell": Shell, **hints, **own}
    command.__doc__ = training.help + (_SEVERAL.format(training.name) if training.several else "")
    command.__name__ = f"train_{training.name}"
    return command


def _parameter(option: Option) -> inspect.Parameter:
    empty = "" if option.type is str else None
    default = inspect.Parameter.empty if option.required else empty
    return inspect.Parameter(option.name, inspect.Parameter.KEYWORD_ONLY, default=default)


def _annotation(option: Option) -> Any:
    given = option.type if option.required or option.type is str else option.type | None
    return Annotated[given, typer.Option(f"--{option.name}", help=option.help)]


def _train(shell: Shell, training: Training, chosen: Options, own: dict[str, Any]) -> None:
    """Resolve the recipe, run the loop with a progress bar, report the weights."""
    from maskgan_cli.config import load_recipe
    from maskgan_cli.data.prepared import PreparedData
    from maskgan_cli.training.setup import Plan

    short = {option.name: option.setting for option in training.options if option.setting}
    changes = [*chosen.settings, *(setting.format(own[name]) for name, setting in short.items() if own[name])]
    recipe = load_recipe(resolve(f"{training.module}:{training.recipe}"), training.name, chosen.recipe, changes)
    data = PreparedData.load(chosen.data)
    accelerator = make_accelerator(chosen.device, recipe.precision)
    if not accelerator.is_main_process:
        shell = Shell(quiet=True)
    plan = Plan(
        data=data, out=chosen.out, accelerator=accelerator, resume=chosen.resume is Resume.AUTO,
        overwrite=chosen.overwrite, say=shell.say, start=chosen.start,
    )  # fmt: skip
    prepare = resolve(f"{training.module}:prepare_training")
    loop = prepare(plan, recipe, **{name: value for name, value in own.items() if name not in short})
    done, total = loop.progress.step, recipe.schedule.steps
    if done >= total:
        shell.say(f"{chosen.out} has its {total} steps already; raise schedule.steps to train on")
    elif done:
        shell.say(f"going on after step {done}")
    for _ in shell.track(loop.steps(), total, "training", done=done):
        pass
    if accelerator.is_main_process:
        shell.wrote(loop.run.model)
        next_command = training.next_command.format(out=chosen.out, data=chosen.data)
        shell.finish({"steps": loop.progress.step, "run": str(chosen.out)}, next_command=next_command)


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


generate(app)
