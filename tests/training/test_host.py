"""The loop under other hosts: what it tells them, how they stop it, and that it leaves their process alone."""

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
from maskgan_cli.training.dmn import DMNRecipe, prepare_training
from maskgan_cli.training.host import Host, stop_on_signals
from maskgan_cli.training.loop import Interrupted
from maskgan_cli.training.run import Order, make_accelerator, train
from tests.conftest import TINY

CHANGES = [TINY[i + 1] for i in range(len(TINY)) if TINY[i] == "--set"]


def _order(prepared: Path, out: Path, *changes: str) -> Order:
    return Order("dmn", DMNRecipe, prepare_training, prepared, out, changes=[*CHANGES, *changes])


def test_a_host_is_told_everything(prepared: Path, tmp_path: Path) -> None:
    told: list[tuple[object, ...]] = []

    def note(name: str) -> Callable[..., None]:
        return lambda *values: told.append((name, *values))

    host = Host("cpu", stepped=note("step"), logged=note("log"), validated=note("val"), drawn=note("drawn"))
    changes = [f"schedule.{name}={n}" for name, n in
               (("steps", 4), ("log_every", 2), ("validate_every", 3), ("sample_every", 4))]  # fmt: skip
    loop = train(_order(prepared, tmp_path / "run", *changes), host)
    assert [values for name, *values in told if name == "step"] == [[n, 4] for n in range(5)]
    written = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    spoken = [{"step": values[0], **values[1]} for name, *values in told if name in ("log", "val")]  # type: ignore[dict-item]
    assert spoken == written
    assert {"adversarial", "pixel", "lr", "images_per_second"} < written[0].keys()
    assert [values for name, *values in told if name == "drawn"] == [[4, tmp_path / "run/samples/step-000004.png"]]
    assert read_image(tmp_path / "run/samples/step-000004.png").ndim == 3
    assert loop.run.model.is_file()


def test_in_a_thread_it_touches_no_signals_stops_when_asked_and_goes_on(prepared: Path, tmp_path: Path) -> None:
    handlers = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)]
    steps, seen, ended = 0, [], []

    def stepped(done: int, total: int) -> None:
        nonlocal steps
        steps = done
        seen.append([signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)])

    order = _order(prepared, tmp_path / "run", "schedule.steps=6")

    def work() -> None:
        try:
            train(order, Host("cpu", stop=lambda: steps >= 2, stepped=stepped))
        except Interrupted as error:
            ended.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)
    assert ended == ["stopped after step 3, state saved; run the same command to go on"]
    assert all(handler == handlers for handler in seen)
    assert train(order, Host("cpu")).progress.step == 6
    whole = train(_order(prepared, tmp_path / "whole", "schedule.steps=6"), Host("cpu"))
    assert whole.run.model.read_bytes() == (tmp_path / "run" / "model.safetensors").read_bytes()


def test_a_wish_to_stop_that_comes_within_a_steps_last_act_is_kept(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signal arrives when the losses of the step are being put together: after any earlier look at it."""
    stack = torch.stack

    def interrupted(tensors: list[torch.Tensor], *rest: int) -> torch.Tensor:
        if len(tensors) == 5 and sys._getframe(1).f_code.co_name == "_train_one":
            os.kill(os.getpid(), signal.SIGTERM)
        return stack(tensors, *rest)

    monkeypatch.setattr(torch, "stack", interrupted)
    said: list[str] = []
    with stop_on_signals(said.append) as stop, pytest.raises(Interrupted, match="after step 1, state saved"):
        train(_order(prepared, tmp_path / "run", "schedule.steps=5"), Host("cpu", stop))
    assert said == ["stopping after this step"]
    assert (tmp_path / "run/state/step-000001").is_dir()


def test_the_second_signal_means_now_and_handlers_come_back() -> None:
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
    """A training with loader processes, in a process group of its own, after its first steps."""
    changes = ("data.workers=2", "schedule.steps=100000", "schedule.log_every=1")
    command = [sys.executable, "-m", "maskgan_cli", "train", "dmn", str(prepared), "-o", str(tmp_path / "run"), *TINY,
               *(word for change in changes for word in ("--set", change))]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not (tmp_path / "run/metrics.jsonl").exists():
        assert process.poll() is None
        time.sleep(0.05)
    yield process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_whole_group_saves_and_says_so_once(
    group: subprocess.Popen[str], tmp_path: Path, number: signal.Signals
) -> None:
    os.killpg(group.pid, number)
    _, err = group.communicate(timeout=60)
    assert group.returncode == 130, err
    assert err.count("stopping after this step") == 1
    assert "state saved; run the same command to go on" in err.splitlines()[-1]
    assert "unexpected" not in err
    assert len(list((tmp_path / "run/state").glob("step-*"))) == 1


def test_the_losses_stand_beside_the_bar(prepared: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": "200", "TERM": "xterm"}
    command = [sys.executable, "-m", "maskgan_cli", "train", "dmn", str(prepared), "-o", str(tmp_path / "run"), *TINY,
               "--set", "schedule.steps=3", "--set", "schedule.log_every=1"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert "adversarial " in done.stderr
    assert "images_per_second" not in done.stderr


def test_one_training_a_folder(prepared: Path, tmp_path: Path) -> None:
    with (
        locked(tmp_path / "run", "maskgan train dmn"),
        pytest.raises(InputError, match=r"found maskgan train dmn .process"),
    ):
        train(_order(prepared, tmp_path / "run"), Host("cpu"))
    assert not (tmp_path / "run").exists()


def test_a_process_may_train_in_another_precision_next(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: Mapping[str, str] = dict(os.environ)
    for precision in ("no", "bf16", "no"):
        assert make_accelerator("cpu", precision).mixed_precision == precision
    assert dict(os.environ) == kept
    assert isinstance(make_accelerator("cpu", "no"), Accelerator)
    with pytest.raises(InputError, match="expected no or bf16 on the CPU, found fp16"):
        make_accelerator("cpu", "fp16")
