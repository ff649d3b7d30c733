"""``eval ...``: pairs, one command per metric, a survey, and the tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.shell import Shell, emit, stage
from maskgan_cli.errors import InputError

if TYPE_CHECKING:
    from maskgan_cli.evaluation.pair_list import PairList
    from maskgan_cli.evaluation.results import Result

app = typer.Typer(
    name="eval", help="Measure results as the paper does; JSON in, tables out.", no_args_is_help=True,
    rich_help_panel="Evaluation",
)  # fmt: skip

Results = Annotated[Path, typer.Argument(metavar="RESULTS", help="A folder of one method's results.")]
Pairs = Annotated[Path, typer.Option("--pairs", help="The CSV of `maskgan eval pairs` that was painted.")]
Method = Annotated[str | None, typer.Option("--method", help="The row of the table; the folder's name.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Also write it to this file.")]
Split = Annotated[str, typer.Option("--split", help="train, val or test.")]


def _judge(option: str, what: str) -> Any:
    return typer.Option(option, "-w" if option == "--weights" else option, help=f"A run folder or file: {what}.")


@stage(app, "pairs")
def pairs(
    shell: Shell,
    data: options.Data,
    protocol: Annotated[
        str, typer.Option("--protocol", help="smiling, style-copy, identity or counterfactual.")
    ] = "smiling",
    split: Split = "test",
    count: Annotated[int | None, typer.Option("--count", "-n", min=1, help="How many; the paper's number.")] = None,
    pose_weights: Annotated[Path | None, _judge("--pose-weights", "poses by this network, not the manifest")] = None,
    truths: Annotated[
        Path | None, typer.Option("--truths", help="For counterfactual: the folder of `synth --counterfactuals`.")
    ] = None,
    seed: options.Seed = 0,
    device: options.Device = "auto",
    out: Out = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Choose who is compared with whom, by head pose: a CSV that `swap-mouth --pairs -` reads."""
    from maskgan_cli.data.prepared import PreparedData
    from maskgan_cli.evaluation.pair_list import as_csv, rows_of
    from maskgan_cli.evaluation.pairs import PROTOCOLS, choose, rendered_pairs
    from maskgan_cli.files import write_bytes

    _refuse(out, overwrite)
    if protocol not in PROTOCOLS:
        raise InputError("--protocol", expected=" or ".join(PROTOCOLS), found=protocol)
    prepared = PreparedData.load(data)
    if protocol == "counterfactual":
        if truths is None:
            raise InputError("--truths", expected="the folder of `maskgan synth --counterfactuals`", found="none")
        found, poses = rendered_pairs(prepared, truths, count), ""
        split = "+".join(sorted({pair.source.split for pair in found}))
    else:
        angles, poses = _poses(shell, prepared.split(split), pose_weights, device)
        found = choose(prepared, protocol, split=split, count=count, seed=seed, poses=angles)
    rows = rows_of(found, protocol, split=split, seed=seed, poses=poses)
    table = as_csv(rows)
    if out is not None:
        write_bytes(out, f"{table}\n".encode(), overwrite=overwrite)
    distances = [pair.distance for pair in found if pair.distance is not None]
    apart = f", poses at most {max(distances):.1f} degrees apart" if distances else ""
    shell.say(f"{len(found)} pairs{apart}")
    if shell.as_json:
        shell.finish({"protocol": protocol, "rule": PROTOCOLS[protocol].rule, "pairs": rows})
    else:
        emit(table)


def _poses(shell: Shell, samples: Sequence[Any], weights: Path | None, device: str) -> tuple[Any, str]:
    """Poses by the network if one is named, else None: the manifest's."""
    if weights is None:
        return None, "manifest"
    import torch

    from maskgan_cli.devices import pick_device
    from maskgan_cli.evaluation.judging import judged, load_judge

    judge, _ = load_judge("pose", weights, pick_device(device))
    paths = [sample.image for sample in samples]
    return torch.cat(list(judged(judge, paths, _watch(shell, "head poses")))).double().numpy(), judge.sha256


