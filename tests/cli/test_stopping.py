"""Ctrl-C and SIGTERM end a command with one line and exit code 130, leave no process, and it can be resumed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from maskgan_cli.cli.shell import run
from maskgan_cli.data.prepared import PreparedData, data_hash
from maskgan_cli.errors import InputError, WorkError
from maskgan_cli.files import sha256
from maskgan_cli.synth import write_dataset
from tests.conftest import Command
from tests.drawn_faces import write_raw

LINE = "maskgan: stopped; run the same command to resume\n"
SYNTH = ("--count", "8", "--size", "48", "--identities", "3")


def _stop(arguments: tuple[object, ...], begun: Callable[[], bool], number: int, *, group: bool) -> tuple[int, str]:
    """Run a command in its own process group and send a signal after its start; returns exit code and stderr."""
    process = subprocess.Popen(
        [sys.executable, "-m", "maskgan_cli", *map(str, arguments)],
        start_new_session=True,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    end = time.monotonic() + 60
    while not begun() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.01)
    (os.killpg if group else os.kill)(process.pid, number)
    _, errors = process.communicate(timeout=20)
    with pytest.raises(ProcessLookupError):  # no process of the group is left
        while time.monotonic() < end:
            os.killpg(process.pid, 0)
            time.sleep(0.05)
    return process.returncode, errors


@pytest.mark.parametrize(("number", "group"), [(signal.SIGINT, True), (signal.SIGTERM, False)])
def test_prep_data_stops_and_resumes(tmp_path: Path, maskgan: Command, number: int, group: bool) -> None:
    write_raw(tmp_path / "raw", 40)
    out = tmp_path / "out"
    command = ("prep-data", tmp_path / "raw", out, "--size", "256", "--workers", "2", "-q")
    code, errors = _stop(command, lambda: any((out / "masks").glob("*.png")), number, group=group)
    assert (code, errors) == (130, LINE)
    assert not (out / "dataset.json").exists()
    assert maskgan(*command).code == 0
    assert not list(out.rglob(".*"))
    data = PreparedData.load(out)
    assert len(data.samples) == 40
    digests = [(sha256(sample.image), sha256(sample.mask)) for sample in data.samples]
    assert data.hash == data_hash(out / "manifest.csv", digests)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_synth_stops_and_resumes(tmp_path: Path, number: int) -> None:
    out = tmp_path / "out"
    command = ("synth", out, *SYNTH, "--workers", "2", "-q")
    code, errors = _stop(command, lambda: any((out / "CelebA-HQ-img").glob("[0-9]*.jpg")), number, group=False)
    if number != signal.SIGKILL:
        assert (code, errors) == (130, LINE)
    (out / "CelebA-HQ-img" / ".0-0123abcd.tmp.jpg").touch()
    write_dataset(out, 8, 48, 3, workers=1)
    write_dataset(tmp_path / "whole", 8, 48, 3, workers=1)
    assert _bytes(out) == _bytes(tmp_path / "whole")


def test_a_signal_before_the_command_starts_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    app = typer.Typer()

    @app.command()
    def early() -> None:
        raise KeyboardInterrupt

    assert run(app, []) == 130
    assert capsys.readouterr().err == "maskgan: stopped\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("library_error", [RuntimeError("empty mode stack"), InputError("w", found="x")])
def test_errors_of_libraries_after_a_signal_are_reported_as_a_stop(
    library_error: Exception, number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    app, before = typer.Typer(), signal.getsignal(number)

    @app.command()
    def within() -> None:
        try:
            signal.raise_signal(number)
        except KeyboardInterrupt:
            raise library_error from None

    assert run(app, []) == 130
    assert capsys.readouterr().err == LINE
    assert signal.getsignal(number) is before


def test_a_failed_save_after_a_signal_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    app = typer.Typer()

    @app.command()
    def within() -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt:
            raise WorkError("state: could not be written") from None

    assert run(app, []) == 1
    assert capsys.readouterr().err == "maskgan: state: could not be written\n"


def _bytes(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
