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

import numpy as np
import pytest
import torch
from accelerate import Accelerator

from maskgan_cli.config import load_recipe
from maskgan_cli.data.dataset import Batch, FaceDataset, StepSampler, batches
from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.training.ebst import EBSTRecipe, EBSTTask
from maskgan_cli.training.ebst import prepare_training as prepare_ebst
from maskgan_cli.training.mask_vae import VAERecipe, VAETask
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
    changes = [word for change in EBST_CHANGES for word in ("--set", change)]
    _two_processes("train", "ebst", str(prepared), "--dmn", str(weights), "--vae", str(vae_weights), "--device", "cpu",
                   "-o", str(tmp_path / "run"), "-q", *changes, *STEPS)  # fmt: skip
    by_hand: dict[str, list[torch.Tensor]] = {"generator": [], "blender": []}
    for rank, half in enumerate(_halves(prepared)):
        recipe = load_recipe(EBSTRecipe, "ebst", "tiny-cpu", list(EBST_CHANGES))
        task = prepare_ebst(plan(prepared, tmp_path / f"half-{rank}"), recipe, dmn=weights, vae=vae_weights).task
        assert isinstance(task, EBSTTask)
        _seed(rank)
        task.step(half)
        for name, gradients in by_hand.items():
            parameters = task.networks[name].parameters()
            gradients.append(torch.cat([p.grad.flatten() for p in parameters if p.grad is not None]))
    assert by_hand["generator"][0].norm() > 0
    # A MaskVAE of three steps decodes every code alike, so both edits are one and the blender learns nothing.
    _close(_moments(tmp_path / "run"), by_hand)
