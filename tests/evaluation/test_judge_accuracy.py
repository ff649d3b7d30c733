"""``eval judge``: judges with known predictions have the expected accuracy."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np
import pytest
import torch
from torch import Tensor

from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.judge_accuracy import attribute_accuracy, parser_accuracy, pose_error
from maskgan_cli.files import read_label_map
from tests.conftest import Command


def _watch(batches: Iterable[Any], total: int) -> Iterator[Any]:
    yield from batches


def test_a_parser_that_predicts_skin_everywhere(prepared: Path) -> None:
    samples = PreparedData.load(prepared).split("train")

    def skin(images: Tensor) -> Tensor:
        return torch.ones(len(images), *images.shape[-2:], dtype=torch.uint8)

    accuracy, values, details = parser_accuracy(cast(Any, skin), samples, _watch)
    truth = np.stack([read_label_map(sample.mask) for sample in samples])
    assert accuracy == pytest.approx((truth == 1).mean())
    assert values["iou/skin"] == pytest.approx((truth == 1).mean())
    assert values["accuracy/skin"] == 1.0
    assert values["accuracy/hair"] == values["iou/hair"] == 0.0
    assert np.array(details["pixels"]).sum() == truth.size


def test_a_classifier_that_always_predicts_yes_has_balanced_accuracy_one_half(prepared: Path) -> None:
    samples = PreparedData.load(prepared).split("train")

    class Yes:
        names: ClassVar = ["Smiling", "Wearing_Hat"]

        def __call__(self, images: Tensor) -> Tensor:
            return torch.ones(len(images), 2)

    share = np.mean([sample.fields["Smiling"] == "1" for sample in samples])
    accuracy, values, details = attribute_accuracy(cast(Any, Yes()), samples, _watch)
    assert accuracy == pytest.approx(share)
    assert values == {"accuracy/Smiling": pytest.approx(share), "balanced_accuracy/Smiling": 0.5}
    assert details["Smiling"]["misses"] == details["Smiling"]["rejections"] == 0
    with pytest.raises(InputError, match="expected an attribute the classifier knows"):
        Yes.names = ["Bald"]
        attribute_accuracy(cast(Any, Yes()), samples, _watch)


def test_a_pose_with_a_constant_error_has_correlation_one(prepared: Path) -> None:
    samples = PreparedData.load(prepared).split("train")
    angles = iter([[float(s.fields[a]) + 2 for a in ("yaw", "pitch", "roll")] for s in samples])

    def off(images: Tensor) -> Tensor:
        return torch.tensor([next(angles) for _ in images])

    error, values, _ = pose_error(cast(Any, off), samples, _watch)
    assert error == pytest.approx(2.0, abs=1e-4)
    assert values["correlation/yaw"] == pytest.approx(1.0, abs=1e-4)


def test_the_command_prints_one_document(prepared: Path, tmp_path: Path, maskgan: Command) -> None:
    train = (
        "--device",
        "cpu",
        "-q",
        "--set",
        "network.image_size=64",
        "--set",
        "network.width=4",
        "--set",
        "data.batch_size=4",
        "--set",
        "schedule.steps=1",
        "--set",
        "schedule.validation_samples=2",
        "--set",
        "schedule.decay_from=null",
    )
    assert maskgan("train", "parser", prepared, "-o", tmp_path / "p", *train).code == 0
    outcome = maskgan("eval", "judge", "parser", prepared, "-w", tmp_path / "p", "--device", "cpu", "--split", "val")
    document = json.loads(outcome.out)
    assert (document["metric"], document["n"], document["split"]) == ("parser pixel accuracy", 4, "val")
    assert len(document["weights"]["parser"]["sha256"]) == 64
    assert "pixel accuracy" in outcome.err
    wrong = maskgan("eval", "judge", "hair", prepared)
    assert (wrong.code, wrong.out) == (2, "")
    assert "'hair' is not one of 'parser', 'attributes', 'pose'" in wrong.err
