"""SEAN's training: rates and betas of its paper, no KL divergence, falling losses."""

from __future__ import annotations

from pathlib import Path

from accelerate import Accelerator

from maskgan_cli.data.dataset import FaceDataset, first_samples
from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.models.perceptual import VGG19Features
from maskgan_cli.training.perceptual_features import feature_network
from maskgan_cli.training.tasks.sean import SEANTask
from tests.training.tasks.test_baselines import recipe_of


def test_reconstruction_improves_at_the_papers_rates(prepared: Path) -> None:
    changes = (
        "optimiser.lr=4e-3",
        "network.width=4",
        "network.hidden=8",
        "network.style=16",
        "network.encoder_width=4",
    )
    recipe = recipe_of("sean", *changes)
    batch = first_samples(FaceDataset(PreparedData.load(prepared).split("train"), 64, cache=True), 4)
    features, _ = feature_network(recipe.perceptual)
    assert isinstance(features, VGG19Features)
    task = SEANTask(recipe, Accelerator(cpu=True), features, batch)
    before = task.validate()["val_l1"]
    for _ in range(30):
        terms = task.step(batch)
    assert task.validate()["val_l1"] < 0.8 * before
    assert set(terms) == {"adversarial", "feature_matching", "pixel", "perceptual", "discriminator"}
    rates = {name: optimiser.param_groups[0]["lr"] for name, optimiser in task.optimisers.items()}
    assert rates == {"sean": 2e-3, "discriminator": 8e-3}
    assert task.optimisers["sean"].param_groups[0]["betas"] == (0.0, 0.999)
