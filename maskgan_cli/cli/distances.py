"""``eval fid``, ``kid``, ``precision`` and ``lpips``: distances of pictures over the features of a network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.evaluate import (
    INCEPTION,
    BatchSize,
    FeaturesOf,
    Method,
    NoCache,
    Out,
    Pairs,
    Reals,
    Results,
    SplitOf,
    conclude,
    judge_option,
    measured,
    refuse_early,
    watched,
)
from maskgan_cli.cli.shell import Shell, stage
from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.choices import Features, Metric, Reference, Split

if TYPE_CHECKING:
    from maskgan_cli.evaluation.subject import Measure, Subject

Weights = Annotated[Path | None, judge_option("--weights", INCEPTION)]
SomePairs = Annotated[Path | None, typer.Option("--pairs", help="Measure the results of these pairs only.")]

DISTANCES: Final = (Metric.FID, Metric.KID, Metric.PRECISION)
_ENOUGH: Final = 10_000  # below this number of pictures the bias of FID is larger than many differences of methods


def register(app: typer.Typer) -> None:
    """Add this module's commands to ``eval``."""
    for name, function in (("fid", fid), ("kid", kid), ("precision", precision), ("lpips", lpips)):
        stage(app, name)(function)


def fid(
    shell: Shell,
    reals: Reals,
    results: Results,
    weights: Weights = None,
    features: FeaturesOf = Features.INCEPTION,
    pairs: SomePairs = None,
    split: SplitOf = Split.TEST,
    method: Method = None,
    batch_size: BatchSize = 32,
    no_cache: NoCache = False,
    device: options.Device = "auto",
    out: Out = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Fréchet distance between the features of real pictures and of results: FID with its own Inception.

    With other features the metric is called frechet/NAME and is no FID.
    """
    _measure_one(
        shell, Metric.FID, reals, results, pairs, split, method, features, weights, batch_size, device,
        no_cache=no_cache, out=out, overwrite=overwrite,
    )  # fmt: skip


def kid(
    shell: Shell,
    reals: Reals,
    results: Results,
    weights: Weights = None,
    features: FeaturesOf = Features.INCEPTION,
    pairs: SomePairs = None,
    split: SplitOf = Split.TEST,
    method: Method = None,
    batch_size: BatchSize = 32,
    no_cache: NoCache = False,
    device: options.Device = "auto",
    out: Out = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Kernel distance between the features of real pictures and of results: KID with FID's Inception.

    It has no bias, so it is the better choice below 10,000 pictures. With other features it is called kernel/NAME.
    """
    _measure_one(
        shell, Metric.KID, reals, results, pairs, split, method, features, weights, batch_size, device,
        no_cache=no_cache, out=out, overwrite=overwrite,
    )  # fmt: skip


def precision(
    shell: Shell,
    reals: Reals,
    results: Results,
    weights: Weights = None,
    features: FeaturesOf = Features.INCEPTION,
    pairs: SomePairs = None,
    split: SplitOf = Split.TEST,
    method: Method = None,
    batch_size: BatchSize = 32,
    no_cache: NoCache = False,
    device: options.Device = "auto",
    out: Out = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Precision (do results look real?) and recall (do they have the variety of real pictures?), from features."""
    _measure_one(
        shell, Metric.PRECISION, reals, results, pairs, split, method, features, weights, batch_size, device,
        no_cache=no_cache, out=out, overwrite=overwrite,
    )  # fmt: skip


def _measure_one(
    shell: Shell, metric: Metric, reals: Path, results: Path, pairs: Path | None, split: Split, method: str | None,
    features: Features, weights: Path | None, batch_size: int, device: str, *, no_cache: bool, out: Path | None,
    overwrite: bool,
) -> None:  # fmt: skip
    """Measure one of the distances, print and write it; the arguments are those of the commands."""
    refuse_early(out, overwrite, results=results, pairs=pairs, reals=reals)
    subject = _subject(reals, results, pairs, split, method)
    made = distances(
        shell, subject, reals, split, features, weights, batch_size, device, no_cache=no_cache, metrics=[metric]
    )
    conclude(shell, measured(shell, subject, [made[metric]], "results", batch_size)[0], out, overwrite)


def lpips(
    shell: Shell,
    results: Results,
    pairs: Pairs,
    trunk: Annotated[Path, typer.Option("--trunk", help="AlexNet or VGG-16, in torchvision's layout.")],
    heads: Annotated[Path, typer.Option("--heads", help="The learnt weights, as the authors of LPIPS publish them.")],
    against: Annotated[
        Reference, typer.Option("--against", help="The picture of a pair that its result is compared with.")
    ] = Reference.SOURCE,
    method: Method = None,
    batch_size: BatchSize = 32,
    device: options.Device = "auto",
    out: Out = None,
    overwrite: options.Overwrite = False,
) -> None:
    """LPIPS between each result and its source, its target or the true picture; lower is nearer."""
    refuse_early(out, overwrite, results=results, pairs=pairs)
    from maskgan_cli.devices import pick_device
    from maskgan_cli.evaluation.lpips import PerceptualSimilarity, load_lpips
    from maskgan_cli.evaluation.subject import Subject

    subject = Subject.of(results, pairs, method)
    network = load_lpips(trunk, heads, pick_device(device))
    references = subject.pairs.files(against.value)
    measure = PerceptualSimilarity(network, references, against.value, (trunk, heads), batch_size=batch_size)
    conclude(shell, measured(shell, subject, [measure], "results", batch_size)[0], out, overwrite)


def _subject(reals: Path, results: Path, pairs: Path | None, split: Split, method: str | None) -> Subject:
    from maskgan_cli.evaluation.subject import Subject

    if pairs is not None:
        return Subject.of(results, pairs, method)
    named = split.value if (reals / "dataset.json").is_file() else ""
    return Subject.without_pairs(results, method, split.value, named_split=named)


def distances(
    shell: Shell, subject: Subject, reals: Path, split: Split, features: Features, weights: Path | None,
    batch_size: int, device: str, *, no_cache: bool, metrics: Sequence[Metric],
) -> dict[Metric, Measure]:  # fmt: skip
    """The measures of ``metrics`` that compare sets of features; the network looks at the reals now.

    Raises:
        InputError: too few pictures, or weights that are missing or do not fit.
    """
    if not metrics:
        return {}
    from maskgan_cli.devices import pick_device
    from maskgan_cli.evaluation import feature_sets
    from maskgan_cli.evaluation.fid import FrechetDistance, load_features
    from maskgan_cli.evaluation.pictures import pictures_of, side_of
    from maskgan_cli.evaluation.results import weights_of
    from maskgan_cli.metrics.manifold import NEIGHBOURS

    real = pictures_of(reals, split.value)
    least = NEIGHBOURS + 1 if Metric.PRECISION in metrics else 2
    for where, count in ((subject.folder, len(subject.paths)), (reals, len(real))):
        if count < least:
            raise InputError(where, expected=f"at least {'two' if least == 2 else least} pictures", found=str(count))
    loaded, file = load_features(features.value, weights, pick_device(device))
    side = side_of(real[0])
    if side != subject.size:
        shell.say(f"reals are {side} px, results {subject.size} px: the difference counts too")
    network, record = feature_sets.SharedFeatures(loaded), {features.value: weights_of(loaded, file)}
    cache = None if no_cache else _features_folder(shell)
    made: dict[Metric, Measure] = {}
    if Metric.FID in metrics:
        if features is Features.INCEPTION and (fewest := min(len(real), len(subject.paths))) < _ENOUGH:
            shell.say(f"FID of {fewest} pictures is too large by an amount that depends on their number: compare it "
                      "only with FIDs of the same number, or use `maskgan eval kid`")  # fmt: skip
        made[Metric.FID] = FrechetDistance(
            network, real, reals, record, batch_size=batch_size, cache=cache, watch=watched(shell, "reals")
        )
    if Metric.KID in metrics or Metric.PRECISION in metrics:
        theirs = feature_sets.features_of(
            real, network, batch_size=batch_size, cache=cache, watch=watched(shell, "reals")
        )
        if Metric.KID in metrics:
            made[Metric.KID] = feature_sets.KernelInceptionDistance(network, theirs, real, reals, record)
        if Metric.PRECISION in metrics:
            made[Metric.PRECISION] = feature_sets.PrecisionRecall(network, theirs, real, reals, record)
    return made


def _features_folder(shell: Shell) -> Path | None:
    """Where features of the reals are kept; nowhere for a user without a home folder."""
    from maskgan_cli.weights.cache import NoCacheFolder, cache_folder

    try:
        return cache_folder() / "features"
    except NoCacheFolder as error:
        shell.say(f"features are not kept: {error}")
        return None
