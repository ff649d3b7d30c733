"""``eval truths``: renders the ground truth of edits of rendered faces."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.eval.options import keep
from maskgan_cli.cli.shell import Shell


def truths(
    shell: Shell,
    faces: Annotated[Path, typer.Argument(metavar="FACES", help="The folder of `maskgan synth`.")],
    pairs: Annotated[Path, typer.Argument(metavar="PAIRS", help="The CSV of `maskgan eval pairs` for those faces.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the pictures, their masks, and pairs.csv.")],
    overwrite: options.Overwrite = False,
) -> None:
    """Render the ground truth of pairs of rendered faces: each source with its target's expression.

    Prints the path of a list of pairs with ground truth, for the editing commands and `maskgan eval counterfactual`.
    If you pass the folder to the eval commands as the results of a method, they print the best possible values.
    """
    from maskgan_cli.evaluation.ground_truth import draw_ground_truth
    from maskgan_cli.evaluation.pair_list import PairList
    from maskgan_cli.files import encode_csv
    from maskgan_cli.synth import read_plan

    listing = out / "pairs.csv"
    listed, plan = PairList.load(pairs), read_plan(faces)
    rendered = draw_ground_truth(listed, plan, out, overwrite=overwrite)
    rows = list(shell.track(rendered, len(listed.rows), "rendering"))
    keep(shell, listing, encode_csv(list(rows[0]), rows), overwrite)
    shell.wrote(listing)
    edit = ["maskgan", "swap-mouth", "--pairs", listing, *options.own_generator(), "-o", "results"]
    shell.finish({"pairs": len(rows)}, next_command=edit)
