"""``eval truths``: what the right answer would have been."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.evaluate import keep
from maskgan_cli.cli.shell import Shell, stage


def register(app: typer.Typer) -> None:
    """Add this module's command to ``eval``."""
    stage(app, "truths")(truths)


def truths(
    shell: Shell,
    faces: Annotated[Path, typer.Argument(metavar="FACES", help="The folder that `maskgan synth` rendered.")],
    pairs: Annotated[Path, typer.Argument(metavar="PAIRS", help="The CSV of `maskgan eval pairs` on those faces.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the true pictures, their masks, and pairs.csv.")],
    overwrite: options.Overwrite = False,
) -> None:
    """Render the true answer of each pair: the source, in its own light and pose, with the target's expression.

    Prints the path of the list with the truths in it, for the editing commands and `maskgan eval counterfactual`. The
    folder can be measured like a method's results: no method does better.
    """
    from maskgan_cli.evaluation.pair_list import PairList
    from maskgan_cli.evaluation.truths import draw_truths
    from maskgan_cli.files import encode_csv
    from maskgan_cli.synth import read_plan

    listing = out / "pairs.csv"
    listed, plan = PairList.load(pairs), read_plan(faces)
    drawn = draw_truths(listed, plan, out, overwrite=overwrite)
    rows = list(shell.track(drawn, len(listed.rows), "rendering"))
    keep(shell, listing, encode_csv(list(rows[0]), rows), overwrite)
    shell.wrote(listing)
    edit = ["maskgan", "swap-mouth", "--pairs", listing, *options.own_generator(), "-o", "results"]
    shell.finish({"pairs": len(rows)}, next_command=edit)
