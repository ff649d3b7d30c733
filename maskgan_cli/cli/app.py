"""The application with all commands."""

from __future__ import annotations

from typing import Annotated

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
from maskgan_cli.cli.shell import emit

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


demo.register(app)
examples.register(app)
doctor.register(app)
edit.register(app)
data.register(app)
align.register(app)
app.add_typer(train.app)
personalise.register(app)
app.add_typer(recipes.app)
runs.register(app)
render.register(app)
swap.register(app)
reshape.register(app)
interpolate.register(app)
simulate.register(app)
parse.register(app)
inspect.register(app)
app.add_typer(evaluation.app)
compare.register(app)
reproduce.register(app)
app.add_typer(weights.app)
bench.register(app)
show_examples(app)
