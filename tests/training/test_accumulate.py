"""Gradient accumulation and steps that free memory early have the same gradients as a step on the whole batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from maskgan_cli.config import load_recipe
from maskgan_cli.data.dataset import Batch, FaceDataset, first_samples
from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.errors import InputError
from maskgan_cli.models.layers import NoiseInput, one_hot
from maskgan_cli.models.spectral import SpectralConv2d
from maskgan_cli.networks import resolve, trainings
from maskgan_cli.training.accumulate import parts_of
from maskgan_cli.training.loop import _check_accumulation
from maskgan_cli.training.style_inputs import generator_inputs
from maskgan_cli.training.tasks import dmn, ebst, mask_vae
from maskgan_cli.training.tasks.ebst import STAGE_TWO, EBSTTask
from tests.conftest import Command, plan

SMALL = ("discriminator.width=4", "perceptual.width=4", "data.batch_size=8", "schedule.validation_samples=4")
EBST = (*SMALL, "blender.width=4")


@pytest.fixture
def batch(prepared: Path) -> Batch:
    return first_samples(FaceDataset(PreparedData.load(prepared).split("train"), 64, cache=True), 8)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Use one thread. With several, rounding errors reach a thousandth of some biases' gradients."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _gradients(task: Any) -> dict[str, Tensor]:
    """Every gradient of the last step."""
    return {
        f"{name}.{key}": parameter.grad.clone()
        for name, network in task.networks.items()
        if name != "average"
        for key, parameter in network.named_parameters()
        if parameter.grad is not None
    }


def _assert_near(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    """Check that every tensor has a relative error below 3e-3; rounding alone gives up to 1.2e-3 on some processors.

    The gradient of a bias before an instance norm is 0 up to rounding, so errors are also compared with the norm of all
    gradients.
    """
    assert found.keys() == expected.keys()
    whole = float(torch.stack([value.norm() for value in expected.values()]).norm())
    for name, value in expected.items():
        apart = float((found[name] - value).norm()) / max(float(value.norm()), 1e-3 * whole)
        assert apart < 3e-3, f"{name}: {apart}"


def _randomise(network: nn.Module) -> None:
    """Give a MaskVAE large random weights, so that it decodes many classes; after three steps it decodes only one."""
    generator = torch.Generator().manual_seed(0)
    for parameter in network.parameters():
        if parameter.ndim > 1:
            deviation = (3 / parameter[0].numel()) ** 0.5
            parameter.data = torch.randn(parameter.shape, generator=generator) * deviation


def _without_batch_norm(network: nn.Module) -> None:
    """Make batch norm use its running statistics, which do not depend on the batch."""
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()


def _tasks(make: Callable[[], Any]) -> tuple[Any, Any]:
    return make(), make()


def test_two_parts_of_four_faces_have_the_gradients_of_eight_faces(
    prepared: Path, batch: Batch, tmp_path: Path
) -> None:
    def make() -> Any:
        recipe = load_recipe(dmn.DMNRecipe, "dmn", "tiny-cpu", [*SMALL, "ema=0.9"])
        return dmn.prepare_training(plan(prepared, tmp_path / "run", overwrite=True), recipe).task

    whole, parted = _tasks(make)
    terms, mean = whole.step(batch), parted.step_in_parts(parts_of(batch, 2))
    for name, value in terms.items():
        assert mean[name].item() == pytest.approx(value.item(), rel=1e-4), name
    _assert_near(_gradients(parted), _gradients(whole))
    assert int(parted.average.n_averaged) == int(whole.average.n_averaged) == 1, "one step of the average"


@pytest.mark.parametrize("order", ["stages", "together"])
@pytest.mark.parametrize("count", [2, 8], ids=["four faces a part", "one face a part"])
def test_ebst_in_parts_has_the_gradients_of_the_whole_batch(
    count: int, order: str, prepared: Path, weights: Path, vae_weights: Path, batch: Batch, tmp_path: Path
) -> None:
    def make() -> EBSTTask:
        recipe = load_recipe(ebst.EBSTRecipe, "ebst", "tiny-cpu", [*EBST, f"update_order={order}"])
        folder = plan(prepared, tmp_path / "run", overwrite=True)
        task = ebst.prepare_training(folder, recipe, dmn=weights, vae=vae_weights).task
        assert isinstance(task, EBSTTask)
        _randomise(task.vae)
        for optimiser in task.optimisers.values():  # Adam would amplify rounding errors
            for group in optimiser.param_groups:
                group["lr"] = 0.0
        return task

    whole, parted = _tasks(make)
    terms, mean = whole.step(batch), parted.step_in_parts(parts_of(batch, count))
    assert terms.keys() == mean.keys()
    for name, value in terms.items():
        assert mean[name].item() == pytest.approx(value.item(), rel=1e-4), name
    _assert_near(_gradients(parted), _gradients(whole))


def test_a_single_network_in_parts_has_the_gradients_of_the_whole_batch(
    prepared: Path, batch: Batch, tmp_path: Path
) -> None:
    def make() -> Any:
        recipe = load_recipe(
            mask_vae.VAERecipe, "vae", "tiny-cpu", ["data.batch_size=8", "schedule.validation_samples=4"]
        )
        task: Any = mask_vae.prepare_training(plan(prepared, tmp_path / "run", overwrite=True), recipe).task
        _without_batch_norm(task.vae)
        # No noise in the code: the two ways would draw it in another order.
        task.vae.to_log_variance.weight.data.zero_()
        task.vae.to_log_variance.bias.data.fill_(-60.0)
        return task

    whole, parted = _tasks(make)
    whole.step(batch)
    parted.step_in_parts(parts_of(batch, 2))
    _assert_near(_gradients(parted), _gradients(whole))
    assert parted.learner.updates == whole.learner.updates == 1


BASELINES: dict[str, tuple[str, ...]] = {
    "spade": ("network.width=2", "network.hidden=4", "network.latent=8", "perceptual.width=4", "optimiser.lr=1e-12"),
    "sean": (
        "network.width=2",
        "network.hidden=4",
        "network.style=8",
        "network.encoder_width=2",
        "perceptual.width=4",
        "optimiser.lr=1e-12",
    ),
    "stargan": (
        "network.width=4",
        "network.blocks=1",
        "network.attributes=[Smiling,Male]",
        "critic_steps=1",
        "schedule.decay_from=null",
        "optimiser.lr=1e-12",
    ),
    "elegant": ("network.width=4", "network.attributes=[Smiling,Male]", "optimiser.lr=1e-12"),
}


@pytest.mark.parametrize("name", BASELINES)
def test_baselines_in_parts_have_the_gradients_of_the_whole_batch(
    name: str, prepared: Path, batch: Batch, tmp_path: Path
) -> None:
    """One network learns after the other, so Adam's rounding errors are kept out by a small learning rate."""
    training = next(one for one in trainings() if one.name == name)
    recipe = load_recipe(
        resolve(f"{training.module}:{training.recipe}"),
        name,
        "tiny-cpu",
        ["discriminator.width=4", "data.batch_size=8", "schedule.validation_samples=4", *BASELINES[name]],
    )

    def make() -> Any:
        folder = plan(prepared, tmp_path / "run", overwrite=True)
        task: Any = resolve(f"{training.module}:prepare_training")(folder, recipe).task
        for network in task.networks.values():
            _without_batch_norm(network)
            for module in network.modules():
                if isinstance(module, SpectralConv2d | NoiseInput):  # a power iteration, or new noise, in each pass
                    module.eval()
        if name == "spade":  # no noise in the code: the two ways would draw it in another order
            task.generator.network.encoder.to_log_variance.weight.data.zero_()
            task.generator.network.encoder.to_log_variance.bias.data.fill_(-60.0)
        return task

    whole, parted = _tasks(make)
    torch.manual_seed(0)
    terms = whole.step(batch)
    torch.manual_seed(0)
    mean = parted.step_in_parts(parts_of(batch, 2))
    assert terms.keys() == mean.keys()
    for key, value in terms.items():
        assert mean[key].item() == pytest.approx(value.item(), rel=1e-4, abs=1e-6), key
    gradients = _gradients(whole)
    assert all(any(key.startswith(network) for key in gradients) for network in whole.networks)
    _assert_near(_gradients(parted), gradients)
    steps = [{int(s["step"]) for o in task.optimisers.values() for s in o.state.values()} for task in (whole, parted)]
    assert steps == [{2}, {2}] if name == "elegant" else [{1}, {1}], "an update for each attribute"


