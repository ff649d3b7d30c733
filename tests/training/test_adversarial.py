"""Optional parts of the adversarial training: class weights, averages, parser features, styles, initialisation."""

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
from maskgan_cli.training.callbacks import TrainingCallbacks
from maskgan_cli.training.ema import moving_average
from maskgan_cli.training.run import Order, train
from maskgan_cli.training.style_inputs import StyleAugmentationSettings, generator_inputs
from maskgan_cli.training.tasks.dmn import DMNRecipe, DMNTask, prepare_training
from maskgan_cli.training.tasks.ebst import EBSTRecipe
from maskgan_cli.weights.format import read_weights, save_weights
from tests.conftest import TINY

CHANGES = [TINY[i + 1] for i in range(len(TINY)) if TINY[i] == "--set"]


@pytest.fixture
def batch(prepared: Path) -> Batch:
    return first_samples(FaceDataset(PreparedData.load(prepared).split("train"), 64, cache=True), 2)


def _task(batch: Batch, *changes: str, features: FaceParser | None = None) -> DMNTask:
    recipe = load_recipe(DMNRecipe, "dmn", "tiny-cpu", [*CHANGES, *changes])
    return DMNTask(recipe, Accelerator(cpu=True), features, batch)


def test_the_weighted_pixel_loss_by_hand() -> None:
    labels = torch.tensor([[[ID["skin"], ID["l_eye"]]]])
    fake, real = torch.tensor([[[[1.0, 3.0]]]] * 1).expand(1, 3, 1, 2), torch.zeros(1, 3, 1, 2)
    class_weights = torch.ones(19)
    class_weights[ID["l_eye"]] = 4.0
    # (1 x 1 + 4 x 3) / (1 + 4), and (1 + 3) / 2 with equal weights
    assert float(losses.pixel(fake, real, class_weights, labels)) == pytest.approx(13 / 5)
    assert float(losses.pixel(fake, real, None, labels)) == pytest.approx(2.0)


def test_small_classes_have_the_weight_of_the_recipe(batch: Batch) -> None:
    task = _task(batch, "loss.small_classes=3")
    assert task.class_weights is not None
    heavy = {name for name, number in ID.items() if float(task.class_weights[number]) == 3.0}
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
    assert _task(batch).class_weights is None


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
        expected = float(n) if n == 0 else kept * expected + (1 - kept) * n  # the first step copies the weights
        weight: Any = average.module.weight
        assert float(weight.detach()) == pytest.approx(expected, rel=1e-5), n


def test_segmentation_needs_the_parser() -> None:
    with pytest.raises(InputError, match=r"loss\.segmentation needs perceptual\.network=parser"):
        load_recipe(DMNRecipe, "dmn", "tiny-cpu", [*CHANGES, "loss.segmentation=1"])


def test_the_parsers_losses_depend_on_face_and_mask(batch: Batch) -> None:
    torch.manual_seed(0)
    parser = FaceParser(ParserConfig(image_size=64, width=16)).eval().requires_grad_(False)
    changes = ("perceptual.network=parser", "perceptual.width=64", "loss.segmentation=2")
    task = _task(batch, *changes, features=parser)
    mask, real = one_hot(batch.labels), to_unit(batch.images)
    features = task.discriminate(mask, real)
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


def test_style_augmentation_changes_nothing_if_it_is_off(batch: Batch) -> None:
    results = []
    for values in ({}, {"light": 0.0, "blur": 0.0}, {"light": 0.3}, {"blur": 0.5, "noise": 0.1}):
        torch.manual_seed(1)
        mask, real, _, style = generator_inputs(batch, StyleAugmentationSettings(**values))
        results.append((mask, real, style))
    plain = to_unit(batch.images)
    for _, real, style in results[:2]:
        assert torch.equal(real, plain)
        assert style is real
    assert not torch.equal(results[2][1], plain), "light changes the face itself"
    assert results[2][2] is results[2][1]
    assert torch.equal(results[3][1], plain), "blur and noise change only what the style encoder sees"
    assert not torch.equal(results[3][2], plain)


