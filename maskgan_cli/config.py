"""Recipes: YAML files with the settings of a training run, and the classes that validate them."""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar, get_type_hints

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from maskgan_cli.errors import InputError

Positive = Annotated[int, Field(gt=0)]
Share = Annotated[float, Field(ge=0.0, lt=1.0)]


# Errors that `yaml.safe_load` raises: PyYAML's own, and those of Python for invalid values (month 99, `!!int ""`).
_NOT_YAML = (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)


class Section(BaseModel):
    """Base class of the sections of a recipe. Unknown settings raise an error, and values are immutable.

    ``_former_names`` maps old names of settings, which recipes may still use, to the current names.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    _former_names: ClassVar[Mapping[str, str]] = {}

    @model_validator(mode="before")
    @classmethod
    def _accept_former_names(cls, values: Any) -> Any:
        for former, name in cls._former_names.items():
            values = _renamed(values, former, name)
        return values


def _renamed(values: Any, former: str, name: str) -> Any:
    """Return the settings of a section with the key ``former`` renamed to ``name``.

    If ``values`` is not a dict or has no key ``former``, return ``values`` unchanged. If both keys exist and their
    values are sections, the sections are merged; settings of the section ``former`` take precedence.
    """
    if not isinstance(values, Mapping) or former not in values:
        return values
    value = values[former]
    if isinstance(value, Mapping) and isinstance(values.get(name), Mapping):
        value = {**values[name], **value}
    return {key: kept for key, kept in values.items() if key != former} | {name: value}


class OptimiserSettings(Section):
    """Settings of the optimiser Adam. Generator and discriminator use the same settings."""

    lr: Annotated[float, Field(gt=0.0)] = 2e-4
    beta1: Share = 0.5
    beta2: Share = 0.999


class ScheduleSettings(Section):
    """Length of the training, learning rate decay, and intervals, all in steps (one batch each).

    Attributes:
        steps: number of training steps in the whole training.
        decay_from: step from which the learning rate decreases linearly to 0 at the last step; None keeps it constant.
        decay, decay_every: multiply the learning rate by ``decay`` every ``decay_every`` steps; None for no such decay.
        log_every, validate_every, sample_every, checkpoint_every: log, validate, write a grid of sample pictures, or
            save a checkpoint after every so many steps.
        validation_samples: number of faces that are used for validation.
        sheet_rows: number of rows in a grid of sample pictures.
        best: name of a validation metric, e.g. ``val_psnr``. The weights with the best value of this metric are kept in
            the folder ``best`` of the run, besides the last weights. If empty, only the last weights are kept.
    """

    steps: Positive
    decay_from: Positive | None = None
    decay: Annotated[float, Field(gt=0.0, le=1.0)] | None = None
    decay_every: Positive | None = None
    log_every: Positive = 50
    validate_every: Positive = 1000
    sample_every: Positive = 1000
    checkpoint_every: Positive = 1000
    validation_samples: Positive = 128
    sheet_rows: Positive = 4
    best: str = ""

    @model_validator(mode="after")
    def _decays(self) -> ScheduleSettings:
        if (self.decay is None) != (self.decay_every is None):
            raise ValueError("decay and decay_every must be set together")
        if self.decay_from is not None and self.decay_from >= self.steps:
            raise ValueError(
                f"decay_from={self.decay_from} must be less than steps={self.steps}: set both, or "
                "decay_from=null for a constant rate"
            )
        return self


class DataSettings(Section):
    """Settings of the batches that a training step receives.

    Attributes:
        batch_size: number of faces per step, in all processes together.
        accumulate: number of parts into which a batch is split for gradient accumulation. The networks process one part
            after another, and the optimisers step on the sum of the gradients. More parts need less memory. Batch norm
            computes its statistics for each part separately.
        flip: mirror each face with a probability of 0.5.
        workers: number of processes that read faces.
        cache: keep every decoded face in memory.
        balance: a column of ``manifest.csv``, e.g. ``source``. Faces of all values in this column are drawn equally
            often, or in the ratio of ``shares``. If empty, all faces are drawn equally often.
        shares: relative frequency of each value in the column ``balance``, e.g. ``{portrait: 2, rendered: 1}``; 1 for
            values that are not named.
    """

    batch_size: Positive = 8
    accumulate: Positive = 1
    flip: bool = True
    balance: str = ""
    shares: dict[str, Positive] = {}
    workers: Annotated[int, Field(ge=0)] = 4
    cache: bool = False

    @model_validator(mode="after")
    def _divisible(self) -> DataSettings:
        if self.batch_size % self.accumulate:
            raise ValueError(f"accumulate={self.accumulate} does not divide batch_size={self.batch_size}")
        return self


def _spelled(value: Any) -> Any:
    """Return ``"no"`` for False, because YAML parses an unquoted ``no`` as false; return other values unchanged."""
    return "no" if value is False else value


class TrainingRecipe(Section):
    """Settings common to all training recipes. Each task's recipe class adds settings of its networks and losses.

    Attributes:
        seed: seed of all random numbers.
        precision: number format of mixed-precision training; ``no`` trains in float32.
        optimiser: settings of the optimiser, see `OptimiserSettings`.
        schedule: length of the training, learning rate decay and intervals, see `ScheduleSettings`.
        data: settings of the batches, see `DataSettings`.
    """

    seed: Annotated[int, Field(ge=0, strict=True)] = 0
    precision: Annotated[Literal["no", "fp16", "bf16"], BeforeValidator(_spelled)] = "no"
    optimiser: OptimiserSettings = OptimiserSettings()
    schedule: ScheduleSettings
    data: DataSettings = DataSettings()

    @model_validator(mode="after")
    def _one_scale(self) -> TrainingRecipe:
        if self.data.accumulate > 1 and self.precision == "fp16":
            raise ValueError(
                "data.accumulate needs precision no or bf16: the loss scale of fp16 may change between two parts"
            )
        return self


Recipe = TypeVar("Recipe", bound=Section)


def recipe_folder(task: str) -> Path:
    """Return the path of the folder with the recipes of a training task, e.g. ``dmn``.

    The folder is in the installed package, or beside the package in a source checkout.
    """
    here = Path(__file__).parent
    installed = here / "recipes"
    return (installed if installed.is_dir() else here.parent / "recipes") / task


def load_recipe(kind: type[Recipe], task: str, name: str, changes: list[str]) -> Recipe:
    """Load a recipe, apply the changes of ``--set``, and return the validated settings.

    Args:
        kind: recipe class of the task, which validates the settings.
        task: name of the task's recipe folder, e.g. ``dmn``.
        name: name of one of the task's recipes, e.g. ``paper``, or path of a YAML file.
        changes: values of the option ``--set``, in the form ``key.subkey=value``.

    Raises:
        InputError: the recipe does not exist, is not valid YAML, or has unknown keys or invalid values.
    """
    path = Path(name)
    if path.suffix not in (".yaml", ".yml"):
        path = recipe_folder(task) / f"{name}.yaml"
    try:
        values = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        known = ", ".join(sorted(p.stem for p in recipe_folder(task).glob("*.yaml")))
        raise InputError(
            f"--recipe {name}", expected=f"a YAML file or one of: {known}", found=error.strerror or str(error)
        ) from error
    except _NOT_YAML as error:
        found = "one nested too deep" if isinstance(error, RecursionError) else " ".join(str(error).split())
        raise InputError(path, expected="a YAML recipe", found=found[:200] or type(error).__name__) from error
    if not isinstance(values, dict):
        raise InputError(path, expected="a YAML recipe (names and values)", found=type(values).__name__)
    for change in changes:
        _apply(values, change)
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        what = _blamed(kind, changes, error) or path
        raise InputError(what, found=_readable(kind, error), hint="see docs/training.md") from error


def recipe_paths(task: str) -> list[Path]:
    """Return the paths of the recipe files of a training task (e.g. ``dmn``), sorted by name."""
    return sorted(recipe_folder(task).glob("*.yaml"))


def read_recipe(path: Path) -> tuple[dict[str, Any], str]:
    """Return the settings in a recipe file as nested dicts, and the first sentence of the comment at its top."""
    text = path.read_text("utf-8")
    lines = itertools.takewhile(lambda line: line.startswith("#"), text.splitlines())
    about = " ".join(line.lstrip("# ") for line in lines)
    return yaml.safe_load(text), about.partition(". ")[0].rstrip(".")


def fitting_recipe(task: str, size: int) -> list[str]:
    """Return options of ``maskgan train TASK`` that select a recipe for a data set of ``size`` pixels.

    If the task has recipes with this image size, the options name the smallest of them. Otherwise they name the
    smallest recipe of all and change its image size.
    """
    sides = {path.stem: read_recipe(path)[0].get("network", {}).get("image_size") for path in recipe_paths(task)}
    order = ["tiny", "small", "bundled", "paper", "published"]
    names = sorted(sides, key=lambda name: (order.index(name.split("-")[0]), name))
    fitting = [name for name in names if sides[name] == size]
    return ["--recipe", fitting[0]] if fitting else ["--recipe", names[0], "--set", f"network.image_size={size}"]


def dump_recipe(recipe: Section) -> str:
    """Serialise a recipe as YAML that `load_recipe` accepts."""
    return yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False)


def _apply(values: dict[str, Any], change: str) -> None:
    """Apply one value of ``--set``, e.g. ``optimiser.lr=1e-4``, to the settings of a recipe (nested dicts), in place.

    Raises:
        InputError: the text is not of the form ``key=value``, or a section of the key is not a section in the recipe.
    """
    key, equals, text = change.partition("=")
    if not equals or not key:
        raise InputError("--set", expected="key=value, e.g. optimiser.lr=1e-4", found=repr(change))
    *parents, last = key.split(".")
    for parent in parents:
        inner = values.setdefault(parent, {})
        if not isinstance(inner, dict):
            raise InputError("--set", expected="the name of a setting", found=f"{key}: {parent} is a value")
        values = inner
    values[last] = _value(text)


def _value(text: str) -> Any:
    """Parse the text of a value as YAML, but accept 1e-4 as a number (YAML 1.1 requires 1.0e-4).

    Text that is not valid YAML is returned unchanged.
    """
    try:
        value = yaml.safe_load(text)
    except _NOT_YAML:
        return text
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            return float(value)
    return value


def _blamed(kind: type[Section], changes: list[str], error: ValidationError) -> str:
    """Return the ``--set`` options that made a recipe invalid, as text for a message.

    If the error contains a problem that no ``--set`` option caused, return an empty string.

    Args:
        kind: the recipe class.
        changes: values of ``--set``, in the form ``key.subkey=value``.
        error: pydantic's error with all problems of the recipe.
    """
    blamed: list[str] = []
    keys = {change: _present(kind, change.partition("=")[0].split(".")) for change in changes}
    for problem in error.errors():
        where = [str(part) for part in problem["loc"]]
        found = [change for change, key in keys.items() if _concerns(problem["msg"], where, key)]
        if not found:
            return ""
        blamed += found
    return " ".join(f"--set {change}" for change in dict.fromkeys(blamed))


def _present(kind: Any, key: list[str]) -> list[str]:
    """Return the path of a setting in a recipe, with old names replaced by the current names.

    Args:
        kind: the recipe class.
        key: the path, e.g. ``["optimiser", "lr"]``: section names, then the setting's name.
    """
    path = []
    for name in key:
        is_section = isinstance(kind, type) and issubclass(kind, Section)
        path.append(kind._former_names.get(name, name) if is_section else name)
        kind = get_type_hints(kind).get(path[-1]) if is_section else None
    return path


def _concerns(message: str, where: list[str], key: list[str]) -> bool:
    """Return whether a setting may have caused a validation problem.

    The result is true in two cases: the path ``where`` of the invalid value begins with ``key``; or ``where`` is the
    path of a section that contains the setting, and ``message`` contains the setting's name.

    Args:
        message: pydantic's description of the problem.
        where: path of the invalid value (section names, then a setting's name), e.g. ``["optimiser", "lr"]``.
        key: path of the setting, in the same form.
    """
    return where[: len(key)] == key or (key[: len(where)] == where and key[-1] in message)


def _readable(kind: type[Section], error: ValidationError) -> str:
    """Return one line for the user with all problems of a recipe, with suggestions for unknown names of settings.

    Args:
        kind: the recipe class.
        error: pydantic's error with the problems.
    """
    lines = []
    for problem in error.errors():
        where = ".".join(str(part) for part in problem["loc"])
        if problem["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
            close = difflib.get_close_matches(where, _names(kind), n=1)
            lines.append(f"unknown setting {where}" + (f" (did you mean {close[0]}?)" if close else ""))
        elif problem["type"] == "missing":
            lines.append(f"no setting {where}")
        else:
            text = problem["msg"].removeprefix("Value error, ")
            lines.append(f"{where}: {text}" if where else text)
    return "; ".join(lines)


def _names(kind: type[Any], prefix: str = "") -> list[str]:
    """Return the dotted names of all settings of a class, e.g. ``optimiser.lr``, including those of nested sections.

    Args:
        kind: a recipe, a section or the dataclass of a network's settings.
        prefix: text before each name.
    """
    names = []
    for name, hint in get_type_hints(kind).items():
        if name.startswith("_") or name == "model_config":
            continue
        names.append(prefix + name)
        if isinstance(hint, type) and (issubclass(hint, Section) or dataclasses.is_dataclass(hint)):
            names += _names(hint, f"{prefix}{name}.")
    return names
