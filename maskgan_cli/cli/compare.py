"""``compare``: shows the results of several methods side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.eval.options import MaskFiles, Pairs, check_early
from maskgan_cli.cli.eval.survey import named_folders
from maskgan_cli.cli.shell import Shell, counted


def compare(
    shell: Shell,
    pairs: Pairs,
    methods: Annotated[
        list[str], typer.Option("--method", help="NAME=FOLDER of one method's results; may be repeated.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the picture and the page.")],
    count: Annotated[
        int, typer.Option("--count", "-n", min=1, help="Number of pairs, from the start of the list.")
    ] = 8,
    size: Annotated[int, typer.Option("--size", min=32, max=1024, help="Side of a tile in pixels.")] = 128,
    overwrite: options.Overwrite = False,
    *,
    masks: MaskFiles,
) -> None:
    """Show source, target, mask and the results of several methods side by side.

    Prints the paths of comparison.png and of index.html, which has more details.
    """
    check_early(None, overwrite, pairs=pairs)
    from maskgan_cli.evaluation.comparison import PAGE, PICTURE, compare_methods, write_comparison
    from maskgan_cli.evaluation.pair_list import PairList

    named, listed = named_folders(methods), PairList.load(pairs)
    with masks.rules():
        comparison = compare_methods(listed, named, count=count, masks=masks.masks)
    if len(comparison.rows) < count:
        shell.say(f"the list has only {counted(len(comparison.rows), 'pair')}, not {count}")
    title = f"{', '.join(named)}: {listed.protocol}, {listed.split} split, seed {listed.seed}"
    if kept := write_comparison(out, comparison, title=title, size=size, overwrite=overwrite):
        shell.say("kept the existing comparison of the same results")
    for name in (PICTURE, PAGE):
        shell.wrote(out / name)
    shell.finish(
        {"pairs": len(comparison.rows), "methods": list(named), "columns": comparison.columns, "kept": kept},
        next_command=["maskgan", "eval", "survey", "survey", "--pairs", pairs, *(f"--method={m}" for m in methods)]
        if methods[1:]
        else (),
    )
