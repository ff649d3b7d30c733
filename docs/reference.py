"""The site's pages that are made from the code: every command, every setting of every recipe, the changelog.

MkDocs calls `on_files` (``hooks`` in mkdocs.yml), so these pages are made anew with every build and cannot be out
of date.
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

ROOT = Path(__file__).parents[1]
_COMMON = ("json", "quiet", "debug")  # every command's: said once


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages to the site."""
    from mkdocs.structure.files import File

    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    for name, text in (
        ("reference/commands.md", commands()),
        ("reference/settings.md", settings()),
        ("changelog.md", changes),
    ):
        files.append(File.generated(config, name, content=text))
    return files


def walk(group: Any, path: str = "maskgan") -> Iterator[tuple[str, Any]]:
    """Every command that can be typed, with what is typed for it."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from walk(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def application() -> Any:
    """The command line, as Typer has built it."""
    import typer

    from maskgan_cli.cli.app import app

    return typer.main.get_command(app)


def commands() -> str:
    """The page of every command: its help, arguments and options."""
    lines = [
        "# Commands",
        "",
        "Made from the command line itself; `maskgan COMMAND --help` says the same. Every command also takes `--json` "
        "(one JSON document on stdout instead of paths), `--quiet` (`-q`), `--debug` (the traceback of an error) and "
        "`--help` (`-h`). stdout carries data, stderr is for people; exit codes are 0 done, 1 failed, 2 bad input, "
        "130 stopped.",
    ]
    for typed, command in walk(application()):
        shown = [p for p in command.params if not getattr(p, "hidden", False)]
        arguments = [p for p in shown if p.param_type_name == "argument"]
        options = [p for p in shown if p.param_type_name == "option" and p.name not in _COMMON]
        words = [typed, *(_placeholder(argument) for argument in arguments)]
        words += [f"{p.opts[0]} {_value(p)}".rstrip() for p in options if p.required]
        lines += ["", f"## {typed}", "", "```", " ".join([*words, "[OPTIONS]"]), "```", "", _prose(command.help), ""]
        lines += ["| | | default |", "|---|---|---|"]
        lines += [_row(parameter) for parameter in [*arguments, *options]]
    return "\n".join(lines) + "\n"


def _placeholder(argument: Any) -> str:
    return str(argument.metavar or (argument.name.upper() if argument.required else f"[{argument.name.upper()}]"))


def _value(option: Any) -> str:
    kind = option.type_descriptor.annotation
    if option.is_flag:
        return ""
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return "|".join(str(member.value) for member in kind)
    return str(option.metavar or {"int": "NUMBER", "float": "NUMBER", "Path": "PATH"}.get(kind.__name__, "TEXT"))


def _row(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        name = f"`{_placeholder(parameter)}`"
    else:
        name = ", ".join(f"`{spelling}`" for spelling in [*parameter.opts, *parameter.secondary_opts])
        name += f" `{_value(parameter)}`" if _value(parameter) else ""
    said = " ".join((parameter.help or "").split())
    bounds = [f"from {parameter.min:g}"] if parameter.min is not None else []
    bounds += [f"to {parameter.max:g}"] if parameter.max is not None else []
    default = parameter.default
    if parameter.required:
        default = "required"
    elif default is None or default is False or default == "" or callable(default):
        default = ""
    else:
        default = f"`{default.value if isinstance(default, enum.Enum) else default}`"
    return f"| {_cell(name)} | {_cell(said)}{f' ({chr(32).join(bounds)})' if bounds else ''} | {_cell(default)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def _prose(text: str | None) -> str:
    return inspect.cleandoc(text or "").replace("\b\n", "").replace("<", "&lt;")


def settings() -> str:
    """The page of every training's settings, and what each recipe that comes along sets them to."""
    from maskgan_cli.config import load_recipe, recipe_folder
    from maskgan_cli.networks import resolve, trainings

    lines = [
        "# Settings",
        "",
        "Made from the recipes' own models. A setting changes with `--set NAME=VALUE`, e.g. "
        "`--set optimiser.lr=1e-4`; a YAML file of them is a recipe (`--recipe FILE.yaml`). Unknown names and values "
        "out of bounds are rejected before anything is loaded. A recipe's column has the values that it sets; if it is "
        "empty, the default is used. See [training](../training.md).",
    ]
    for training in trainings():
        model = resolve(f"{training.module}:{training.recipe}")
        names = sorted(path.stem for path in recipe_folder(training.name).glob("*.yaml"))
        recipes = [load_recipe(model, training.name, name, []) for name in names]
        lines += ["", f"## train {training.name}", "", f"`{model.__module__}.{model.__qualname__}`", ""]
        lines += [f"| setting | value | default | {' | '.join(names)} |", f"|---|---|---|{'---|' * len(names)}"]
        for name, kind, default in leaves(model):
            values = [_at(recipe, name) for recipe in recipes]
            shown = ["" if value == default else _shown(value) for value in values]
            first = "required" if default is dataclasses.MISSING else _shown(default)
            lines.append("| " + " | ".join(map(_cell, [f"`{name}`", kind, first, *shown])) + " |")
        lines += ["", *_explained(model)]
    return "\n".join(lines) + "\n"


