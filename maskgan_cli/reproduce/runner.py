"""Run the stages (commands) of a plan in order, and skip finished ones.

Each stage writes a stamp, ``stamps/NAME.json``: the hash of its command and inputs, the digest of its outputs, and
the time that it took. A stage counts as finished if its stamp has a digest of the outputs, and if the hash in the
stamp is that of the present command and inputs. An interrupted stage is run again, and its command resumes the work.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import maskgan_cli
from maskgan_cli.errors import InputError, MaskGANError, Stopped
from maskgan_cli.files import read_json, sha256, write_json
from maskgan_cli.reproduce.stages import Stage

STAMPS: Final = "stamps"
_TICK: Final = 0.2  # seconds between two checks of ``stop``
Execute = Callable[[Stage, Path], int]  # runs a stage in a folder; returns its exit code
_PROGRAM: Final = (
    "from maskgan_cli import workers; workers.end_with_parent(); from maskgan_cli.__main__ import main; main()"
)


@dataclass(frozen=True)
class Stamp:
    """The record of a stage (one command of a plan) that was started or finished.

    Attributes:
        command: the command line.
        key: hash of the command and the inputs of the stage.
        digest: hash of the outputs; "" until the stage is finished.
        seconds, processor_seconds: wall-clock and CPU time so far, including interrupted attempts; None if unknown.
    """

    command: str
    key: str
    digest: str = ""
    seconds: float = 0.0
    processor_seconds: float | None = 0.0

    @property
    def finished(self) -> bool:
        """Whether the stage is finished."""
        return bool(self.digest)


class StageFailed(MaskGANError):
    """Raised if a stage (one command of a plan) fails; ``exit_code`` is the exit code for ``maskgan reproduce``."""

    def __init__(self, stage: Stage, code: int) -> None:
        super().__init__(f"stage `{stage.name}` failed with exit code {code} ({stage}); run the same command to resume")
        self.exit_code = code if 0 < code < 126 else 1


def as_subprocess(stage: Stage, folder: Path, *, quiet: bool = False, stop: threading.Event | None = None) -> int:
    """Run a stage (one command) in a child process, and return the exit code. The progress is printed to stderr.

    If this process is interrupted or ``stop`` is set, the child is interrupted, and the function waits until the child
    has ended. If this process is killed, the child ends too, so that the plan can be run again at once.

    Args:
        stage: the stage.
        folder: the plan's folder, in which the command runs.
        quiet: add the option ``--quiet`` to the command.
        stop: event with which another thread can stop the stage.

    Raises:
        KeyboardInterrupt: this process was interrupted, or ``stop`` was set; the stage has ended.
    """
    package = str(Path(maskgan_cli.__file__).parents[1])
    paths = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH", "")]))
    words = [sys.executable, "-c", _PROGRAM, *stage.words, *stage.how, *(["--quiet"] if quiet else [])]
    # In a new session, Ctrl-C in a terminal reaches only this process, so that the child gets one signal, not two.
    child = subprocess.Popen(
        words,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    with child:
        try:
            while True:
                try:
                    return child.wait(None if stop is None else _TICK)
                except subprocess.TimeoutExpired:
                    if stop is not None and stop.is_set():
                        raise KeyboardInterrupt from None
        except KeyboardInterrupt:
            child.send_signal(signal.SIGTERM)
            child.wait()
            raise


def run_stages(
    stages: Sequence[Stage], folder: Path, execute: Execute, *, given: str = "", overwrite: bool = False
) -> Iterator[tuple[Stage, Stamp | None]]:
    """Run the stages (commands) of a plan in order, except the stages that are finished already.

    Args:
        stages: the stages; each comes after the stages that it needs.
        folder: the plan's folder, in which the stages run; the caller must hold its lock (`locked`).
        execute: function that runs a stage, see `as_subprocess`.
        given: hash of the inputs that the plan does not make itself, see `record.given`.
        overwrite: run stages again whose command or inputs have changed.

    Yields:
        (stage, None) before a stage runs, and (stage, stamp) when the stage is finished; a stage that was finished
        already gives only (stage, stamp).

    Raises:
        InputError: the folder has a stage of this name with another command or inputs, and ``overwrite`` is false.
        StageFailed: a stage ended with a nonzero exit code.
        Stopped: the run was interrupted.
    """
    digests: dict[str, str] = {}
    for stage in stages:
        key = stage_key(stage, digests, given)
        before = finished_before(stage, folder, key, overwrite=overwrite)
        if before is None or not before.finished:
            yield stage, None
            before = run_stage(stage, folder, execute, before or Stamp(str(stage), key))
        digests[stage.name] = before.digest
        yield stage, before


def finished_before(stage: Stage, folder: Path, key: str, *, overwrite: bool) -> Stamp | None:
    """Return the stamp (record) of an earlier run of a stage; None if the stage has no stamp.

    If outputs of the stage are missing, the returned stamp has no digest, so that the stage is run again.

    Args:
        stage, folder, overwrite: see `run_stages`.
        key: hash of the stage's present command and inputs, see `stage_key`.

    Raises:
        InputError: see `run_stages`.
    """
    before = _read(folder, stage)
    if before is None:
        return None
    if before.key != key:
        if not overwrite:
            raise InputError(
                folder,
                expected=f"the stage `{stage.name}` of this plan",
                found=f"another: {before.command}",
                hint="choose another folder with -o, or add --overwrite to rerun the stages that differ",
            )
        _remove(folder, stage)
        return None
    return before if _is_there(folder, stage) else replace(before, digest="")


def run_stage(stage: Stage, folder: Path, execute: Execute, before: Stamp, *, alone: bool = True) -> Stamp:
    """Run a stage (one command), write its stamp (a record with hashes and time), and return the stamp.

    Args:
        stage, folder, execute: see `run_stages`.
        before: the stamp of an earlier, interrupted run of the stage, or a new stamp.
        alone: whether no other stage runs at the same time; if other stages run, the CPU time is unknown.

    Raises:
        StageFailed, Stopped: see `run_stages`.
    """
    begun, used = time.monotonic(), _processor_seconds()

    def stamp(digest: str = "") -> Stamp:
        now = _processor_seconds() if alone else None
        spent = None if None in (now, used, before.processor_seconds) else now - used + before.processor_seconds  # type: ignore[operator]
        whole = before.seconds + time.monotonic() - begun
        found = Stamp(str(stage), before.key, digest, round(whole, 2), None if spent is None else round(spent, 2))
        write_json(_stamp(folder, stage), asdict(found))
        return found

    stamp()  # before any output exists, so that partial outputs can be attributed to this stage
    try:
        code = execute(stage, folder)
    except KeyboardInterrupt:
        stamp()
        raise Stopped(f"interrupted in stage `{stage.name}`; run the same command to resume") from None
    if code:
        stamp()
        if code in (Stopped.exit_code, -signal.SIGINT, -signal.SIGTERM):
            raise Stopped(f"interrupted in stage `{stage.name}`; run the same command to resume")
        raise StageFailed(stage, code)
    if missing := [name for name in stage.outputs if not (folder / name).exists()]:
        raise MaskGANError(f"stage `{stage.name}` did not write {missing[0]} ({stage})")
    return stamp(digest_of([folder / name for name in stage.outputs]))


def read_stamps(stages: Sequence[Stage], folder: Path) -> dict[str, Stamp]:
    """Return a dict from stage name to stamp (record of a run); stages that were never started are left out."""
    found = {stage.name: _read(folder, stage) for stage in stages}
    return {name: stamp for name, stamp in found.items() if stamp is not None}


def digest_of(paths: Sequence[Path]) -> str:
    """Return one hash (hex) of the names and contents of files and folders; hidden files are ignored."""
    whole = hashlib.sha256()
    for path in paths:
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in files:
            if not file.name.startswith("."):
                whole.update(f"{sha256(file)}  {file.relative_to(path.parent).as_posix()}\n".encode())
    return whole.hexdigest()


def stage_key(stage: Stage, digests: Mapping[str, str], given: str) -> str:
    """Return the hash (hex) of a stage's command and inputs.

    Args:
        stage: the stage (one command of a plan).
        digests: dict from stage name to the hash of the stage's outputs, for all stages that this stage needs.
        given: hash of the inputs that the plan does not make itself, see `record.given`.
    """
    made_of = [stage.words, [digests[need] for need in stage.needs], given]
    return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()


def _stamp(folder: Path, stage: Stage) -> Path:
    """Return the path of a stage's stamp file; ``folder`` is the plan's folder."""
    return folder / STAMPS / (re.sub(r"[^\w.-]", "-", stage.name) + ".json")


def _read(folder: Path, stage: Stage) -> Stamp | None:
    """Read the stamp of a stage from the plan's folder; return None if the file is missing or corrupt."""
    try:
        return Stamp(**read_json(_stamp(folder, stage)))
    except (InputError, TypeError):
        return None


def _is_there(folder: Path, stage: Stage) -> bool:
    """Return whether all outputs of a stage exist; ``folder`` is the plan's folder."""
    return all((folder / name).exists() for name in stage.outputs)


def _remove(folder: Path, stage: Stage) -> None:
    """Remove the outputs and the stamp of a stage from the plan's folder.

    If an output is ``model.safetensors`` or ``synth.json``, remove the whole folder that contains the file.
    """
    for name in stage.outputs:
        path = folder / name
        if path.name in ("model.safetensors", "synth.json"):
            path = path.parent
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    _stamp(folder, stage).unlink(missing_ok=True)


def _processor_seconds() -> float | None:
    """Return the CPU seconds of all finished child processes; None on Windows."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
