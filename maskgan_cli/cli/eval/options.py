"""Options and functions that the commands of ``eval`` share."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.shell import Shell, emit
from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.choices import Features, Split

if TYPE_CHECKING:
    from maskgan_cli.data.prepared import PreparedData, Sample
    from maskgan_cli.evaluation.method_results import MethodResults, ResultMetric
    from maskgan_cli.evaluation.results import MetricResult

Results = Annotated[Path, typer.Argument(metavar="RESULTS", help="Folder with the results of one method.")]
Reals = Annotated[
    Path, typer.Argument(metavar="REALS", help="Real pictures to compare with: a folder, or a prepared data set.")
]
Pairs = Annotated[Path, typer.Option("--pairs", help="The CSV of `maskgan eval pairs` that the results are of.")]

BatchSize = Annotated[int, typer.Option("--batch-size", min=1, help="Pictures in a batch.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Also write the output to this file.")]
SplitOf = Annotated[Split, typer.Option("--split", help="Split of a prepared data set.")]


def judge_option(option: str, what: str) -> Any:
    """Return a Typer option for the weights of an evaluation network; ``what`` names the network in the help."""
    return typer.Option(option, *(["-w"] if option == "--weights" else []), help=f"Run folder or file of {what}.")


CLASSIFIER = "the attribute classifier (`maskgan train attributes`)"
PARSER = "the face parser (`maskgan train parser`)"
EMBEDDER = "the identity network (`maskgan train identity`)"
INCEPTION = "the network of --features; for inception, pytorch-fid's pt_inception-2015-12-05-6726825d.pth"


@dataclass(frozen=True)
class MeasurementOptions:
    """Options of all commands that measure the results of one method."""

    method: Annotated[
        str | None, typer.Option("--method", help="Name of the method in tables. Default: the name of the folder.")
    ] = None
    device: options.Device = "auto"
    out: Out = None
    overwrite: options.Overwrite = False


@dataclass(frozen=True)
class MaskFiles:
    """Options for reading the masks of the edits."""

    masks: Annotated[
        Path | None, typer.Option("--masks", help="Folder of the edited masks, if they are not beside the results.")
    ] = None
    order: options.Order = options.CELEBAMASK
    force: Annotated[
        bool, typer.Option("--force", help="Accept masks whose parts look as if --order were another one.")
    ] = False

    def rules(self) -> AbstractContextManager[None]:
        """Return a context manager that applies ``--order`` and ``--force`` to all masks that are read in its block."""
        from maskgan_cli.data.given_masks import MaskRules, mask_rules

        return mask_rules(MaskRules(self.order.value, self.force, any_shape=True))


@dataclass(frozen=True)
class Threshold:
    """Options that set the threshold: the minimum cosine similarity at which two faces count as one person."""

    threshold: Annotated[
        float | None,
        typer.Option("--threshold", min=-1, max=1, help="Least cosine of the same person. Default: the network's own."),
    ] = None
    threshold_from: Annotated[
        Path | None,
        typer.Option("--threshold-from", help="Take the threshold of this JSON of `maskgan eval verify`."),
    ] = None

    def chosen(self) -> float | Path | None:
        """Return the threshold, or the file that contains the threshold; None to use the network's own threshold.

        Raises:
            InputError: both options are given.
        """
        if self.threshold is not None and self.threshold_from is not None:
            raise InputError("--threshold", expected="--threshold or --threshold-from", found="both")
        return self.threshold if self.threshold_from is None else self.threshold_from


@dataclass(frozen=True)
class Comparing:
    """Options of metrics that compare the features of real pictures and of results."""

    features: Annotated[
        Features,
        typer.Option("--features", help="Network that computes the features; only inception gives the standard FID."),
    ] = Features.INCEPTION
    split: SplitOf = Split.TEST
    batch_size: BatchSize = 32
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Do not read or write cached features of the real pictures.")
    ] = False


@dataclass(frozen=True)
class LabelledFaces:
    """Options of commands that measure an evaluation network against the labels of a data set."""

    data: options.Data
    split: SplitOf = Split.TEST
    out: Out = None
    device: options.Device = "auto"
    overwrite: options.Overwrite = False

    def load(self) -> tuple[PreparedData, list[Sample]]:
        """Check that the output may be written; return the data set and the samples of the chosen split.

        Raises:
            InputError: the output exists, or the data set is missing or has no such samples.
        """
        check_early(self.out, self.overwrite, data=self.data)
        from maskgan_cli.data.prepared import PreparedData

        prepared = PreparedData.load(self.data)
        return prepared, prepared.split(self.split.value)


def results_of(measuring: MeasurementOptions, results: Path, pairs: Path) -> MethodResults:
    """Check output and inputs, then return one method's results for all pairs of a list.

    Args:
        measuring: the options of the command.
        results: folder of the method's results.
        pairs: the list of pairs (CSV) of `maskgan eval pairs`.

    Raises:
        InputError: the output exists, or an input is missing or not valid.
    """
    check_early(measuring.out, measuring.overwrite, results=results, pairs=pairs)
    from maskgan_cli.evaluation.method_results import MethodResults

    return MethodResults.of(results, pairs, measuring.method)


def measured(
    shell: Shell, subject: MethodResults, measures: Sequence[ResultMetric], label: str, batch_size: int = 32
) -> list[MetricResult]:
    """Compute several metrics in one pass over the results of a method, with a progress bar.

    Args:
        shell: the command's output.
        subject: the results of the method.
        measures: the metrics.
        label: text of the progress bar.
        batch_size: number of results that are read at a time.

    Returns:
        For each metric, an object with its value and details, in the order of ``measures``.
    """
    from maskgan_cli.evaluation.method_results import update_metrics

    update_metrics(subject.paths, measures, watched(shell, label), batch_size=batch_size)
    return [measure.compute(subject) for measure in measures]


def check_early(
    out: Path | None,
    overwrite: bool,
    *,
    results: Path | None = None,
    pairs: Path | None = None,
    data: Path | None = None,
    reals: Path | None = None,
    files: Sequence[Path] = (),
) -> None:
    """Check outputs and inputs before PyTorch is imported and the work starts.

    If the output exists and may contain the result of the same measurement, no error is raised here. After the
    measurement, `keep` compares the content of the file with the new result.

    Args:
        out: the file to write; None to write no file.
        overwrite: replace ``out``.
        results: folder of the results to measure.
        pairs: CSV file of the pairs.
        data: a prepared data set.
        reals: folder or data set of the real pictures.
        files: JSON files to read.

    Raises:
        InputError: the output exists and contains something else, or an input is missing.
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
    """Return whether the JSON file ``out`` contains measurements and nothing else.

    If ``results`` is given, the measurements must also be those of the results in this folder.
    """
    from maskgan_cli.files import read_json

    try:
        found = read_json(out)
        documents = found if isinstance(found, list) else [found]
        places = [document["inputs"]["results"]["path"] for document in documents] if results is not None else []
        return all("metric" in document for document in documents) and all(place == str(results) for place in places)
    except (InputError, LookupError, TypeError):
        return False


