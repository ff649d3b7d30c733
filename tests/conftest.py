"""Shared fixtures: drawn faces, a prepared set of them, a network trained on it for a moment."""

from __future__ import annotations

import os
import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # run in the background: commands under test must receive Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)
if "PYTEST_XDIST_WORKER" in os.environ:  # as many processes as cores: one thread each
    os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from accelerate import Accelerator

from maskgan_cli.cli.app import app
from maskgan_cli.cli.shell import run
from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.training.callbacks import TrainingCallbacks
from maskgan_cli.training.setup import TrainingPlan
from tests.drawn_faces import write_raw


@dataclass
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


Command = Callable[..., Outcome]


@pytest.fixture(scope="session", autouse=True)
def empty_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test sees what this user has pulled or named; nor does what a test pulls stay."""
    os.environ["MASKGAN_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    for name in [name for name in os.environ if name.startswith("MASKGAN_") and name.endswith("WEIGHTS")]:
        del os.environ[name]


@pytest.fixture
def maskgan(capfd: pytest.CaptureFixture[str]) -> Command:
    """Run a command in this process, as the shell would."""

    def call(*arguments: object) -> Outcome:
        capfd.readouterr()
        code = run(app, [str(argument) for argument in arguments])
        return Outcome(code, *capfd.readouterr())

    return call


def plan(prepared: Path, out: Path, *, overwrite: bool = False) -> TrainingPlan:
    """A training of this process on the CPU."""
    data = PreparedData.load(prepared)
    return TrainingPlan(
        data, out, Accelerator(cpu=True), resume=True, overwrite=overwrite, callbacks=TrainingCallbacks()
    )


@pytest.fixture(scope="session")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty drawn faces in the raw layout: 14 train, 4 val, 2 test."""
    root = tmp_path_factory.mktemp("raw")
    write_raw(root, 20)
    return root


@pytest.fixture(scope="session")
def prepared(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The drawn faces, prepared at 64 px."""
    out = tmp_path_factory.mktemp("data") / "drawn-64"
    assert run(app, ["prep-data", str(raw), str(out), "--size", "64", "--workers", "1", "-q"]) == 0
    return out


TINY = (
    "--recipe",
    "tiny-cpu",
    "--device",
    "cpu",
    "--set",
    "network.width=4",
    "--set",
    "network.style_width=4",
    "--set",
    "discriminator.width=4",
    "--set",
    "perceptual.width=4",
    "--set",
    "data.batch_size=4",
    "--set",
    "schedule.validation_samples=4",
)


@pytest.fixture(scope="session")
def weights(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder of a very small Dense Mapping Network after a few steps."""
    out = tmp_path_factory.mktemp("runs") / "dmn"
    steps = ("--set", "schedule.steps=3", "--set", "schedule.log_every=1")
    assert run(app, ["train", "dmn", str(prepared), "-o", str(out), "-q", *TINY, *steps]) == 0
    return out


TINY_VAE = (
    "--recipe",
    "tiny-cpu",
    "--device",
    "cpu",
    "--set",
    "network.width=4",
    "--set",
    "network.latent=16",
    "--set",
    "data.batch_size=4",
    "--set",
    "schedule.validation_samples=4",
    "--set",
    "schedule.decay_from=null",
)


@pytest.fixture(scope="session")
def vae_weights(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder of a very small MaskVAE after a few steps."""
    out = tmp_path_factory.mktemp("runs") / "vae"
    steps = ("--set", "schedule.steps=3", "--set", "schedule.log_every=1")
    assert run(app, ["train", "vae", str(prepared), "-o", str(out), "-q", *TINY_VAE, *steps]) == 0
    return out
