"""Two processes (gloo) against the same step computed by hand in one process: MaskVAE, EBST, StarGAN and the judges.

In all of them, a face's gradient depends on the other faces of a process (batch norm; the reference face), or on the
random numbers of the process. So the expected gradient is the mean of the gradients of the two halves of the batch,
each computed separately. For the networks without batch norm (`test_dmn`, `test_baselines`) it is the gradient of the
whole batch.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator

from maskgan_cli.config import load_recipe
from maskgan_cli.data.dataset import Batch, FaceDataset, first_samples
from maskgan_cli.data.draws import StepSampler
from maskgan_cli.data.loader import batches
from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.errors import InputError
from maskgan_cli.models.layers import one_hot
from maskgan_cli.models.mask_vae import MaskVAE, MaskVAEConfig
from maskgan_cli.networks import resolve, trainings
from maskgan_cli.training.processes import check_agreement, in_shares, shared
from maskgan_cli.training.tasks.ebst import EBSTRecipe, EBSTTask
from maskgan_cli.training.tasks.ebst import prepare_training as prepare_ebst
from maskgan_cli.training.tasks.mask_vae import VAERecipe, VAETask
from maskgan_cli.training.tasks.stargan import StarGANRecipe
from maskgan_cli.training.tasks.stargan import prepare_training as prepare_stargan
from maskgan_cli.weights.format import read_weights, save_weights
from tests.conftest import TINY, TINY_VAE, plan
from tests.training.tasks.test_baselines import SETTINGS as BASELINES
from tests.training.tasks.test_ebst import CHANGES as EBST_CHANGES
from tests.training.tasks.test_identity import people  # noqa: F401 (a fixture)
from tests.training.tasks.test_mask_vae import CHANGES as VAE_CHANGES

STEPS = ("--set", "schedule.steps=1", "--set", "schedule.log_every=1")
Moments = dict[str, torch.Tensor]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Use one thread: another number of threads rounds differently, and the gradient of L1 can change its sign."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


TORCHRUN = ("torch.distributed.run", "--standalone", "--nproc-per-node", "2")
# With --cpu, accelerate starts one process unless MPI is installed. Its launcher of GPUs also works without a GPU.
ACCELERATE = (
    "accelerate.commands.launch",
    "--multi_gpu",
    "--num_processes",
    "2",
    "--num_machines",
    "1",
    "--mixed_precision",
    "no",
    "--dynamo_backend",
    "no",
    "--main_process_port",
    "0",
)
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def _two_processes(*command: str, launcher: Sequence[str] = TORCHRUN, module: str = "maskgan_cli") -> None:
    done = subprocess.run(
        [sys.executable, "-m", *launcher, "-m", module, *command],
        check=False,
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        timeout=1800,
    )
    assert done.returncode == 0, done.stderr


def _moments(run: Path) -> Moments:
    """Adam's first moment after one step: (1 - beta1) times the gradient."""
    state = torch.load(run / "state" / "step-000001" / "optimisers.pt", weights_only=True)
    return {n: torch.cat([s["exp_avg"].flatten() for s in v["state"].values()]) for n, v in state.items()}


def _halves(prepared: Path, count: int = 4, *, flip: bool = True, masked: bool = True) -> list[Batch]:
    """The first batch, split between the two processes."""
    dataset = FaceDataset(PreparedData.load(prepared).split("train"), 64, cache=True, masked=masked)
    samplers = [StepSampler(len(dataset), count, seed=0, flip=flip, rank=rank, world=2) for rank in (0, 1)]
    return [next(batches(dataset, sampler, workers=0, pin=False)) for sampler in samplers]


def _seed(rank: int) -> None:
    """As the loop seeds step 0 of a process."""
    torch.manual_seed(int(np.random.default_rng((0, 0, rank)).integers(1 << 62)))


