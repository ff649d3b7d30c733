"""``eval results``: all that is measured of one method, in one pass over its pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.distances import DISTANCES, distances
from maskgan_cli.cli.evaluate import (
    CLASSIFIER,
    EMBEDDER,
    INCEPTION,
    PARSER,
    BatchSize,
    FeaturesOf,
    MaskForce,
    Masks,
    Method,
    NoCache,
    Out,
    Pairs,
    Reals,
    Results,
    SplitOf,
    Threshold,
    ThresholdFrom,
    conclude,
    judge_option,
    measured,
    one_threshold,
    refuse_early,
    watched,
)
from maskgan_cli.cli.shell import Shell, stage
from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.choices import Features, Metric, Split

if TYPE_CHECKING:
    from maskgan_cli.evaluation.subject import Measure


def register(app: typer.Typer) -> None:
    """Add this module's command to ``eval``."""
    stage(app, "results")(results)


def results(
    shell: Shell,
    reals: Reals,
    results: Results,
    pairs: Pairs,
    metrics: Annotated[
        str, typer.Option("--metrics", help="Some of attributes, segmentation, fid, identity, kid, precision; commas.")
    ] = "attributes,segmentation,fid,identity",
    attributes_weights: Annotated[Path | None, judge_option("--attributes-weights", CLASSIFIER)] = None,
    parser_weights: Annotated[Path | None, judge_option("--parser-weights", PARSER)] = None,
    identity_weights: Annotated[Path | None, judge_option("--identity-weights", EMBEDDER)] = None,
    features: FeaturesOf = Features.INCEPTION,
    features_weights: Annotated[Path | None, judge_option("--features-weights", INCEPTION)] = None,
    masks: Masks = None,
    order: options.Order = options.CELEBAMASK,
    force: MaskForce = False,
    threshold: Threshold = None,
    threshold_from: ThresholdFrom = None,
    split: SplitOf = Split.TEST,
    method: Method = None,
    batch_size: BatchSize = 32,
    no_cache: NoCache = False,
    device: options.Device = "auto",
    out: Out = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Several metrics of one method at once, reading each picture once; a list of what the single commands print."""
    refuse_early(out, overwrite, results=results, pairs=pairs)
    wanted = _metrics(metrics)
    from maskgan_cli.data.given_masks import MaskRules, mask_rules
    from maskgan_cli.devices import pick_device
    from maskgan_cli.evaluation.attributes import AttributeAccuracy
    from maskgan_cli.evaluation.identity import IdentityAccuracy
    from maskgan_cli.evaluation.segmentation import SegmentationAccuracy
    from maskgan_cli.evaluation.subject import Subject

    subject = Subject.of(results, pairs, method)
    listed, chosen = subject.pairs, pick_device(device)
    make: dict[Metric, Callable[[], Measure]] = {
        Metric.ATTRIBUTES: lambda: AttributeAccuracy.load(listed, attributes_weights, chosen),
        Metric.SEGMENTATION: lambda: SegmentationAccuracy.load(subject, masks, parser_weights, chosen),
        Metric.IDENTITY: lambda: IdentityAccuracy.load(
            listed, identity_weights, one_threshold(threshold, threshold_from), chosen, watched(shell, "sources")
        ),
    }  # fmt: skip
    # What takes long before it can fail comes last.
    sequence = [Metric.ATTRIBUTES, Metric.SEGMENTATION, Metric.IDENTITY]
    measures = {metric: make[metric]() for metric in sequence if metric in wanted}
    measures |= distances(
        shell, subject, reals, split, features, features_weights, batch_size, device,
        no_cache=no_cache, metrics=[metric for metric in wanted if metric in DISTANCES],
    )  # fmt: skip
    with mask_rules(MaskRules(order.value, force)):
        found = measured(shell, subject, [measures[metric] for metric in wanted], "results", batch_size)
    conclude(shell, found, out, overwrite)


def _metrics(text: str) -> list[Metric]:
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    known = [metric.value for metric in Metric]
    if not names or not set(names) <= set(known):
        wrong = [name for name in names if name not in known]
        raise InputError("--metrics", expected=f"some of {', '.join(known)}", found=wrong[0] if wrong else "none")
    return [Metric(name) for name in names]
