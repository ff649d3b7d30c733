"""Callbacks of a training: calls, stop requests, signals, several trainings in one process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator

from maskgan_cli.errors import InputError
from maskgan_cli.files import read_image
from maskgan_cli.locks import locked
from maskgan_cli.training.callbacks import TrainingCallbacks, stop_on_signals
from maskgan_cli.training.loop import Interrupted
from maskgan_cli.training.run import Order, make_accelerator, train
from maskgan_cli.training.tasks.dmn import DMNRecipe, prepare_training
from tests.conftest import TINY

CHANGES = [TINY[i + 1] for i in range(len(TINY)) if TINY[i] == "--set"]


def _order(prepared: Path, out: Path, *changes: str) -> Order:
    return Order("dmn", DMNRecipe, prepare_training, prepared, out, changes=[*CHANGES, *changes])


def test_callbacks_receive_steps_losses_validation_and_samples(prepared: Path, tmp_path: Path) -> None:
    calls: list[tuple[object, ...]] = []

    def record(name: str) -> Callable[..., None]:
        return lambda *values: calls.append((name, *values))

    callbacks = TrainingCallbacks(
        "cpu", stepped=record("step"), logged=record("log"), validated=record("val"), drawn=record("drawn")
    )
    intervals = {"steps": 4, "log_every": 2, "validate_every": 3, "sample_every": 4}
    changes = [f"schedule.{name}={n}" for name, n in intervals.items()]
    loop = train(_order(prepared, tmp_path / "run", *changes), callbacks)
    assert [values for name, *values in calls if name == "step"] == [[n, 4] for n in range(5)]
    written = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    received = [{"step": values[0], **values[1]} for name, *values in calls if name in ("log", "val")]  # type: ignore[dict-item]
    assert received == written
    assert {"adversarial", "pixel", "lr", "images_per_second"} < written[0].keys()
    assert [values for name, *values in calls if name == "drawn"] == [[4, tmp_path / "run/samples/step-000004.png"]]
    assert read_image(tmp_path / "run/samples/step-000004.png").ndim == 3
    assert loop.run.model.is_file()


def test_in_a_thread_it_sets_no_signal_handlers_stops_on_request_and_resumes(prepared: Path, tmp_path: Path) -> None:
    handlers = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)]
    steps, seen, ended = 0, [], []

    def stepped(done: int, total: int) -> None:
        nonlocal steps
        steps = done
        seen.append([signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)])

    order = _order(prepared, tmp_path / "run", "schedule.steps=6")

    def work() -> None:
        try:
            train(order, TrainingCallbacks("cpu", stop=lambda: steps >= 2, stepped=stepped))
        except Interrupted as error:
            ended.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)
    assert ended == ["stopped after step 3, state saved; run the same command to continue"]
    assert all(handler == handlers for handler in seen)
    assert train(order, TrainingCallbacks("cpu")).progress.step == 6
    whole = train(_order(prepared, tmp_path / "whole", "schedule.steps=6"), TrainingCallbacks("cpu"))
    assert whole.run.model.read_bytes() == (tmp_path / "run" / "model.safetensors").read_bytes()


def test_a_stop_request_at_the_end_of_a_step_is_honoured(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signal arrives while the losses of the step are stacked, after the step's computations."""
    stack = torch.stack

    def interrupted(tensors: list[torch.Tensor], *rest: int) -> torch.Tensor:
        if len(tensors) == 5 and sys._getframe(1).f_code.co_name == "_train_one":
            os.kill(os.getpid(), signal.SIGTERM)
        return stack(tensors, *rest)

    monkeypatch.setattr(torch, "stack", interrupted)
    said: list[str] = []
    with stop_on_signals(said.append) as stop, pytest.raises(Interrupted, match="after step 1, state saved"):
        train(_order(prepared, tmp_path / "run", "schedule.steps=5"), TrainingCallbacks("cpu", stop))
    assert said == ["stopping after this step"]
    assert (tmp_path / "run/state/step-000001").is_dir()


def test_the_second_signal_interrupts_and_handlers_are_restored() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), stop_on_signals(lambda text: None) as stop:
        assert not stop()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop()
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.fixture
def group(prepared: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A training with loader processes in its own process group, after its first steps."""
    changes = ("data.workers=2", "schedule.steps=100000", "schedule.log_every=1")
    command = [
        sys.executable,
        "-m",
        "maskgan_cli",
        "train",
        "dmn",
        str(prepared),
        "-o",
        str(tmp_path / "run"),
        *TINY,
        *(word for change in changes for word in ("--set", change)),
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not (tmp_path / "run/metrics.jsonl").exists():
        assert process.poll() is None
        time.sleep(0.05)
    yield process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_process_group_saves_the_state_with_one_message(
    group: subprocess.Popen[str], tmp_path: Path, number: signal.Signals
) -> None:
    os.killpg(group.pid, number)
    _, err = group.communicate(timeout=60)
    assert group.returncode == 130, err
    assert err.count("stopping after this step") == 1
    assert "state saved; run the same command to continue" in err.splitlines()[-1]
    assert "unexpected" not in err
    assert len(list((tmp_path / "run/state").glob("step-*"))) == 1


def test_losses_are_shown_beside_the_progress_bar(prepared: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": "200", "TERM": "xterm"}
    command = [
        sys.executable,
        "-m",
        "maskgan_cli",
        "train",
        "dmn",
        str(prepared),
        "-o",
        str(tmp_path / "run"),
        *TINY,
        "--set",
        "schedule.steps=3",
        "--set",
        "schedule.log_every=1",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert "adversarial " in done.stderr
    assert "images_per_second" not in done.stderr


def test_a_run_folder_is_locked_during_training(prepared: Path, tmp_path: Path) -> None:
    with (
        locked(tmp_path / "run", "maskgan train dmn"),
        pytest.raises(InputError, match=r"found maskgan train dmn .process"),
    ):
        train(_order(prepared, tmp_path / "run"), TrainingCallbacks("cpu"))
    assert not (tmp_path / "run").exists()


def test_a_process_can_change_the_precision_between_trainings(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: Mapping[str, str] = dict(os.environ)
    for precision in ("no", "bf16", "no"):
        assert make_accelerator("cpu", precision).mixed_precision == precision
    assert dict(os.environ) == kept
    assert isinstance(make_accelerator("cpu", "no"), Accelerator)
    with pytest.raises(InputError, match="expected no or bf16 on the CPU, found fp16"):
        make_accelerator("cpu", "fp16")


def test_the_former_module_still_works() -> None:
    from maskgan_cli.training import host

    assert host.Host is TrainingCallbacks and host.stop_on_signals is stop_on_signals
