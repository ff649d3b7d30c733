"""EBST: simulated edits, the updates of each stage, initialisation from trained weights, errors."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from maskgan_cli.config import load_recipe
from maskgan_cli.data.dataset import Batch, FaceDataset, collate, first_samples
from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.data.resize import resize_labels
from maskgan_cli.errors import InputError
from maskgan_cli.files import read_image, read_label_map, sha256, write_label_map
from maskgan_cli.labels import flip
from maskgan_cli.models.alpha_blender import AlphaBlender, AlphaBlenderConfig
from maskgan_cli.models.layers import one_hot
from maskgan_cli.models.mask_vae import MaskVAE, MaskVAEConfig, decode_labels, simulated_edits
from maskgan_cli.training import losses as paper
from maskgan_cli.training.style_inputs import generator_inputs
from maskgan_cli.training.tasks.ebst import EBSTRecipe, EBSTTask, prepare_training
from maskgan_cli.weights.format import load, load_strictly, read_weights
from maskgan_cli.weights.lookup import find_weights
from tests.conftest import Command, plan

CHANGES = (
    "discriminator.width=4",
    "perceptual.width=4",
    "blender.width=4",
    "data.batch_size=4",
    "schedule.validation_samples=4",
    "schedule.log_every=1",
)
TINY = ("--device", "cpu", "-q", *(word for change in CHANGES for word in ("--set", change)))


@pytest.fixture
def task(prepared: Path, weights: Path, vae_weights: Path, tmp_path: Path) -> EBSTTask:
    return _task(prepared, weights, vae_weights, tmp_path)


def _task(prepared: Path, weights: Path, vae_weights: Path, tmp_path: Path, *changes: str) -> EBSTTask:
    recipe = load_recipe(EBSTRecipe, "ebst", "tiny-cpu", [*CHANGES, *changes])
    loop = prepare_training(plan(prepared, tmp_path / "run", overwrite=True), recipe, dmn=weights, vae=vae_weights)
    assert isinstance(loop.task, EBSTTask)
    return loop.task


@pytest.fixture
def batch(prepared: Path) -> Batch:
    return first_samples(FaceDataset(PreparedData.load(prepared).split("train"), 64, cache=True), 4)


def _decode_random_masks(task: EBSTTask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decode random masks. A MaskVAE of three steps decodes every code to the same mask, and both edits were equal."""
    monkeypatch.setattr(task.vae, "decode", lambda code: torch.rand(len(code), 19, 64, 64))


def test_it_starts_from_the_trained_generator_and_its_discriminator(task: EBSTTask, weights: Path) -> None:
    trained, _ = load("dmn", weights, torch.device("cpu"))
    for network in (task.generator, task.best):
        assert all(torch.equal(p, trained.state_dict()[name]) for name, p in network.state_dict().items())
    theirs = load_file(weights / "state" / "step-000003" / "discriminator.safetensors")
    assert all(torch.equal(p, theirs[name]) for name, p in task.discriminator.state_dict().items())


def test_start_from_loads_generator_discriminator_and_blender_of_a_run_or_of_a_folder(
    prepared: Path, weights: Path, vae_weights: Path, tmp_path: Path, maskgan: Command
) -> None:
    call = ("train", "ebst", prepared, "--vae", vae_weights, *TINY, "--set", "schedule.steps=1", "--set", "ema=0")
    assert maskgan(*call, "--dmn", weights, "-o", tmp_path / "first").code == 0
    first = tmp_path / "first"
    files = tmp_path / "files"
    files.mkdir()
    for name, source in (
        ("dmn", first / "model"),
        ("blender", first / "blender"),
        ("discriminator", first / "state/step-000001/discriminator"),
    ):
        shutil.copy(source.with_suffix(".safetensors"), files / f"{name}.safetensors")
    for k, source in enumerate((first, files)):
        out = tmp_path / f"second-{k}"
        outcome = maskgan(
            *(x for x in call if x != "-q"), "--start-from", source, "-o", out, "--set", "optimiser.lr=1e-12"
        )
        assert outcome.code == 0, outcome.err
        assert "discriminator: trained, blender: trained" in outcome.err
        for name in ("generator", "blender", "discriminator"):
            ours, theirs = (load_file(run / f"state/step-000001/{name}.safetensors") for run in (out, first))
            assert all(torch.allclose(ours[key], theirs[key], atol=1e-9) for key in theirs), name
        assert json.loads((out / "run.json").read_text())["start"]["sha256"] == sha256(first / "model.safetensors")
    for extra, found in ((("--dmn", weights, "--start-from", first), "both"), ((), "neither")):
        outcome = maskgan(*call, *extra, "-o", tmp_path / "third")
        assert outcome.code == 2
        message = f"--dmn: expected a trained generator: --dmn, or --start-from with its blender, found {found}"
        assert message in outcome.err
    (files / "discriminator.safetensors").write_bytes(b"broken")
    outcome = maskgan(*call, "--start-from", files, "-o", tmp_path / "third")
    assert (outcome.code, "discriminator.safetensors: expected" in outcome.err) == (2, True), outcome.err


