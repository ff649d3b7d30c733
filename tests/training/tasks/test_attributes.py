"""Attribute classifiers: training, balancing of rare attributes, validation, data without masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate import Accelerator

from maskgan_cli.config import load_recipe
from maskgan_cli.data.dataset import Batch
from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.judges.attributes import load_attributes
from maskgan_cli.models.attributes import AttributeNet
from maskgan_cli.training.start import initialise, read_start
from maskgan_cli.training.tasks.attributes import AttributeRecipe, AttributeTask, Truth
from maskgan_cli.weights.format import save_weights
from tests.conftest import Command

SMALL = ["network.image_size=32", "network.width=8", "network.blocks=[1,1,1,1]", "optimiser.lr=3e-3"]


def _task(count: int, rare: float, *changes: str) -> tuple[AttributeTask, Batch]:
    """Pictures whose top (first attribute) or left half (second one) is light or dark, and a task for them."""
    rng = np.random.default_rng(0)
    truth = torch.tensor(np.stack([rng.random(count) < rare, rng.random(count) < 0.5], 1), dtype=torch.float32)
    pictures = rng.integers(0, 120, (count, 3, 32, 32))
    pictures[:, :, :16] += (100 * truth[:, 0].numpy().astype(int))[:, None, None, None]
    pictures[:, :, :, :16] += (100 * truth[:, 1].numpy().astype(int))[:, None, None, None]
    images = torch.from_numpy(np.clip(pictures, 0, 255).astype(np.uint8))
    batch = Batch(images, torch.empty(count, 0, 0), torch.arange(count), torch.zeros(count, dtype=torch.bool))
    recipe = load_recipe(AttributeRecipe, "attributes", "tiny-cpu", [*SMALL, "network.names=[Top,Left]", *changes])
    return AttributeTask(recipe, Accelerator(cpu=True), Truth(truth, truth), batch), batch


def test_it_learns_two_attributes_and_the_judge_predicts_the_same(tmp_path: Path) -> None:
    task, batch = _task(64, 0.5)
    for step in range(40):
        torch.manual_seed(step)
        task.step(batch)
    values = task.validate()
    assert values["val_accuracy"] > 0.9
    assert values["val_hits/Top"] + values["val_misses/Top"] == task.validation_truth[:, 0].sum()
    task.save_model(tmp_path / "model.safetensors", {})
    judge = load_attributes(tmp_path, torch.device("cpu"))
    assert judge.names == ["Top", "Left"]
    answers = judge(batch.images) > 0.5
    assert float((answers == (task.validation_truth > 0)).float().mean()) == pytest.approx(values["val_accuracy"])
    assert judge.features(batch.images).shape == (64, 64)


def test_balancing_gives_faces_with_and_without_an_attribute_the_same_weight() -> None:
    task, batch = _task(100, 0.1, "balance=true")
    truth = task.truth
    weights = torch.where(truth > 0, task.weight[1], task.weight[0])
    for column in range(2):
        having, lacking = weights[truth[:, column] > 0, column].sum(), weights[truth[:, column] == 0, column].sum()
        assert float(having) == pytest.approx(float(lacking), rel=1e-4)
        assert float(having + lacking) == pytest.approx(100, rel=1e-4)
    assert torch.isfinite(task.step(batch)["cross_entropy"])


def test_attributes_are_read_from_the_manifest_and_missing_ones_are_named(
    prepared: Path, maskgan: Command, tmp_path: Path
) -> None:
    data = PreparedData.load(prepared)
    truth = Truth.read(data, ("Smiling", "Male"))
    for table, split in ((truth.train, "train"), (truth.val, "val")):
        assert table[:, 0].tolist() == [float(s.fields["Smiling"] == "1") for s in data.split(split)]
    outcome = maskgan(
        "train",
        "attributes",
        prepared,
        "--attributes",
        "Smilling",
        "--set",
        "network.image_size=64",
        "-o",
        tmp_path / "run",
    )
    assert outcome.code == 2
    assert "expected the attribute Smilling in manifest.csv, found attributes Male, Smiling" in outcome.err
    assert not (tmp_path / "run").exists()


def test_training_needs_no_masks(raw: Path, tmp_path: Path, maskgan: Command) -> None:
    unmasked = tmp_path / "raw"
    unmasked.mkdir()
    for entry in raw.iterdir():
        if entry.name != "CelebAMask-HQ-mask-anno":
            (unmasked / entry.name).symlink_to(entry)
    failed = maskgan("prep-data", unmasked, tmp_path / "data", "--size", "64")
    assert failed.code == 2
    assert "--images-only prepares a data set without masks" in failed.err
    assert (
        maskgan("prep-data", unmasked, tmp_path / "data", "--size", "64", "--images-only", "--workers", "1").code == 0
    )
    data = PreparedData.load(tmp_path / "data")
    assert len(data.samples) == 20
    assert data.info["classes"] == []
    tiny = (
        "--set",
        "network.image_size=64",
        "--set",
        "network.width=8",
        "--set",
        "data.batch_size=4",
        "--device",
        "cpu",
    )
    steps = ("--set", "schedule.steps=2", "--set", "schedule.validation_samples=4", "--set", "schedule.decay_from=null")
    done = maskgan("train", "attributes", data.root, "--attributes", "Smiling", *tiny, *steps, "-o", tmp_path / "run")
    assert done.lines == [str(tmp_path / "run" / "model.safetensors")]
    wrong = maskgan("train", "vae", data.root, "--device", "cpu", "-o", tmp_path / "vae")
    assert wrong.code == 2
    assert "expected a face with its mask, found a data set without masks" in wrong.err
    report = maskgan("check-data", data.root, "--workers", "1")
    assert report.code == 0, report.err


def test_a_trunk_can_initialise_a_classifier(tmp_path: Path) -> None:
    recipe = load_recipe(AttributeRecipe, "attributes", "tiny-cpu", SMALL)
    network, donor = AttributeNet(recipe.network), AttributeNet(recipe.network)
    head = network.head.weight.clone()
    save_weights(tmp_path / "r.safetensors", donor.trunk, kind="resnet18", config={}, about={})
    initialise(network, read_start(tmp_path / "r.safetensors", "attributes"), "attributes")
    assert all(map(torch.equal, network.trunk.state_dict().values(), donor.trunk.state_dict().values()))
    assert torch.equal(network.head.weight, head)