def _step_with_one_graph(task: EBSTTask, batch: Batch) -> None:
    """EBST's step with one graph through both stages, as a reference for the step that frees memory early."""
    mask, real, style_mask, style_image = generator_inputs(batch, task.recipe.style_augmentation)
    fake = task.generate(task.generator, mask, style_mask, style_image)
    fake_features, real_features = task.discriminate(mask, fake), task.discriminate(mask, real)
    first = task.terms(batch.labels, fake, real, fake_features, real_features)
    task.update("generator", task.weighted(first), retain_graph=True)
    inter_mask, outer_mask = task.edited_masks(mask)
    style = task.generator.encode_style(style_mask, style_image)
    inter, outer = task.generator.generate(torch.cat([inter_mask, outer_mask]), style.repeat(2, 1)).chunk(2)
    blend, _ = task.blender(inter, outer)
    blend_features = task.discriminate(mask, blend)
    second = task.terms(batch.labels, blend, real, blend_features, real_features)
    task.update(STAGE_TWO, task.weighted(second), retain_graph=True)
    task.update("discriminator", task.discriminator_loss([fake_features, blend_features], real_features))
    task.update_average()


@pytest.mark.parametrize("checkpointing", ["false", "true"])
def test_freeing_memory_early_and_checkpointing_change_no_bit(
    checkpointing: str, prepared: Path, weights: Path, vae_weights: Path, batch: Batch, tmp_path: Path
) -> None:
    def make(*changes: str) -> EBSTTask:
        recipe = load_recipe(ebst.EBSTRecipe, "ebst", "tiny-cpu", [*EBST, *changes])
        folder = plan(prepared, tmp_path / "run", overwrite=True)
        task = ebst.prepare_training(folder, recipe, dmn=weights, vae=vae_weights).task
        assert isinstance(task, EBSTTask)
        return task

    kept, freed = make(), make(f"checkpointing={checkpointing}")
    for _ in range(2):
        _step_with_one_graph(kept, batch)
        freed.step(batch)
    for name, network in kept.networks.items():
        other = freed.networks[name].state_dict()
        assert all(torch.equal(value, other[key]) for key, value in network.state_dict().items()), name


