"""Tests of label-map agreement and confusion counts against values computed by hand."""

from __future__ import annotations

import pytest
import torch

from maskgan_cli.metrics.confusion import Confusion, agreement


def test_agreement_with_one_of_four_pixels_wrong() -> None:
    truth = torch.tensor([[[0, 0], [1, 1]]], dtype=torch.uint8)
    guess = torch.tensor([[[0, 0], [1, 5]]], dtype=torch.uint8)
    values = agreement(truth, guess)
    assert values == {
        "accuracy": 0.75,
        "miou": pytest.approx((1 + 0.5 + 0) / 3),  # background, skin, and r_eye, which only the prediction contains
        "accuracy/background": 1.0,
        "accuracy/skin": 0.5,
        "iou/background": 1.0,
        "iou/skin": 0.5,
        "iou/r_eye": 0.0,
    }


def test_confusion_of_six_predictions() -> None:
    truth = torch.tensor([True, True, True, True, False, False])
    table = Confusion.count(truth, torch.tensor([True, True, True, False, True, False]))
    assert vars(table) == {"true_positives": 3, "false_negatives": 1, "false_positives": 1, "true_negatives": 1}
    counts = {"hits": 3, "misses": 1, "alarms": 1, "rejections": 1}
    assert {name: table.as_dict()[name] for name in counts} == counts, "keys of earlier reports"
    assert table.accuracy == pytest.approx(4 / 6)
    assert table.balanced_accuracy == pytest.approx((3 / 4 + 1 / 2) / 2)


def test_balanced_accuracy_without_negative_samples() -> None:
    assert Confusion.count(torch.ones(4) > 0, torch.tensor([True, True, True, False])).balanced_accuracy == 0.75