def test_resuming_a_run_with_other_optimisers_raises_an_error_with_a_hint(
    prepared: Path, weights: Path, vae_weights: Path, tmp_path: Path, maskgan: Command
) -> None:
    call = ("train", "ebst", prepared, "--dmn", weights, "--vae", vae_weights, *TINY, "-o", tmp_path / "run")
    assert maskgan(*call, "--set", "schedule.steps=1").code == 0
    state = tmp_path / "run/state/step-000001"
    adams = torch.load(state / "optimisers.pt", weights_only=True)
    adams["blender"] = adams.pop("generator+blender")
    torch.save(adams, state / "optimisers.pt")
    (state / "hashes.json").unlink()
    outcome = maskgan(*call, "--set", "schedule.steps=2")
    assert outcome.code == 2
    assert f"start a new run with --start-from {tmp_path / 'run'}" in outcome.err


def test_the_two_edits_are_equal_steps_towards_the_previous_face_and_away_from_it(
    task: EBSTTask, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = torch.tensor([[0.0], [5.0], [10.0], [-5.0]])
    seen = []
    monkeypatch.setattr(task.vae, "encode", lambda mask: (codes, codes))
    monkeypatch.setattr(task.vae, "decode", lambda z: (seen.append(z), torch.rand(4, 19, 64, 64))[1])
    inter, outer = task.edited_masks(one_hot(batch.labels))
    # z + (z_ref - z) / 2.5 and z - (z_ref - z) / 2.5, where z_ref is the previous code in the batch
    torch.testing.assert_close(seen[0], torch.tensor([[-2.0], [3.0], [8.0], [1.0]]))
    torch.testing.assert_close(seen[1], torch.tensor([[2.0], [7.0], [12.0], [-11.0]]))
    for mask in (inter, outer):
        assert torch.equal(mask.sum(1), torch.ones(4, 64, 64))


def test_edits_with_a_vae_of_the_faces_size_are_decoded_from_its_codes(task: EBSTTask, batch: Batch) -> None:
    code, _ = task.vae.encode(one_hot(batch.labels))
    edits = simulated_edits(task.vae, code, code.roll(1, 0), task.recipe.lambda_inter, 64)
    for mask, edit in zip(task.edited_masks(one_hot(batch.labels)), edits, strict=True):
        assert torch.equal(mask, one_hot(edit))


@pytest.mark.parametrize("size", [64, 256])
def test_masks_are_resized_for_a_vae_of_another_size_and_its_edits_are_resized_back(
    task: EBSTTask, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    task.vae = MaskVAE(MaskVAEConfig(image_size=size, width=4, latent=8)).eval()
    labels = torch.randint(0, 19, (3, 128, 128), dtype=torch.uint8)
    seen: list[torch.Tensor] = []
    encode = task.vae.encode
    monkeypatch.setattr(task.vae, "encode", lambda mask: (seen.append(mask), encode(mask))[1])
    edits = task.edited_masks(one_hot(labels))
    resized = np.stack([resize_labels(one.numpy(), size) for one in labels])
    assert torch.equal(seen[0], one_hot(torch.from_numpy(resized)))
    code, _ = encode(seen[0])
    step = (code.roll(1, 0) - code) / 2.5
    for mask, place in zip(edits, (code + step, code - step), strict=True):
        assert torch.equal(mask, one_hot(decode_labels(task.vae, place, 128)))


def test_the_bundled_vae_of_another_size_can_be_used(
    prepared: Path, weights: Path, tmp_path: Path, maskgan: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MASKGAN_WEIGHTS", raising=False)
    bundled = read_weights(find_weights(None, "vae", "--vae"), "vae")
    assert bundled.config["image_size"] != 64
    call = ("train", "ebst", prepared, "--dmn", weights, "-o", tmp_path / "run", *TINY, "--set", "schedule.steps=1")
    outcome = maskgan(*call)
    assert outcome.code == 0, outcome.err
    assert read_weights(tmp_path / "run", "dmn").about["vae"] == {"sha256": bundled.sha256}
    assert read_image(tmp_path / "run" / "samples" / "step-000001.png").shape == (4 * 64, 9 * 64, 3)


def test_a_step_updates_three_networks_and_not_the_vae(
    task: EBSTTask, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    _decode_random_masks(task, monkeypatch)
    networks = {**task.networks, "vae": task.vae}
    before = {name: [t.clone() for t in network.state_dict().values()] for name, network in networks.items()}
    calls = []
    task.generator.style_encoder.register_forward_hook(lambda *_: calls.append(1))
    losses = task.step(batch)
    after = {name: list(network.state_dict().values()) for name, network in networks.items()}
    for name in ("generator", "blender", "discriminator", "average"):
        assert not all(map(torch.equal, before[name], after[name])), name
    assert all(map(torch.equal, before["vae"], after["vae"]))
    assert len(calls) == 2, "the style is encoded once for each stage, not for each edit"
    stage1 = {"adversarial", "feature_matching", "pixel", "perceptual"}
    assert set(losses) == stage1 | {f"blend_{name}" for name in stage1} | {"discriminator"}
    assert all(torch.isfinite(value) for value in losses.values())


def test_each_stage_has_its_own_adam_and_every_backward_pass_is_followed_by_its_step(
    task: EBSTTask, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As published, the generator has one Adam, and generator and blender have another.

    Every backward pass is followed by its step, because the loss scale of fp16 may change in a step.
    """
    _decode_random_masks(task, monkeypatch)
    order: list[str] = []
    gradients: dict[str, list[bool]] = {}
    backward = task.accelerator.backward
    monkeypatch.setattr(task.accelerator, "backward", lambda *a, **k: (order.append("backward"), backward(*a, **k)))
    for name, optimiser in task.optimisers.items():
        step = optimiser.step

        def watched(name: str = name, step: Callable[[], object] = step) -> None:
            order.append(name)
            networks = (task.generator, task.blender, task.discriminator)
            gradients[name] = [any(p.grad is not None and bool(p.grad.any()) for p in n.parameters()) for n in networks]
            step()

        monkeypatch.setattr(optimiser, "step", watched)
    task.step(batch)
    assert order == ["backward", "generator", "backward", "generator+blender", "backward", "discriminator"]
    assert gradients["generator"] == [True, False, False]
    assert gradients["generator+blender"] == [True, True, False]
    assert gradients["discriminator"][2]
    parameters = {
        name: {id(p) for group in optimiser.param_groups for p in group["params"]}
        for name, optimiser in task.optimisers.items()
    }
    generator, blender, discriminator = (
        {id(p) for p in network.parameters()} for network in (task.generator, task.blender, task.discriminator)
    )
    assert parameters == {
        "generator": generator,
        "generator+blender": generator | blender,
        "discriminator": discriminator,
    }


def test_stage_two_uses_the_generator_that_stage_one_has_updated(
    task: EBSTTask, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[torch.Tensor] = []
    weight = next(task.generator.parameters())
    task.generator.style_encoder.register_forward_hook(lambda *_: seen.append(weight.detach().clone()))
    monkeypatch.setattr(task.optimisers["generator+blender"], "step", lambda: None)
    task.step(batch)
    first, second = seen
    assert not torch.equal(first, second)
    assert torch.equal(second, weight)


def test_together_all_pictures_are_painted_before_any_update(
    prepared: Path, weights: Path, vae_weights: Path, tmp_path: Path, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = _task(prepared, weights, vae_weights, tmp_path, "update_order=together", "optimiser.lr=1e-3")
    _decode_random_masks(task, monkeypatch)
    edits = task.edited_labels(one_hot(batch.labels))
    monkeypatch.setattr(task, "edited_labels", lambda mask: edits)
    # The gradient of each loss at the weights before the step, each in a graph of its own.
    mask, real, style_mask, style_image = generator_inputs(batch, task.recipe.style_augmentation)
    real_features = task.discriminate(mask, real)
    networks: dict[str, list[torch.nn.Module]] = {
        "generator": [task.generator],
        "generator+blender": [task.generator, task.blender],
    }
    expected = {}
    for name, updated in networks.items():
        style = task.generator.encode_style(style_mask, style_image)
        picture = task.generator.generate(mask, style)
        if name == "generator+blender":
            inter, outer = (task.generator.generate(one_hot(labels), style) for labels in edits)
            picture = task.blender(inter, outer)[0]
        terms = task.terms(batch.labels, picture, real, task.discriminate(mask, picture), real_features)
        parameters = [p for network in updated for p in network.parameters()]
        expected[name] = torch.autograd.grad(task.weighted(terms), parameters, retain_graph=True)
    order: list[str] = []
    found: dict[str, list[torch.Tensor | None]] = {}
    for name, optimiser in task.optimisers.items():
        step = optimiser.step

        def watched(name: str = name, step: Callable[[], object] = step) -> None:
            order.append(name)
            if name in networks:
                found[name] = [p.grad for network in networks[name] for p in network.parameters()]
            step()

        monkeypatch.setattr(optimiser, "step", watched)
    task.step(batch)
    assert order == ["generator", "generator+blender", "discriminator"]
    for name, gradients in expected.items():
        scale = max(float(gradient.abs().max()) for gradient in gradients)
        for ours, theirs in zip(found[name], gradients, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-5 * scale)


def test_the_rate_of_stage_two_can_stay_constant_as_in_the_released_code(
    prepared: Path, weights: Path, vae_weights: Path, tmp_path: Path, maskgan: Command
) -> None:
    call = (
        "train",
        "ebst",
        prepared,
        "--dmn",
        weights,
        "--vae",
        vae_weights,
        *TINY,
        "--set",
        "schedule.steps=4",
        "--set",
        "schedule.decay_from=1",
        "--set",
        "optimiser.lr=1e-4",
    )
    rates = {}
    for decay in ("true", "false"):
        out = tmp_path / decay
        assert maskgan(*call, "-o", out, "--set", f"stage_two_decay={decay}").code == 0
        adams = torch.load(out / "state" / "step-000004" / "optimisers.pt", weights_only=True)
        rates[decay] = {name: adam["param_groups"][0]["lr"] for name, adam in adams.items()}
    assert len(set(rates["true"].values())) == 1 and rates["true"]["generator"] < 5e-5
    assert rates["false"] == {**rates["true"], "generator+blender": 1e-4}


def test_updates_together_need_a_precision_with_one_loss_scale() -> None:
    with pytest.raises(InputError, match="update_order=together needs precision bf16 or no"):
        load_recipe(EBSTRecipe, "ebst", "tiny-cpu", ["update_order=together", "precision=fp16"])


def test_edits_can_be_read_from_a_folder_and_are_the_same_in_every_epoch(
    prepared: Path, weights: Path, vae_weights: Path, tmp_path: Path, maskgan: Command
) -> None:
    edits = tmp_path / "edits"
    simulate = ("simulate-edits", prepared, "--split", "train", "-w", vae_weights, "--sampled-codes", "-q")
    assert maskgan(*simulate, "-o", edits, "--device", "cpu").code == 0
    train = PreparedData.load(prepared).split("train")
    for path in edits.glob("*.png"):  # a MaskVAE of three steps decodes every code to the same mask
        write_label_map(path, np.full((64, 64), sum(path.read_bytes() + path.name.encode()) % 19, np.uint8))
    faces = FaceDataset(train, 64, cache=True, edits=edits)
    whole = collate([faces[(i, i % 2 == 1)] for i in range(4)])
    assert whole.edited_labels is not None
    for i, sample in enumerate(train[:4]):
        files = [read_label_map(edits / f"{sample.id}-{name}.png") for name in ("inter", "outer")]
        expected = [flip(labels) if i % 2 else labels for labels in files]
        assert (whole.edited_labels[i].numpy() == np.stack(expected)).all()
    recipe = load_recipe(EBSTRecipe, "ebst", "tiny-cpu", list(CHANGES))
    folder = plan(prepared, tmp_path / "run", overwrite=True)
    task = prepare_training(folder, recipe, dmn=weights, vae=vae_weights, edits=edits).task
    assert isinstance(task, EBSTTask)
    painted: list[torch.Tensor] = []
    generate = task.generator.generate
    task.generator.generate = lambda mask, style: (painted.append(mask), generate(mask, style))[1]  # type: ignore[method-assign]
    task.step(whole)
    masks = torch.cat([one_hot(whole.edited_labels[:, k]) for k in (0, 1)])
    assert any(one.shape == masks.shape and torch.equal(one, masks) for one in painted)


def test_a_run_with_edits_of_a_folder_names_them_and_resumes_with_the_same_only(
    prepared: Path, weights: Path, vae_weights: Path, tmp_path: Path, maskgan: Command
) -> None:
    edits, out = tmp_path / "edits", tmp_path / "run"
    simulate = ("simulate-edits", prepared, "-w", vae_weights, "-q", "--device", "cpu", "-o", edits)
    call = ("train", "ebst", prepared, "--dmn", weights, "--vae", vae_weights, *TINY, "--edits", edits, "-o", out)
    assert maskgan(*simulate, "--split", "val").code == 0
    outcome = maskgan(*call)
    assert outcome.code == 2 and "expected two edited masks of every training face, found" in outcome.err, outcome.err
    assert f"maskgan simulate-edits DATA --split train -o {edits}" in outcome.err
    assert maskgan(*simulate, "--split", "train", "--overwrite").code == 0
    assert maskgan(*call, "--set", "schedule.steps=1").code == 0
    record = read_weights(out, "dmn").about["edits"]
    path = edits / f"{PreparedData.load(prepared).split('train')[0].id}-inter.png"
    write_label_map(path, 18 - read_label_map(path))
    outcome = maskgan(*call, "--set", "schedule.steps=2")
    assert outcome.code == 2 and "edits" in outcome.err, outcome.err
    assert len(record["sha256"]) == 64


def test_the_discriminator_gets_every_picture_with_the_faces_own_mask_and_the_blend_as_fake(
    task: EBSTTask, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    masks: list[torch.Tensor] = []
    task.discriminator.register_forward_pre_hook(lambda _, inputs: masks.append(inputs[0]))
    targets: list[bool] = []
    original = paper.least_squares

    def watch(features: paper.Features, *, real: bool) -> torch.Tensor:
        targets.append(real)
        return original(features, real=real)

    monkeypatch.setattr(paper, "least_squares", watch)
    task.step(batch)
    assert len(masks) == 3
    assert all(torch.equal(mask, one_hot(batch.labels)) for mask in masks)
    # generator: fake as real, then blend as real; discriminator: fake and blend as fake, the face as real
    assert targets == [True, True, False, False, True]


def test_the_command_writes_a_generator_for_edits_and_resumes_with_the_same_bits(
    prepared: Path, weights: Path, vae_weights: Path, tmp_path: Path, maskgan: Command
) -> None:
    whole, parted = tmp_path / "whole", tmp_path / "parted"
    call = ("train", "ebst", prepared, "--dmn", weights, "--vae", vae_weights, *TINY)
    assert maskgan(*call, "-o", whole, "--set", "schedule.steps=2").code == 0
    for steps in (1, 2):
        assert maskgan(*call, "-o", parted, "--set", f"schedule.steps={steps}").code == 0
    assert (whole / "model.safetensors").read_bytes() == (parted / "model.safetensors").read_bytes()
    card = read_weights(whole, "dmn")
    blender = read_weights(whole / "blender.safetensors", "blender")
    load_strictly(AlphaBlender(AlphaBlenderConfig(**blender.config)), blender.tensors, blender.path)
    assert card.config == read_weights(weights, "dmn").config
    assert card.about["dmn"] == {"sha256": read_weights(weights, "dmn").sha256}
    assert card.about["vae"] == {"sha256": read_weights(vae_weights, "vae").sha256}
    assert read_image(whole / "samples" / "step-000002.png").shape == (4 * 64, 9 * 64, 3)
    first = json.loads((whole / "metrics.jsonl").read_text().splitlines()[0])
    assert first["lr"] == 2e-4
    face = prepared / "images" / "0.png"
    edit = ("swap-mouth", face, prepared / "images" / "400.png", "-o", tmp_path / "o.png", "--device", "cpu")
    assert maskgan(*edit, "--weights", whole).code == 0


def test_inputs_that_do_not_fit_together_raise_errors(
    prepared: Path, weights: Path, vae_weights: Path, tmp_path: Path, maskgan: Command
) -> None:
    call = ("train", "ebst", prepared, "--dmn", weights, "--vae", vae_weights, "-o", tmp_path / "run", *TINY)
    for extra, message in (
        (("--set", "network.width=8"), "network: expected that of"),
        (("--set", "data.batch_size=1"), "data.batch_size: expected 2 faces or more"),
        (("--set", "discriminator.width=8"), "expected the tensors of MultiScaleDiscriminator"),
        (("--dmn", vae_weights), "expected dmn weights, found vae weights"),
        (("--vae", weights), "expected vae weights, found dmn weights"),
    ):
        outcome = maskgan(*call, *extra)
        assert (outcome.code, outcome.out) == (2, ""), message
        assert message in outcome.err, outcome.err
