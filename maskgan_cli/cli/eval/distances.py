"""``eval fid``, ``kid``, ``precision`` and ``lpips``: metrics that compare features of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from maskgan_cli.cli.eval.options import (
    INCEPTION,
    BatchSize,
    Comparing,
    MeasurementOptions,
    Pairs,
    Reals,
    Results,
    check_early,
    conclude,
    judge_option,
    measured,
    results_of,
    watched,
)
from maskgan_cli.cli.shell import Shell
from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.choices import ComparedPicture, Features, Metric, Split

if TYPE_CHECKING:
    from maskgan_cli.evaluation.method_results import MethodResults, ResultMetric

DISTANCES: Final = (Metric.FID, Metric.KID, Metric.PRECISION)
_ENOUGH: Final = 10_000  # with fewer pictures, the bias of FID exceeds many differences between methods


@dataclass(frozen=True)
class Sets:
    """Arguments and options that name real pictures, results, and the network whose features are compared."""

    reals: Reals
    results: Results
    weights: Annotated[Path | None, judge_option("--weights", INCEPTION)] = None
    pairs: Annotated[
        Path | None, typer.Option("--pairs", help="Measure only the results of this CSV of `maskgan eval pairs`.")
    ] = None


def fid(shell: Shell, sets: Sets, comparing: Comparing, measuring: MeasurementOptions) -> None:
    """Measure the Fréchet inception distance (FID) between real pictures and results.

    With features other than inception, the metric is called frechet/NAME; it is not FID.
    """
    _measure(shell, Metric.FID, sets, comparing, measuring)


def kid(shell: Shell, sets: Sets, comparing: Comparing, measuring: MeasurementOptions) -> None:
    """Measure the kernel inception distance (KID) between real pictures and results.

    KID has no bias, so prefer it to FID with less than 10,000 pictures. With features other than inception, the metric
    is called kernel/NAME.
    """
    _measure(shell, Metric.KID, sets, comparing, measuring)


def precision(shell: Shell, sets: Sets, comparing: Comparing, measuring: MeasurementOptions) -> None:
    """Measure precision (realism of the results) and recall (variety of the results) with features of a network."""
    _measure(shell, Metric.PRECISION, sets, comparing, measuring)


def _measure(shell: Shell, metric: Metric, sets: Sets, comparing: Comparing, measuring: MeasurementOptions) -> None:
    """Compute ``metric``, one of `DISTANCES`; print the result, and write it to the file of ``-o`` if given."""
    check_early(measuring.out, measuring.overwrite, results=sets.results, pairs=sets.pairs, reals=sets.reals)
    from maskgan_cli.devices import pick_device

    subject = _subject(sets, comparing.split, measuring.method)
    device = pick_device(measuring.device)
    measure = distances(shell, subject, sets.reals, sets.weights, comparing, device, [metric])[metric]
    found = measured(shell, subject, [measure], "results", comparing.batch_size)[0]
    conclude(shell, found, measuring.out, measuring.overwrite)


def lpips(
    shell: Shell,
    results: Results,
    pairs: Pairs,
    trunk: Annotated[Path, typer.Option("--trunk", help="Weights of AlexNet or VGG-16 in torchvision's layout.")],
    heads: Annotated[Path, typer.Option("--heads", help="LPIPS weights of the layers, as its authors publish them.")],
    against: Annotated[
        ComparedPicture, typer.Option("--against", help="Picture of the pair to compare each result with.")
    ] = ComparedPicture.SOURCE,
    batch_size: BatchSize = 32,
    *,
    measuring: MeasurementOptions,
) -> None:
    """Measure LPIPS between each result and its source, target or ground truth; lower is more similar."""
    subject = results_of(measuring, results, pairs)
    from maskgan_cli.devices import pick_device
    from maskgan_cli.evaluation.lpips import PerceptualSimilarity, load_lpips

    network = load_lpips(trunk, heads, pick_device(measuring.device))
    references = subject.pairs.files(against.value)
    measure = PerceptualSimilarity(network, references, against.value, (trunk, heads), batch_size=batch_size)
    found = measured(shell, subject, [measure], "results", batch_size)[0]
    conclude(shell, found, measuring.out, measuring.overwrite)


def _subject(sets: Sets, split: Split, method: str | None) -> MethodResults:
    """Return the results to measure: the results of the pairs in the list ``--pairs`` or, without a list, all results.

    Args:
        sets: the arguments that name the pictures.
        split: the split to use, if results or real pictures are a prepared data set.
        method: name of the method; None for the name of the results' folder.
    """
    from maskgan_cli.evaluation.method_results import MethodResults

    if sets.pairs is not None:
        return MethodResults.of(sets.results, sets.pairs, method)
    named = split.value if (sets.reals / "dataset.json").is_file() else ""
    return MethodResults.without_pairs(sets.results, method, split.value, named_split=named)


def distances(
    shell: Shell,
    subject: MethodResults,
    reals: Path,
    weights: Path | None,
    comparing: Comparing,
    device: Any,
    metrics: Sequence[Metric],
) -> dict[Metric, ResultMetric]:
    """Prepare metrics of `DISTANCES`: load the feature network, and compute the features of the real pictures.

    Args:
        shell: the command's output.
        subject: the results to measure.
        reals: folder or data set of the real pictures.
        weights: weights of the feature network; None for the default weights.
        comparing: the options of the comparison.
        device: device of the network.
        metrics: the metrics to prepare.

    Returns:
        A dict from each metric to an object that computes its value.

    Raises:
        InputError: there are too few pictures, or the weights are missing or not compatible.
    """
    if not metrics:
        return {}
    from maskgan_cli.evaluation import feature_sets
    from maskgan_cli.evaluation.fid import FrechetDistance, load_features
    from maskgan_cli.evaluation.picture_set import pictures_of
    from maskgan_cli.evaluation.results import weights_of

    real = pictures_of(reals, comparing.split.value)
    _check_pictures(shell, subject, real, reals, metrics)
    loaded, file = load_features(comparing.features.value, weights, device)
    network, record = feature_sets.SharedFeatures(loaded), {comparing.features.value: weights_of(loaded, file)}
    cache = None if comparing.no_cache else _features_folder(shell)
    how: dict[str, Any] = {"batch_size": comparing.batch_size, "cache": cache, "watch": watched(shell, "reals")}
    made: dict[Metric, ResultMetric] = {}
    if Metric.FID in metrics:
        fewest = min(len(real), len(subject.paths))
        if comparing.features is Features.INCEPTION and fewest < _ENOUGH:
            shell.say(
                f"FID of {fewest} pictures has a bias that depends on their number: compare it only with FIDs of the "
                "same number of pictures, or use `maskgan eval kid`"
            )
        made[Metric.FID] = FrechetDistance(network, real, reals, record, **how)
    if Metric.KID in metrics or Metric.PRECISION in metrics:
        real_features = feature_sets.features_of(real, network, **how)
        if Metric.KID in metrics:
            made[Metric.KID] = feature_sets.KernelInceptionDistance(network, real_features, real, reals, record)
        if Metric.PRECISION in metrics:
            made[Metric.PRECISION] = feature_sets.PrecisionRecall(network, real_features, real, reals, record)
    return made


def _check_pictures(
    shell: Shell, subject: MethodResults, real: Sequence[Path], reals: Path, metrics: Sequence[Metric]
) -> None:
    """Check the numbers of pictures, and print a message if results and real pictures differ in size.

    Args:
        shell: the command's output.
        subject: the results to measure.
        real: paths of the real pictures.
        reals: folder or data set of the real pictures, for the error message.
        metrics: the metrics to compute; precision needs more pictures than the others.

    Raises:
        InputError: there are too few pictures.
    """
    from maskgan_cli.evaluation.picture_set import side_of
    from maskgan_cli.metrics.manifold import NEIGHBOURS

    least = NEIGHBOURS + 1 if Metric.PRECISION in metrics else 2
    for where, count in ((subject.folder, len(subject.paths)), (reals, len(real))):
        if count < least:
            raise InputError(where, expected=f"at least {'two' if least == 2 else least} pictures", found=str(count))
    side = side_of(real[0])
    if side != subject.size:
        shell.say(f"real pictures have {side} px and results {subject.size} px: the difference affects the metric")


def _features_folder(shell: Shell) -> Path | None:
    """Return the cache folder for features; if the user has no home folder, print a message and return None."""
    from maskgan_cli.weights.cache import NoCacheFolder, cache_folder

    try:
        return cache_folder() / "features"
    except NoCacheFolder as error:
        shell.say(f"features are not cached: {error}")
        return None
