"""What is off by default: small classes that weigh more, warm averages, parser features, other looks, a start."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from safetensors.torch import load_file
from torch import nn
from torch.optim.swa_utils import AveragedModel

from maskgan_cli.config import load_recipe
from maskgan_cli.data.dataset import Batch, FaceDataset, first_samples
from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.errors import InputError
from maskgan_cli.labels import ID
from maskgan_cli.models.arcface import ArcFaceConfig, IResNet
from maskgan_cli.models.layers import one_hot, to_unit
from maskgan_cli.models.parser import FaceParser, ParserConfig
from maskgan_cli.training import losses
from maskgan_cli.training.augment import AugmentSettings, recolour
from maskgan_cli.training.average import moving_average
from maskgan_cli.training.dmn import DMNRecipe, DMNTask, prepare_training
from maskgan_cli.training.host import Host
from maskgan_cli.training.run import Order, train
from maskgan_cli.weights.format import read_weights, save_weights
from tests.conftest import TINY

CHANGES = [TINY[i + 1] for i in range(len(TINY)) if TINY[i] == "--set"]


@pytest.fixture
def batch(prepared: Path) -> Batch:
    return first_samples(FaceDataset(PreparedData.load(prepared).split("train"), 64, cache=True), 2)


def _task(batch: Batch, *changes: str, features: FaceParser | None = None) -> DMNTask:
    recipe = load_recipe(DMNRecipe, "dmn", "tiny-cpu", [*CHANGES, *changes])
    return DMNTask(recipe, Accelerator(cpu=True), features, batch)


def test_small_classes_weigh_more_by_hand() -> None:
    labels = torch.tensor([[[ID["skin"], ID["l_eye"]]]])
    fake, real = torch.tensor([[[[1.0, 3.0]]]] * 1).expand(1, 3, 1, 2), torch.zeros(1, 3, 1, 2)
    emphasis = torch.ones(19)
    emphasis[ID["l_eye"]] = 4.0
    # (1 x 1 + 4 x 3) / (1 + 4), against (1 + 3) / 2 when all weigh the same
    assert float(losses.pixel(fake, real, emphasis, labels)) == pytest.approx(13 / 5)
    assert float(losses.pixel(fake, real, None, labels)) == pytest.approx(2.0)


def test_the_recipe_says_which_classes_are_small(batch: Batch) -> None:
    task = _task(batch, "loss.small_classes=3")
    assert task.emphasis is not None
    heavy = {name for name, number in ID.items() if float(task.emphasis[number]) == 3.0}
    assert heavy == {
        "l_eye",
        "r_eye",
        "l_brow",
        "r_brow",
        "u_lip",
        "l_lip",
        "mouth",
        "eye_g",
        "l_ear",
        "r_ear",
        "ear_r",
    }
    assert _task(batch).emphasis is None


@pytest.mark.parametrize("warmup", [False, True])
def test_the_average_follows_its_formula(warmup: bool) -> None:
    network = nn.Linear(1, 1, bias=False)
    average = AveragedModel(network, multi_avg_fn=moving_average(0.9, warmup))
    expected = 0.0
    for n in range(30):
        with torch.no_grad():
            network.weight.fill_(float(n))
        average.update_parameters(network)
        kept = min(0.9, (1 + n) / (10 + n)) if warmup else 0.9
        expected = float(n) if n == 0 else kept * expected + (1 - kept) * n  # the first step is taken over whole
        weight: Any = average.module.weight
        assert float(weight.detach()) == pytest.approx(expected, rel=1e-5), n


def test_segmentation_needs_the_parser() -> None:
    with pytest.raises(InputError, match=r"loss\.segmentation needs perceptual\.network=parser"):
        load_recipe(DMNRecipe, "dmn", "tiny-cpu", [*CHANGES, "loss.segmentation=1"])


def test_the_parsers_features_tie_the_picture_to_face_and_mask(batch: Batch) -> None:
    torch.manual_seed(0)
    parser = FaceParser(ParserConfig(image_size=64, width=16)).eval().requires_grad_(False)
    changes = ("perceptual.network=parser", "perceptual.width=64", "loss.segmentation=2")
    task = _task(batch, *changes, features=parser)
    mask, real = one_hot(batch.labels), to_unit(batch.images)
    features = task.judge(mask, real)
    same = task.terms(batch.labels, real, real, features, features)
    assert float(same["perceptual"]) == 0.0
    logits = parser(real)
    assert torch.allclose(same["segmentation"], nn.functional.cross_entropy(logits, batch.labels.long()))
    fake = (0.5 * real).requires_grad_(True)
    other = task.terms(batch.labels, fake, real, features, features)
    assert float(other["perceptual"].detach()) > 0
    for name in ("perceptual", "segmentation"):
        (gradient,) = torch.autograd.grad(other[name], fake, retain_graph=True)
        assert gradient.norm() > 0
    assert "segmentation" in task.step(batch)


def test_a_look_that_is_off_changes_no_bit_and_one_that_is_on_does(batch: Batch) -> None:
    results = []
    for changes in ((), ("look.light=0", "look.blur=0"), ("look.light=0.3",), ("look.blur=0.5", "look.noise=0.1")):
        task = _task(batch, *changes)
        torch.manual_seed(1)
        mask, real, _, seen = task.inputs(batch)
        results.append((mask, real, seen))
    plain = to_unit(batch.images)
    for _, real, seen in results[:2]:
        assert torch.equal(real, plain)
        assert seen is real
    assert not torch.equal(results[2][1], plain), "light changes the face itself"
    assert results[2][2] is results[2][1]
    assert torch.equal(results[3][1], plain), "blur and noise change only what the style encoder sees"
    assert not torch.equal(results[3][2], plain)


def test_takes_are_what_the_style_encoder_sees_in_the_light_of_the_face(batch: Batch) -> None:
    other = replace(batch, other_images=batch.images.flip(0), other_labels=batch.labels.flip(0))
    task = _task(batch, "look.takes=0.999", "look.light=0.3")
    torch.manual_seed(1)
    mask, real, style_mask, seen = task.inputs(other)
    torch.manual_seed(1)
    torch.rand(len(mask))  # which faces see another take
    alone = recolour(to_unit(batch.images), AugmentSettings(light=0.3, tint=0.0, noise=0.0))
    assert torch.equal(mask, one_hot(batch.labels)) and torch.allclose(real, alone)
    assert torch.equal(style_mask, one_hot(batch.labels.flip(0)))
    assert not torch.allclose(seen, alone.flip(0), atol=1e-3), "in its own light"
    _, real, style_mask, seen = _task(batch, "look.takes=0").inputs(other)
    assert torch.equal(seen, real) and torch.equal(style_mask, mask)
    assert "pixel" in _task(batch, "look.takes=0.5").step(other)


@pytest.mark.parametrize("side", [32, 128])
def test_a_parser_looks_at_pictures_of_its_own_side(batch: Batch, side: int) -> None:
    parser = FaceParser(ParserConfig(image_size=side, width=16)).eval().requires_grad_(False)
    task = _task(batch, "perceptual.network=parser", "perceptual.width=64", "loss.segmentation=2", features=parser)
    mask, real = one_hot(batch.labels), to_unit(batch.images)
    features = task.judge(mask, real)
    terms = task.terms(batch.labels, 0.5 * real, real, features, features)
    mode = "area" if side < 64 else "bilinear"
    logits = parser(nn.functional.interpolate(0.5 * real, (side, side), mode=mode))
    read = nn.functional.interpolate(logits, (64, 64), mode="bilinear" if side < 64 else "area")
    assert torch.allclose(terms["segmentation"], nn.functional.cross_entropy(read, batch.labels.long()), atol=1e-6)


def test_start_from_takes_over_generator_average_and_discriminator(
    prepared: Path, weights: Path, tmp_path: Path
) -> None:
    changes = [*CHANGES, "schedule.steps=1"]
    order = Order("dmn", DMNRecipe, prepare_training, prepared, tmp_path / "run", changes=changes, start=weights)
    found: list[bool] = []

    class Stop(Exception):
        pass

    def prepare(*arguments: object) -> object:
        loop = prepare_training(*arguments)  # type: ignore[arg-type]
        task = loop.task
        assert isinstance(task, DMNTask)
        trained = read_weights(weights, "dmn").tensors
        discriminator = load_file(weights / "state/step-000003/discriminator.safetensors")
        for network, theirs in ((task.generator, trained), (task.best, trained), (task.discriminator, discriminator)):
            found.append(all(torch.equal(value, theirs[name]) for name, value in network.state_dict().items()))
        raise Stop

    with pytest.raises(Stop):
        train(Order(**{**vars(order), "prepare": prepare}), Host("cpu"))
    assert found == [True, True, True]


def test_another_persons_style_is_judged_without_the_true_picture(batch: Batch) -> None:
    task = _task(batch, "look.others=0.999", "loss.colours=2", "loss.pixel=3")
    terms = task.step(batch)
    assert float(terms["pixel"]) == float(terms["feature_matching"]) == 0
    assert float(terms["colours"].detach()) > 0 and float(terms["adversarial"].detach()) > 0
    own = _task(batch, "loss.colours=2", "loss.pixel=3").step(batch)
    assert float(own["pixel"].detach()) > 0


def test_identity_is_the_cosine_to_the_style_picture(batch: Batch, tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = ArcFaceConfig(blocks=(1, 1, 1, 1), width=8, embedding=16, image_size=32)
    save_weights(tmp_path / "face.safetensors", IResNet(config), kind="identity", config=asdict(config), about={})
    task = _task(batch, "loss.identity=1", f"identity.weights={tmp_path / 'face.safetensors'}")
    mask, real = one_hot(batch.labels), to_unit(batch.images)
    assert float(task.likeness(real, mask, real, mask)["identity"]) == pytest.approx(0, abs=1e-5)
    fake = real.flip(0).clone().requires_grad_(True)
    likeness = task.likeness(fake, mask, real, mask)["identity"]
    ours, theirs = task.embedded(fake, mask), task.embedded(real, mask)
    assert float(likeness.detach()) == pytest.approx(1 - float((ours * theirs).sum(1).mean().detach()), abs=1e-5)
    likeness.backward()
    assert fake.grad is not None and fake.grad.any()
    assert float(task.step(batch)["identity"].detach()) > 0
