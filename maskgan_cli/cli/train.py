"""``train ...``: one command per training in the table of networks."""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.shell import Report, Shell, stage
from maskgan_cli.errors import InputError
from maskgan_cli.kinds import Option, Training
from maskgan_cli.networks import resolve, trainings

if TYPE_CHECKING:
    from maskgan_cli.training.run import Order

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
        typer.Option("--start-from", help="Begin with these weights: a run folder, a file, or `bundled`."),
    ] = None
    resume: Annotated[Resume, typer.Option("--resume", help="auto: go on with what -o holds; never: refuse to.")] = (
        Resume.AUTO
    )
    device: options.Device = "auto"
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="The recipe's seed, replaced.")] = None
    workers: Annotated[int | None, typer.Option("--workers", min=0, help="Data loader processes.")] = None
    track: Annotated[
        list[str],
        typer.Option("--track", help="tensorboard, wandb or mlflow; may be repeated. TensorBoard where installed."),
    ] = field(default_factory=list)
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
    """Fill in the order, and carry it out as a command does."""
    from maskgan_cli.data.prepared import check_prepared

    check_prepared(chosen.data)
    from maskgan_cli.training.run import Order

    short = {option.name: option.setting for option in training.options if option.setting}
    order = Order(
        task=training.name,
        recipe_class=resolve(f"{training.module}:{training.recipe}"),
        prepare=resolve(f"{training.module}:prepare_training"),
        options={name: value for name, value in own.items() if name not in short},
        data=chosen.data,
        out=chosen.out,
        recipe=chosen.recipe,
        changes=[*chosen.settings, *(setting.format(own[name]) for name, setting in short.items() if own[name])],
        start=_start(chosen.start, training.name),
        resume=chosen.resume is Resume.AUTO,
        overwrite=chosen.overwrite,
        track=tuple(chosen.track),
    )
    _carry_out(shell, order, chosen.device, training.next_command)


def _start(start: Path | None, task: str) -> Path | None:
    """The weights to begin with; ``bundled`` means those of the package.

    Raises:
        InputError: the package brings none of this kind.
    """
    from maskgan_cli.networks import KINDS
    from maskgan_cli.weights.lookup import bundled

    if start is None or str(start) != "bundled" or start.exists():
        return start
    found = bundled(task) if task in KINDS else None
    if found is None:
        raise InputError("--start-from", expected="a run folder or a weights file",
                         found=f"bundled, and the package brings no {task} weights")  # fmt: skip
    return found


def _carry_out(shell: Shell, order: Order, device: str, next_command: str) -> None:
    """Losses beside a progress bar, Ctrl-C saves, and the weights' path at the end."""
    from maskgan_cli.training.host import Host, stop_on_signals
    from maskgan_cli.training.run import is_main_process, train

    if not is_main_process():
        shell = Shell(quiet=True)
    with stop_on_signals(shell.say) as stop, contextlib.ExitStack() as stack:
        bars: list[tuple[Report, int]] = []  # the bar, once there is something to show, and its length

        def stepped(done: int, total: int) -> None:
            if not bars:
                bars.append((stack.enter_context(shell.progress("training")), total))
            bars[0][0](done, total)

        def logged(step: int, values: Mapping[str, float]) -> None:
            losses = {name: value for name, value in values.items() if name not in ("lr", "images_per_second")}
            report, total = bars[0]
            report(step, total, "  ".join(f"{name} {value:.3g}" for name, value in losses.items()))

        loop = train(order, Host(device, stop, shell.say, stepped, logged))
    if is_main_process():
        shell.wrote(loop.run.model)
        shell.finish(
            {"steps": loop.progress.step, "run": str(order.out)}, next_command=_next_command(next_command, order)
        )  # fmt: skip


def _next_command(template: str, order: Order) -> list[str]:
    """A training's next command, about two faces of its data set that it has not learnt from."""
    from maskgan_cli.data.prepared import PreparedData

    if ebst := _pair_for_ebst(order):
        return ebst
    faces = sorted(PreparedData.load(order.data).samples, key=lambda sample: sample.split == "train")
    files = {"source": faces[0].image, "target": faces[-1 if len(faces) < 2 else 1].image}
    return [word.format(out=order.out, data=order.data, **files) for word in template.split()]


def _pair_for_ebst(order: Order) -> list[str]:
    """``train ebst``, once a Dense Mapping Network and a MaskVAE lie beside each other; else nothing."""
    from maskgan_cli.config import fitting_recipe
    from maskgan_cli.data.prepared import PreparedData

    other = order.out.parent / {"dmn": "vae", "vae": "dmn"}.get(order.task, "")
    runs = {order.task: order.out, other.name: other}
    if set(runs) != {"dmn", "vae"} or not (other / "model.safetensors").is_file():
        return []
    recipe = fitting_recipe("ebst", PreparedData.load(order.data).size)[:2]  # the network is that of --dmn
    words = ["maskgan", "train", "ebst", order.data, "--dmn", runs["dmn"], "--vae", runs["vae"], *recipe]
    return [*map(str, words), "-o", str(order.out.parent / "ebst")]


generate(app)
