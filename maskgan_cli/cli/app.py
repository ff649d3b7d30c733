"""The application with all commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final

import typer

from maskgan_cli import __version__
from maskgan_cli.cli import (
    align,
    bench,
    compare,
    data,
    demo,
    doctor,
    edit,
    examples,
    inspect,
    interpolate,
    parse,
    personalise,
    recipes,
    render,
    reproduce,
    reshape,
    runs,
    simulate,
    swap,
    train,
    weights,
)
from maskgan_cli.cli import eval as evaluation
from maskgan_cli.cli.help_examples import show_examples
from maskgan_cli.cli.shell import add_command, emit

# Panel of the help -> its commands, in order.
COMMANDS: Final[dict[str, tuple[Callable[..., None], ...]]] = {
    "Start here": (demo.demo, examples.examples, doctor.doctor, edit.edit),
    "Data": (data.synth, data.prep_data, data.merge_data, data.check_data, align.align, align.paste, parse.parse),
    "Training": (personalise.personalise, runs.runs),
    "Editing": (
        render.render,
        swap.swap_mouth,
        swap.swap,
        swap.style_copy,
        swap.transfer,
        reshape.reshape,
        reshape.find_directions,
        interpolate.interpolate,
        simulate.simulate_edits,
        inspect.inspect,
    ),
    "Evaluation": (compare.compare, reproduce.reproduce),
    "Networks": (bench.bench,),
}
GROUPS: Final = {"Training": (train.app, recipes.app), "Evaluation": (evaluation.app,), "Networks": (weights.app,)}

app = typer.Typer(
    name="maskgan",
    help="Edit faces through their semantic masks (MaskGAN, CVPR 2020). Commands read and write files; they print "
    "results on stdout and messages on stderr.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        emit(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


for _panel, _functions in COMMANDS.items():
    for _function in _functions:
        add_command(app, _function.__name__.replace("_", "-"), rich_help_panel=_panel)(_function)
for _panel, _groups in GROUPS.items():
    for _group in _groups:
        app.add_typer(_group, rich_help_panel=_panel)
show_examples(app)
