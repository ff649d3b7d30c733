"""Tests of batches: a function of seed and step, the same for any number of processes."""

from __future__ import annotations

import multiprocessing
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from maskgan_cli.data.celebamask import read_source
from maskgan_cli.data.dataset import FaceDataset, collate
from maskgan_cli.data.draws import StepSampler
from maskgan_cli.data.loader import batches
from maskgan_cli.data.prepare import prepare
from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.errors import InputError
from maskgan_cli.files import read_image, read_label_map, write_label_map
from maskgan_cli.labels import flip
from maskgan_cli.synth import write_dataset


def test_every_epoch_has_all_samples_in_a_new_order() -> None:
    sampler = StepSampler(10, 5, seed=3, flip=True)
    epochs = [[index for step in (2 * e, 2 * e + 1) for index, _ in sampler.draws(step)] for e in range(3)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


def test_draws_depend_only_on_seed_and_step() -> None:
    walked = StepSampler(7, 3, seed=1, flip=True)
    for step, draws in zip(range(9), walked, strict=False):
        assert StepSampler(7, 3, seed=1, flip=True).draws(step) == draws
    assert StepSampler(7, 3, seed=2, flip=True).draws(0) != StepSampler(7, 3, seed=1, flip=True).draws(0)


def test_processes_share_a_batch_without_overlap() -> None:
    whole = StepSampler(11, 6, seed=0, flip=True)
    parts = [StepSampler(11, 6, seed=0, flip=True, rank=r, world=3) for r in range(3)]
    for step in range(5):
        assert [d for part in parts for d in part.draws(step)] == whole.draws(step)
    with pytest.raises(InputError, match="a multiple of the 4 processes"):
        StepSampler(11, 6, seed=0, flip=True, world=4)


def test_flips_are_about_half_and_can_be_switched_off() -> None:
    def mirrored(flip: bool) -> float:
        return float(np.mean([m for _, m in StepSampler(1000, 1000, seed=0, flip=flip).draws(0)]))

    assert 0.45 < mirrored(True) < 0.55
    assert mirrored(False) == 0


@pytest.mark.parametrize("cache", [False, True])
def test_a_mirrored_sample_is_the_mirrored_file(prepared: Path, cache: bool) -> None:
    samples = PreparedData.load(prepared).split("train")
    dataset = FaceDataset(samples, 64, cache=cache)
    for _ in range(2):
        _, mirrored, picture, labels, *_ = dataset[(3, True)]
        assert mirrored
        assert (picture == read_image(samples[3].image)[:, ::-1]).all()
        assert (labels == flip(read_label_map(samples[3].mask))).all()


def test_batches_are_bytes_and_can_start_at_any_step(prepared: Path) -> None:
    dataset = FaceDataset(PreparedData.load(prepared).split("train"), 64, cache=True)
    stream = batches(dataset, StepSampler(len(dataset), 4, seed=0, flip=True), workers=0, pin=False)
    first, second = next(stream), next(stream)
    assert first.images.dtype == first.labels.dtype == torch.uint8
    assert first.images.shape == (4, 3, 64, 64)
    later = next(batches(dataset, StepSampler(len(dataset), 4, seed=0, flip=True, first_step=1), workers=0, pin=False))
    assert torch.equal(second.images, later.images)
    assert torch.equal(second.labels, later.labels)


def test_a_sample_of_another_size_is_reported(prepared: Path, tmp_path: Path) -> None:
    sample = PreparedData.load(prepared).split("train")[0]
    mask = write_label_map(tmp_path / "m.png", np.ones((32, 32), np.uint8))
    wrong = type(sample)(sample.id, sample.split, sample.image, mask, {})
    with pytest.raises(InputError, match=r"m\.png: expected 64x64, found 32x32"):
        FaceDataset([wrong], 64, cache=False)[(0, False)]


@pytest.mark.parametrize("workers", [0, 1])
def test_a_damaged_sample_is_one_line_and_leaves_no_process(prepared: Path, tmp_path: Path, workers: int) -> None:
    shutil.copytree(prepared, tmp_path / "data")
    data = PreparedData.load(tmp_path / "data")
    spoiled = data.split("train")[0].image
    spoiled.write_bytes(spoiled.read_bytes()[:300])
    faces = FaceDataset(data.split("train"), 64, cache=False)
    stream = batches(faces, StepSampler(len(faces), len(faces), seed=0, flip=False), workers=workers, pin=False)
    with pytest.raises(InputError) as error:
        next(stream)
    assert str(error.value).startswith(f"{spoiled}: expected a picture, found ")
    assert "Traceback" not in str(error.value)
    assert not multiprocessing.active_children()  # though the traceback is still held here


def test_variants_are_another_picture_of_the_scene(tmp_path: Path) -> None:
    write_dataset(tmp_path / "raw", 8, 64, 2, seed=3, expressions=2, workers=1)
    for _ in prepare(
        read_source(tmp_path / "raw"), tmp_path / "d", size=64, image_format="png", workers=1, overwrite=False
    ):
        pass
    data = PreparedData.load(tmp_path / "d")
    samples = data.split("train")
    assert [sample.fields["scene"] for sample in data.samples] == ["0", "0", "1", "1", "2", "2", "3", "3"]
    batch = collate([FaceDataset(samples, 64, cache=False, variants=True)[draw] for draw in ((0, False), (1, True))])
    assert batch.other_images is not None and batch.other_labels is not None
    assert torch.equal(batch.other_images[0], batch.images[1].flip(-1)), "each is the other's other take"
    assert torch.equal(batch.other_images[1].flip(-1), batch.images[0])
    assert (batch.other_labels[0].numpy() == read_label_map(samples[1].mask)).all()
    differs = (batch.other_images[0] != batch.images[0]).any(0)
    assert 0.0 < differs.float().mean() < 0.6, "another expression, all else equal"
    assert batch.to(torch.device("cpu")).other_images is not None


def test_variants_need_scenes(prepared: Path) -> None:
    message = r"expected its scene in manifest\.csv, found none; style_augmentation\.expression_variants is"
    with pytest.raises(InputError, match=message):
        FaceDataset(PreparedData.load(prepared).split("train"), 64, cache=False, variants=True)


def test_groups_alternate_by_their_shares_with_epochs_of_their_own() -> None:
    groups = ["a", "b", "a", "b", "b", "a", "c"]
    sampler = StepSampler(7, 6, seed=0, flip=False, groups=groups, shares={"a": 3, "b": 2})
    indices = [index for step in range(6) for index, _ in sampler.draws(step)]
    names = [groups[index] for index in indices]
    assert names == ["a", "a", "a", "b", "b", "c"] * 6, "3 + 2 + 1 a turn"
    assert sorted(indices[:3]) == [0, 2, 5], "every sample of a group once before any twice"
    assert sorted(i for i in indices if groups[i] == "b")[: 12 // 3] == [1] * 4
    resumed = StepSampler(7, 6, seed=0, flip=False, groups=groups, shares={"a": 3, "b": 2})
    assert resumed.draws(4) == sampler.draws(4)
