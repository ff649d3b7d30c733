"""HopeNet's training: angles of mirrored and rotated faces, learning, resuming, data without angles."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from safetensors.torch import load_file

from maskgan_cli.config import load_recipe
from maskgan_cli.data.dataset import FaceDataset, collate, first_samples
from maskgan_cli.data.head_pose import pose_of, rotation
from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.files import read_image
from maskgan_cli.judges.pose import load_pose
from maskgan_cli.training.tasks.pose import PoseRecipe, PoseTask, draw_axes
from tests.conftest import Command

TINY = (
    "--recipe",
    "tiny-cpu",
    "--device",
    "cpu",
    "--set",
    "network.width=8",
    "--set",
    "network.blocks=[1, 1, 1, 1]",
    "--set",
    "data.batch_size=4",
    "--set",
    "schedule.validation_samples=4",
    "-q",
    "--set",
    "schedule.decay_from=null",
)
CHANGES = [TINY[i + 1] for i in range(len(TINY)) if TINY[i] == "--set"]


def _task(prepared: Path, *changes: str) -> tuple[PoseTask, FaceDataset]:
    data = PreparedData.load(prepared)
    dataset = FaceDataset(data.split("train"), 64, cache=True, masked=False)
    angles = pose_of(data.split("train"))
    recipe = load_recipe(PoseRecipe, "pose", "tiny-cpu", [*CHANGES, *changes])
    task = PoseTask(recipe, Accelerator(cpu=True), first_samples(dataset, 4), angles=angles, truth=angles[:4])
    return task, dataset


def test_mirrored_faces_have_mirrored_angles(prepared: Path) -> None:
    still = [f"augment.{name}=0" for name in ("rotate", "zoom", "shift", "light", "tint", "blur", "noise")]
    task, dataset = _task(prepared, *still)
    images, angles = task._augmented(collate([dataset[(3, False)], dataset[(3, True)]]))
    assert torch.equal(images[0], images[1].flip(-1))
    assert torch.allclose(angles[1], angles[0] * torch.tensor([-1.0, 1.0, -1.0]), atol=1e-4)
    assert torch.allclose(angles[0], task.angles[3], atol=1e-4)


def test_a_rotated_picture_has_a_rotated_pose(prepared: Path) -> None:
    """A bright dot above the middle marks the head's up direction; the angles must rotate with it."""
    task, _ = _task(prepared, "augment.rotate=40", "augment.zoom=0", "augment.shift=0")
    task.angles = torch.zeros(1, 3)
    images = torch.zeros(8, 3, 64, 64, dtype=torch.uint8)
    images[:, :, 8:13, 30:34] = 255
    mirrored = torch.zeros(8, dtype=torch.bool)
    batch = type(task.validation)(images, torch.empty(8, 0, 0), torch.zeros(8, dtype=torch.long), mirrored)
    torch.manual_seed(0)
    turned, angles = task._augmented(batch)
    light = turned.mean(1).add(1).clamp(min=1.0) - 1
    places = torch.arange(64.0) - 31.5
    x, y = (light.sum(1) * places).sum(1), -(light.sum(2) * places).sum(1)
    assert torch.allclose(torch.rad2deg(torch.atan2(x, y)), angles[:, 2], atol=3.0)
    assert angles[:, 2].abs().max() > 15


def test_the_error_on_a_few_faces_falls(prepared: Path) -> None:
    task, dataset = _task(prepared, "augment.rotate=0", "augment.noise=0", "augment.light=0", "optimiser.lr=1e-2")
    batch, before = first_samples(dataset, 4), task.validate()["val_mean"]
    for _ in range(60):
        terms = task.step(batch)
    assert set(terms) == {"cross_entropy", "square_error"}
    assert task.validate()["val_mean"] < 0.5 * before
    assert task.learner.network.training


@pytest.fixture(scope="module")
def run(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from maskgan_cli.cli.app import app
    from maskgan_cli.cli.shell import run as call

    out = tmp_path_factory.mktemp("runs") / "pose"
    assert call(app, ["train", "pose", str(prepared), "-o", str(out), *TINY, "--set", "schedule.steps=4"]) == 0
    return out


def test_resumed_equals_uninterrupted(run: Path, prepared: Path, tmp_path: Path, maskgan: Command) -> None:
    for steps in (2, 4):
        call = ("train", "pose", prepared, "-o", tmp_path / "parted", *TINY, "--set", f"schedule.steps={steps}")
        assert maskgan(*call).code == 0
    whole, parted = (load_file(folder / "model.safetensors") for folder in (run, tmp_path / "parted"))
    assert all(torch.equal(whole[key], parted[key]) for key in whole)


def test_the_judge_resizes_pictures_and_predicts_degrees(run: Path, prepared: Path) -> None:
    judge = load_pose(run, torch.device("cpu"))
    assert (judge.name, judge.size, len(judge.sha256)) == ("pose", 64, 64)
    picture = read_image(PreparedData.load(prepared).samples[0].image)
    image = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None]
    twice = image.repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert judge(image).shape == (1, 3)
    assert torch.allclose(judge(image), judge(twice), atol=1.5)
    assert judge.features(image).shape == (1, 8 * 8)


def test_drawn_axes_point_in_the_heads_directions() -> None:
    picture = np.zeros((96, 96, 3), np.uint8)
    drawn = draw_axes(picture, rotation(torch.tensor([[60.0, 0.0, 0.0]]))[0])
    blue = np.argwhere((drawn == (60, 90, 255)).all(-1))
    green = np.argwhere((drawn == (40, 180, 60)).all(-1))
    assert blue[:, 1].min() < 25  # the face is turned to the picture's left
    assert green[:, 0].min() < 20  # the head's up is the picture's up


def test_faces_without_angles_raise_an_error(prepared: Path, tmp_path: Path, maskgan: Command) -> None:
    copy = tmp_path / "data"
    shutil.copytree(prepared, copy)
    with (copy / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    with (copy / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, [name for name in rows[0] if name != "pitch"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    outcome = maskgan("train", "pose", copy, "-o", tmp_path / "run", *TINY)
    assert outcome.code == 2
    assert "expected yaw, pitch and roll in manifest.csv, found no pitch" in outcome.err
    assert not (tmp_path / "run").exists()
