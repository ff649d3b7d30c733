"""The face parser's training: it learns, resumes with the same bits, and its weights parse photos."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from PIL import Image
from safetensors.torch import load_file
from torch.nn import functional as F

from maskgan_cli.config import load_recipe
from maskgan_cli.data.dataset import FaceDataset, first_samples
from maskgan_cli.data.picture_batches import read_pictures
from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.files import read_label_map
from maskgan_cli.judges.parser import ParserJudge, load_parser
from maskgan_cli.labels import flip
from maskgan_cli.training.tasks.parser import ParserRecipe, ParserTask
from maskgan_cli.weights.format import read_weights
from maskgan_cli.weights.lookup import bundled
from tests.conftest import Command

TINY = (
    "--recipe",
    "tiny-cpu",
    "--device",
    "cpu",
    "--set",
    "network.image_size=64",
    "--set",
    "network.width=4",
    "--set",
    "data.batch_size=4",
    "--set",
    "schedule.validation_samples=4",
    "--set",
    "schedule.decay_from=null",
)


@pytest.fixture(scope="module")
def task(prepared: Path) -> ParserTask:
    """A small parser after eighty steps on four drawn faces."""
    changes = ["network.image_size=64", "network.width=8", "optimiser.lr=1e-2"]
    changes += [f"augment.{name}=0" for name in ("rotate", "zoom", "shift", "light", "tint", "blur", "noise")]
    batch = first_samples(FaceDataset(PreparedData.load(prepared).split("train"), 64, cache=True), 4)
    task = ParserTask(load_recipe(ParserRecipe, "parser", "tiny-cpu", changes), Accelerator(cpu=True), batch)
    for _ in range(80):
        task.step(batch)
    return task


def test_it_fits_its_training_faces(task: ParserTask) -> None:
    values = task.validate()
    assert values["val_accuracy"] > 0.9
    assert values["val_iou/skin"] > 0.8
    assert task.learner.network.training, "validation must leave batch norm in training mode"


def test_the_dice_loss_is_a_term_of_its_own(prepared: Path) -> None:
    batch = first_samples(FaceDataset(PreparedData.load(prepared).split("train"), 64, cache=True), 4)
    weights, terms = [], []
    for weight in (0, 0.5, 1):
        changes = ["network.image_size=64", "network.width=4", f"loss.dice={weight}"]
        task = ParserTask(load_recipe(ParserRecipe, "parser", "tiny-cpu", changes), Accelerator(cpu=True), batch)
        torch.manual_seed(0)
        terms.append(task.step(batch))
        weights.append(next(task.learner.network.parameters()).grad)
    assert [set(one) - {"cross_entropy", "accuracy"} for one in terms] == [set(), {"dice"}, {"dice"}]
    assert 0 < terms[1]["dice"].item() < 1
    plain, half, whole = weights
    assert plain is not None and half is not None and whole is not None
    torch.testing.assert_close(2 * (half - plain), whole - plain, rtol=1e-3, atol=1e-6)
    assert not torch.equal(whole, plain)


def test_the_judge_has_the_accuracy_of_validation_and_accepts_any_size(task: ParserTask, tmp_path: Path) -> None:
    task.save_model(tmp_path / "model.safetensors", {})
    judge = load_parser(tmp_path, torch.device("cpu"))
    images, labels = task.validation.images, task.validation.labels
    accuracy = float((judge(images) == labels).float().mean())
    assert accuracy == pytest.approx(task.validate()["val_accuracy"], abs=0.03), "it also parses the mirror image"
    larger = torch.nn.functional.interpolate(images.float(), (128, 128), mode="bilinear").round().to(torch.uint8)
    maps = judge(larger)
    assert maps.shape == (4, 128, 128)
    assert float((maps[:, ::2, ::2] == labels).float().mean()) > 0.85
    assert judge.features(images).shape == (4, 16 * 8)


@pytest.mark.parametrize("method", ["__call__", "carefully"])
def test_the_judge_is_equivariant_to_mirroring(method: str, task: ParserTask, tmp_path: Path) -> None:
    task.save_model(tmp_path / "model.safetensors", {})
    judge = load_parser(tmp_path, torch.device("cpu"))
    images = task.validation.images
    parsed, mirrored = getattr(judge, method)(images), getattr(judge, method)(images.flip(-1))
    assert (torch.from_numpy(flip(parsed.numpy()).copy()) == mirrored).float().mean() > 0.999, "equal up to rounding"
    assert float((parsed == task.validation.labels).float().mean()) > 0.7


def test_a_second_parser_shares_in_careful_parsing_alone(task: ParserTask, tmp_path: Path) -> None:
    task.save_model(tmp_path / "model.safetensors", {})
    single = load_parser(tmp_path, torch.device("cpu"))
    other = load_parser(tmp_path, torch.device("cpu"))
    with torch.no_grad():
        for parameter in other.network.parameters():
            parameter.mul_(0.5)
    pair = ParserJudge(single.network, read_weights(tmp_path, "parser"), second=other)
    images = task.validation.images
    shares = pair.probabilities(images, 64)
    torch.testing.assert_close(shares.sum(1), torch.ones(4, 64, 64))
    first = single._look(images, 64) / 2
    second = sum(F.interpolate(other._look(images, size), (64, 64), mode="bilinear") for size in (48, 64))
    torch.testing.assert_close(shares, (first + second / 4) / 2, rtol=0, atol=1e-5)
    assert torch.equal(pair.carefully(images), shares.argmax(1).to(torch.uint8))
    assert torch.equal(pair(images), single(images))
    assert pair.sha256 == single.sha256 == single.careful_sha256 != pair.careful_sha256


def test_the_bundled_parser_is_a_pair_and_other_weights_are_not(task: ParserTask, tmp_path: Path) -> None:
    path = bundled("parser")
    assert path is not None
    judge = load_parser(path, torch.device("cpu"))
    assert judge.second is not None and judge.second.size == 256
    task.save_model(tmp_path / "model.safetensors", {})
    assert load_parser(tmp_path, torch.device("cpu")).second is None


def test_a_resumed_run_has_the_same_bits(prepared: Path, tmp_path: Path, maskgan: Command) -> None:
    steps = ("--set", "schedule.checkpoint_every=2", "-q")
    assert (
        maskgan("train", "parser", prepared, "-o", tmp_path / "a", *TINY, *steps, "--set", "schedule.steps=4").code == 0
    )
    assert (
        maskgan("train", "parser", prepared, "-o", tmp_path / "b", *TINY, *steps, "--set", "schedule.steps=4").code == 0
    )
    for name in ("model.safetensors", "metrics.jsonl"):
        (tmp_path / "b" / name).unlink()
    shutil.rmtree(tmp_path / "b" / "state" / "step-000004")
    (tmp_path / "b" / "metrics.jsonl").write_text("")
    assert (
        maskgan("train", "parser", prepared, "-o", tmp_path / "b", *TINY, *steps, "--set", "schedule.steps=4").code == 0
    )
    first, second = (load_file(tmp_path / run / "model.safetensors") for run in "ab")
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_parse_writes_masks_beside_photos_or_into_a_folder(
    task: ParserTask, prepared: Path, tmp_path: Path, maskgan: Command
) -> None:
    task.save_model(tmp_path / "parser.safetensors", {})
    photo = tmp_path / "me.jpg"
    sample = PreparedData.load(prepared).split("train")[0]
    Image.open(sample.image).convert("RGB").resize((96, 96)).save(photo, quality=95)
    wide = tmp_path / "wide.png"
    Image.open(sample.image).convert("RGB").crop((0, 8, 64, 56)).save(wide)
    outcome = maskgan("parse", photo, wide, "--weights", tmp_path / "parser.safetensors", "--device", "cpu")
    assert outcome.lines == [str(tmp_path / "me.mask.png"), str(tmp_path / "wide.mask.png")], outcome.err
    assert read_label_map(tmp_path / "me.mask.png").shape == (96, 96)
    cut = read_label_map(tmp_path / "wide.mask.png")
    assert cut.shape == (48, 64)
    assert (cut == read_label_map(sample.mask)[8:56]).mean() > 0.7
    second = maskgan("parse", photo, "--weights", tmp_path / "parser.safetensors")
    assert second.code == 0, "the same mask exists already"
    sized = maskgan("parse", photo, "-w", tmp_path / "parser.safetensors", "-o", tmp_path / "out", "--size", "32")
    assert sized.lines == [str(tmp_path / "out" / "me.png")]
    assert read_label_map(tmp_path / "out" / "me.png").shape == (32, 32)
    failed = maskgan("parse", wide, "-w", tmp_path / "parser.safetensors", "-o", tmp_path / "o2", "--size", "32")
    assert "wide.png: expected a square picture where --size is given, found 64x48" in failed.err
    assert not (tmp_path / "o2").exists()


def test_an_edit_parses_a_photo_without_a_mask_and_says_so(
    task: ParserTask, prepared: Path, weights: Path, tmp_path: Path, maskgan: Command
) -> None:
    task.save_model(tmp_path / "parser.safetensors", {})
    source, target = PreparedData.load(prepared).split("train")[:2]
    shutil.copy(source.image, tmp_path / "photo.png")
    common = (target.image, "--weights", weights, "--device", "cpu", "--save-masks")
    # This parser was trained for a few steps and misses small parts, hence --force.
    parser = ("--parser-weights", tmp_path / "parser.safetensors", "--crop", "--force")
    outcome = maskgan("swap-mouth", tmp_path / "photo.png", *common, *parser, "-o", tmp_path / "out.png")
    assert outcome.code == 0, outcome.err
    assert outcome.err.count("has no mask beside it: the face parser makes it") == 1
    with Image.open(tmp_path / "out.png") as picture:
        note = picture.info["maskgan"]
    assert '"parser"' in note
    assert '"source_mask"' not in note
    exact = maskgan("swap-mouth", source.image, *common, "-o", tmp_path / "exact.png")
    with Image.open(exact.lines[0]) as picture:
        assert '"parser"' not in picture.info["maskgan"]
    parsed, truth = (read_label_map(tmp_path / f"{name}.mask.png") for name in ("out", "exact"))
    assert (parsed == truth).mean() > 0.85


def test_pictures_are_read_in_batches_of_one_size(tmp_path: Path) -> None:
    paths = [tmp_path / f"{i}.png" for i in range(5)]
    for path, side in zip(paths, (8, 8, 8, 16, 16), strict=True):
        Image.fromarray(np.full((side, side, 3), side, np.uint8)).save(path)
    found = [(len(names), tuple(images.shape)) for names, images, _ in read_pictures(paths, 2)]
    assert found == [(2, (2, 3, 8, 8)), (1, (1, 3, 8, 8)), (2, (2, 3, 16, 16))]


def test_start_from_loads_weights_for_another_size_and_records_their_hash(
    task: ParserTask, prepared: Path, tmp_path: Path, maskgan: Command
) -> None:
    """With a learning rate close to 0, the weights after one step are the initial ones."""
    task.save_model(tmp_path / "parser.safetensors", {})
    common = ("--set", "network.width=8", "--set", "network.image_size=64", "--set", "data.batch_size=2", "-q")
    once = (
        "--set",
        "schedule.steps=1",
        "--set",
        "schedule.validation_samples=2",
        "--device",
        "cpu",
        "--set",
        "schedule.decay_from=null",
    )
    call = ("train", "parser", prepared, *common, *once, "--set", "optimiser.lr=1e-12")
    done = maskgan(*call, "--start-from", tmp_path / "parser.safetensors", "-o", tmp_path / "run")
    assert done.code == 0, done.err
    begun = task.learner.network.state_dict()
    for name, tensor in load_file(tmp_path / "run" / "model.safetensors").items():
        if "running" not in name and "tracked" not in name:  # batch norm's statistics change in every step
            assert torch.allclose(tensor, begun[name], atol=1e-6), name
    about = read_weights(tmp_path / "run", "parser").about
    assert about["start"] == {"sha256": read_weights(tmp_path / "parser.safetensors", "parser").sha256}
    narrow = maskgan(
        *call, "--set", "network.width=4", "--start-from", tmp_path / "parser.safetensors", "-o", tmp_path / "narrow"
    )
    assert narrow.code == 2
    assert "parser.safetensors: expected the tensors of FaceParser, found" in narrow.err
