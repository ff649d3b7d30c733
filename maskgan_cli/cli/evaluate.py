"""``eval ...``: one command per metric (pairs, survey and tables are in study.py)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
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


def judge_option(option: str, what: str) -> Any:
    """An option that takes a judge's weights."""
    return typer.Option(option, "-w" if option == "--weights" else option, help=f"A run folder or file: {what}.")


@stage(app, "attributes")
def attributes(
    shell: Shell,
    results: Results,
    pairs: Pairs,
    weights: Annotated[Path | None, judge_option("--weights", "the classifier, of `maskgan train attributes`")] = None,
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

    refuse_early(out, overwrite)
    listed = PairList.load(pairs)
    paths = listed.results(results)
    judge, where = load_judge("attributes", weights, pick_device(device))
    found = attribute_accuracy(paths, listed.wanted(), judge, judge.names, watched(shell, "attributes"))
    mean = sum(found.values()) / len(found)
    each: dict[str, float | None]
    each = {f"attribute_accuracy/{name}": value for name, value in found.items()} if len(found) > 1 else {}
    record = {"attributes": weights_of(judge, where)}
    conclude(
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
    weights: Annotated[Path | None, judge_option("--weights", "the face parser, of `maskgan train parser`")] = None,
    method: Method = None,
    device: options.Device = "auto",
    out: Out = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Share of pixels where a parser sees the class that the mask asked for; mean IoU."""
    import torch

    from maskgan_cli.devices import pick_device
    from maskgan_cli.evaluation import segmentation as metric
    from maskgan_cli.evaluation.judging import load_judge
    from maskgan_cli.evaluation.pair_list import PairList
    from maskgan_cli.evaluation.results import trace, weights_of
    from maskgan_cli.labels import CLASSES
    from maskgan_cli.metrics.confusion import table_agreement

    refuse_early(out, overwrite)
    listed = PairList.load(pairs)
    paths = listed.results(results)
    otherwise = listed.files("source_mask") if listed.protocol == "style-copy" else None
    asked = metric.masks_asked_for(paths, masks, otherwise)
    judge, where = load_judge("parser", weights, pick_device(device))
    table = metric.confusion(paths, asked, judge, watched(shell, "segmentation"))
    agreed = table_agreement(torch.from_numpy(table).double())
    found = _result(
        listed, results, paths, method, "segmentation_accuracy", agreed["accuracy"],
        {"parser": weights_of(judge, where)}, values={"mean_iou": agreed["miou"]},
        details={"classes": list(CLASSES), "confusion": table.tolist(), **agreed},
    )  # fmt: skip
    found.inputs["masks"] = trace(masks or asked[0].parent, asked)
    conclude(shell, found, out, overwrite)


@stage(app, "fid")
def fid(
    shell: Shell,
    reals: Annotated[Path, typer.Argument(metavar="REALS", help="A folder of pictures, or a prepared data set.")],
    results: Results,
    weights: Annotated[
        Path | None,
        judge_option("--weights", "pytorch-fid's pt_inception-2015-12-05-6726825d.pth, or a judge's weights"),
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
    from maskgan_cli.devices import pick_device
    from maskgan_cli.evaluation.fid import load_features, measure, metric_name
    from maskgan_cli.evaluation.pair_list import PairList
    from maskgan_cli.evaluation.pictures import pictures_of, side_of
    from maskgan_cli.evaluation.results import trace, weights_of
    from maskgan_cli.metrics.frechet import frechet_distance
    from maskgan_cli.weights.cache import cache_folder

    refuse_early(out, overwrite)
    listed = None if pairs is None else PairList.load(pairs)
    real = pictures_of(reals, split)
    paths = pictures_of(results, split) if listed is None else listed.results(results)
    network, where = load_features(features, weights, pick_device(device))
    cache = None if no_cache else cache_folder() / "features"
    if side_of(real[0]) != side_of(paths[0]):
        shell.say(f"reals are {side_of(real[0])} px, results {side_of(paths[0])} px: the difference counts too")
    theirs = measure(real, network, batch_size=batch_size, cache=cache, watch=watched(shell, "reals"))
    ours = measure(paths, network, batch_size=batch_size, cache=None, watch=watched(shell, "results"))
    found = _result(
        listed, results, paths, method, metric_name(network), frechet_distance(theirs, ours),
        {features: weights_of(network, where)}, details={"reals": len(real), "features": len(ours.mean)},
        split=split if (reals / "dataset.json").is_file() else "",
    )  # fmt: skip
    found.inputs["reals"] = trace(reals, real)
    conclude(shell, found, out, overwrite)


@stage(app, "identity")
def identity(
    shell: Shell,
    results: Results,
    pairs: Pairs,
    weights: Annotated[Path | None, judge_option("--weights", "the face embedder, of `maskgan train identity`")] = None,
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

    refuse_early(out, overwrite)
    listed = PairList.load(pairs)
    paths = listed.results(results)
    judge, where = load_judge("identity", weights, pick_device(device))
    least = judge.threshold if threshold is None else threshold
    if least is None:
        raise InputError(where, expected="a network with a threshold", found="none", hint="name one with --threshold")
    sources = listed.files("source")
    verified = verify(paths, sources, judge, least, watched(shell, "identity"))
    found = _result(
        listed, results, paths, method, "identity_accuracy", verified.accuracy,
        {"identity": weights_of(judge, where)}, values={"identity_cosine": verified.cosine},
        details={"threshold": least},
    )  # fmt: skip
    found.inputs["sources"] = trace(sources[0].parent, sources)
    conclude(shell, found, out, overwrite)


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
        Path | None, judge_option("--identity-weights", "also the identity against the truth, by this network")
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

    refuse_early(out, overwrite)
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
    values: dict[str, float | None] = {**against_truth(rendered, distance, embed, watched(shell, "against the truth"))}
    found = _result(
        listed, results, paths, method, "psnr_inside", values.pop("psnr_inside"), record, values=values,
        details={"feature_distance": distance.name},
    )  # fmt: skip
    found.inputs["truths"] = trace(files[1][0].parent, [*files[1], *files[2]])
    conclude(shell, found, out, overwrite)


def refuse_early(out: Path | None, overwrite: bool) -> None:
    """Find out that a result is there already before the work, not after it."""
    from maskgan_cli.files import refuse_existing

    if out is not None and not overwrite:
        refuse_existing(out)


def watched(shell: Shell, label: str) -> Callable[[Iterable[Any], int], Iterator[Any]]:
    """What passes batches through under a progress bar."""
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


def conclude(shell: Shell, found: Result | list[Result], out: Path | None, overwrite: bool) -> None:
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
