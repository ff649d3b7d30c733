"""EBST: what its edits are, who learns from them, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from maskgan_cli.config import load_recipe
from maskgan_cli.data.dataset import Batch, FaceDataset, first_samples
from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.files import read_image
from maskgan_cli.models.alpha_blender import AlphaBlender, AlphaBlenderConfig
from maskgan_cli.models.layers import one_hot
from maskgan_cli.training import losses as paper
from maskgan_cli.training.ebst import EBSTRecipe, EBSTTask, prepare_training
from maskgan_cli.weights.format import load, load_strictly, read_weights
from tests.conftest import Command, plan

CHANGES = (
    "discriminator.width=4", "perceptual.width=4", "blender.width=4", "data.batch_size=4",
    "schedule.validation_samples=4", "schedule.log_every=1",
)  # fmt: skip
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


def _decode_anything(task: EBSTTask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A MaskVAE of three steps decodes every code alike; then both edits are one and no blend can differ."""
    monkeypatch.setattr(task.vae, "decode", lambda code: torch.rand(len(code), 19, 64, 64))


def test_the_start_is_the_trained_generator_and_its_discriminator(task: EBSTTask, weights: Path) -> None:
    trained, _ = load("dmn", weights, torch.device("cpu"))
    for network in (task.generator, task.best):
        assert all(torch.equal(p, trained.state_dict()[name]) for name, p in network.state_dict().items())
    theirs = load_file(weights / "state" / "step-000003" / "discriminator.safetensors")
    assert all(torch.equal(p, theirs[name]) for name, p in task.discriminator.state_dict().items())


def test_edits_go_the_same_way_towards_and_away_from_the_neighbour(
    task: EBSTTask, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = torch.tensor([[0.0], [5.0], [10.0], [-5.0]])
    seen = []
    monkeypatch.setattr(task.vae, "encode", lambda mask: (codes, codes))
    monkeypatch.setattr(task.vae, "decode", lambda z: (seen.append(z), torch.rand(4, 19, 64, 64))[1])
    inter, outer = task.edited_masks(one_hot(batch.labels))
    # z + (z_ref - z) / 2.5 and z - (z_ref - z) / 2.5, z_ref being the one before in the batch
    torch.testing.assert_close(seen[0], torch.tensor([[-2.0], [3.0], [8.0], [1.0]]))
    torch.testing.assert_close(seen[1], torch.tensor([[2.0], [7.0], [12.0], [-11.0]]))
    for mask in (inter, outer):
        assert torch.equal(mask.sum(1), torch.ones(4, 64, 64))


def test_a_step_updates_three_networks_and_leaves_the_vae_alone(
    task: EBSTTask, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    _decode_anything(task, monkeypatch)
    networks = {**task.networks, "vae": task.vae}
    before = {name: [t.clone() for t in network.state_dict().values()] for name, network in networks.items()}
    calls = []
    task.generator.style_encoder.register_forward_hook(lambda *_: calls.append(1))
    losses = task.step(batch)
    after = {name: list(network.state_dict().values()) for name, network in networks.items()}
    for name in ("generator", "blender", "discriminator", "average"):
        assert not all(map(torch.equal, before[name], after[name])), name
    assert all(map(torch.equal, before["vae"], after["vae"]))
    assert len(calls) == 1, "the look is encoded once"
    stage1 = {"adversarial", "feature_matching", "pixel", "perceptual"}
    assert set(losses) == stage1 | {f"blend_{name}" for name in stage1} | {"discriminator"}
    assert all(torch.isfinite(value) for value in losses.values())


def test_stage_two_alone_teaches_generator_and_blender(
    task: EBSTTask, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    _decode_anything(task, monkeypatch)
    calls = iter([0.0, 1.0])  # the first stage's loss, then the second's
    weighted = task._weighted
    monkeypatch.setattr(task, "_weighted", lambda terms: next(calls) * weighted(terms))
    gradients = {}
    for name in ("generator", "blender"):
        network = task.networks[name]
        monkeypatch.setattr(
            task.optimisers[name], "step",
            lambda n=name, net=network: gradients.update({n: [p.grad.norm() for p in net.parameters()]}),
        )  # fmt: skip
    task.step(batch)
    assert all(max(norms) > 0 for norms in gradients.values())
    assert len(gradients) == 2
    assert all(p.grad is None for p in task.vae.parameters())


def test_the_discriminator_judges_every_picture_with_the_faces_own_mask_and_sees_the_blend_as_fake(
    task: EBSTTask, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    masks: list[torch.Tensor] = []
    task.discriminator.register_forward_pre_hook(lambda _, inputs: masks.append(inputs[0]))
    verdicts: list[bool] = []
    original = paper.least_squares

    def watch(features: paper.Features, *, real: bool) -> torch.Tensor:
        verdicts.append(real)
        return original(features, real=real)

    monkeypatch.setattr(paper, "least_squares", watch)
    task.step(batch)
    assert len(masks) == 3
    assert all(torch.equal(mask, one_hot(batch.labels)) for mask in masks)
    # generator: fake and blend as real; discriminator: fake and blend as fake, the face as real
    assert verdicts == [True, True, False, False, True]


def test_the_command_writes_a_generator_that_edits_and_resumes_to_the_bit(
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


def test_what_does_not_go_together_is_refused(
    prepared: Path, weights: Path, vae_weights: Path, tmp_path: Path, maskgan: Command
) -> None:
    call = ("train", "ebst", prepared, "--dmn", weights, "--vae", vae_weights, "-o", tmp_path / "run", *TINY)
    for extra, message in (
        (("--set", "network.width=8"), "network: expected that of"),
        (("--set", "data.batch_size=1"), "data.batch_size: expected two faces or more a process"),
        (("--set", "discriminator.width=8"), "expected the tensors of MultiScaleDiscriminator"),
        (("--dmn", vae_weights), "expected dmn weights, found vae weights"),
        (("--vae", weights), "expected vae weights, found dmn weights"),
    ):
        outcome = maskgan(*call, *extra)
        assert (outcome.code, outcome.out) == (2, ""), message
        assert message in outcome.err, outcome.err