def keep(shell: Shell, out: Path, data: bytes, overwrite: bool) -> bool:
    """Write ``data`` to ``out`` and return False; if an identical file exists, print a message and return True.

    Raises:
        InputError: the file exists with other content, and ``overwrite`` is false.
    """
    from maskgan_cli.files import keep_or_write

    kept = keep_or_write(out, data, overwrite=overwrite)
    if kept:
        shell.say(f"kept {out}, which already holds this output")
    return kept


def watched(shell: Shell, label: str) -> Callable[[Iterable[Any], int], Iterator[Any]]:
    """Return a function ``f(items, total)`` that yields the items and shows a progress bar with the text ``label``."""
    return lambda items, total: shell.track(items, total, label)


def conclude(shell: Shell, found: MetricResult | list[MetricResult], out: Path | None, overwrite: bool) -> None:
    """Print measurements as JSON (also without ``--json``), and write this JSON to the file ``out`` if it is given."""
    from maskgan_cli.files import encode_json

    results = found if isinstance(found, list) else [found]
    documents = [result.document() for result in results]
    document = documents if isinstance(found, list) else documents[0]
    for result in results:
        value = "none" if result.value is None else f"{result.value:.4f}"
        interval = result.document()["intervals"].get(result.metric)
        shown = f", 95 % interval {interval[0]:.4f} to {interval[1]:.4f}" if interval else ""
        shell.say(f"{result.metric} of {result.method}: {value} (n = {result.n}{shown})")
    emit(json.dumps(document, indent=2))
    if out is not None:
        keep(shell, out, encode_json(document), overwrite)
        shell.say(f"next: {shlex.join(['maskgan', 'eval', 'report', str(out)])}")