def _close(found: Moments, by_hand: dict[str, list[torch.Tensor]], beta1: float = 0.5) -> None:
    for name, gradients in by_hand.items():
        mean = torch.stack(gradients).mean(0) * (1 - beta1)
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
    vae = _randomised(vae_weights, tmp_path / "vae.safetensors")
    changes = [word for change in EBST_CHANGES for word in ("--set", change)]
    _two_processes(
        "train",
        "ebst",
        str(prepared),
        "--dmn",
        str(weights),
        "--vae",
        str(vae),
        "--device",
        "cpu",
        "-o",
        str(tmp_path / "run"),
        "-q",
        *changes,
        *STEPS,
    )
    recipe = load_recipe(EBSTRecipe, "ebst", "tiny-cpu", list(EBST_CHANGES))
    tasks, halves = [], _halves(prepared)
    for rank in range(2):
        task = prepare_ebst(plan(prepared, tmp_path / f"half-{rank}"), recipe, dmn=weights, vae=vae).task
        assert isinstance(task, EBSTTask)
        tasks.append(task)
    # By hand: use the mean of both halves' gradients where a process would reduce its gradients.
    by_hand: dict[str, list[torch.Tensor]] = {"generator": [], "generator+blender": []}
    first, second = (
        _gradients(task, half, rank, {}) for rank, (task, half) in enumerate(zip(tasks, halves, strict=True))
    )
    shared = {"generator": (first["generator"] + second["generator"]) / 2}
    for rank, half in enumerate(halves):
        task = prepare_ebst(plan(prepared, tmp_path / f"second-{rank}"), recipe, dmn=weights, vae=vae).task
        assert isinstance(task, EBSTTask)
        found = _gradients(task, half, rank, shared)
        for name, gradients in by_hand.items():
            gradients.append(found[name])
    blender = sum(p.numel() for p in tasks[0].blender.parameters())
    for gradient in by_hand["generator+blender"]:
        assert gradient[-blender:].norm() > 0, "the blender learns"
    _close(_moments(tmp_path / "run"), by_hand)


def _randomised(vae: Path, path: Path) -> Path:
    """A MaskVAE with large random weights; one of three training steps decodes every code to the same mask."""
    weights = read_weights(vae, "vae")
    network = MaskVAE(MaskVAEConfig(**weights.config))
    generator = torch.Generator().manual_seed(0)
    for parameter in network.parameters():
        if parameter.ndim > 1:
            parameter.data = torch.randn(parameter.shape, generator=generator) * (3 / parameter[0].numel()) ** 0.5
    return save_weights(path, network, kind="vae", config=weights.config, about={})