def leaves(model: type[Any], prefix: str = "") -> Iterator[tuple[str, str, Any]]:
    """Every setting's dotted name, what values it takes, and its default (`dataclasses.MISSING` if it has none)."""
    for name, hint in get_type_hints(model, include_extras=True).items():
        if name.startswith("_") or name in ("model_config", "task") or "ClassVar" in str(get_origin(hint)):
            continue
        if _is_section(hint):
            yield from leaves(hint, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _type(hint), _default(model, name)


def _is_section(hint: Any) -> bool:
    return isinstance(hint, type) and (dataclasses.is_dataclass(hint) or hasattr(hint, "model_fields"))


def _default(model: type[Any], name: str) -> Any:
    if dataclasses.is_dataclass(model):
        field = next(field for field in dataclasses.fields(model) if field.name == name)
        return field.default_factory() if callable(field.default_factory) else field.default
    field = model.model_fields[name]
    return dataclasses.MISSING if field.is_required() else field.get_default(call_default_factory=True)


def _type(hint: Any) -> str:
    if get_origin(hint) is Annotated:
        base, *metadata = get_args(hint)
        bounds = [one for extra in metadata for one in (getattr(extra, "metadata", None) or [extra])]
        signs = {"gt": ">", "ge": "≥", "lt": "&lt;", "le": "≤"}
        found = [f"{sign} {getattr(one, key):g}" for one in bounds for key, sign in signs.items() if hasattr(one, key)]
        return f"{_type(base)} {', '.join(found)}".strip()
    if get_origin(hint) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(hint))
    if get_args(hint) and (get_origin(hint) is None or "Union" in str(get_origin(hint))):
        return " or ".join(_type(part) for part in get_args(hint))
    if get_origin(hint) is not None:
        return f"list of {' and '.join(_type(part) for part in get_args(hint) if part is not ...)}"
    if hint is type(None):
        return "`null`"
    return {"int": "whole number", "float": "number", "bool": "`true`, `false`", "str": "text", "Path": "path"}.get(
        getattr(hint, "__name__", ""), str(getattr(hint, "__name__", hint))
    )


def _at(recipe: Any, name: str) -> Any:
    for part in name.split("."):
        recipe = getattr(recipe, part)
    return recipe


def _shown(value: Any) -> str:
    if value is None:
        return "`null`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, (list, tuple)):
        return f"`{list(value)}`"
    return f"`{value}`" if value != "" else ""


def _explained(model: type[Any]) -> list[str]:
    """The docstring of each section that has one of its own."""
    lines = []
    for name, hint in get_type_hints(model).items():
        if _is_section(hint) and (said := inspect.getdoc(hint)) and not said.startswith(f"{hint.__name__}("):
            words = " ".join(said.replace("``", "`").replace("<", "&lt;").split())
            lines += [textwrap.dedent(f"- `{name}`: {words}")]
    return lines
