"""Run the stages of a plan in order; what is finished is never done again.

Beside its outputs each stage leaves a stamp, ``stamps/NAME.json``: the hash of its command and of what it read, the
digest of what it wrote, and the time it took. A stage is finished while its stamp says so of the same command and
the same inputs. One that was stopped is run again; the commands themselves go on where they were.
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
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import maskgan_cli
from maskgan_cli.errors import InputError, MaskGANError, Stopped
from maskgan_cli.files import read_json, sha256, write_json
from maskgan_cli.reproduce.stages import Stage

STAMPS: Final = "stamps"
Execute = Callable[[Stage, Path], int]  # runs a stage in a folder; returns its exit code
_PROGRAM: Final = (
    "from maskgan_cli import workers; workers.end_with_parent(); from maskgan_cli.__main__ import main; main()"
)


@dataclass(frozen=True)
class Stamp:
    """What is known of a stage that was begun.

    Attributes:
        command: as it was typed.
        key: hash of the command and of what its needs left.
        digest: hash of what it left itself; "" until it is finished.
        seconds, processor_seconds: spent on it so far, also in attempts that were stopped; None where no system tells.
    """

    command: str
    key: str
    digest: str = ""
    seconds: float = 0.0
    processor_seconds: float | None = 0.0

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to do."""
        return bool(self.digest)


class StageFailed(MaskGANError):
    """A stage ended badly; so does the plan, with the same exit code."""

    def __init__(self, stage: Stage, code: int) -> None:
        super().__init__(f"stage `{stage.name}` ended with {code} ({stage}); run the same command to go on")
        self.exit_code = code if 0 < code < 126 else 1


def as_subprocess(stage: Stage, folder: Path, *, quiet: bool = False) -> int:
    """Run a stage by this Python, its progress on our stderr; a signal to us is passed on and waited for.

    If we are killed, the stage dies with us: whoever runs the plan again finds nobody at work.

    Raises:
        KeyboardInterrupt: we were stopped; the stage has ended.
    """
    package = str(Path(maskgan_cli.__file__).parents[1])
    paths = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH", "")]))
    words = [sys.executable, "-c", _PROGRAM, *stage.words, *stage.how, *(["--quiet"] if quiet else [])]
    # A session of its own: Ctrl-C in a terminal reaches us alone, so that the stage is told once and not twice.
    child = subprocess.Popen(
        words, cwd=folder, env={**os.environ, "PYTHONPATH": paths}, stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    with child:
        try:
            return child.wait()
        except KeyboardInterrupt:
            child.send_signal(signal.SIGTERM)
            child.wait()
            raise


def run_stages(
    stages: Sequence[Stage], folder: Path, execute: Execute, *, given: str = "", overwrite: bool = False
) -> Iterator[tuple[Stage, Stamp | None]]:
    """Every stage in order: (stage, None) before it runs, (stage, its stamp) when it is finished.

    Args:
        stages: each after those it needs.
        folder: where they run; it must be ours alone (`locked`).
        execute: see `as_subprocess`.
        given: hash of what all stages rest on and none of them makes.
        overwrite: start over what was made by other commands or of other inputs.

    Raises:
        InputError: the folder holds a stage of that name made by another command, and not ``overwrite``.
        StageFailed: a stage did not end with 0.
        Stopped: we were stopped.
    """
    digests: dict[str, str] = {}
    for stage in stages:
        key = _key(stage, digests, given)
        before = _read(folder, stage)
        if before is not None and before.key != key:
            if not overwrite:
                raise InputError(
                    folder, expected=f"the stage `{stage.name}` of this plan", found=f"another: {before.command}",
                    hint="choose another folder with -o, or add --overwrite to start over what differs",
                )  # fmt: skip
            _remove(folder, stage)
            before = None
        if before is None or not (before.finished and _is_there(folder, stage)):
            yield stage, None
            before = _run(stage, folder, execute, before or Stamp(str(stage), key))
        digests[stage.name] = before.digest
        yield stage, before


def _run(stage: Stage, folder: Path, execute: Execute, before: Stamp) -> Stamp:
    begun, used = time.monotonic(), _processor_seconds()

    def stamp(digest: str = "") -> Stamp:
        now = _processor_seconds()
        spent = None if None in (now, used, before.processor_seconds) else now - used + before.processor_seconds  # type: ignore[operator]
        whole = before.seconds + time.monotonic() - begun
        found = Stamp(str(stage), before.key, digest, round(whole, 2), None if spent is None else round(spent, 2))
        write_json(_stamp(folder, stage), asdict(found))
        return found

    stamp()  # whoever finds its outputs knows whose they are
    try:
        code = execute(stage, folder)
    except KeyboardInterrupt:
        stamp()
        raise Stopped(f"stopped in stage `{stage.name}`; run the same command to go on") from None
    if code:
        stamp()
        if code in (Stopped.exit_code, -signal.SIGINT, -signal.SIGTERM):
            raise Stopped(f"stopped in stage `{stage.name}`; run the same command to go on")
        raise StageFailed(stage, code)
    if missing := [name for name in stage.outputs if not (folder / name).exists()]:
        raise MaskGANError(f"stage `{stage.name}` left no {missing[0]} ({stage})")
    return stamp(digest_of([folder / name for name in stage.outputs]))


def read_stamps(stages: Sequence[Stage], folder: Path) -> dict[str, Stamp]:
    """The stamps that there are, by the stages' names."""
    found = {stage.name: _read(folder, stage) for stage in stages}
    return {name: stamp for name, stamp in found.items() if stamp is not None}


def digest_of(paths: Sequence[Path]) -> str:
    """One hash of files and folders, by names and contents."""
    whole = hashlib.sha256()
    for path in paths:
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in files:
            if not file.name.startswith("."):
                whole.update(f"{sha256(file)}  {file.relative_to(path.parent).as_posix()}\n".encode())
    return whole.hexdigest()


def _key(stage: Stage, digests: dict[str, str], given: str) -> str:
    made_of = [stage.words, [digests[need] for need in stage.needs], given]
    return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()


def _stamp(folder: Path, stage: Stage) -> Path:
    return folder / STAMPS / (re.sub(r"[^\w.-]", "-", stage.name) + ".json")


def _read(folder: Path, stage: Stage) -> Stamp | None:
    """A stage's stamp; None if there is none that can be read."""
    try:
        return Stamp(**read_json(_stamp(folder, stage)))
    except (InputError, TypeError):
        return None


def _is_there(folder: Path, stage: Stage) -> bool:
    return all((folder / name).exists() for name in stage.outputs)


def _remove(folder: Path, stage: Stage) -> None:
    """Take away what a stage has left; a run folder goes whole, with the file in it that we know of."""
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
    """What all ended children of this process have used of processors."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
