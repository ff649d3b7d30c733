"""Training of the DMN: it learns, resumes with the same bits, averages gradients over processes, stops at NaN."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator
from safetensors.torch import load_file, save_file

from maskgan_cli.config import load_recipe
from maskgan_cli.data.dataset import FaceDataset, first_samples
from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.errors import InputError, WorkError
from maskgan_cli.models.perceptual import VGG19Features
from maskgan_cli.training.perceptual_features import PerceptualSettings, feature_network
from maskgan_cli.training.tasks.dmn import DMNRecipe, DMNTask, prepare_training
from maskgan_cli.weights.format import read_weights
from tests.conftest import TINY, Command, plan

CHANGES = [TINY[i + 1] for i in range(len(TINY)) if TINY[i] == "--set"]


def _recipe(*changes: str) -> DMNRecipe:
    return load_recipe(DMNRecipe, "dmn", "tiny-cpu", [*CHANGES, *changes])


def _task(prepared: Path, *changes: str) -> tuple[DMNTask, FaceDataset]:
    recipe = _recipe(*changes)
    dataset = FaceDataset(PreparedData.load(prepared).split("train"), 64, cache=True)
    features, _ = feature_network(recipe.perceptual)
    return DMNTask(recipe, Accelerator(cpu=True), features, first_samples(dataset, 4)), dataset


def _command(prepared: Path, out: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "maskgan_cli", "train", "dmn", str(prepared), "-o", str(out), *TINY, *options]


def _steps(count: int, every: int = 1000) -> list[str]:
    return [
        "--set",
        f"schedule.steps={count}",
        "--set",
        f"schedule.checkpoint_every={every}",
        "--set",
        "schedule.log_every=3",
    ]


def test_reconstruction_improves(prepared: Path) -> None:
    task, dataset = _task(prepared, "optimiser.lr=2e-3")
    batch = first_samples(dataset, 8)
    before = task.validate()["val_l1"]
    for _ in range(40):
        losses = task.step(batch)
    assert task.validate()["val_l1"] < 0.8 * before
    assert set(losses) == {"adversarial", "feature_matching", "pixel", "perceptual", "discriminator"}


def test_each_update_reaches_its_own_network_only(prepared: Path) -> None:
    task, dataset = _task(prepared)
    no_gradient = {}

    def watched() -> None:
        no_gradient["discriminator"] = [p.grad is None for p in task.discriminator.parameters()]
        no_gradient["generator"] = [p.grad is None for p in task.generator.parameters()]

    task.optimisers["generator"].step = watched  # type: ignore[method-assign,assignment]
    before = [p.clone() for p in task.generator.parameters()]
    task.step(first_samples(dataset, 2))
    assert all(no_gradient["discriminator"]), "the generator's loss must leave no gradient in the discriminator"
    assert not any(no_gradient["generator"])
    assert all(map(torch.equal, before, task.generator.parameters()))


def test_killed_and_resumed_equals_uninterrupted(prepared: Path, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run(_command(prepared, whole, *_steps(9, 4)), check=True, capture_output=True)
    process = subprocess.Popen(_command(prepared, killed, *_steps(100000, 4)), stderr=subprocess.DEVNULL)
    while not list(killed.glob("state/step-000004")):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    for later in sorted(killed.glob("state/step-*"))[1:]:  # the state of a process killed just after step 4
        shutil.rmtree(later)
    subprocess.run(_command(prepared, killed, *_steps(9, 4)), check=True, capture_output=True)
    for name in ("generator", "discriminator", "average"):
        a, b = (load_file(run / "state" / "step-000009" / f"{name}.safetensors") for run in (whole, killed))
        assert a.keys() == b.keys()
        assert all(torch.equal(a[key], b[key]) for key in a), name
    assert (whole / "model.safetensors").read_bytes() == (killed / "model.safetensors").read_bytes()
    lines = [[json.loads(x) for x in (run / "metrics.jsonl").read_text().splitlines()] for run in (whole, killed)]
    for line in lines[0] + lines[1]:
        line.pop("images_per_second", None)
    assert lines[0] == lines[1]


def test_an_interrupt_saves_the_state_and_the_next_call_resumes(prepared: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    process = subprocess.Popen(_command(prepared, out, *_steps(100000)), stderr=subprocess.PIPE, text=True)
    while not (out / "metrics.jsonl").exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "state saved; run the same command to continue" in err.splitlines()[-1]
    saved = int(next(out.glob("state/step-*")).name[5:])
    more = subprocess.run(_command(prepared, out, *_steps(saved + 2)), check=True, capture_output=True, text=True)
    assert f"resuming after step {saved}" in more.stderr


def test_two_processes_have_the_gradient_of_one_with_the_whole_batch(prepared: Path, tmp_path: Path) -> None:
    # After one step, Adam's first moment is (1 - beta1) times the gradient. One thread each: another number of threads
    # rounds differently, and the gradient of L1 can change its sign.
    one, two = tmp_path / "one", tmp_path / "two"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    for command in (_command(prepared, one, *_steps(1)), [*torchrun, *_command(prepared, two, *_steps(1))[1:]]):
        subprocess.run(command, check=True, capture_output=True, env=environment, timeout=120)
    moments, validated = [], []
    for run in (one, two):
        lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        validated.append(next(line["val_l1"] for line in lines if "val_l1" in line))
        state = torch.load(run / "state" / "step-000001" / "optimisers.pt", weights_only=True)
        moments.append({n: torch.cat([s["exp_avg"].flatten() for s in v["state"].values()]) for n, v in state.items()})
    for name, gradient in moments[0].items():
        assert gradient.norm() > 0
        assert (moments[1][name] - gradient).norm() < 1e-4 * gradient.norm(), name
    assert validated[1] == pytest.approx(validated[0], rel=1e-3), "each process paints half of the validation faces"
    assert json.loads((two / "run.json").read_text())["processes"] == 2


def test_bf16_computes_nearly_the_same_losses(prepared: Path, tmp_path: Path) -> None:
    lines = {}
    for precision in ("no", "bf16"):
        run = tmp_path / precision
        settings = (*_steps(1), "--set", "schedule.log_every=1", "--set", f"precision={precision}")
        subprocess.run(_command(prepared, run, *settings), check=True, capture_output=True, timeout=120)
        lines[precision] = json.loads((run / "metrics.jsonl").read_text().splitlines()[0])
    for name in ("adversarial", "feature_matching", "pixel", "discriminator"):
        exact, rounded = lines["no"][name], lines["bf16"][name]
        assert rounded != exact, "bf16 has eight bits, so the losses must differ"
        assert rounded == pytest.approx(exact, rel=0.03), name


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The .grad attribute")  # raised in PyTorch's compiler
def test_compiled_networks_have_the_same_losses(prepared: Path) -> None:
    lines = []
    for compiled in (False, True):
        task, dataset = _task(prepared, f"compile={compiled}")
        assert not any("_orig_mod" in name for name in task.generator.state_dict()), "weights keep their names"
        lines.append(
            [{n: float(x.detach()) for n, x in task.step(first_samples(dataset, 8)).items()} for _ in range(2)]
        )
    for eager, compiled_losses in zip(*lines, strict=True):
        assert compiled_losses == pytest.approx(eager, rel=1e-3)


def test_a_missing_compiler_raises_an_error(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(InputError, match="compiler"):
        _task(prepared, "compile=true")


def test_nan_stops_the_run_and_keeps_the_last_good_checkpoint(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = _recipe("schedule.steps=10", "schedule.checkpoint_every=2")
    loop = prepare_training(plan(prepared, tmp_path / "run"), recipe)
    step = loop.task.step

    def step_with_nan(batch):  # type: ignore[no-untyped-def]
        losses = step(batch)
        if loop.progress.step == 4:
            losses["pixel"] = losses["pixel"] * float("nan")
        return losses

    monkeypatch.setattr(loop.task, "step", step_with_nan)
    good = tmp_path / "run" / "state" / "step-000004"
    with pytest.raises(WorkError, match=f"the loss pixel became nan after step 4; the last good checkpoint is {good}"):
        list(loop.steps())
    assert sorted(p.name for p in good.parent.iterdir()) == ["step-000002", "step-000004"]


def test_an_infinite_weight_is_not_saved(prepared: Path, tmp_path: Path) -> None:
    recipe = _recipe("schedule.steps=2", "schedule.checkpoint_every=2")
    loop = prepare_training(plan(prepared, tmp_path / "run"), recipe)
    steps = loop.steps()
    next(steps)
    bias = loop.task.networks["discriminator"].scales[0].layers[-1].bias  # type: ignore[index,union-attr]
    original = loop.task.step

    def step_with_infinity(batch):  # type: ignore[no-untyped-def]
        losses = original(batch)
        with torch.no_grad():
            bias.fill_(float("inf"))
        return losses

    loop.task.step = step_with_infinity  # type: ignore[method-assign]
    with pytest.raises(WorkError, match="a weight of the discriminator became NaN or infinite"):
        list(steps)
    assert not (tmp_path / "run" / "model.safetensors").exists()


def test_weights_describe_themselves(weights: Path, prepared: Path) -> None:
    read = read_weights(weights, "dmn")
    assert read.config["width"] == 4
    assert read.about["step"] == 3
    assert read.about["data"]["hash"] == PreparedData.load(prepared).hash
    assert read.about["perceptual"]["network"] == "untrained VGG-19 of width 4, seed 0"
    assert (weights / "samples" / "step-000003.png").exists()


def test_another_recipe_and_resume_never_raise_errors(prepared: Path, weights: Path, maskgan: Command) -> None:
    same = ("train", "dmn", prepared, "-o", weights, *TINY, "--set", "schedule.steps=3")
    outcome = maskgan(*same, "--set", "loss.pixel=3")
    assert outcome.code == 2
    assert "expected a run with loss.pixel=3.0, found loss.pixel=20.0" in outcome.err
    outcome = maskgan(*same, "--resume", "never")
    assert outcome.code == 2
    assert "a run that exists already" in outcome.err
    assert "has finished its 3 steps" in maskgan(*same).err


def test_data_of_another_size_and_a_missing_vgg_raise_errors(prepared: Path, tmp_path: Path, maskgan: Command) -> None:
    outcome = maskgan("train", "dmn", prepared, "--recipe", "small-256", "-o", tmp_path / "run")
    assert outcome.code == 2
    assert "expected a data set of 256 px (network.image_size), found 64 px" in outcome.err
    with pytest.raises(InputError, match="expected a VGG-19 file in torchvision's layout"):
        feature_network(PerceptualSettings())
    assert not (tmp_path / "run").exists()


def test_a_published_vgg_file_loads_and_missing_tensors_are_named(tmp_path: Path) -> None:
    torch.manual_seed(0)
    tensors = {name: torch.randn_like(p) for name, p in VGG19Features().state_dict().items()}
    rest = {"features.30.weight": torch.zeros(512, 512, 3, 3), "classifier.6.bias": torch.zeros(1000)}
    torch.save({**tensors, **rest}, tmp_path / "vgg19.pth")
    network, record = feature_network(PerceptualSettings(weights=tmp_path / "vgg19.pth"))
    assert network is not None
    assert all(torch.equal(network.state_dict()[name], tensor) for name, tensor in tensors.items())
    assert (record["network"], len(record["sha256"])) == ("VGG-19", 64)
    tensors.pop("features.0.bias")
    save_file(tensors, tmp_path / "short.safetensors")
    with pytest.raises(InputError, match=r"missing features\.0\.bias"):
        feature_network(PerceptualSettings(weights=tmp_path / "short.safetensors"))
