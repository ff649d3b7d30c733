"""ELEGANT's training: its pairs of faces, the labels of exchanged faces, and that the losses fall."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator

from maskgan_cli.config import ScheduleSettings
from maskgan_cli.data.dataset import Batch, FaceDataset, collate
from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.errors import InputError
from maskgan_cli.training.schedule import learning_rate
from maskgan_cli.training.tasks.attributes import Truth
from maskgan_cli.training.tasks.elegant import ElegantTask, ExchangePair, PairSampler
from tests.training.tasks.test_baselines import recipe_of

TRUTH = torch.tensor([[i % 3 == 0, i % 2 == 0] for i in range(12)]).float()


def _task(prepared: Path, *changes: str) -> tuple[ElegantTask, Batch]:
    recipe = recipe_of("elegant", *changes)
    data = PreparedData.load(prepared)
    truth = Truth.read(data, recipe.network.attributes).train
    dataset = FaceDataset(data.split("train"), 64, cache=True, masked=False)
    sampler = PairSampler(truth, recipe.network.attributes, recipe.pairs, seed=0, flip=False)
    validation = collate([dataset[(i, False)] for i in range(len(dataset))])
    task = ElegantTask(recipe, Accelerator(cpu=True), Truth(truth, truth), validation)
    return task, collate([dataset[draw] for draw in sampler.draws(0)])


def test_every_list_of_faces_is_drawn_in_epochs() -> None:
    sampler = PairSampler(TRUTH, ("a", "b"), 2, seed=0, flip=False)
    seen: Counter[tuple[int, int]] = Counter()
    for step in range(12):
        indices = [index for index, _ in sampler.draws(step)]
        assert len(indices) == 8
        for place, column, value in ((0, 0, 1), (2, 0, 0), (4, 1, 1), (6, 1, 0)):
            assert TRUTH[indices[place : place + 2], column].tolist() == [value, value]
            seen.update((place, index) for index in indices[place : place + 2])
    # 24 draws of each list: 4, 8, 6 and 6 faces, each as often as the others.
    assert {place: {seen[(p, i)] for p, i in seen if p == place} for place in (0, 2, 4, 6)} == {
        0: {6},
        2: {3},
        4: {4},
        6: {4},
    }


def test_processes_share_each_list_and_a_later_start_has_the_same_draws() -> None:
    whole = PairSampler(TRUTH, ("a", "b"), 2, seed=5, flip=True)
    halves = [PairSampler(TRUTH, ("a", "b"), 2, seed=5, flip=True, rank=rank, world=2) for rank in (0, 1)]
    both = [draw for pair in zip(*(half.draws(3) for half in halves), strict=True) for draw in pair]
    assert both == whole.draws(3)
    assert next(iter(PairSampler(TRUTH, ("a", "b"), 2, seed=5, flip=True, first_step=3))) == whole.draws(3)


def test_an_attribute_of_all_or_no_faces_raises_an_error() -> None:
    for value, found in ((0.0, "all 4 without"), (1.0, "all 4 with")):
        with pytest.raises(InputError, match=f"b: expected training faces with .*, found {found}"):
            PairSampler(torch.tensor([[0.0, value], [1.0, value]] * 2), ("a", "b"), 1, seed=0, flip=False)


def test_exchanged_faces_carry_exchanged_labels(prepared: Path) -> None:
    task, batch = _task(prepared)
    seen: list[torch.Tensor] = []
    task.critics.network.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[1].clone()))
    task.step(batch)
    labels = task.truth[batch.indices].view(4, 2, 2)  # with and without the first, with and without the second
    assert len(seen) == 12
    for attribute in (0, 1):
        a, b, c, d, c_second, d_second = seen[6 * attribute : 6 * attribute + 6]
        assert torch.equal(a, labels[2 * attribute])
        assert torch.equal(b, labels[2 * attribute + 1])
        assert a[:, attribute].tolist() == d[:, attribute].tolist() == [1, 1]
        assert b[:, attribute].tolist() == c[:, attribute].tolist() == [0, 0]
        assert torch.equal(c[:, 1 - attribute], a[:, 1 - attribute])
        assert torch.equal(d[:, 1 - attribute], b[:, 1 - attribute])
        assert torch.equal(c, c_second)
        assert torch.equal(d, d_second)


def test_each_update_reaches_its_own_network_only(prepared: Path) -> None:
    task, batch = _task(prepared)
    no_gradient: list[bool] = []
    update = task.critics.update

    def watched(loss: torch.Tensor) -> None:
        update(loss)
        no_gradient.extend(p.grad is None for p in task.elegant.network.parameters())
        for p in task.critics.network.parameters():
            p.grad = None

    task.critics.update = watched  # type: ignore[method-assign]
    images, labels = batch.images[:4].view(2, 2, 3, 64, 64), task.truth[batch.indices[:4]].view(2, 2, 2)
    task._update([ExchangePair.of(0, images[0], labels[0], images[1], labels[1])])
    assert all(no_gradient)
    assert all(p.grad is None for p in task.critics.network.parameters())
    assert all(p.grad is not None for p in task.elegant.network.parameters())


def test_reconstruction_improves(prepared: Path) -> None:
    task, batch = _task(prepared, "optimiser.lr=2e-3", "network.width=8", "loss.reconstruction=50")
    first = task.step(batch)
    for _ in range(30):
        last = task.step(batch)
    assert float(last["reconstruction"]) < 0.5 * float(first["reconstruction"])
    values = task.validate()
    assert values["val_changed_l1"] > 0
    assert task.sample_grid().shape == (2 * 4 * 64, 4 * 64, 3)


def test_the_learning_rate_falls_in_steps() -> None:
    schedule = ScheduleSettings(steps=10000, decay=0.5, decay_every=3000)
    assert [learning_rate(8.0, step, schedule) for step in (0, 2999, 3000, 6001, 9000)] == [8, 8, 4, 2, 1]
    with pytest.raises(ValueError, match="must be set together"):
        ScheduleSettings(steps=10, decay=0.5)
    with pytest.raises(InputError, match=r"multiple of twice the number of network\.attributes"):
        recipe_of("elegant", "data.batch_size=6")
