"""``eval survey`` asks people about results; ``eval report`` makes a table of measurements."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.eval.options import Out, check_early, conclude, keep
from maskgan_cli.cli.shell import Shell, emit
from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.choices import Form


def survey(
    shell: Shell,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of the survey.")],
    methods: Annotated[
        list[str], typer.Option("--method", help="NAME=FOLDER of one method's results; give two or more.")
    ] = [],  # noqa: B006 (Typer does not change the default)
    pairs: Annotated[Path | None, typer.Option("--pairs", help="The CSV of `maskgan eval pairs`.")] = None,
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="Number of questions.")] = 20,
    answers: Annotated[
        list[Path], typer.Option("--tally", help="Count the answers in this CSV of the page; may be repeated.")
    ] = [],  # noqa: B006
    seed: options.Seed = 0,
    out: Out = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Make an HTML page that asks people which result is best, or count the answers with --tally.

    Prints the path of the page; with --tally, a JSON list with one document per method.
    """
    check_early(out, overwrite, pairs=pairs)
    from maskgan_cli.evaluation.pair_list import PairList
    from maskgan_cli.evaluation.survey import build_survey, tally

    if answers:
        conclude(shell, tally(folder, answers), out, overwrite)
        return
    if pairs is None:
        raise InputError("--pairs", expected="the CSV of `maskgan eval pairs`, or --tally with answers", found="none")
    named = named_folders(methods)
    page, kept = build_survey(folder, PairList.load(pairs), named, questions=count, seed=seed, overwrite=overwrite)
    if kept:
        shell.say("kept the existing survey, which has the same questions")
    shell.wrote(page)
    shell.finish(
        {"questions": count, "methods": list(named), "kept": kept},
        next_command=["maskgan", "eval", "survey", folder, "--tally", "ANSWERS.csv"],
    )


def named_folders(methods: Sequence[str]) -> dict[str, Path]:
    """Return a dict from method name to the folder of its results, parsed from the values ``NAME=FOLDER``.

    Raises:
        InputError: a name or a folder is missing, or a name is repeated.
    """
    named: dict[str, Path] = {}
    for method in methods:
        name, _, where = method.partition("=")
        if not (name and where):
            raise InputError("--method", expected="NAME=FOLDER", found=method)
        if name in named:
            raise InputError("--method", expected="a different name for each method", found=f"{name} twice")
        named[name] = Path(where)
    return named


def report(
    shell: Shell,
    files: Annotated[list[Path], typer.Argument(metavar="JSON", help="JSON files of the other eval commands.")],
    form: Annotated[Form, typer.Option("--format", help="Format of the table.")] = Form.MARKDOWN,
    out: Out = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Make a table of measurements with one row per method, the best values in bold, and the hashes of all inputs."""
    check_early(None, overwrite, files=files)
    from maskgan_cli.evaluation.report import FORMATS, build_table
    from maskgan_cli.evaluation.results import read_results

    text = FORMATS[form.value](build_table([result for file in files for result in read_results(file)]))
    if out is not None:
        keep(shell, out, f"{text}\n".encode(), overwrite)
    if shell.as_json:
        shell.finish({"format": form.value, "table": text})
    else:
        emit(text)