def test_numbers_of_parts_that_do_not_fit_raise_an_error(prepared: Path, tmp_path: Path, maskgan: Command) -> None:
    quick = (
        "--device",
        "cpu",
        "-o",
        tmp_path / "run",
        "--set",
        "schedule.steps=1",
        "--set",
        "schedule.decay_from=null",
    )
    elegant = maskgan("train", "elegant", prepared, *quick, "--set", "data.batch_size=8", "--set", "data.accumulate=4")
    assert elegant.code == 2
    assert "data.accumulate: expected a divisor of the 2 pairs of an update in 1 process(es), found 4" in elegant.err
    odd = maskgan("train", "vae", prepared, *quick, "--set", "data.batch_size=4", "--set", "data.accumulate=3")
    assert odd.code == 2
    assert "accumulate=3 does not divide batch_size=4" in odd.err
    half = maskgan(
        "train",
        "vae",
        prepared,
        *quick,
        "--set",
        "data.accumulate=2",
        "--set",
        "precision=fp16",
        "--set",
        "data.batch_size=4",
    )
    assert half.code == 2
    assert "data.accumulate needs precision no or bf16" in half.err


def test_a_training_that_does_not_accumulate_raises_an_error() -> None:
    recipe = load_recipe(mask_vae.VAERecipe, "vae", "tiny-cpu", ["data.batch_size=8", "data.accumulate=2"])
    task: Any = object()
    with pytest.raises(InputError, match=r"data\.accumulate: expected 1 for this training"):
        _check_accumulation(task, recipe, Accelerator(cpu=True))


def test_the_command_trains_in_parts(prepared: Path, tmp_path: Path, maskgan: Command) -> None:
    done = maskgan(
        "train",
        "parser",
        prepared,
        "--device",
        "cpu",
        "-o",
        tmp_path / "run",
        "-q",
        "--set",
        "schedule.steps=2",
        "--set",
        "schedule.decay_from=null",
        "--set",
        "data.batch_size=4",
        "--set",
        "data.accumulate=2",
        "--set",
        "network.image_size=64",
    )
    assert done.code == 0, done.err
    assert (tmp_path / "run" / "model.safetensors").is_file()
    with pytest.raises(ValueError, match="3 faces cannot be split into 2"):
        parts_of(Batch(torch.zeros(3, 3, 1, 1), torch.zeros(3, 1, 1), torch.zeros(3), torch.zeros(3)), 2)


def test_ebsts_codes_are_means_or_samples(
    prepared: Path, weights: Path, vae_weights: Path, batch: Batch, tmp_path: Path
) -> None:
    def edits(seed: int, *changes: str) -> Tensor:
        recipe = load_recipe(ebst.EBSTRecipe, "ebst", "tiny-cpu", [*EBST, *changes])
        folder = plan(prepared, tmp_path / "run", overwrite=True)
        task = ebst.prepare_training(folder, recipe, dmn=weights, vae=vae_weights).task
        assert isinstance(task, EBSTTask)
        _randomise(task.vae)
        torch.manual_seed(seed)
        return torch.stack(task.edited_labels(one_hot(batch.labels[:2])))

    assert torch.equal(edits(0), edits(1))
    drawn = edits(0, "sampled_codes=true")
    assert torch.equal(drawn, edits(0, "sampled_codes=true"))
    assert not torch.equal(drawn, edits(1, "sampled_codes=true"))


@pytest.mark.parametrize("task", ["dmn", "ebst", "pix2pixhd-m", "vae", "parser"])
def test_the_released_settings_are_recipes(task: str) -> None:
    training = next(one for one in trainings() if one.name == task)
    recipe = load_recipe(resolve(f"{training.module}:{training.recipe}"), task, "published-512", [])
    assert not recipe.data.flip
    assert (recipe.optimiser.beta1, recipe.optimiser.beta2) == (0.5, 0.999)
    assert recipe.data.batch_size == (16 if task == "vae" else 8)
    if task != "parser":
        passes = recipe.schedule.steps * recipe.data.batch_size / 24183
        assert round(passes) == 200
        assert recipe.schedule.decay_from == pytest.approx(recipe.schedule.steps / 2, abs=1)
