"""``compare``: what several methods made of the same pairs, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.evaluate import MaskForce, Masks, Pairs, refuse_early
from maskgan_cli.cli.shell import Shell, counted, stage
from maskgan_cli.cli.study import named_folders


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    stage(app, "compare", rich_help_panel="Evaluation")(compare)


def compare(
    shell: Shell,
    pairs: Pairs,
    methods: Annotated[
        list[str], typer.Option("--method", help="NAME=FOLDER of one method's results; may be repeated.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the picture and the page.")],
    masks: Masks = None,
    order: options.Order = options.CELEBAMASK,
    force: MaskForce = False,
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="How many pairs, from the first on.")] = 8,
    size: Annotated[int, typer.Option("--size", min=32, max=1024, help="Side of a tile in pixels.")] = 128,
    overwrite: options.Overwrite = False,
) -> None:
    """Source, target, mask and every method's result side by side: comparison.png, and index.html with all details."""
    refuse_early(None, overwrite, pairs=pairs)
    from maskgan_cli.data.given_masks import MaskRules, mask_rules
    from maskgan_cli.evaluation.comparison import PAGE, PICTURE, compare_methods, write_comparison
    from maskgan_cli.evaluation.pair_list import PairList

    named, listed = named_folders(methods), PairList.load(pairs)
    with mask_rules(MaskRules(order.value, force)):
        comparison = compare_methods(listed, named, count=count, masks=masks)
    if len(comparison.rows) < count:
        shell.say(f"the list has {counted(len(comparison.rows), 'pair')}, not {count}")
    title = f"{', '.join(named)}: {listed.protocol}, {listed.split} split, seed {listed.seed}"
    if kept := write_comparison(out, comparison, title=title, size=size, overwrite=overwrite):
        shell.say("there already, drawn from the same results")
    for name in (PICTURE, PAGE):
        shell.wrote(out / name)
    shell.finish(
        {"pairs": len(comparison.rows), "methods": list(named), "columns": comparison.columns, "kept": kept},
        next_command=["maskgan", "eval", "survey", "survey", "--pairs", pairs, *(f"--method={m}" for m in methods)]
        if methods[1:] else (),
    )  # fmt: skip