def _gradients(task: EBSTTask, half: Batch, rank: int, shared: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The gradients of every optimiser in one step; optimisers in ``shared`` use that gradient instead."""
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


JUDGES = {
    "parser": ("network.image_size=64", "network.width=4"),
    "attributes": ("network.names=[Smiling]", "network.image_size=32", "network.width=8", "network.blocks=[1,1,1,1]"),
    "pose": ("network.width=8", "network.blocks=[1,1,1,1]"),
    "identity": (
        "network.width=8",
        "network.blocks=[1,1,1,1]",
        "network.embedding=16",
        "network.image_size=32",
        "loss.warmup=5",
        "data.batch_size=8",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", JUDGES)
def test_judges(name: str, prepared: Path, people: Path, tmp_path: Path) -> None:  # noqa: F811
    changes = [
        "data.batch_size=4",
        "schedule.validation_samples=32",
        "schedule.decay_from=null",
        *JUDGES[name],
        "schedule.steps=1",
        "schedule.log_every=1",
    ]
    data = people if name == "identity" else prepared
    training = next(one for one in trainings() if one.name == name)
    recipe = load_recipe(resolve(f"{training.module}:{training.recipe}"), name, "tiny-cpu", changes)
    words = [word for change in changes for word in ("--set", change)]
    words += ["--attributes", "Smiling"] if name == "attributes" else []
    launcher = ACCELERATE if name == "parser" else TORCHRUN
    _two_processes(
        "train", name, str(data), "-o", str(tmp_path / "run"), "--device", "cpu", "-q", *words, launcher=launcher
    )
    masked = name in ("parser", "identity") and data is prepared
    halves = _halves(data, recipe.data.batch_size, flip=recipe.data.flip, masked=masked)
    gradients = []
    for rank, half in enumerate(halves):
        made = resolve(f"{training.module}:prepare_training")(plan(data, tmp_path / f"half-{rank}"), recipe)
        task: Any = made.task
        _seed(rank)
        task.step(half)
        learner = task.learner
        gradients.append(torch.cat([p.grad.flatten() for p in learner.network.parameters() if p.grad is not None]))
    assert gradients[0].norm() > 0
    assert (gradients[0] - gradients[1]).norm() > 0.01 * gradients[0].norm(), "the halves differ"
    (key,) = task.optimisers
    _close(_moments(tmp_path / "run"), {key: gradients}, recipe.optimiser.beta1)
    assert json.loads((tmp_path / "run" / "run.json").read_text())["processes"] == 2


def _words(changes: Sequence[str]) -> list[str]:
    return [word for change in changes for word in ("--set", change)]


@pytest.mark.slow
def test_stargan(prepared: Path, tmp_path: Path) -> None:
    # A small learning rate: the generator learns from the discriminator after its update, which the halves do alone.
    changes = [*BASELINES["stargan"], "critic_steps=1", "schedule.steps=1", "optimiser.lr=1e-12"]
    command = ["train", "stargan", str(prepared), "-o", str(tmp_path / "run"), "--device", "cpu", "-q"]
    _two_processes(*command, *_words(changes))
    by_hand: dict[str, list[torch.Tensor]] = {"generator": [], "discriminator": []}
    for rank, half in enumerate(_halves(prepared, masked=False)):
        recipe = load_recipe(StarGANRecipe, "stargan", "tiny-cpu", changes)
        task: Any = prepare_stargan(plan(prepared, tmp_path / f"half-{rank}"), recipe).task
        _seed(rank)
        task.step(half)
        for name, network in task.networks.items():
            by_hand[name].append(torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None]))
    for first, second in by_hand.values():
        assert (first - second).norm() > 0.01 * first.norm(), "the halves differ"
    _close(_moments(tmp_path / "run"), by_hand)


def _smallest(name: str, prepared: Path, people: Path, weights: Path, vae_weights: Path) -> list[str]:  # noqa: F811
    """The command of a training at its smallest, for one step, without ``-o``."""
    step = ["schedule.steps=1", "schedule.log_every=1"]
    own = {
        "dmn": TINY,
        "vae": TINY_VAE,
        "ebst": ("--dmn", str(weights), "--vae", str(vae_weights), *_words(EBST_CHANGES)),
        **{key: _words(value) for key, value in BASELINES.items()},
        "stargan": _words([*BASELINES["stargan"], "critic_steps=1"]),
        **{
            key: _words([*few, "schedule.validation_samples=32", "schedule.decay_from=null", *value])
            for few in [["data.batch_size=4"]]
            for key, value in JUDGES.items()
        },
    }
    assert set(own) == {training.name for training in trainings()}
    data = people if name == "identity" else prepared
    more = [] if "--device" in own[name] else ["--device", "cpu"]
    more += ["--attributes", "Smiling"] if name == "attributes" else []
    return ["train", name, str(data), "-q", *own[name], *_words(step), *more]


@pytest.mark.slow
def test_every_training_has_the_same_gradients_with_both_launchers(
    prepared: Path,
    people: Path,  # noqa: F811
    weights: Path,
    vae_weights: Path,
    tmp_path: Path,
) -> None:
    names = [training.name for training in trainings()]
    for folder, launcher in (("torchrun", TORCHRUN), ("accelerate", ACCELERATE)):
        commands = [
            [*_smallest(name, prepared, people, weights, vae_weights), "-o", str(tmp_path / folder / name)]
            for name in names
        ]
        (tmp_path / f"{folder}.json").write_text(json.dumps(commands))
        _two_processes(str(tmp_path / f"{folder}.json"), launcher=launcher, module="tests.training.every_training")
    for name in names:
        runs = [tmp_path / folder / name for folder in ("torchrun", "accelerate")]
        assert [json.loads((run / "run.json").read_text())["processes"] for run in runs] == [2, 2], name
        found, other = map(_moments, runs)
        assert found.keys() == other.keys()
        for key, gradient in found.items():
            assert gradient.norm() > 0, (name, key)
            assert torch.equal(other[key], gradient), (name, key)


@pytest.mark.slow
def test_two_groups_of_one_process_have_the_gradients_of_one_group_of_two(prepared: Path, tmp_path: Path) -> None:
    """Two launchers, as on two machines, connect by address and port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["train", "vae", str(prepared), "-q", *TINY_VAE, *STEPS]
    _two_processes(*command, "-o", str(tmp_path / "one"))
    groups = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "torch.distributed.run",
                "--nnodes",
                "2",
                "--nproc-per-node",
                "1",
                "--node-rank",
                str(rank),
                "--master-addr",
                "127.0.0.1",
                "--master-port",
                str(port),
                "-m",
                "maskgan_cli",
                *command,
                "-o",
                str(tmp_path / "two"),
            ],
            env=ENVIRONMENT,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in (0, 1)
    ]
    for group in groups:
        _, err = group.communicate(timeout=300)
        assert group.returncode == 0, err
    one, two = (_moments(tmp_path / name)["vae"] for name in ("one", "two"))
    assert torch.equal(one, two)
    assert json.loads((tmp_path / "two" / "run.json").read_text())["processes"] == 2


