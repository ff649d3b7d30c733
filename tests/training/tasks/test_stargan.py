"""StarGAN's training: when each network is updated, and that the losses fall."""

from __future__ import annotations

from pathlib import Path

import torch
from accelerate import Accelerator

from maskgan_cli.data.dataset import Batch, FaceDataset, first_samples
from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.training.tasks.attributes import Truth
from maskgan_cli.training.tasks.stargan import Change, StarGANTask
from tests.training.tasks.test_baselines import recipe_of


def _task(prepared: Path, *changes: str) -> tuple[StarGANTask, Batch]:
    recipe = recipe_of("stargan", *changes)
    data = PreparedData.load(prepared)
    truth = Truth.read(data, recipe.network.attributes).train
    batch = first_samples(FaceDataset(data.split("train"), 64, cache=True, masked=False), 8)
    return StarGANTask(recipe, Accelerator(cpu=True), Truth(truth, truth), batch), batch


def test_the_generator_is_updated_every_critic_steps_and_its_losses_are_multiplied(prepared: Path) -> None:
    task, batch = _task(prepared, "critic_steps=3")
    for step in range(1, 7):
        before = [p.clone() for p in task.generator.network.parameters()]
        terms = task.step(batch)
        updated = not all(map(torch.equal, before, task.generator.network.parameters()))
        assert updated == (step % 3 == 0) == bool(terms["reconstruction"].detach() != 0)
        assert task.critic.updates == step
    assert set(terms) == {
        "adversarial",
        "asked",
        "reconstruction",
        "discriminator",
        "classification",
        "gradient_penalty",
    }


def test_each_update_reaches_its_own_network_only(prepared: Path) -> None:
    task, batch = _task(prepared, "critic_steps=1")
    real = torch.rand(2, 3, 64, 64) * 2 - 1
    labels = task.truth[batch.indices[:2]]
    task._update_critic(Change(real, labels, 1 - labels))
    assert all(p.grad is None for p in task.generator.network.parameters())
    for p in task.critic.network.parameters():
        p.grad = None
    task._update_generator(Change(real, labels, 1 - labels))
    assert all(p.grad is None for p in task.critic.network.parameters())
    assert all(p.grad is not None for p in task.generator.network.parameters())


def test_a_generator_that_changes_nothing_has_no_reconstruction_loss(prepared: Path) -> None:
    task, batch = _task(prepared)
    task.generator.network.forward = lambda image, label: image + 0 * task.generator.network.main[0].weight.sum()  # type: ignore[method-assign,assignment,operator,union-attr]
    labels = task.truth[batch.indices]
    terms = task._update_generator(Change(torch.rand(8, 3, 64, 64) * 2 - 1, labels, 1 - labels))
    assert terms["reconstruction"].detach() == 0
    assert task.validate()["val_back_l1"] < 1 / 255


def test_reconstruction_and_classification_improve(prepared: Path) -> None:
    task, batch = _task(prepared, "optimiser.lr=2e-3", "network.width=8", "discriminator.width=8", "critic_steps=2")
    torch.manual_seed(0)
    before = task.validate()["val_back_l1"]
    first = task.step(batch)
    for _ in range(59):
        last = task.step(batch)
    assert last["classification"].detach() < 0.7 * first["classification"].detach()
    assert task.validate()["val_back_l1"] < 0.9 * before
