"""``eval pairs``, ``eval survey`` and ``eval report``: what comes before the metrics and after them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.evaluate import Out, SplitOf, conclude, judge_option, keep, refuse_early, watched
from maskgan_cli.cli.shell import Shell, counted, emit, stage
from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.choices import Form, Protocol, Split


def register(app: typer.Typer) -> None:
    """Add this module's commands to ``eval``."""
    for name, function in (("pairs", pairs), ("survey", survey), ("report", report)):
        stage(app, name)(function)


def pairs(
    shell: Shell,
    data: options.Data,
    protocol: Annotated[
        Protocol, typer.Option("--protocol", help="Which of the paper's experiments, or rendered truths.")
    ] = Protocol.SMILING,
    attribute: Annotated[
        str | None, typer.Option("--attribute", help="For transfer: what is transferred, e.g. Eyeglasses.")
    ] = None,
    split: SplitOf = Split.TEST,
    count: Annotated[
        int | None, typer.Option("--count", "-n", min=1, help="How many; the paper's number, or all there are.")
    ] = None,
    pose_weights: Annotated[
        Path | None, judge_option("--pose-weights", "poses by this network, not the manifest")
    ] = None,
    truths: Annotated[
        Path | None, typer.Option("--truths", help="For counterfactual: the folder of `synth --counterfactuals`.")
    ] = None,
    seed: options.Seed = 0,
    device: options.Device = "auto",
    out: Out = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Choose who is compared with whom, by head pose: a CSV that `swap-mouth --pairs` reads.

    Prints the CSV, or with -o the path of its file.
    """
    refuse_early(None, overwrite, data=data)
    from maskgan_cli.data.prepared import PreparedData
    from maskgan_cli.evaluation.pair_list import as_csv, rows_of
    from maskgan_cli.evaluation.pairs import PROTOCOLS, choose, rendered_pairs

    named, part = protocol.value, split.value
    if (protocol is Protocol.TRANSFER) != (attribute is not None):
        raise InputError("--attribute", expected="an attribute with --protocol transfer, and with no other",
                         found=attribute or "none")  # fmt: skip
    prepared = PreparedData.load(data)
    if protocol is Protocol.COUNTERFACTUAL:
        if truths is None:
            raise InputError("--truths", expected="the folder of `maskgan synth --counterfactuals`", found="none")
        found, poses = rendered_pairs(prepared, truths, count), ""
        part = "+".join(sorted({pair.source.split for pair in found}))
    else:
        angles, poses = _poses(shell, prepared.split(part), pose_weights, device)
        found = choose(prepared, named, split=part, count=count, seed=seed, poses=angles, attribute=attribute or "")
    wanted = count or (0 if protocol is Protocol.COUNTERFACTUAL else PROTOCOLS[named].count)
    if len(found) < wanted:
        where = truths if protocol is Protocol.COUNTERFACTUAL else f"the {part} split"
        whose = "the paper's " if count is None and attribute in (None, "Smiling") else ""
        shell.say(f"{where} offers {counted(len(found), 'pair')}, not {whose}{wanted}")
    rows = rows_of(found, named, split=part, seed=seed, poses=poses)
    table = as_csv(rows)
    if out is not None:
        keep(shell, out, f"{table}\n".encode(), overwrite)
    distances = [pair.distance for pair in found if pair.distance is not None]
    apart = f", poses at most {max(distances):.1f} degrees apart" if distances else ""
    shell.say(f"{counted(len(found), 'pair')}{apart}")
    if shell.as_json:
        shell.finish({"protocol": named, "rule": PROTOCOLS[named].rule, "pairs": rows})
        return
    if out is None:
        emit(table)
        return
    shell.wrote(out)
    edit = "style-copy" if protocol is Protocol.STYLE_COPY else "swap-mouth"
    shell.finish(next_command=["maskgan", edit, "--pairs", out, *options.own_generator(), "-o", "results"])


def _poses(shell: Shell, samples: Sequence[Any], weights: Path | None, device: str) -> tuple[Any, str]:
    """Poses by the network if one is named, else None: the manifest's."""
    if weights is None:
        return None, "manifest"
    import torch

    from maskgan_cli.devices import pick_device
    from maskgan_cli.evaluation.judging import judged, load_judge

    judge, _ = load_judge("pose", weights, pick_device(device))
    paths = [sample.image for sample in samples]
    return torch.cat(list(judged(judge, paths, watched(shell, "head poses")))).double().numpy(), judge.sha256


def survey(
    shell: Shell,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The survey: made there, or counted from there.")],
    methods: Annotated[
        list[str], typer.Option("--method", help="NAME=FOLDER of one method's results; two or more.")
    ] = [],  # noqa: B006 (Typer reads the default and never changes it)
    pairs: Annotated[Path | None, typer.Option("--pairs", help="The CSV of `maskgan eval pairs`.")] = None,
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="How many questions.")] = 20,
    answers: Annotated[
        list[Path], typer.Option("--tally", help="Count these answers (a CSV of the page); may be repeated.")
    ] = [],  # noqa: B006
    seed: options.Seed = 0,
    out: Out = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Make a page that asks people which result is best, or count what they answered (--tally).

    Prints the page's path; with --tally, one JSON result per method.
    """
    refuse_early(out, overwrite, pairs=pairs)
    from maskgan_cli.evaluation.pair_list import PairList
    from maskgan_cli.evaluation.survey import build_survey, tally

    if answers:
        conclude(shell, tally(folder, answers), out, overwrite)
        return
    if pairs is None:
        raise InputError("--pairs", expected="the CSV of `maskgan eval pairs`, or answers to --tally", found="none")
    named = named_folders(methods)
    page, kept = build_survey(folder, PairList.load(pairs), named, questions=count, seed=seed, overwrite=overwrite)
    if kept:
        shell.say("there already, with the same questions about the same results")
    shell.wrote(page)
    shell.finish(
        {"questions": count, "methods": list(named), "kept": kept},
        next_command=["maskgan", "eval", "survey", folder, "--tally", "ANSWERS.csv"],
    )  # fmt: skip


def named_folders(methods: Sequence[str]) -> dict[str, Path]:
    """``NAME=FOLDER``, several times.

    Raises:
        InputError: a part is missing, or a name comes twice.
    """
    named: dict[str, Path] = {}
    for method in methods:
        name, _, where = method.partition("=")
        if not (name and where):
            raise InputError("--method", expected="NAME=FOLDER", found=method)
        if name in named:
            raise InputError("--method", expected="a name for each method", found=f"{name} twice")
        named[name] = Path(where)
    return named


def report(
    shell: Shell,
    files: Annotated[list[Path], typer.Argument(metavar="JSON...", help="What the other eval commands printed.")],
    form: Annotated[Form, typer.Option("--format", help="How the table is written.")] = Form.MARKDOWN,
    out: Out = None,
    overwrite: options.Overwrite = False,
) -> None:
    """One table: a row per method, the best in bold, the hash of every file below."""
    refuse_early(None, overwrite, files=files)
    from maskgan_cli.evaluation.report import FORMATS, build_table
    from maskgan_cli.evaluation.results import read_results

    text = FORMATS[form.value](build_table([result for file in files for result in read_results(file)]))
    if out is not None:
        keep(shell, out, f"{text}\n".encode(), overwrite)
    if shell.as_json:
        shell.finish({"format": form.value, "table": text})
    else:
        emit(text)
