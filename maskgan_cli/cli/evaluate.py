"""``eval ...``: one command per metric (pairs, survey and tables are in study.py)."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.shell import Shell, emit, stage
from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.choices import Features, Split

if TYPE_CHECKING:
    from maskgan_cli.evaluation.results import Result
    from maskgan_cli.evaluation.subject import Measure, Subject

app = typer.Typer(
    name="eval", help="Measure results as the paper does; JSON in, tables out.", no_args_is_help=True,
    rich_help_panel="Evaluation",
)  # fmt: skip

Results = Annotated[Path, typer.Argument(metavar="RESULTS", help="A folder of one method's results.")]
Reals = Annotated[Path, typer.Argument(metavar="REALS", help="A folder of pictures, or a prepared data set.")]
Pairs = Annotated[Path, typer.Option("--pairs", help="The CSV of `maskgan eval pairs` that was painted.")]
Masks = Annotated[
    Path | None, typer.Option("--masks", help="Where the masks asked for are, if not beside the results.")
]
MaskForce = Annotated[bool, typer.Option("--force", help="Read masks in --order though their parts lie as in another.")]
Threshold = Annotated[
    float | None, typer.Option("--threshold", min=-1, max=1, help="Least cosine of one person; the network's own.")
]
ThresholdFrom = Annotated[
    Path | None, typer.Option("--threshold-from", help="Take the threshold of this JSON of `maskgan eval verify`.")
]
FeaturesOf = Annotated[Features, typer.Option("--features", help="Whose features; all but inception's make no FID.")]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Neither use nor keep the reals' statistics.")]
BatchSize = Annotated[int, typer.Option("--batch-size", min=1, help="Pictures at once.")]
Method = Annotated[str | None, typer.Option("--method", help="The row of the table; the folder's name.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Also write it to this file.")]
SplitOf = Annotated[Split, typer.Option("--split", help="Which part of a prepared data set.")]


def judge_option(option: str, what: str) -> Any:
    """An option that takes a judge's weights."""
    return typer.Option(option, "-w" if option == "--weights" else option, help=f"A run folder or file: {what}.")


CLASSIFIER = "the classifier, of `maskgan train attributes`"
PARSER = "the face parser, of `maskgan train parser`"
EMBEDDER = "the face embedder, of `maskgan train identity`"
INCEPTION = "pytorch-fid's pt_inception-2015-12-05-6726825d.pth, or a judge's weights"


def measured(
    shell: Shell, subject: Subject, measures: Sequence[Measure], label: str, batch_size: int = 32
) -> list[Result]:
    """Show the results to all measures, and ask them."""
    from maskgan_cli.evaluation.subject import show

    show(subject.paths, measures, watched(shell, label), batch_size=batch_size)
    return [measure.result(subject) for measure in measures]


