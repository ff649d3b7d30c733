"""MaskVAE's training: it learns, validates, resumes with the same bits, and stops at NaN."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from safetensors.torch import load_file

from maskgan_cli.config import load_recipe
from maskgan_cli.data.dataset import FaceDataset, first_samples
from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.errors import WorkError
from maskgan_cli.files import read_image
from maskgan_cli.training.tasks.mask_vae import VAERecipe, VAETask, prepare_training
from maskgan_cli.weights.format import load, read_weights
from tests.conftest import TINY_VAE, Command, plan

CHANGES = [TINY_VAE[i + 1] for i in range(len(TINY_VAE)) if TINY_VAE[i] == "--set"]


def _recipe(*changes: str) -> VAERecipe:
    return load_recipe(VAERecipe, "vae", "tiny-cpu", [*CHANGES, *changes])


def _task(prepared: Path, *changes: str) -> tuple[VAETask, FaceDataset]:
    dataset = FaceDataset(PreparedData.load(prepared).split("train"), 64, cache=True)
    return VAETask(_recipe(*changes), Accelerator(cpu=True), first_samples(dataset, 4)), dataset


def test_reconstruction_improves(prepared: Path) -> None:
    task, dataset = _task(prepared, "optimiser.lr=1e-2")
    batch = first_samples(dataset, 4)
    before = task.validate()["val_accuracy"]
    for _ in range(40):
        terms = task.step(batch)
    assert task.validate()["val_accuracy"] > max(0.75, before + 0.2)
    assert set(terms) == {"cross_entropy", "kl"}
    assert task.vae.training, "validation must leave batch norm in training mode"


def test_the_dice_loss_is_logged_and_falls(prepared: Path) -> None:
    task, dataset = _task(prepared, "optimiser.lr=1e-2", "loss.dice=1")
    batch = first_samples(dataset, 4)
    losses = [float(task.step(batch)["dice"].detach()) for _ in range(30)]
    assert 0 < losses[-1] < 0.8 * losses[0] < 1


def test_a_large_kl_weight_removes_the_information_from_the_code(prepared: Path) -> None:
    task, dataset = _task(prepared, "loss.kl=10", "optimiser.lr=1e-2")
    batch = first_samples(dataset, 4)
    first = float(task.step(batch)["kl"].detach())
    for _ in range(40):
        terms = task.step(batch)
    assert float(terms["kl"].detach()) < 0.1 * first


def test_the_weight_of_kl_rises_linearly_during_the_warm_up(prepared: Path) -> None:
    task, dataset = _task(prepared, "loss.kl=0.5", "loss.kl_warmup=4")
    batch, weights = first_samples(dataset, 2), []
    for _ in range(6):
        task.step(batch)
        weights.append(float(task.kl_weight()))
    assert weights == [0.125, 0.25, 0.375, 0.5, 0.5, 0.5]
    assert float(_task(prepared)[0].kl_weight()) == 0.0  # before any batch
    steady, _ = _task(prepared, "loss.kl=0.5")
    steady.step(batch)
    assert float(steady.kl_weight()) == 0.5


def test_equal_seeds_of_torch_give_equal_losses(prepared: Path) -> None:
    """The loop seeds torch from (seed, step)."""
    losses = []
    for seed in (1, 1, 2):
        task, dataset = _task(prepared)
        torch.manual_seed(seed)
        losses.append(float(task.step(first_samples(dataset, 4))["cross_entropy"].detach()))
    assert losses[0] == losses[1] != losses[2]


def test_resumed_equals_uninterrupted(prepared: Path, tmp_path: Path, maskgan: Command) -> None:
    whole, parted = tmp_path / "whole", tmp_path / "parted"
    common = ("--set", "schedule.log_every=2", "--set", "loss.kl_warmup=5", "-q", *TINY_VAE)
    assert maskgan("train", "vae", prepared, "-o", whole, "--set", "schedule.steps=6", *common).code == 0
    for steps in (3, 6):
        call = ("train", "vae", prepared, "-o", parted, "--set", f"schedule.steps={steps}", *common)
        assert maskgan(*call).code == 0
    a, b = (load_file(run / "state" / "step-000006" / "vae.safetensors") for run in (whole, parted))
    assert all(torch.equal(a[key], b[key]) for key in a)
    assert (whole / "model.safetensors").read_bytes() == (parted / "model.safetensors").read_bytes()


def test_a_run_writes_weights_metrics_and_samples(vae_weights: Path, prepared: Path) -> None:
    weights = read_weights(vae_weights, "vae")
    assert weights.config == {"image_size": 64, "width": 4, "max_width": 128, "latent": 16}
    assert (weights.about["step"], weights.about["data"]["hash"]) == (3, PreparedData.load(prepared).hash)
    network, _ = load("vae", vae_weights, torch.device("cpu"))
    assert not network.training
    assert network.batches_seen == 3
    assert read_image(vae_weights / "samples" / "step-000003.png").shape == (4 * 64, 2 * 64, 3)
    lines = [json.loads(line) for line in (vae_weights / "metrics.jsonl").read_text().splitlines()]
    assert {"step", "val_accuracy", "val_miou", "val_accuracy/skin"} <= lines[-1].keys()


def test_classes_are_logged_and_not_shown(prepared: Path, tmp_path: Path, maskgan: Command) -> None:
    outcome = maskgan("train", "vae", prepared, "-o", tmp_path / "run", *TINY_VAE, "--set", "schedule.steps=1")
    assert outcome.lines == [str(tmp_path / "run" / "model.safetensors")]
    assert "val_miou" in outcome.err
    assert "val_accuracy/skin" not in outcome.err


def test_nan_stops_the_run_before_weights_are_written(prepared: Path, tmp_path: Path) -> None:
    loop = prepare_training(plan(prepared, tmp_path / "run"), _recipe("schedule.steps=2"))
    vae: Any = loop.task.networks["vae"]
    bias = vae.to_mean.bias
    with torch.no_grad():
        bias.fill_(float("nan"))  # type: ignore[operator,union-attr]
    with pytest.raises(WorkError, match="the loss cross_entropy became nan after step 0"):
        list(loop.steps())
    assert not (tmp_path / "run" / "model.safetensors").exists()


def test_data_of_another_size_raise_an_error(prepared: Path, tmp_path: Path, maskgan: Command) -> None:
    outcome = maskgan("train", "vae", prepared, "--recipe", "small-256", "-o", tmp_path / "run")
    assert outcome.code == 2
    assert "expected a data set of 256 px (network.image_size), found 64 px" in outcome.err
    assert not (tmp_path / "run").exists()


def test_trained_weights_can_initialise_it(vae_weights: Path, prepared: Path, tmp_path: Path, maskgan: Command) -> None:
    outcome = maskgan(
        "train",
        "vae",
        prepared,
        "-o",
        tmp_path / "run",
        *TINY_VAE,
        "--start-from",
        vae_weights,
        "--set",
        "schedule.steps=1",
        "--set",
        "optimiser.lr=1e-9",
        "--seed",
        5,
    )
    assert outcome.code == 0, outcome.err
    begun, trained = (read_weights(where, "vae").tensors for where in (tmp_path / "run", vae_weights))
    for name in trained:
        if "running" not in name and "num_batches" not in name:
            torch.testing.assert_close(begun[name], trained[name], atol=1e-7, rtol=0)
