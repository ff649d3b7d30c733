"""Tests of the runner, with stages that are one line of Python each."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from maskgan_cli.errors import InputError, Stopped
from maskgan_cli.files import read_json, write_json
from maskgan_cli.reproduce.runner import STAMPS, StageFailed, digest_of, read_stamps, run_stages
from maskgan_cli.reproduce.stages import Stage, about, script


def _write(name: str, text: str, *needs: str, output: str = "") -> Stage:
    """A stage that writes ``text`` and the content of its inputs to a file of its name."""
    body = f"open({name!r}, 'w').write({text!r} + ''.join(open(n).read() for n in {needs!r}))"
    return Stage(name, ("-c", body), (output or name,), needs)


class Runner:
    """Runs stages with Python and records their names."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    def __call__(self, stage: Stage, folder: Path) -> int:
        self.ran.append(stage.name)
        return subprocess.run(
            [sys.executable, "-S", *stage.words], cwd=folder, check=False, capture_output=True
        ).returncode

    def all(self, stages: list[Stage], folder: Path, **options: object) -> list[str]:
        """Run the stages and return the names of those that were executed."""
        self.ran = []
        for _ in run_stages(stages, folder, self, **options):  # type: ignore[arg-type]
            pass
        return self.ran


CHAIN = [_write("a", "1"), _write("b", "2", "a"), _write("c", "3", "b"), _write("d", "4", "a")]


def test_stages_run_in_order_and_finished_ones_are_skipped(tmp_path: Path) -> None:
    runner = Runner()
    assert runner.all(CHAIN, tmp_path) == ["a", "b", "c", "d"]
    assert (tmp_path / "c").read_text() == "321"
    assert runner.all(CHAIN, tmp_path) == []
    (tmp_path / "b").unlink()
    assert runner.all(CHAIN, tmp_path) == ["b"], "equal outputs keep the dependent stages valid"


def test_changed_command_is_rejected_and_overwrite_reruns_dependent_stages(tmp_path: Path) -> None:
    runner = Runner()
    runner.all(CHAIN, tmp_path)
    changed = [CHAIN[0], _write("b", "5", "a"), *CHAIN[2:]]
    with pytest.raises(InputError, match=r"the stage `b` of this plan, found another: maskgan -c .*--overwrite"):
        runner.all(changed, tmp_path)
    assert (tmp_path / "c").read_text() == "321", "results must not be lost"
    assert runner.all(changed, tmp_path, overwrite=True) == ["b", "c"]
    assert (tmp_path / "c").read_text() == "351"
    with pytest.raises(InputError, match="the stage `a`"):
        runner.all(changed, tmp_path, given="other data")


def test_failed_stage_ends_the_plan_with_its_exit_code_and_is_resumed(tmp_path: Path) -> None:
    runner = Runner()
    broken = Stage(
        "b", ("-c", "import sys, pathlib; sys.exit(0 if pathlib.Path('mended').exists() else 2)"), ("a",), ("a",)
    )
    stages = [CHAIN[0], broken, CHAIN[3]]
    with pytest.raises(
        StageFailed, match=r"stage `b` failed with exit code 2 \(maskgan .*run the same command to resume"
    ) as failed:
        runner.all(stages, tmp_path)
    assert failed.value.exit_code == 2
    (tmp_path / "mended").touch()
    assert runner.all(stages, tmp_path) == ["b", "d"]


def test_stage_without_its_outputs_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="stage `a` did not write elsewhere"):
        Runner().all([_write("a", "1", output="elsewhere")], tmp_path)


def test_time_is_summed_over_attempts(tmp_path: Path) -> None:
    runner = Runner()

    def stopped(stage: Stage, folder: Path) -> int:
        time.sleep(0.05)
        raise KeyboardInterrupt

    with pytest.raises(Stopped, match="interrupted in stage `a`"):
        list(run_stages(CHAIN, tmp_path, stopped))
    assert not read_stamps(CHAIN, tmp_path)["a"].finished
    runner.all(CHAIN, tmp_path)
    stamp = read_stamps(CHAIN, tmp_path)["a"]
    assert stamp.finished
    assert stamp.seconds > 0.05
    assert stamp.processor_seconds is None or stamp.processor_seconds > 0


