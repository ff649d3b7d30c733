"""SPADE's training: two learning rates, two generated pictures in a step, KL of the whole batch, falling losses."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from accelerate import Accelerator

from maskgan_cli.data.dataset import Batch, FaceDataset, first_samples
from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.errors import InputError
from maskgan_cli.models.layers import one_hot, to_unit
from maskgan_cli.models.perceptual import VGG19Features
from maskgan_cli.training import losses
from maskgan_cli.training.perceptual_features import feature_network
from maskgan_cli.training.tasks.spade import SPADETask
from tests.training.tasks.test_baselines import loop_of, recipe_of


def _task(prepared: Path, *changes: str) -> tuple[SPADETask, Batch]:
    recipe = recipe_of("spade", *changes)
    batch = first_samples(FaceDataset(PreparedData.load(prepared).split("train"), 64, cache=True), 4)
    features, _ = feature_network(recipe.perceptual)
    assert isinstance(features, VGG19Features)
    return SPADETask(recipe, Accelerator(cpu=True), features, batch), batch


def test_generator_and_discriminator_learn_at_half_and_twice_the_rate(prepared: Path, tmp_path: Path) -> None:
    loop = loop_of("spade", prepared, tmp_path / "run", "schedule.steps=1", "optimiser.lr=2e-4")
    list(loop.steps())
    rates = {name: o.param_groups[0]["lr"] for name, o in loop.task.optimisers.items()}
    assert rates == {"spade": 1e-4, "discriminator": 4e-4}
    assert loop.task.optimisers["spade"].param_groups[0]["betas"] == (0.0, 0.9)


def test_kl_is_summed_over_the_batch_of_all_processes(prepared: Path) -> None:
    task, batch = _task(prepared)
    mask, real = one_hot(batch.labels), to_unit(batch.images)
    encoder = task.generator.network.encoder
    assert encoder is not None
    encoder.eval()  # so that a second pass has the same spectral norms
    kl = task.generate(mask, real)[1]["kl"]
    mean, log_variance = encoder(real)
    expected = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum()
    torch.testing.assert_close(kl, expected)
    half = losses.kl_divergence(*encoder(real[:2])) * task.recipe.data.batch_size  # of one of two processes
    other = losses.kl_divergence(*encoder(real[2:])) * task.recipe.data.batch_size
    torch.testing.assert_close((half + other) / 2, expected)


def test_fake_and_real_are_one_batch_and_the_discriminator_gets_a_new_fake(prepared: Path) -> None:
    task, batch = _task(prepared)
    seen: list[torch.Tensor] = []
    task.critic.network.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[1].detach().clone()))
    task.step(batch)
    assert [len(images) for images in seen] == [8, 8]
    assert not torch.equal(seen[0][:4], seen[1][:4])
    assert torch.equal(seen[0][4:], to_unit(batch.images))
    assert torch.equal(seen[1][4:], seen[0][4:])


def test_reconstruction_improves(prepared: Path) -> None:
    task, batch = _task(
        prepared, "optimiser.lr=4e-3", "network.width=4", "network.hidden=8", "network.encoded_size=128"
    )
    before = task.validate()["val_l1"]
    for _ in range(30):
        terms = task.step(batch)
    assert task.validate()["val_l1"] < 0.8 * before
    assert set(terms) == {"adversarial", "feature_matching", "kl", "pixel", "perceptual", "discriminator"}
    assert task.generator.network.training, "validation leaves the network in training mode"


def test_the_parsers_features_raise_an_error() -> None:
    with pytest.raises(InputError, match=r"perceptual\.network must be vgg19, random or none"):
        recipe_of("spade", "perceptual.network=parser", "perceptual.width=64")