@stage(app, "attributes")
def attributes(
    shell: Shell,
    results: Results,
    pairs: Pairs,
    weights: Annotated[Path | None, _judge("--weights", "the classifier, of `maskgan train attributes`")] = None,
    method: Method = None,
    device: options.Device = "auto",
    out: Out = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Share of the results that show the attributes the pairs ask for."""
    from maskgan_cli.devices import pick_device
    from maskgan_cli.evaluation.attributes import attribute_accuracy
    from maskgan_cli.evaluation.judging import load_judge
    from maskgan_cli.evaluation.pair_list import PairList
    from maskgan_cli.evaluation.results import weights_of

    _refuse(out, overwrite)
    listed = PairList.load(pairs)
    paths = listed.results(results)
    judge, where = load_judge("attributes", weights, pick_device(device))
    found = attribute_accuracy(paths, listed.wanted(), judge, judge.names, _watch(shell, "attributes"))
    mean = sum(found.values()) / len(found)
    each: dict[str, float | None]
    each = {f"attribute_accuracy/{name}": value for name, value in found.items()} if len(found) > 1 else {}
    record = {"attributes": weights_of(judge, where)}
    _conclude(
        shell, _result(listed, results, paths, method, "attribute_accuracy", mean, record, values=each,
                       details={"attributes": list(found)}), out, overwrite,
    )  # fmt: skip


@stage(app, "segmentation")
def segmentation(
    shell: Shell,
    results: Results,
    pairs: Pairs,
    masks: Annotated[
        Path | None, typer.Option("--masks", help="Where the masks asked for are, if not beside the results.")
    ] = None,
    weights: Annotated[Path | None, _judge("--weights", "the face parser, of `maskgan train parser`")] = None,
    method: Method = None,
    device: options.Device = "auto",
    out: Out = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Share of pixels where a parser sees the class that the mask asked for; mean IoU."""
    import torch

    from maskgan_cli.agreement import table_agreement
    from maskgan_cli.devices import pick_device
    from maskgan_cli.evaluation import segmentation as metric
    from maskgan_cli.evaluation.judging import load_judge
    from maskgan_cli.evaluation.pair_list import PairList
    from maskgan_cli.evaluation.results import trace, weights_of
    from maskgan_cli.labels import CLASSES

    _refuse(out, overwrite)
    listed = PairList.load(pairs)
    paths = listed.results(results)
    otherwise = listed.files("source_mask") if listed.protocol == "style-copy" else None
    asked = metric.masks_asked_for(paths, masks, otherwise)
    judge, where = load_judge("parser", weights, pick_device(device))
    table = metric.confusion(paths, asked, judge, _watch(shell, "segmentation"))
    agreed = table_agreement(torch.from_numpy(table).double())
    found = _result(
        listed, results, paths, method, "segmentation_accuracy", agreed["accuracy"],
        {"parser": weights_of(judge, where)}, values={"mean_iou": agreed["miou"]},
        details={"classes": list(CLASSES), "confusion": table.tolist(), **agreed},
    )  # fmt: skip
    found.inputs["masks"] = trace(masks or asked[0].parent, asked)
    _conclude(shell, found, out, overwrite)


@stage(app, "fid")
def fid(
    shell: Shell,
    reals: Annotated[Path, typer.Argument(metavar="REALS", help="A folder of pictures, or a prepared data set.")],
    results: Results,
    weights: Annotated[
        Path | None, _judge("--weights", "pytorch-fid's pt_inception-2015-12-05-6726825d.pth, or a judge's weights")
    ] = None,
    features: Annotated[
        str,
        typer.Option("--features", help="inception, or a judge in its place: parser, attributes, pose or identity."),
    ] = "inception",
    pairs: Annotated[Path | None, typer.Option("--pairs", help="Measure the results of these pairs only.")] = None,
    split: Split = "test",
    method: Method = None,
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Pictures at once.")] = 32,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Neither use nor keep the reals' statistics.")] = False,
    device: options.Device = "auto",
    out: Out = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Fréchet distance between the features of real pictures and of results: FID with its own Inception.

    With other features the metric is called frechet/NAME and is no FID.
    """
    from maskgan_cli.cache import cache_folder
    from maskgan_cli.devices import pick_device
    from maskgan_cli.evaluation.fid import load_features, measure, metric_name
    from maskgan_cli.evaluation.frechet import frechet_distance
    from maskgan_cli.evaluation.pair_list import PairList
    from maskgan_cli.evaluation.pictures import pictures_of, side_of
    from maskgan_cli.evaluation.results import trace, weights_of

    _refuse(out, overwrite)
    listed = None if pairs is None else PairList.load(pairs)
    real = pictures_of(reals, split)
    paths = pictures_of(results, split) if listed is None else listed.results(results)
    network, where = load_features(features, weights, pick_device(device))
    cache = None if no_cache else cache_folder() / "features"
    if side_of(real[0]) != side_of(paths[0]):
        shell.say(f"reals are {side_of(real[0])} px, results {side_of(paths[0])} px: the difference counts too")
    theirs = measure(real, network, batch_size=batch_size, cache=cache, watch=_watch(shell, "reals"))
    ours = measure(paths, network, batch_size=batch_size, cache=None, watch=_watch(shell, "results"))
    found = _result(
        listed, results, paths, method, metric_name(network), frechet_distance(theirs, ours),
        {features: weights_of(network, where)}, details={"reals": len(real), "features": len(ours.mean)},
        split=split if (reals / "dataset.json").is_file() else "",
    )  # fmt: skip
    found.inputs["reals"] = trace(reals, real)
    _conclude(shell, found, out, overwrite)


@stage(app, "identity")
def identity(
    shell: Shell,
    results: Results,
    pairs: Pairs,
    weights: Annotated[Path | None, _judge("--weights", "the face embedder, of `maskgan train identity`")] = None,
    threshold: Annotated[
        float | None, typer.Option("--threshold", min=-1, max=1, help="Least cosine of one person; the network's own.")
    ] = None,
    method: Method = None,
    device: options.Device = "auto",
    out: Out = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Share of the results that are verified as the source's person, and the mean cosine."""
    from maskgan_cli.devices import pick_device
    from maskgan_cli.evaluation.identity import verify
    from maskgan_cli.evaluation.judging import load_judge
    from maskgan_cli.evaluation.pair_list import PairList
    from maskgan_cli.evaluation.results import trace, weights_of

    _refuse(out, overwrite)
    listed = PairList.load(pairs)
    paths = listed.results(results)
    judge, where = load_judge("identity", weights, pick_device(device))
    least = judge.threshold if threshold is None else threshold
    if least is None:
        raise InputError(where, expected="a network with a threshold", found="none", hint="name one with --threshold")
    sources = listed.files("source")
    verified = verify(paths, sources, judge, least, _watch(shell, "identity"))
    found = _result(
        listed, results, paths, method, "identity_accuracy", verified.accuracy,
        {"identity": weights_of(judge, where)}, values={"identity_cosine": verified.cosine},
        details={"threshold": least},
    )  # fmt: skip
    found.inputs["sources"] = trace(sources[0].parent, sources)
    _conclude(shell, found, out, overwrite)


