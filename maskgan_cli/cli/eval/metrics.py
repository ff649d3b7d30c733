"""``eval attributes``, ``segmentation``, ``identity``, ``counterfactual`` and ``results``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskgan_cli.cli.eval.distances import DISTANCES, distances
from maskgan_cli.cli.eval.options import (
    CLASSIFIER,
    EMBEDDER,
    INCEPTION,
    PARSER,
    Comparing,
    MaskFiles,
    MeasurementOptions,
    Pairs,
    Reals,
    Results,
    Threshold,
    conclude,
    judge_option,
    measured,
    results_of,
    watched,
)
from maskgan_cli.cli.shell import Shell
from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.choices import Metric

if TYPE_CHECKING:
    from maskgan_cli.evaluation.method_results import ResultMetric


def attributes(
    shell: Shell,
    results: Results,
    pairs: Pairs,
    weights: Annotated[Path | None, judge_option("--weights", CLASSIFIER)] = None,
    *,
    measuring: MeasurementOptions,
) -> None:
    """Measure attribute accuracy: the share of results that show the attributes of their targets."""
    subject = results_of(measuring, results, pairs)
    from maskgan_cli.devices import pick_device
    from maskgan_cli.evaluation.attributes import AttributeAccuracy

    measure = AttributeAccuracy.load(subject.pairs, weights, pick_device(measuring.device))
    conclude(shell, measured(shell, subject, [measure], "attributes")[0], measuring.out, measuring.overwrite)


def segmentation(
    shell: Shell,
    results: Results,
    pairs: Pairs,
    weights: Annotated[Path | None, judge_option("--weights", PARSER)] = None,
    *,
    masks: MaskFiles,
    measuring: MeasurementOptions,
) -> None:
    """Measure segmentation accuracy: how well the parsed results agree with the edited masks; also the mean IoU."""
    subject = results_of(measuring, results, pairs)
    from maskgan_cli.devices import pick_device
    from maskgan_cli.evaluation.segmentation import SegmentationAccuracy

    measure = SegmentationAccuracy.load(subject, masks.masks, weights, pick_device(measuring.device))
    with masks.rules():
        found = measured(shell, subject, [measure], "segmentation")[0]
    conclude(shell, found, measuring.out, measuring.overwrite)


def identity(
    shell: Shell,
    results: Results,
    pairs: Pairs,
    weights: Annotated[Path | None, judge_option("--weights", EMBEDDER)] = None,
    *,
    threshold: Threshold,
    measuring: MeasurementOptions,
) -> None:
    """Measure identity preservation: the share of results verified as the source's person, and the mean cosine."""
    subject = results_of(measuring, results, pairs)
    from maskgan_cli.devices import pick_device
    from maskgan_cli.evaluation.identity import IdentityAccuracy

    measure = IdentityAccuracy.load(
        subject.pairs, weights, threshold.chosen(), pick_device(measuring.device), watched(shell, "sources")
    )
    conclude(shell, measured(shell, subject, [measure], "identity")[0], measuring.out, measuring.overwrite)


