"""Two processes (gloo) against the same step computed by hand in one: MaskVAE and EBST.

Both look at the other faces of their share of a batch (batch norm; the reference face), so the
truth is the mean of the gradients of the two halves, each computed on its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator

from maskgan_cli.config import load_recipe
from maskgan_cli.data.dataset import Batch, FaceDataset, StepSampler, batches
from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.models.mask_vae import MaskVAE, MaskVAEConfig
from maskgan_cli.training.ebst import EBSTRecipe, EBSTTask
from maskgan_cli.training.ebst import prepare_training as prepare_ebst
from maskgan_cli.training.mask_vae import VAERecipe, VAETask
from maskgan_cli.weights.format import read_weights, save_weights
from tests.conftest import TINY_VAE, plan
from tests.training.test_ebst import CHANGES as EBST_CHANGES
from tests.training.test_mask_vae import CHANGES as VAE_CHANGES

STEPS = ("--set", "schedule.steps=1", "--set", "schedule.log_every=1")
Moments = dict[str, torch.Tensor]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Another number of threads rounds differently, and L1 turns the smallest difference around."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def _two_processes(*command: str) -> None:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([*torchrun, "-m", "maskgan_cli", *command], check=True, capture_output=True, env=environment,
                   timeout=180)  # fmt: skip


def _moments(run: Path) -> Moments:
    """Adam's first moment after one step: (1 - beta1) times the gradient."""
    state = torch.load(run / "state" / "step-000001" / "optimisers.pt", weights_only=True)
    return {n: torch.cat([s["exp_avg"].flatten() for s in v["state"].values()]) for n, v in state.items()}


def _halves(prepared: Path) -> list[Batch]:
    """The first batch of four as the two processes see it."""
    dataset = FaceDataset(PreparedData.load(prepared).split("train"), 64, cache=True)
    samplers = [StepSampler(len(dataset), 4, seed=0, flip=True, rank=rank, world=2) for rank in (0, 1)]
    return [next(batches(dataset, sampler, workers=0, pin=False)) for sampler in samplers]


def _seed(rank: int) -> None:
    """As the loop seeds step 0 of a process."""
    torch.manual_seed(int(np.random.default_rng((0, 0, rank)).integers(1 << 62)))


def _close(found: Moments, by_hand: dict[str, list[torch.Tensor]]) -> None:
    for name, gradients in by_hand.items():
        mean = torch.stack(gradients).mean(0) * 0.5  # 1 - beta1
        assert (found[name] - mean).norm() <= 1e-4 * mean.norm(), name


def test_vae(prepared: Path, tmp_path: Path) -> None:
    _two_processes("train", "vae", str(prepared), "-o", str(tmp_path / "run"), "-q", *TINY_VAE, *STEPS)
    by_hand: dict[str, list[torch.Tensor]] = {"vae": []}
    for rank, half in enumerate(_halves(prepared)):
        task = VAETask(load_recipe(VAERecipe, "vae", "tiny-cpu", VAE_CHANGES), Accelerator(cpu=True), half)
        _seed(rank)
        task.step(half)
        by_hand["vae"].append(torch.cat([p.grad.flatten() for p in task.vae.parameters() if p.grad is not None]))
    assert by_hand["vae"][0].norm() > 0
    _close(_moments(tmp_path / "run"), by_hand)


def test_ebst(prepared: Path, weights: Path, vae_weights: Path, tmp_path: Path) -> None:
    vae = _lively(vae_weights, tmp_path / "vae.safetensors")
    changes = [word for change in EBST_CHANGES for word in ("--set", change)]
    _two_processes("train", "ebst", str(prepared), "--dmn", str(weights), "--vae", str(vae), "--device", "cpu",
                   "-o", str(tmp_path / "run"), "-q", *changes, *STEPS)  # fmt: skip
    recipe = load_recipe(EBSTRecipe, "ebst", "tiny-cpu", list(EBST_CHANGES))
    tasks, halves = [], _halves(prepared)
    for rank in range(2):
        task = prepare_ebst(plan(prepared, tmp_path / f"half-{rank}"), recipe, dmn=weights, vae=vae).task
        assert isinstance(task, EBSTTask)
        tasks.append(task)
    # The two processes by hand: where one would reduce its gradients, take the mean of both halves'.
    by_hand: dict[str, list[torch.Tensor]] = {"generator": [], "generator+blender": []}
    first, second = (
        _gradients(task, half, rank, {}) for rank, (task, half) in enumerate(zip(tasks, halves, strict=True))
    )
    shared = {"generator": (first["generator"] + second["generator"]) / 2}
    for rank, half in enumerate(halves):
        task = prepare_ebst(plan(prepared, tmp_path / f"again-{rank}"), recipe, dmn=weights, vae=vae).task
        assert isinstance(task, EBSTTask)
        found = _gradients(task, half, rank, shared)
        for name, gradients in by_hand.items():
            gradients.append(found[name])
    blender = sum(p.numel() for p in tasks[0].blender.parameters())
    for gradient in by_hand["generator+blender"]:
        assert gradient[-blender:].norm() > 0, "the blender learns"
    _close(_moments(tmp_path / "run"), by_hand)


def _lively(vae: Path, path: Path) -> Path:
    """A MaskVAE whose code matters: one of three steps decodes every code alike, and no blend could differ."""
    weights = read_weights(vae, "vae")
    network = MaskVAE(MaskVAEConfig(**weights.config))
    generator = torch.Generator().manual_seed(0)
    for parameter in network.parameters():
        if parameter.ndim > 1:
            parameter.data = torch.randn(parameter.shape, generator=generator) * (3 / parameter[0].numel()) ** 0.5
    return save_weights(path, network, kind="vae", config=weights.config, about={})


def _gradients(task: EBSTTask, half: Batch, rank: int, shared: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """What every optimiser is given in one step; those in ``shared`` step down that instead of their own."""
    found: dict[str, torch.Tensor] = {}
    for name, optimiser in task.optimisers.items():
        step, parameters = optimiser.step, [p for group in optimiser.param_groups for p in group["params"]]

        def watched(name: str = name, step: Any = step, parameters: list[torch.Tensor] = parameters) -> None:
            assert all(p.grad is not None for p in parameters)
            if name in shared:
                _put(shared[name], parameters)
            found[name] = torch.cat([p.grad.flatten().clone() for p in parameters if p.grad is not None])
            step()

        optimiser.step = watched  # type: ignore[method-assign, assignment]
    _seed(rank)
    task.step(half)
    return found


def _put(vector: torch.Tensor, parameters: list[torch.Tensor]) -> None:
    """Put a flat gradient into the parameters."""
    offset = 0
    for parameter in parameters:
        parameter.grad = vector[offset : offset + parameter.numel()].view_as(parameter).clone()
        offset += parameter.numel()