class _Processes:
    """Simulates processes one after the other: tensors sent in the first round are received in the second."""

    device = torch.device("cpu")

    def __init__(self, world: int) -> None:
        self.num_processes, self.process_index = world, 0
        self.sent: list[torch.Tensor] = []

    def gather(self, tensor: torch.Tensor) -> torch.Tensor:
        if len(self.sent) < self.num_processes:
            self.sent.append(tensor)
            return torch.cat([tensor] * self.num_processes)
        return torch.cat(self.sent)

    def each(self, work: Callable[[], Any]) -> list[Any]:
        """The results of ``work`` in every process."""
        for _ in range(2):
            results = []
            for index in range(self.num_processes):
                self.process_index = index
                results.append(work())
        return results


@pytest.mark.parametrize("world", [2, 3])
def test_ebst_with_one_face_a_process_makes_the_edits_of_the_whole_batch(
    world: int, prepared: Path, weights: Path, vae_weights: Path, tmp_path: Path
) -> None:
    recipe = load_recipe(EBSTRecipe, "ebst", "tiny-cpu", [*EBST_CHANGES, f"data.batch_size={world}"])
    vae = _randomised(vae_weights, tmp_path / "vae.safetensors")
    task = prepare_ebst(plan(prepared, tmp_path / "run"), recipe, dmn=weights, vae=vae).task
    assert isinstance(task, EBSTTask)
    faces = FaceDataset(PreparedData.load(prepared).split("train"), 64, cache=True)
    masks = one_hot(first_samples(faces, world).labels)
    whole = torch.stack(task.edited_labels(masks), 1)
    assert not torch.equal(whole[0], whole[1])
    processes: Any = _Processes(world)
    task.accelerator = processes
    own = processes.each(
        lambda: torch.stack(task.edited_labels(masks[processes.process_index : processes.process_index + 1]), 1)
    )
    assert (torch.cat(own) != whole).float().mean() < 1e-3, "rounding may change a pixel between two equal classes"


@pytest.mark.slow
def test_ebst_trains_with_one_face_a_process(prepared: Path, weights: Path, vae_weights: Path, tmp_path: Path) -> None:
    words = [w for change in (*EBST_CHANGES, "data.batch_size=2") for w in ("--set", change)]
    _two_processes(
        "train",
        "ebst",
        str(prepared),
        "--dmn",
        str(weights),
        "--vae",
        str(vae_weights),
        "--device",
        "cpu",
        "-o",
        str(tmp_path / "run"),
        "-q",
        *words,
        *STEPS,
    )
    found = json.loads((tmp_path / "run" / "run.json").read_text())
    assert found["processes"] == 2
    line = json.loads((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()[0])
    assert line["blend_adversarial"] > 0


@pytest.mark.parametrize(("count", "world"), [(8, 2), (7, 3), (1, 4), (5, 4)])
def test_each_process_computes_an_equal_share(count: int, world: int) -> None:
    rows = torch.arange(count * 3).view(count, 3)
    processes: Any = _Processes(world)
    lengths: list[int] = []

    def compute(chosen: slice) -> torch.Tensor:
        lengths.append(len(rows[chosen]))
        return rows[chosen]

    with shared(processes):
        found = processes.each(lambda: in_shares(count, compute))
    assert all(torch.equal(one, rows) for one in found)
    assert set(lengths) == {-(-count // world)}
    assert torch.equal(in_shares(count, compute), rows)
    assert lengths[-1] == count, "outside validation a process computes everything"


def test_different_inputs_of_processes_raise_an_error() -> None:
    processes: Any = _Processes(2)
    processes.each(lambda: check_agreement(processes, "the data set", "same", "copy it"))
    processes = _Processes(2)
    for processes.process_index in (0, 1):
        check_agreement(processes, "the data set", processes.process_index, "copy it")
    with pytest.raises(InputError, match="the data set: expected the same in all processes, found different ones"):
        check_agreement(processes, "the data set", 1, "copy it")
