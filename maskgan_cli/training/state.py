"""One state of a run: everything that a bit-exact resume needs, written and read back with its hashes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from maskgan_cli.errors import InputError
from maskgan_cli.files import sha256
from maskgan_cli.weights.format import differences, shapes_of


class Stateful(Protocol):
    """An optimiser, or whatever else keeps numbers between steps."""

    def state_dict(self) -> dict[str, Any]:
        """Everything to be kept."""

    def load_state_dict(self, state_dict: dict[str, Any], /) -> Any:
        """Take it back."""


@dataclass
class Progress:
    """Where a run stands: finished steps, the loss sums since the last log line, the last and the best validation."""

    step: int = 0
    window: int = 0
    sums: dict[str, float] | None = None
    validation: dict[str, float] | None = None
    best: dict[str, float] | None = None


class Unwritten(Exception):
    """A file of a state, ``name``, that could not be written, and why."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(why)
        self.name = name


def write_state(
    folder: Path, progress: Progress, networks: Mapping[str, nn.Module], optimisers: Mapping[str, Stateful]
) -> None:
    """Write everything into a folder that is nobody's yet.

    Raises:
        Unwritten: the disk is full, or failed otherwise; the folder is gone.
    """
    shutil.rmtree(folder, ignore_errors=True)
    file = folder
    try:
        folder.mkdir(parents=True)
        for name, network in networks.items():
            file = folder / f"{name}.safetensors"
            tensors = {key: value.detach().cpu().contiguous() for key, value in network.state_dict().items()}
            save_file(tensors, file)
        file = folder / "optimisers.pt"
        with file.open("wb") as opened:  # Python's, not torch's own: it knows why a write failed
            torch.save({name: optimiser.state_dict() for name, optimiser in optimisers.items()}, opened)
        file = folder / "progress.json"
        file.write_text(json.dumps(vars(progress), indent=2) + "\n", "utf-8")
        file = folder / "hashes.json"
        hashes = {path.name: sha256(path) for path in sorted(folder.iterdir())}
        file.write_text(json.dumps(hashes, indent=2) + "\n", "utf-8")
    # torch.save and safetensors have errors of their own for a disk that is full.
    except (OSError, SafetensorError, RuntimeError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        first: BaseException = error
        while not isinstance(first, OSError) and first.__context__ is not None:
            first = first.__context__  # what torch makes of it came after what the disk said
        why = getattr(first, "strerror", None) or " ".join(str(error).split())[:200]
        raise Unwritten(file.name, why.lower()) from error


class Damaged(Exception):
    """A file of a state that cannot be used, and why."""


def read_state(folder: Path, networks: Mapping[str, nn.Module], optimisers: Mapping[str, Stateful]) -> Progress:
    """Read a whole state, and only then hand it over."""
    file = folder / "hashes.json"
    try:
        if file.exists():  # states of earlier versions have none
            for name, expected in json.loads(file.read_bytes()).items():
                file = folder / name
                if sha256(file) != expected:
                    raise ValueError("not as it was written")
        tensors = {}
        for name, network in networks.items():
            file = folder / f"{name}.safetensors"
            tensors[name] = load_file(file)
            if different := differences(shapes_of(network.state_dict()), shapes_of(tensors[name])):
                raise ValueError(different)
        file = folder / "progress.json"
        progress = _progress(json.loads(file.read_bytes()), step_of(folder))
        file = folder / "optimisers.pt"
        states = torch.load(file, map_location="cpu", weights_only=True)
        found, expected = (", ".join(sorted(map(str, names))) for names in (states, optimisers))
    except Exception as error:  # what safetensors, torch and zip files raise has no common base
        raise Damaged(f"{file}: damaged ({' '.join(str(error).split())[:120] or type(error).__name__})") from error
    if found != expected:
        raise InputError(
            file, expected=f"a training with {expected}", found=f"one with {found}",
            hint=f"this version trains otherwise: begin a new run with --start-from {folder.parent.parent}",
        )  # fmt: skip
    try:
        for name, optimiser in optimisers.items():
            optimiser.load_state_dict(states[name])
    except Exception as error:
        raise Damaged(f"{file}: damaged ({' '.join(str(error).split())[:120]})") from error
    for name, network in networks.items():
        network.load_state_dict(tensors[name])
    return progress


def _progress(values: Any, step: int) -> Progress:
    """What progress.json holds, checked."""
    progress = Progress(**values)
    numbers = [*(progress.sums or {}).values(), *(progress.validation or {}).values(), *(progress.best or {}).values(),
               progress.window]  # fmt: skip
    if progress.step != step or not all(isinstance(number, int | float) for number in numbers):
        raise ValueError("no progress of this step")
    return progress


def discard(folder: Path) -> None:
    """Remove a state, first from sight, so that a kill leaves no half of it."""
    if folder.exists():
        hidden = folder.with_name(f".{folder.name}-old")
        shutil.rmtree(hidden, ignore_errors=True)
        folder.rename(hidden)
        shutil.rmtree(hidden)


def step_of(folder: Path) -> int:
    return int(folder.name.removeprefix("step-"))