def test_the_style_encoder_sees_expression_variants_in_the_light_of_the_face(batch: Batch) -> None:
    other = replace(batch, other_images=batch.images.flip(0), other_labels=batch.labels.flip(0))
    torch.manual_seed(1)
    settings = StyleAugmentationSettings(expression_variants=0.999, light=0.3)
    mask, real, style_mask, style = generator_inputs(other, settings)
    torch.manual_seed(1)
    torch.rand(len(mask))  # the draw of the faces that get a variant
    expected = recolour(to_unit(batch.images), AugmentSettings(light=0.3, tint=0.0, noise=0.0))
    assert torch.equal(mask, one_hot(batch.labels)) and torch.allclose(real, expected)
    assert torch.equal(style_mask, one_hot(batch.labels.flip(0)))
    assert not torch.allclose(style, expected.flip(0), atol=1e-3), "each row has its own light"
    _, real, style_mask, style = generator_inputs(other, StyleAugmentationSettings())
    assert torch.equal(style, real) and torch.equal(style_mask, mask)
    assert "pixel" in _task(batch, "style_augmentation.expression_variants=0.5").step(other)


def test_former_names_of_settings_still_work() -> None:
    former = load_recipe(DMNRecipe, "dmn", "tiny-cpu", [*CHANGES, "look.takes=0.5", "look.light=0.3"])
    settings = ("style_augmentation.expression_variants=0.5", "style_augmentation.light=0.3")
    recipe = load_recipe(DMNRecipe, "dmn", "tiny-cpu", [*CHANGES, *settings])
    assert former == recipe
    assert "look" not in recipe.model_dump()
    both = load_recipe(DMNRecipe, "dmn", "bundled-256", ["look.takes=0.25", "style_augmentation.blur=0.1"])
    assert (both.style_augmentation.expression_variants, both.style_augmentation.blur) == (0.25, 0.1)
    assert both.style_augmentation.light == load_recipe(DMNRecipe, "dmn", "bundled-256", []).style_augmentation.light
    message = r"^--set look\.takes=2: found style_augmentation\.expression_variants: Input should be less than 1"
    with pytest.raises(InputError, match=message):
        load_recipe(DMNRecipe, "dmn", "tiny-cpu", [*CHANGES, "look.takes=2"])


@pytest.mark.parametrize("side", [32, 128])
def test_pictures_are_resized_for_a_parser_of_another_size(batch: Batch, side: int) -> None:
    parser = FaceParser(ParserConfig(image_size=side, width=16)).eval().requires_grad_(False)
    task = _task(batch, "perceptual.network=parser", "perceptual.width=64", "loss.segmentation=2", features=parser)
    mask, real = one_hot(batch.labels), to_unit(batch.images)
    features = task.discriminate(mask, real)
    terms = task.terms(batch.labels, 0.5 * real, real, features, features)
    mode = "area" if side < 64 else "bilinear"
    logits = parser(nn.functional.interpolate(0.5 * real, (side, side), mode=mode))
    read = nn.functional.interpolate(logits, (64, 64), mode="bilinear" if side < 64 else "area")
    assert torch.allclose(terms["segmentation"], nn.functional.cross_entropy(read, batch.labels.long()), atol=1e-6)


def test_start_from_loads_generator_average_and_discriminator(prepared: Path, weights: Path, tmp_path: Path) -> None:
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
        train(Order(**{**vars(order), "prepare": prepare}), TrainingCallbacks("cpu"))
    assert found == [True, True, True]


def test_the_style_of_another_person_has_no_terms_with_ground_truth(batch: Batch) -> None:
    task = _task(batch, "style_augmentation.others=0.999", "loss.colours=2", "loss.pixel=3")
    terms = task.step(batch)
    assert float(terms["pixel"]) == float(terms["feature_matching"]) == 0
    assert float(terms["colours"].detach()) > 0 and float(terms["adversarial"].detach()) > 0
    own = _task(batch, "loss.colours=2", "loss.pixel=3").step(batch)
    assert float(own["pixel"].detach()) > 0


