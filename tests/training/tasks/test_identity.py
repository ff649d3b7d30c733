"""Identity training: it separates people, resumes with the same bits, and stores the threshold of ``eval verify``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate import Accelerator

from maskgan_cli.cli.app import app
from maskgan_cli.cli.shell import run as call
from maskgan_cli.config import load_recipe
from maskgan_cli.data import alignment
from maskgan_cli.data.alignment import batch_points, points_of_mask
from maskgan_cli.data.dataset import Batch
from maskgan_cli.files import write_csv, write_image, write_json
from maskgan_cli.judges.identity import load_identity
from maskgan_cli.training.tasks.identity import IdentityRecipe, IdentityTask
from maskgan_cli.weights.format import read_weights
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
    "network.embedding=16",
    "--set",
    "network.image_size=32",
    "--set",
    "network.dropout=0",
    "--set",
    "data.batch_size=8",
    "--set",
    "loss.warmup=5",
    "-q",
    "--set",
    "schedule.decay_from=null",
)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Plain colours as people: eight for training, eight others for validation, four pictures each, no masks."""
    root = tmp_path_factory.mktemp("people")
    rng = np.random.default_rng(0)
    rows = []
    for person in range(16):
        colour = rng.integers(30, 226, 3)
        for k in range(4):
            picture = np.clip(colour + rng.normal(0, 12, (64, 64, 3)), 0, 255).astype(np.uint8)
            name = f"{person}-{k}"
            write_image(root / "images" / f"{name}.png", picture)
            rows.append(
                {
                    "id": name,
                    "split": "train" if person < 8 else "val",
                    "image": f"images/{name}.png",
                    "mask": "",
                    "identity": str(person),
                }
            )
    write_csv(root / "manifest.csv", list(rows[0]), rows)
    write_json(root / "dataset.json", {"name": "colours", "size": 64, "hash": "x", "classes": [], "splits": {}})
    return root


def _train(people: Path, out: Path, *more: str) -> int:
    still = [f"augment.{name}=0" for name in ("rotate", "zoom", "shift", "light", "tint", "blur", "noise")]
    return call(
        app,
        [
            "train",
            "identity",
            str(people),
            "-o",
            str(out),
            *TINY,
            *(x for change in still for x in ("--set", change)),
            *more,
        ],
    )


@pytest.fixture(scope="module")
def run(people: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "identity"
    assert _train(people, out, "--set", "schedule.steps=40", "--set", "schedule.log_every=10") == 0
    return out


def test_validation_on_other_people(run: Path) -> None:
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["val_accuracy"] > 0.85
    assert lines[-1]["val_verify/pairs"] == 96  # 8 people with 6 pairs each, and as many pairs of two people


def test_the_threshold_is_stored_with_the_weights(run: Path) -> None:
    weights = read_weights(run, "identity")
    assert weights.about["threshold"] == weights.about["verification"]["threshold"]
    assert load_identity(run, torch.device("cpu")).threshold == weights.about["threshold"]
    assert not any(name.startswith("people") for name in weights.tensors)  # class directions are not saved


def test_resumed_equals_uninterrupted(people: Path, tmp_path: Path) -> None:
    assert _train(people, tmp_path / "whole", "--set", "schedule.steps=8") == 0
    for steps in (3, 8):
        assert _train(people, tmp_path / "parted", "--set", f"schedule.steps={steps}") == 0
    whole, parted = (tmp_path / name / "model.safetensors" for name in ("whole", "parted"))
    assert whole.read_bytes() == parted.read_bytes()


def test_eval_verify(run: Path, people: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    arguments = [
        "eval",
        "verify",
        str(people),
        "--weights",
        str(run),
        "--split",
        "val",
        "--pairs",
        "96",
        "--device",
        "cpu",
    ]
    capfd.readouterr()
    assert call(app, [*arguments, "-q"]) == 0
    document = json.loads(capfd.readouterr().out)
    stored = read_weights(run, "identity").about
    # Same faces, pairs and alignment as in the training's validation, so the same numbers.
    assert document["threshold"] == pytest.approx(stored["threshold"], abs=1e-4)
    assert document["value"] == document["accuracy"] == pytest.approx(stored["verification"]["accuracy"])
    assert document["accuracy_at_stored_threshold"] >= document["accuracy"] - 0.02
    assert (document["points"], document["people"], document["faces"]) == ("crop", 8, 32)
    assert call(app, [*arguments, "-q", "-o", str(tmp_path / "v.json")]) == 0
    assert json.loads((tmp_path / "v.json").read_text()) == document
    assert call(app, [*arguments, "--split", "test"]) == 2
    assert call(app, [*arguments, "--points", "nose"]) == 2
    assert "'nose' is not one of 'mask', 'mtcnn', 'crop'" in capfd.readouterr().err
    assert call(app, [*arguments, "--points", "mask"]) == 2
    assert "a data set without masks" in capfd.readouterr().err


def test_faces_without_masks_count_as_aligned_crops() -> None:
    points = batch_points(torch.empty(2, 0, 0), 100)
    assert points.shape == (2, 5, 2)
    assert points[1, 0].tolist() == pytest.approx([37.85, 47.63])


def test_faces_without_identity_or_pairs_raise_errors(
    prepared: Path, people: Path, tmp_path: Path, maskgan: Command
) -> None:
    rows = (people / "manifest.csv").read_text().replace(",identity", ",someone")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "images").symlink_to(people / "images")
    (tmp_path / "data" / "manifest.csv").write_text(rows)
    (tmp_path / "data" / "dataset.json").write_text((people / "dataset.json").read_text())
    outcome = maskgan("train", "identity", tmp_path / "data", "-o", tmp_path / "run", *TINY)
    assert outcome.code == 2
    assert "expected an identity in manifest.csv" in outcome.err
    few = maskgan("train", "identity", people, "-o", tmp_path / "run", *TINY, "--set", "schedule.validation_samples=4")
    assert few.code == 2
    assert "10 validation pairs of one person" in few.err
    assert not (tmp_path / "run").exists()


def test_the_points_of_a_face_are_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = load_recipe(IdentityRecipe, "identity", "tiny-cpu", [x for x in TINY if "=" in x and "[" not in x])
    rng = np.random.default_rng(0)
    labels = torch.from_numpy(rng.integers(0, 19, (8, 32, 32)).astype(np.uint8))
    images = torch.from_numpy(rng.integers(0, 256, (8, 3, 32, 32)).astype(np.uint8))
    batch = Batch(images, labels, torch.arange(8) % 4, torch.arange(8) >= 4)
    names = [str(i // 4) for i in range(8)]
    task = IdentityTask(recipe, Accelerator(cpu=True), torch.tensor([0, 0, 1, 1]), batch, names)
    searched: list[object] = []
    monkeypatch.setattr(alignment, "points_of_mask", lambda mask: (searched.append(mask), points_of_mask(mask))[1])
    for _ in range(3):
        assert np.array_equal(task._points(batch), batch_points(labels, 32), equal_nan=True)
    assert len(searched) == 8 + 3 * 8  # once for each face and its mirror image, and three times by hand