def counterfactual(
    shell: Shell,
    results: Results,
    pairs: Pairs,
    perceptual: Annotated[
        Path | None,
        typer.Option("--perceptual", help="VGG-19 weights for the feature distance. Default: random weights."),
    ] = None,
    identity_weights: Annotated[
        Path | None, judge_option("--identity-weights", "an identity network, to also compare identities")
    ] = None,
    *,
    measuring: MeasurementOptions,
) -> None:
    """Compare results with the ground truth of rendered pairs: PSNR, SSIM, feature distance in and outside the edit."""
    subject = results_of(measuring, results, pairs)
    from maskgan_cli.devices import pick_device
    from maskgan_cli.evaluation.counterfactual import RenderedPair, against_truth
    from maskgan_cli.evaluation.feature_distance import FeatureDistance
    from maskgan_cli.evaluation.judging import load_judge
    from maskgan_cli.evaluation.results import trace, weights_of

    device = pick_device(measuring.device)
    distance = FeatureDistance(perceptual, device)
    record = {} if perceptual is None else {"perceptual": weights_of(distance, perceptual)}
    embed = None
    if identity_weights is not None:
        embed, where = load_judge("identity", identity_weights, device)
        record["identity"] = weights_of(embed, where)
    files = [subject.pairs.files(column) for column in ("source_mask", "truth", "truth_mask")]
    rendered = [RenderedPair(*row) for row in zip(subject.paths, *files, strict=True)]
    means, intervals = against_truth(rendered, distance, embed, watched(shell, "comparing with the ground truth"))
    values: dict[str, float | None] = {**means}
    found = subject.result(
        "psnr_inside",
        values.pop("psnr_inside"),
        record,
        values=values,
        intervals=intervals,
        details={"feature_distance": distance.name},
        inputs={"truths": trace(files[1][0].parent, [*files[1], *files[2]])},
    )
    conclude(shell, found, measuring.out, measuring.overwrite)


def results(
    shell: Shell,
    reals: Reals,
    results: Results,
    pairs: Pairs,
    metrics: Annotated[
        str,
        typer.Option(
            "--metrics",
            help="Metrics, separated by commas, of attributes, segmentation, fid, identity, kid and precision.",
        ),
    ] = "attributes,segmentation,fid,identity",
    attributes_weights: Annotated[Path | None, judge_option("--attributes-weights", CLASSIFIER)] = None,
    parser_weights: Annotated[Path | None, judge_option("--parser-weights", PARSER)] = None,
    identity_weights: Annotated[Path | None, judge_option("--identity-weights", EMBEDDER)] = None,
    features_weights: Annotated[Path | None, judge_option("--features-weights", INCEPTION)] = None,
    *,
    masks: MaskFiles,
    threshold: Threshold,
    comparing: Comparing,
    measuring: MeasurementOptions,
) -> None:
    """Measure several metrics of one method in one pass over its results.

    Prints a JSON list with one report per metric, as the metric's own command prints it.
    """
    subject, chosen = results_of(measuring, results, pairs), _metrics(metrics)
    from maskgan_cli.devices import pick_device
    from maskgan_cli.evaluation.attributes import AttributeAccuracy
    from maskgan_cli.evaluation.identity import IdentityAccuracy
    from maskgan_cli.evaluation.segmentation import SegmentationAccuracy

    device = pick_device(measuring.device)
    load: dict[Metric, Callable[[], ResultMetric]] = {
        Metric.ATTRIBUTES: lambda: AttributeAccuracy.load(subject.pairs, attributes_weights, device),
        Metric.SEGMENTATION: lambda: SegmentationAccuracy.load(subject, masks.masks, parser_weights, device),
        Metric.IDENTITY: lambda: IdentityAccuracy.load(
            subject.pairs, identity_weights, threshold.chosen(), device, watched(shell, "sources")
        ),
    }
    # In this order, errors of metrics that load quickly are reported before the slow metrics are loaded.
    measures = {metric: make() for metric, make in load.items() if metric in chosen}
    compared = [metric for metric in chosen if metric in DISTANCES]
    measures |= distances(shell, subject, reals, features_weights, comparing, device, compared)
    with masks.rules():
        found = measured(shell, subject, [measures[metric] for metric in chosen], "results", comparing.batch_size)
    conclude(shell, found, measuring.out, measuring.overwrite)


def _metrics(text: str) -> list[Metric]:
    """Parse the value of ``--metrics`` (names, separated by commas), and return the metrics without repetitions.

    Raises:
        InputError: a name is unknown, or the value has no name.
    """
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    known = [metric.value for metric in Metric]
    if not names or not set(names) <= set(known):
        wrong = [name for name in names if name not in known]
        raise InputError("--metrics", expected=f"some of {', '.join(known)}", found=wrong[0] if wrong else "none")
    return [Metric(name) for name in names]