@stage(app, "attributes")
def attributes(
    shell: Shell,
    results: Results,
    pairs: Pairs,
    weights: Annotated[Path | None, judge_option("--weights", CLASSIFIER)] = None,
    method: Method = None,
    device: options.Device = "auto",
    out: Out = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Share of the results that show the attributes the pairs ask for."""
    refuse_early(out, overwrite, results=results, pairs=pairs)
    from maskgan_cli.devices import pick_device
    from maskgan_cli.evaluation.attributes import AttributeAccuracy
    from maskgan_cli.evaluation.subject import Subject

    subject = Subject.of(results, pairs, method)
    measure = AttributeAccuracy.load(subject.pairs, weights, pick_device(device))
    conclude(shell, measured(shell, subject, [measure], "attributes")[0], out, overwrite)


@stage(app, "segmentation")
def segmentation(
    shell: Shell,
    results: Results,
    pairs: Pairs,
    masks: Masks = None,
    order: options.Order = options.CELEBAMASK,
    force: MaskForce = False,
    weights: Annotated[Path | None, judge_option("--weights", PARSER)] = None,
    method: Method = None,
    device: options.Device = "auto",
    out: Out = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Share of pixels where a parser sees the class that the mask asked for; mean IoU."""
    refuse_early(out, overwrite, results=results, pairs=pairs)
    from maskgan_cli.data.given_masks import MaskRules, mask_rules
    from maskgan_cli.devices import pick_device
    from maskgan_cli.evaluation.segmentation import SegmentationAccuracy
    from maskgan_cli.evaluation.subject import Subject

    subject = Subject.of(results, pairs, method)
    measure = SegmentationAccuracy.load(subject, masks, weights, pick_device(device))
    with mask_rules(MaskRules(order.value, force)):
        found = measured(shell, subject, [measure], "segmentation")
    conclude(shell, found[0], out, overwrite)


@stage(app, "identity")
def identity(
    shell: Shell,
    results: Results,
    pairs: Pairs,
    weights: Annotated[Path | None, judge_option("--weights", EMBEDDER)] = None,
    threshold: Threshold = None,
    threshold_from: ThresholdFrom = None,
    method: Method = None,
    device: options.Device = "auto",
    out: Out = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Share of the results that are verified as the source's person, and the mean cosine."""
    refuse_early(out, overwrite, results=results, pairs=pairs)
    from maskgan_cli.devices import pick_device
    from maskgan_cli.evaluation.identity import IdentityAccuracy
    from maskgan_cli.evaluation.subject import Subject

    subject = Subject.of(results, pairs, method)
    watch = watched(shell, "sources")
    measure = IdentityAccuracy.load(
        subject.pairs, weights, one_threshold(threshold, threshold_from), pick_device(device), watch
    )
    conclude(shell, measured(shell, subject, [measure], "identity")[0], out, overwrite)


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
    refuse_early(out, overwrite, results=results, pairs=pairs)
    from maskgan_cli.devices import pick_device
    from maskgan_cli.evaluation.counterfactual import RenderedPair, against_truth
    from maskgan_cli.evaluation.feature_distance import FeatureDistance
    from maskgan_cli.evaluation.judging import load_judge
    from maskgan_cli.evaluation.results import trace, weights_of
    from maskgan_cli.evaluation.subject import Subject

    subject = Subject.of(results, pairs, method)
    chosen = pick_device(device)
    distance = FeatureDistance(perceptual, chosen)
    record = {} if perceptual is None else {"perceptual": weights_of(distance, perceptual)}
    embed = None
    if identity_weights is not None:
        embed, where = load_judge("identity", identity_weights, chosen)
        record["identity"] = weights_of(embed, where)
    files = [subject.pairs.files(column) for column in ("source_mask", "truth", "truth_mask")]
    rendered = [RenderedPair(*row) for row in zip(subject.paths, *files, strict=True)]
    means, intervals = against_truth(rendered, distance, embed, watched(shell, "against the truth"))
    values: dict[str, float | None] = {**means}
    found = subject.result(
        "psnr_inside", values.pop("psnr_inside"), record, values=values, intervals=intervals,
        details={"feature_distance": distance.name},
        inputs={"truths": trace(files[1][0].parent, [*files[1], *files[2]])},
    )  # fmt: skip
    conclude(shell, found, out, overwrite)


def one_threshold(given: float | None, chosen: Path | None) -> float | Path | None:
    """The threshold that the options name.

    Raises:
        InputError: both are given.
    """
    if given is not None and chosen is not None:
        raise InputError("--threshold", expected="--threshold or --threshold-from", found="both")
    return given if chosen is None else chosen


def refuse_early(
    out: Path | None, overwrite: bool, *, results: Path | None = None, pairs: Path | None = None,
    data: Path | None = None, reals: Path | None = None, files: Sequence[Path] = (),
) -> None:  # fmt: skip
    """Find out before the work, and before PyTorch is imported, that another result is there, or an input is not.

    What is there and may be the same measurement is compared with what is found: see `keep`.
    """
    from maskgan_cli.data.prepared import check_prepared
    from maskgan_cli.files import refuse_existing, unreadable

    if out is not None and not overwrite and not _may_be_same(out, results):
        refuse_existing(out)
    for path, what in ((pairs, "a CSV file"), *((file, "a JSON file") for file in files)):
        if path is not None and not path.exists():
            raise unreadable(path, FileNotFoundError(), what)
    if data is not None:
        check_prepared(data)
    if reals is not None and not reals.is_dir():
        found = "a file" if reals.exists() else "no such folder"
        raise InputError(reals, expected="a folder of pictures, or a prepared data set", found=found)


def _may_be_same(out: Path, results: Path | None) -> bool:
    """Whether a file holds measurements, and of that folder of results if there is one."""
    from maskgan_cli.files import read_json

    try:
        found = read_json(out)
        documents = found if isinstance(found, list) else [found]
        places = [document["inputs"]["results"]["path"] for document in documents] if results is not None else []
        return all("metric" in document for document in documents) and all(place == str(results) for place in places)
    except (InputError, LookupError, TypeError):
        return False


def keep(shell: Shell, out: Path, data: bytes, overwrite: bool) -> bool:
    """Write a command's result; one that is there already and is the same stays, which is said and returned."""
    from maskgan_cli.files import keep_or_write

    kept = keep_or_write(out, data, overwrite=overwrite)
    if kept:
        shell.say(f"{out} holds just that already")
    return kept


def watched(shell: Shell, label: str) -> Callable[[Iterable[Any], int], Iterator[Any]]:
    """What passes batches through under a progress bar."""
    return lambda items, total: shell.track(items, total, label)


def conclude(shell: Shell, found: Result | list[Result], out: Path | None, overwrite: bool) -> None:
    """Print the result, the same with and without --json, and write it where asked."""
    from maskgan_cli.files import encode_json

    results = found if isinstance(found, list) else [found]
    documents = [result.document() for result in results]
    document = documents if isinstance(found, list) else documents[0]
    for result in results:
        value = "none" if result.value is None else f"{result.value:.4f}"
        ends = result.document()["intervals"].get(result.metric)
        sure = f", 95 % from {ends[0]:.4f} to {ends[1]:.4f}" if ends else ""
        shell.say(f"{result.metric} of {result.method}: {value} (n = {result.n}{sure})")
    emit(json.dumps(document, indent=2))
    if out is not None:
        keep(shell, out, encode_json(document), overwrite)
        shell.say(f"next: {shlex.join(['maskgan', 'eval', 'report', str(out)])}")