def test_stage_with_a_corrupt_stamp_is_rerun(tmp_path: Path) -> None:
    runner = Runner()
    runner.all(CHAIN, tmp_path)
    (tmp_path / STAMPS / "d.json").write_text("{")
    write_json(tmp_path / STAMPS / "c.json", {"key": 1})
    assert runner.all(CHAIN, tmp_path) == ["c", "d"]


def test_digest_depends_on_names_and_contents_but_not_on_hidden_files(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "1").write_text("one")
    first = digest_of([tmp_path / "x"])
    (tmp_path / "x" / ".lock").touch()
    assert digest_of([tmp_path / "x"]) == first
    (tmp_path / "x" / "1").rename(tmp_path / "x" / "2")
    assert digest_of([tmp_path / "x"]) != first


@pytest.fixture
def rendering(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that runs a long real command as a stage; the command has started to write."""
    program = f"""
import threading
from pathlib import Path
from maskgan_cli.cli.shell import _handle_signals_and_warnings
from maskgan_cli.reproduce.runner import as_subprocess, run_stages
from maskgan_cli.reproduce.stages import Stage
stages = [Stage("render", ("synth", "faces", "-n", "5000", "--size", "64", "--workers", "1"), ("faces/synth.json",))]
try:
    with _handle_signals_and_warnings(False, threading.Event()):
        list(run_stages(stages, Path({str(tmp_path)!r}), as_subprocess))
except Exception as error:
    print(type(error).__name__, error)
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        for _ in range(600):
            if _rendered(tmp_path):
                break
            time.sleep(0.1)
        yield process
        process.kill()


def _rendered(folder: Path) -> int:
    return len(list(folder.glob("faces/CelebA-HQ-img/*.jpg")))


def test_signal_ends_the_stage_and_the_command_and_the_next_call_resumes(
    rendering: subprocess.Popen[str], tmp_path: Path
) -> None:
    rendering.send_signal(signal.SIGTERM)
    out, _ = rendering.communicate(timeout=60)
    assert out.startswith("Stopped interrupted in stage `render`; run the same command to resume")
    rendered = _rendered(tmp_path)
    time.sleep(0.5)
    assert _rendered(tmp_path) == rendered, "no process may continue in the background"
    stamp = read_json(tmp_path / STAMPS / "render.json")
    assert stamp["digest"] == ""
    assert stamp["seconds"] > 0


def test_killing_the_command_ends_its_stage(rendering: subprocess.Popen[str], tmp_path: Path) -> None:
    rendering.kill()
    rendering.wait(timeout=60)
    time.sleep(0.5)
    rendered = _rendered(tmp_path)
    time.sleep(1)
    assert 0 < _rendered(tmp_path) == rendered, "no process may continue in the background"


def test_script_runs_in_a_shell(tmp_path: Path) -> None:
    stages = [
        Stage("one", ("a b", "-o", "x'y"), ("x'y",), seconds=61.0),
        Stage("two", ("c",), (), how=("--device", "cpu")),
    ]
    text = script(stages, f"{tmp_path}/new folder", "maskgan reproduce x")
    command = tmp_path / "bin" / "maskgan"
    command.parent.mkdir()
    command.write_text('#!/bin/sh\nfor word; do printf "%s\\n" "$word" >> words; done\n')
    command.chmod(0o755)
    subprocess.run(["sh"], input=text, text=True, check=True, env={"PATH": f"{command.parent}:/usr/bin:/bin"})
    assert (tmp_path / "new folder" / "words").read_text().splitlines() == ["a b", "-o", "x'y", "c", "--device", "cpu"]
    assert "2 commands, about 60 seconds of one core, and 1 not measured" in text
    assert shlex.split(str(stages[0])) == ["maskgan", "a b", "-o", "x'y"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        ([], "time not measured"),
        ([None], "time not measured"),
        ([3.0], "about 5 seconds of one core"),
        ([180.0], "about 3 minutes of one core"),
        ([3600.0] * 5, "about 5 hours of one core"),
        ([60.0, None], "about 60 seconds of one core, and 1 not measured"),
    ],
)
def test_times_in_words(seconds: list[float | None], words: str) -> None:
    assert about(seconds) == words
