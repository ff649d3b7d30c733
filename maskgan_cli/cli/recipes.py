"""``recipes list`` and ``recipes show``: the recipes of the trainings and their settings."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from maskgan_cli.cli.shell import Shell, add_command, emit, emit_csv
from maskgan_cli.networks import resolve, trainings

app = typer.Typer(name="recipes", help="List recipes and show their settings.", no_args_is_help=True)


@add_command(app, "list")
def list_(
    shell: Shell,
    training: Annotated[str, typer.Argument(metavar="TRAINING", help="List only this training, e.g. dmn.")] = "",
) -> None:
    """List the recipes of every training with their image size, number of steps and purpose.

    Prints a table on a terminal, CSV to a file or pipe, or JSON with --json.
    """
    from maskgan_cli.config import recipe_paths

    names = [one.name for one in trainings()] if not training else [_training(training)]
    rows = [_row(name, path) for name in names for path in recipe_paths(name)]
    if not shell.as_json:
        (_table if sys.stdout.isatty() else emit_csv)(rows)
    name, recipe = rows[0]["training"], rows[0]["recipe"]
    shell.finish({"recipes": rows}, next_command=["maskgan", "recipes", "show", name, recipe])


@add_command(app, "show")
def show(
    shell: Shell,
    training: Annotated[str, typer.Argument(metavar="TRAINING", help="A command of `maskgan train`, e.g. dmn.")],
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="A name of `maskgan recipes list`, or a YAML file.")],
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="Change a setting, e.g. --set optimiser.lr=1e-4; may be repeated.")
    ] = None,
) -> None:
    """Show all settings of a recipe, defaults included, as YAML that `--recipe` accepts."""
    from maskgan_cli.config import dump_recipe, load_recipe

    chosen = next(one for one in trainings() if one.name == _training(training))
    loaded = load_recipe(resolve(f"{chosen.module}:{chosen.recipe}"), chosen.name, recipe, changes or [])
    if not shell.as_json:
        emit(dump_recipe(loaded).rstrip())
    shell.finish({"training": chosen.name, "recipe": recipe, "settings": loaded.model_dump(mode="json")})


def _training(name: str) -> str:
    """Check the name of a training and return it.

    Raises:
        InputError: there is no training of this name.
    """
    import difflib

    from maskgan_cli.errors import InputError

    names = [one.name for one in trainings()]
    if name in names:
        return name
    close = difflib.get_close_matches(name, names, n=1)
    raise InputError(
        "TRAINING",
        expected=f"one of {', '.join(names)}",
        found=name[:40],
        hint=f"did you mean {close[0]}?" if close else "",
    )


def _row(training: str, path: Any) -> dict[str, str]:
    from maskgan_cli.config import read_recipe

    values, about = read_recipe(path)
    size = values.get("network", {}).get("image_size", "")
    return {
        "training": training,
        "recipe": path.stem,
        "pixels": str(size or "its generator's"),
        "steps": str(values["schedule"]["steps"]),
        "about": about,
    }


def _table(rows: list[dict[str, str]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(*rows[0])
    for row in rows:
        table.add_row(*(escape(value) for value in row.values()))
    Console().print(table)
