"""How far a judge can be trusted: what it says of a data set's faces against what the data set says of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import torch
from torch import Tensor

from maskgan_cli.data.pose import pose_of
from maskgan_cli.data.prepared import ANGLES, Sample, attributes_of
from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.judging import Watch, judged
from maskgan_cli.evaluation.segmentation import SegmentationAccuracy
from maskgan_cli.evaluation.subject import show
from maskgan_cli.judges.attributes import AttributeJudge
from maskgan_cli.judges.parser import ParserJudge
from maskgan_cli.judges.pose import PoseJudge
from maskgan_cli.metrics.confusion import Confusion, table_agreement
from maskgan_cli.metrics.intervals import of_mean

Measured = tuple[float, dict[str, float], dict[str, Any]]  # the headline, further numbers, what was counted


def trust_parser(judge: ParserJudge, samples: Sequence[Sample], watch: Watch) -> Measured:
    """Pixel accuracy over all pixels of all faces; mean IoU and both per class.

    Raises:
        InputError: a sample without a mask.
    """
    measure = SegmentationAccuracy(judge, [s.mask for s in samples])
    show([s.image for s in samples], [measure], watch)
    values = table_agreement(torch.from_numpy(measure.table).double())
    return values.pop("accuracy"), values, {"pixels": measure.table.tolist(), "interval_95": of_mean(measure.shares)}


def trust_attributes(judge: AttributeJudge, samples: Sequence[Sample], watch: Watch) -> Measured:
    """Accuracy, the mean over the attributes; accuracy and balanced accuracy of each, and its confusion table.

    Raises:
        InputError: none of the judge's attributes is in the manifest.
    """
    known = [name for name in judge.names if all(name in sample.fields for sample in samples)]
    if not known:
        raise InputError(
            "the manifest", expected=f"an attribute the classifier knows ({', '.join(judge.names)})", found="none"
        )
    answers = torch.cat(list(judged(judge, [s.image for s in samples], watch))) >= 0.5
    truth = torch.from_numpy(attributes_of(samples, known))
    tables = {name: Confusion.count(truth[:, i], answers[:, judge.names.index(name)]) for i, name in enumerate(known)}
    values = {f"accuracy/{name}": table.accuracy for name, table in tables.items()}
    values |= {f"balanced_accuracy/{name}": table.balanced_accuracy for name, table in tables.items()}
    mean = sum(table.accuracy for table in tables.values()) / len(tables)
    return mean, values, {name: t.counts() | {"interval_95": t.interval()} for name, t in tables.items()}


def trust_pose(judge: PoseJudge, samples: Sequence[Sample], watch: Watch) -> Measured:
    """Mean absolute error in degrees, over the three angles and of each; and their correlation with the truth.

    Raises:
        InputError: a sample without angles.
    """
    truth = pose_of(samples)
    found = torch.cat(list(judged(judge, [s.image for s in samples], watch))).float()
    errors = (found - truth).abs().mean(0)
    values = {f"error/{angle}": float(errors[i]) for i, angle in enumerate(ANGLES)}
    values |= {f"correlation/{a}": _correlation(found[:, i], truth[:, i]) for i, a in enumerate(ANGLES)}
    return float(errors.mean()), values, {}


def _correlation(first: Tensor, second: Tensor) -> float:
    """Pearson's; NaN where one of them never changes."""
    return float(torch.corrcoef(torch.stack([first, second]))[0, 1])


TRUST: Final[dict[str, tuple[str, Callable[..., Measured]]]] = {
    "parser": ("pixel accuracy", trust_parser),
    "attributes": ("accuracy", trust_attributes),
    "pose": ("mean absolute error in degrees", trust_pose),
}