@stage(app, "counterfactual")
def counterfactual(
    shell: Shell,
    results: Results,
    pairs: Pairs,
    perceptual: Annotated[
        Path | None,
        typer.Option("--perceptual", help="VGG-19 for the feature distance; else an untrained one."),
    ] = None,
    identity_weights: Annotated[
        Path | None, _judge("--identity-weights", "also the identity against the truth, by this network")
    ] = None,
    method: Method = None,
    device: options.Device = "auto",
    out: Out = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Against the true pictures of rendered pairs: PSNR, SSIM and feature distance, inside and outside the edit."""
    from maskgan_cli.devices import pick_device
    from maskgan_cli.evaluation.counterfactual import RenderedPair, against_truth
    from maskgan_cli.evaluation.feature_distance import FeatureDistance
    from maskgan_cli.evaluation.judging import load_judge
    from maskgan_cli.evaluation.pair_list import PairList
    from maskgan_cli.evaluation.results import trace, weights_of

    _refuse(out, overwrite)
    listed = PairList.load(pairs)
    paths = listed.results(results)
    chosen = pick_device(device)
    distance = FeatureDistance(perceptual, chosen)
    record = {} if perceptual is None else {"perceptual": weights_of(distance, perceptual)}
    embed = None
    if identity_weights is not None:
        embed, where = load_judge("identity", identity_weights, chosen)
        record["identity"] = weights_of(embed, where)
    files = [listed.files(column) for column in ("source_mask", "truth", "truth_mask")]
    rendered = [RenderedPair(*row) for row in zip(paths, *files, strict=True)]
    values: dict[str, float | None] = {**against_truth(rendered, distance, embed, _watch(shell, "against the truth"))}
    found = _result(
        listed, results, paths, method, "psnr_inside", values.pop("psnr_inside"), record, values=values,
        details={"feature_distance": distance.name},
    )  # fmt: skip
    found.inputs["truths"] = trace(files[1][0].parent, [*files[1], *files[2]])
    _conclude(shell, found, out, overwrite)


@stage(app, "survey")
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
    from maskgan_cli.evaluation.pair_list import PairList
    from maskgan_cli.evaluation.survey import build_survey, tally

    _refuse(out, overwrite)
    if answers:
        _conclude(shell, tally(folder, answers), out, overwrite)
        return
    if pairs is None:
        raise InputError("--pairs", expected="the CSV of `maskgan eval pairs`, or answers to --tally", found="none")
    named = dict(method.partition("=")[::2] for method in methods)
    if wrong := [name for name, where in named.items() if not (name and where)]:
        raise InputError("--method", expected="NAME=FOLDER", found=wrong[0])
    page = build_survey(
        folder, PairList.load(pairs), {name: Path(where) for name, where in named.items()},
        questions=count, seed=seed, overwrite=overwrite,
    )  # fmt: skip
    shell.wrote(page)
    shell.finish({"questions": count, "methods": list(named)}, next_command=f"maskgan eval survey {folder} --tally CSV")


@stage(app, "report")
def report(
    shell: Shell,
    files: Annotated[list[Path], typer.Argument(metavar="JSON...", help="What the other eval commands printed.")],
    form: Annotated[str, typer.Option("--format", help="markdown, html or latex.")] = "markdown",
    out: Out = None,
    overwrite: options.Overwrite = False,
) -> None:
    """One table: a row per method, the best in bold, the hash of every file below."""
    from maskgan_cli.evaluation.report import FORMATS, build_table
    from maskgan_cli.evaluation.results import read_results
    from maskgan_cli.files import write_bytes

    _refuse(out, overwrite)
    if form not in FORMATS:
        raise InputError("--format", expected=" or ".join(FORMATS), found=form)
    text = FORMATS[form](build_table([result for file in files for result in read_results(file)]))
    if out is not None:
        write_bytes(out, f"{text}\n".encode(), overwrite=overwrite)
    if shell.as_json:
        shell.finish({"format": form, "table": text})
    else:
        emit(text)


def _refuse(out: Path | None, overwrite: bool) -> None:
    """Find out that a result is there already before the work, not after it."""
    from maskgan_cli.files import refuse_existing

    if out is not None and not overwrite:
        refuse_existing(out)


def _watch(shell: Shell, label: str) -> Callable[[Iterable[Any], int], Iterator[Any]]:
    return lambda items, total: shell.track(items, total, label)


def _result(
    listed: PairList | None,
    folder: Path,
    paths: list[Path],
    method: str | None,
    metric: str,
    value: float | None,
    judges: dict[str, dict[str, Any]],
    *,
    values: dict[str, float | None] | None = None,
    details: dict[str, Any] | None = None,
    split: str = "",
) -> Result:
    """The record of one number: whose results, by which pairs, painted by what."""
    from maskgan_cli.evaluation.pictures import side_of
    from maskgan_cli.evaluation.results import Result, painted_by, trace

    inputs = {"results": trace(folder, paths)} | ({"pairs": listed.trace()} if listed else {})
    about = (listed.protocol, listed.split) if listed else ("", split)
    return Result(
        metric, value, len(paths), method or folder.resolve().name, *about, side_of(paths[0]),
        listed.seed if listed else None, inputs, {**judges, **painted_by(paths)}, values or {}, details or {},
    )  # fmt: skip


def _conclude(shell: Shell, found: Result | list[Result], out: Path | None, overwrite: bool) -> None:
    """Print the result, the same with and without --json, and write it where asked."""
    from maskgan_cli.files import write_json

    results = found if isinstance(found, list) else [found]
    documents = [result.document() for result in results]
    document = documents if isinstance(found, list) else documents[0]
    if out is not None:
        write_json(out, document, overwrite=overwrite)
    for result in results:
        value = "none" if result.value is None else f"{result.value:.4f}"
        shell.say(f"{result.metric} of {result.method}: {value} (n = {result.n})")
    emit(json.dumps(document, indent=2))
    shell.say(f"next: maskgan eval report {out or 'RESULT.json ...'}")
