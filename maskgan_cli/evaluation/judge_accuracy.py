"""Measures the accuracy of judges (evaluation networks) by comparing their predictions with a data set's labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import torch
from torch import Tensor

from maskgan_cli.data.head_pose import pose_of
from maskgan_cli.data.prepared import ANGLES, Sample, attributes_of
from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.judging import Watch, predictions
from maskgan_cli.evaluation.method_results import update_metrics
from maskgan_cli.evaluation.segmentation import SegmentationAccuracy
from maskgan_cli.judges.attributes import AttributeJudge
from maskgan_cli.judges.parser import ParserJudge
from maskgan_cli.judges.pose import PoseJudge
from maskgan_cli.metrics.confusion import Confusion, table_agreement
from maskgan_cli.metrics.intervals import of_mean

Measured = tuple[float, dict[str, float], dict[str, Any]]  # the main number, further numbers, counts


def parser_accuracy(judge: ParserJudge, samples: Sequence[Sample], watch: Watch) -> Measured:
    """Measure how well the label maps of a face parser agree with the masks of the data set.

    ``watch`` shows the progress, see `judging.Watch`.

    Returns:
        three results: the pixel accuracy over all faces; a dict of further numbers (mean IoU, accuracy and IoU of each
        class); and a dict with the confusion matrix and the 95 % interval of the accuracy.

    Raises:
        InputError: a sample has no mask.
    """
    metric = SegmentationAccuracy(judge, [s.mask for s in samples])
    update_metrics([s.image for s in samples], [metric], watch)
    values = table_agreement(torch.from_numpy(metric.table).double())
    return values.pop("accuracy"), values, {"pixels": metric.table.tolist(), "interval_95": of_mean(metric.shares)}


def attribute_accuracy(judge: AttributeJudge, samples: Sequence[Sample], watch: Watch) -> Measured:
    """Measure how often the predictions of an attribute classifier agree with the labels of the data set.

    ``watch`` shows the progress, see `judging.Watch`.

    Returns:
        three results: the mean accuracy over the attributes; a dict with accuracy and balanced accuracy of each
        attribute; and a dict with the confusion counts and the 95 % interval of each attribute.

    Raises:
        InputError: the manifest has none of the judge's attributes.
    """
    known = [name for name in judge.names if all(name in sample.fields for sample in samples)]
    if not known:
        raise InputError(
            "the manifest", expected=f"an attribute the classifier knows ({', '.join(judge.names)})", found="none"
        )
    found = torch.cat(list(predictions(judge, [s.image for s in samples], watch))) >= 0.5
    truth = torch.from_numpy(attributes_of(samples, known))
    tables = {name: Confusion.count(truth[:, i], found[:, judge.names.index(name)]) for i, name in enumerate(known)}
    values = {f"accuracy/{name}": table.accuracy for name, table in tables.items()}
    values |= {f"balanced_accuracy/{name}": table.balanced_accuracy for name, table in tables.items()}
    mean = sum(table.accuracy for table in tables.values()) / len(tables)
    return mean, values, {name: t.counts() | {"interval_95": t.interval()} for name, t in tables.items()}


def pose_error(judge: PoseJudge, samples: Sequence[Sample], watch: Watch) -> Measured:
    """Measure the differences between the angles that a head-pose network predicts and those of the data set.

    ``watch`` shows the progress, see `judging.Watch`.

    Returns:
        three results: the mean absolute error over the three angles in degrees; a dict with the error of each angle
        in degrees and the correlation between predicted and labelled angles; and an empty dict.

    Raises:
        InputError: a sample has no angles.
    """
    truth = pose_of(samples)
    found = torch.cat(list(predictions(judge, [s.image for s in samples], watch))).float()
    errors = (found - truth).abs().mean(0)
    values = {f"error/{angle}": float(errors[i]) for i, angle in enumerate(ANGLES)}
    values |= {f"correlation/{a}": _correlation(found[:, i], truth[:, i]) for i, a in enumerate(ANGLES)}
    return float(errors.mean()), values, {}


def _correlation(first: Tensor, second: Tensor) -> float:
    """Return the Pearson correlation of two series (N,); NaN if one series is constant."""
    return float(torch.corrcoef(torch.stack([first, second]))[0, 1])


# Kind of judge -> name of the main number, and the function that measures the judge.
JUDGE_ACCURACY: Final[dict[str, tuple[str, Callable[..., Measured]]]] = {
    "parser": ("pixel accuracy", parser_accuracy),
    "attributes": ("accuracy", attribute_accuracy),
    "pose": ("mean absolute error in degrees", pose_error),
}