def test_the_identity_loss_is_one_minus_the_cosine_to_the_style_picture(batch: Batch, tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = ArcFaceConfig(blocks=(1, 1, 1, 1), width=8, embedding=16, image_size=32)
    save_weights(tmp_path / "face.safetensors", IResNet(config), kind="identity", config=asdict(config), about={})
    task = _task(batch, "loss.identity=1", f"identity.weights={tmp_path / 'face.safetensors'}")
    mask, real = one_hot(batch.labels), to_unit(batch.images)
    style_losses = task.style_losses
    assert float(style_losses.terms(real, mask, real, mask)["identity"]) == pytest.approx(0, abs=1e-5)
    fake = real.flip(0).clone().requires_grad_(True)
    loss = style_losses.terms(fake, mask, real, mask)["identity"]
    ours, theirs = style_losses.embed(fake, mask), style_losses.embed(real, mask)
    assert float(loss.detach()) == pytest.approx(1 - float((ours * theirs).sum(1).mean().detach()), abs=1e-5)
    loss.backward()
    assert fake.grad is not None and fake.grad.any()
    assert float(task.step(batch)["identity"].detach()) > 0


def test_the_hinge_loss_by_hand(batch: Batch) -> None:
    task = _task(batch, "adversarial_loss=hinge")
    features = lambda score: [[torch.zeros(1), torch.full((2, 1, 3, 3), score)] for _ in range(2)]  # noqa: E731
    # max(0, 1 - 0.5) + max(0, 1 + 0.25) for the real and the generated faces
    assert float(task.discriminator_loss([features(0.25)], features(0.5))) == pytest.approx(0.5 + 1.25)
    assert float(task.discriminator_loss([features(-2.0)], features(2.0))) == 0
    assert float(task.generator_adversarial_loss(features(0.25))) == pytest.approx(-0.25)


def test_r1_makes_the_discriminator_flatter(batch: Batch) -> None:
    def steepness(r1: float) -> float:
        changes = ["discriminator.norm=none", "adversarial_loss=hinge", "optimiser.lr=2e-3", f"r1={r1}"]
        task = _task(batch, *changes)
        torch.manual_seed(0)
        for _ in range(30):
            task.step(batch)
        mask, real = one_hot(batch.labels), to_unit(batch.images)
        return float(losses.r1_penalty(lambda faces: task._scores(mask, faces), real).detach())

    assert steepness(100.0) < 0.5 * steepness(0.0)


def test_r1_belongs_to_stage_one() -> None:
    with pytest.raises(InputError, match="r1 is a setting of train dmn"):
        load_recipe(EBSTRecipe, "ebst", "tiny-cpu", ["r1=1"])


def test_still_faces_keep_their_style_picture(batch: Batch) -> None:
    for still in (0.0, 0.5, 0.999):
        torch.manual_seed(3)
        settings = StyleAugmentationSettings(style_rotate=20, style_shift=0.1, style_still=still)
        mask, real, style_mask, style = generator_inputs(batch, settings)
        kept = [torch.equal(a, b) for a, b in zip(real, style, strict=True)]
        assert kept == [torch.equal(a, b) for a, b in zip(mask, style_mask, strict=True)]
        assert still == 0.5 or kept == [still > 0.5] * len(mask)


def test_start_from_adds_skip_connections(prepared: Path, weights: Path, tmp_path: Path) -> None:
    changes = [*CHANGES, "network.downs=3", "network.style_map=2", "network.skips=true", "schedule.steps=1"]
    order = Order("dmn", DMNRecipe, prepare_training, prepared, tmp_path / "run", changes=changes, start=weights)
    train(order, TrainingCallbacks("cpu"))
    tensors = read_weights(tmp_path / "run", "dmn").tensors
    assert {"style_encoder.to_skips.0.weight", "backbone.skips.0.conv2.weight"} <= tensors.keys()


def test_start_from_adds_a_style_map(prepared: Path, weights: Path, tmp_path: Path) -> None:
    changes = [*CHANGES, "network.style_map=2", "schedule.steps=1"]
    order = Order("dmn", DMNRecipe, prepare_training, prepared, tmp_path / "run", changes=changes, start=weights)
    train(order, TrainingCallbacks("cpu"))
    assert "style_encoder.to_style_map.weight" in read_weights(tmp_path / "run", "dmn").tensors


def test_without_adversarial_losses_the_discriminator_keeps_its_weights(batch: Batch) -> None:
    task = _task(batch, "loss.adversarial=0", "loss.feature_matching=0")
    before = {
        name: [parameter.detach().clone() for parameter in network.parameters()]
        for name, network in task.networks.items()
    }
    terms = task.step(batch)
    assert "pixel" in terms and not {"adversarial", "feature_matching", "discriminator"} & set(terms)
    same = {
        name: all(torch.equal(a, b) for a, b in zip(before[name], network.parameters(), strict=True))
        for name, network in task.networks.items()
    }
    assert same["discriminator"] and not same["generator"]
