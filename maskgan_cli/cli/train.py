"""``train ...``: one command for each training in the registry of networks."""

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
from maskgan_cli.cli.shell import Report, Shell, add_command
from maskgan_cli.errors import InputError
from maskgan_cli.kinds import Option, Training
from maskgan_cli.networks import resolve, trainings

if TYPE_CHECKING:
    from maskgan_cli.training.run import Order

_SEVERAL = "\n\nSeveral GPUs or processes: torchrun --standalone --nproc-per-node 2 -m maskgan_cli train {} ..."

app = typer.Typer(
    name="train",
    help="Train a network; the same command resumes an interrupted run.",
    no_args_is_help=True,
)


class Resume(str, enum.Enum):
    """Whether to resume an existing run."""

    AUTO = "auto"
    NEVER = "never"


@dataclass(frozen=True)
class Options:
    """The options that all trainings have."""

    data: options.Data
    recipe: Annotated[
        str, typer.Option("--recipe", "-r", help="Recipe: a name of `maskgan recipes list`, or a YAML file.")
    ] = "tiny-cpu"
    out: Annotated[Path, typer.Option("--out", "-o", help="The run folder.")] = Path("runs")
    changes: Annotated[
        list[str],
        typer.Option("--set", help="Change a setting of the recipe, e.g. --set optimiser.lr=1e-4; may be repeated."),
    ] = field(default_factory=list)
    start: Annotated[
        Path | None,
        typer.Option("--start-from", help="Initial weights: a run folder, a weights file, or `bundled`."),
    ] = None
    resume: Annotated[
        Resume, typer.Option("--resume", help="auto: resume a run that is in -o; never: end with an error.")
    ] = Resume.AUTO
    device: options.Device = "auto"
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Replace the recipe's seed.")] = None
    workers: Annotated[int | None, typer.Option("--workers", min=0, help="Number of data loader processes.")] = None
    track: Annotated[
        list[str],
        typer.Option(
            "--track",
            help="Log metrics to tensorboard, wandb or mlflow; may be repeated. Default: tensorboard if installed.",
        ),
    ] = field(default_factory=list)
    overwrite: options.Overwrite = False

    @property
    def settings(self) -> list[str]:
        """The changes of the recipe that ``--set``, ``--seed`` and ``--workers`` make, each as ``NAME=VALUE``."""
        named = {"seed": self.seed, "data.workers": self.workers}
        return [*self.changes, *(f"{name}={value}" for name, value in named.items() if value is not None)]


def register(app: typer.Typer) -> None:
    """Add a command for every training of the registry."""
    for training in trainings():
        add_command(app, training.name)(_command(training))


def _command(training: Training) -> Callable[..., None]:
    """Return the function of the command ``maskgan train NAME``, with the options and the help text of ``training``."""

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
    """Run a training and print the path of the weights.

    Args:
        shell: the command's output.
        training: the training, from the registry of networks.
        chosen: the options that all trainings have.
        own: a dict from the names of the options that only this training has to their values.
    """
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
    _run(shell, order, chosen.device, training.next_command)


def _start(start: Path | None, task: str) -> Path | None:
    """Return the path of the initial weights; None if ``start`` is None.

    Args:
        start: the value of ``--start-from``; ``bundled`` means the weights in the package.
        task: kind of the network, e.g. ``dmn``.

    Raises:
        InputError: the package has no weights of this kind.
    """
    from maskgan_cli.networks import KINDS
    from maskgan_cli.weights.lookup import bundled

    if start is None or str(start) != "bundled" or start.exists():
        return start
    found = bundled(task) if task in KINDS else None
    if found is None:
        raise InputError(
            "--start-from",
            expected="a run folder or a weights file",
            found=f"bundled, but the package has no {task} weights",
        )
    return found


def _run(shell: Shell, order: Order, device: str, next_command: str) -> None:
    """Train with a progress bar that shows the losses, and print the path of the weights; Ctrl-C saves the state.

    Args:
        shell: the command's output.
        order: the training's options, data and folder.
        device: name of the device.
        next_command: the command to suggest afterwards, with placeholders: see `kinds.Training`.
    """
    from maskgan_cli.training.callbacks import TrainingCallbacks, stop_on_signals
    from maskgan_cli.training.run import is_main_process, train

    if not is_main_process():
        shell = Shell(quiet=True)
    with stop_on_signals(shell.say) as stop, contextlib.ExitStack() as stack:
        bars: list[tuple[Report, int]] = []  # empty until the first step; then the progress bar and its length

        def stepped(done: int, total: int) -> None:
            if not bars:
                bars.append((stack.enter_context(shell.progress("training")), total))
            bars[0][0](done, total)

        def logged(step: int, values: Mapping[str, float]) -> None:
            losses = {name: value for name, value in values.items() if name not in ("lr", "images_per_second")}
            report, total = bars[0]
            report(step, total, "  ".join(f"{name} {value:.3g}" for name, value in losses.items()))

        loop = train(order, TrainingCallbacks(device, stop, shell.say, stepped, logged))
    if is_main_process():
        shell.wrote(loop.run.model)
        shell.finish(
            {"steps": loop.progress.step, "run": str(order.out)}, next_command=_next_command(next_command, order)
        )


def _next_command(template: str, order: Order) -> list[str]:
    """Return the words of the command to suggest after a training.

    If a generator and a MaskVAE are both trained, this is ``train ebst``: see `_ebst_command`. Otherwise it is
    ``template``, whose placeholders are replaced by the run folder, the data set and two faces. If possible, the faces
    are not in the train split.
    """
    from maskgan_cli.data.prepared import PreparedData

    if ebst := _ebst_command(order):
        return ebst
    faces = sorted(PreparedData.load(order.data).samples, key=lambda sample: sample.split == "train")
    files = {"source": faces[0].image, "target": faces[-1 if len(faces) < 2 else 1].image}
    return [word.format(out=order.out, data=order.data, **files) for word in template.split()]


def _ebst_command(order: Order) -> list[str]:
    """Return the words of ``train ebst`` if a folder has the runs of a generator and a MaskVAE; else an empty list."""
    from maskgan_cli.config import fitting_recipe
    from maskgan_cli.data.prepared import PreparedData

    other = order.out.parent / {"dmn": "vae", "vae": "dmn"}.get(order.task, "")
    runs = {order.task: order.out, other.name: other}
    if set(runs) != {"dmn", "vae"} or not (other / "model.safetensors").is_file():
        return []
    recipe = fitting_recipe("ebst", PreparedData.load(order.data).size)[:2]  # the network's settings come from --dmn
    words = ["maskgan", "train", "ebst", order.data, "--dmn", runs["dmn"], "--vae", runs["vae"], *recipe]
    return [*map(str, words), "-o", str(order.out.parent / "ebst")]


register(app)
