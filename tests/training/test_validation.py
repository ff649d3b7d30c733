"""Measures of painted faces, their intervals, and the weights of the best validation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from maskgan_cli.data.dataset import FaceDataset, first_samples
from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.files import sha256
from maskgan_cli.judges.parser import load_parser
from maskgan_cli.metrics.kernel import kernel_distance
from maskgan_cli.training.best import goodness
from maskgan_cli.training.callbacks import TrainingCallbacks
from maskgan_cli.training.loop import Interrupted
from maskgan_cli.training.measures import PaintingMeasures, ValidationSettings
from maskgan_cli.training.run import Order, train
from maskgan_cli.training.tasks.dmn import DMNRecipe, prepare_training
from maskgan_cli.weights.format import read_weights
from maskgan_cli.weights.lookup import find_weights
from tests.conftest import Command

CHANGES = (
    "network.width=4",
    "network.style_width=4",
    "discriminator.width=4",
    "perceptual.width=4",
    "data.batch_size=4",
    "schedule.validation_samples=4",
    "schedule.decay_from=null",
    "schedule.log_every=100",
)


def test_measures_of_the_photos_themselves(prepared: Path) -> None:
    batch = first_samples(FaceDataset(PreparedData.load(prepared).split("train"), 64, cache=True), 6)
    photos, device = batch.images, torch.device("cpu")
    parser = load_parser(find_weights(None, "parser"), device)
    measures = PaintingMeasures.of(ValidationSettings(every=1), device, 4)
    assert measures is not None
    same = measures(photos, photos, parser(photos))
    assert (same["val_sharpness"], same["val_mask_accuracy"]) == (1.0, 1.0)
    half = measures((photos.float() / 2).to(torch.uint8), photos, batch.labels)
    assert half["val_sharpness"] == pytest.approx(0.5, abs=0.02)
    features = [parser.features(x).numpy() for x in ((photos.float() / 2).to(torch.uint8), photos)]
    assert half["val_kernel_distance"] == pytest.approx(kernel_distance(*features).mean, rel=1e-3)
    assert half["val_kernel_distance"] > same["val_kernel_distance"]
    assert PaintingMeasures.of(ValidationSettings(), device, 4) is None


def test_goodness_is_higher_for_better_values() -> None:
    assert goodness("val_psnr", 30) > goodness("val_psnr", 20)
    assert goodness("val_l1", 0.1) > goodness("val_l1", 0.2)
    assert goodness("val_kernel_distance", -0.01) > goodness("val_kernel_distance", 0.2)
    assert goodness("val_sharpness", 0.9) > goodness("val_sharpness", 1.3) > goodness("val_sharpness", 0.5)
    assert not goodness("val_l1", float("nan")) > goodness("val_l1", 1.0)


def _order(prepared: Path, out: Path, *changes: str) -> Order:
    return Order("dmn", DMNRecipe, prepare_training, prepared, out, changes=[*CHANGES, *changes])


def _lines(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def test_intervals_of_measures_and_best_weights(prepared: Path, tmp_path: Path) -> None:
    settings = (
        "schedule.steps=7",
        "schedule.validate_every=3",
        "validation.every=2",
        "schedule.checkpoint_every=2",
        "schedule.best=val_sharpness",
    )
    whole = train(_order(prepared, tmp_path / "whole", *settings), TrainingCallbacks("cpu"))
    lines = {line["step"]: line for line in _lines(tmp_path / "whole") if "lr" not in line}
    assert {step: ("val_l1" in line, "val_sharpness" in line) for step, line in lines.items()} == {
        2: (False, True),
        3: (True, False),
        4: (False, True),
        6: (True, True),
        7: (True, True),
    }
    assert {"val_mask_accuracy", "val_kernel_distance", "val_psnr"} <= lines[7].keys()
    measured = {step: line["val_sharpness"] for step, line in lines.items() if "val_sharpness" in line}
    best = max(measured, key=lambda step: goodness("val_sharpness", measured[step]))
    kept = read_weights(tmp_path / "whole" / "best", "dmn")
    assert (kept.about["step"], kept.about["metrics"]["val_sharpness"]) == (best, measured[best])
    assert whole.progress.best == {"step": best, "val_sharpness": measured[best]}
    assert read_weights(tmp_path / "whole", "dmn").about["step"] == 7

    calls: list[int] = []

    def stop() -> bool:
        calls.append(1)
        return len(calls) == 5

    with pytest.raises(Interrupted):
        train(_order(prepared, tmp_path / "resumed", *settings), TrainingCallbacks("cpu", stop))
    train(_order(prepared, tmp_path / "resumed", *settings), TrainingCallbacks("cpu"))
    for name in ("model.safetensors", "best/model.safetensors"):
        assert sha256(tmp_path / "resumed" / name) == sha256(tmp_path / "whole" / name), name


def test_schedule_best_must_name_a_measure(prepared: Path, tmp_path: Path, maskgan: Command) -> None:
    words = [
        word for change in (*CHANGES, "schedule.steps=1", "schedule.best=val_beauty") for word in ("--set", change)
    ]
    outcome = maskgan("train", "dmn", prepared, "--device", "cpu", "-o", tmp_path / "run", *words)
    assert outcome.code == 2
    assert "schedule.best: expected one of val_l1, val_psnr, found val_beauty" in outcome.err
