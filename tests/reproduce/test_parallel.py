"""Stages side by side: what waits for what, which device each gets, and how all end when one fails."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from maskgan_cli.errors import Stopped
from maskgan_cli.files import read_json
from maskgan_cli.reproduce.parallel import run_side_by_side
from maskgan_cli.reproduce.runner import STAMPS, StageFailed, run_stages
from maskgan_cli.reproduce.stages import Stage


def _stage(name: str, *needs: str, device: bool = True) -> Stage:
    return Stage(name, ("make", name), (name,), needs, how=("--device", "auto") if device else ())


class Machine:
    """Stages that take a moment and write their inputs' contents; those named ``long`` wait until they are stopped."""

    def __init__(self, failing: str = "") -> None:
        self.failing, self.lock = failing, threading.Lock()
        self.now: dict[str, str] = {}
        self.together: list[set[str]] = []
        self.devices: dict[str, str] = {}
        self.ended: list[str] = []

    def __call__(self, stage: Stage, folder: Path, *, stop: threading.Event) -> int:
        device = stage.how[1] if stage.how else ""
        with self.lock:
            assert not device or device not in self.now.values(), "one stage a device"
            assert all((folder / need).exists() for need in stage.needs)
            self.now[stage.name], self.devices[stage.name] = device, device
            self.together.append(set(self.now))
        if stage.name == "long":
            assert stop.wait(30), "it was not stopped"
        else:
            time.sleep(0.2)
        with self.lock:
            del self.now[stage.name]
            self.ended.append(stage.name)
        if stage.name == "long":
            raise KeyboardInterrupt
        if stage.name == self.failing:
            return 2
        (folder / stage.name).write_text(stage.name + "".join((folder / n).read_text() for n in stage.needs))
        return 0


PLAN = [_stage("a"), _stage("b", "a"), _stage("c", "a"), _stage("d", "a"), _stage("e", "b", "c", "d", device=False)]


def test_two_devices_take_two_stages_at_a_time(tmp_path: Path) -> None:
    machine = Machine()
    steps = list(run_side_by_side(PLAN, tmp_path, machine, ["cuda:0", "cuda:1"]))
    assert {"b", "c"} in machine.together and max(map(len, machine.together)) == 2
    assert machine.devices["b"] != machine.devices["c"]
    assert set(machine.devices.values()) == {"cuda:0", "cuda:1", ""}
    assert machine.ended[0] == "a" and machine.ended[-1] == "e"
    assert (tmp_path / "e").read_text() == "ebacada"
    finished = {stage.name: stamp for stage, stamp in steps if stamp is not None}
    assert finished.keys() == {"a", "b", "c", "d", "e"}
    assert [stage for stage, stamp in steps if stamp is None] == [PLAN[0], *PLAN[1:]], "unchanged stages are reported"
    again = Machine()
    assert all(stamp is not None for _, stamp in run_side_by_side(PLAN, tmp_path, again, ["cpu"])) and not again.ended
    assert all(stamp is not None for _, stamp in run_stages(PLAN, tmp_path, lambda *_: 1)), "one after the other, too"


def test_a_failure_ends_the_other_stages(tmp_path: Path) -> None:
    machine = Machine(failing="bad")
    with pytest.raises(StageFailed, match="stage `bad` failed with exit code 2"):
        list(run_side_by_side([_stage("long"), _stage("bad"), _stage("next", "bad")], tmp_path, machine, ["x", "y"]))
    assert set(machine.ended) == {"long", "bad"}
    assert read_json(tmp_path / STAMPS / "long.json")["digest"] == ""


def test_an_interrupt_ends_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("maskgan_cli.reproduce.parallel.wait", interrupted)
    machine = Machine()
    with pytest.raises(Stopped, match="interrupted in `long`; run the same command to resume"):
        list(run_side_by_side([_stage("long")], tmp_path, machine, ["x"]))
    assert machine.ended == ["long"]
