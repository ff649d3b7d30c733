"""Writing and reading one checkpoint of a run, called a state: all files that a bit-exact resume needs."""

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
    """Interface of an optimiser, or of another object with values that a resume needs (the loss scaler of fp16)."""

    def state_dict(self) -> dict[str, Any]:
        """Return a dict of the values to save."""

    def load_state_dict(self, state_dict: dict[str, Any], /) -> Any:
        """Restore values that `state_dict` returned."""


@dataclass
class Progress:
    """Progress of a run: finished steps, sums of the losses, and validation results.

    Attributes:
        step: number of finished steps.
        window: number of steps since the losses were last logged.
        sums: sums of the losses and of the duration over these ``window`` steps, by name; None right after logging.
        validation: results of the last validation, by name.
        best: the best validation so far: its ``step``, and its value of the metric that ``schedule.best`` names.
    """

    step: int = 0
    window: int = 0
    sums: dict[str, float] | None = None
    validation: dict[str, float] | None = None
    best: dict[str, float] | None = None


class Unwritten(Exception):
    """Raised if a file of a state cannot be written; ``name`` is the name of the file, the message is the reason."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(why)
        self.name = name


def write_state(
    folder: Path, progress: Progress, networks: Mapping[str, nn.Module], optimisers: Mapping[str, Stateful]
) -> None:
    """Write a state (checkpoint) into ``folder``; if the folder exists, it is replaced.

    Args:
        folder: the folder to write.
        progress: number of finished steps, losses and results so far.
        networks, optimisers: the objects whose tensors and values are written, by name.

    Raises:
        Unwritten: the disk is full or fails; the incomplete folder has been removed.
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
        with file.open("wb") as opened:  # an error of Python's file names the reason, torch's own does not
            torch.save({name: optimiser.state_dict() for name, optimiser in optimisers.items()}, opened)
        file = folder / "progress.json"
        file.write_text(json.dumps(vars(progress), indent=2) + "\n", "utf-8")
        file = folder / "hashes.json"
        hashes = {path.name: sha256(path) for path in sorted(folder.iterdir())}
        file.write_text(json.dumps(hashes, indent=2) + "\n", "utf-8")
    # torch.save and safetensors raise errors of their own if the disk is full.
    except (OSError, SafetensorError, RuntimeError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        first: BaseException = error
        while not isinstance(first, OSError) and first.__context__ is not None:
            first = first.__context__  # torch raises its error while it handles the disk's
        why = getattr(first, "strerror", None) or " ".join(str(error).split())[:200]
        raise Unwritten(file.name, why.lower()) from error


class Damaged(Exception):
    """Raised if a file of a state is corrupt; the message names the file and the reason."""


def read_state(folder: Path, networks: Mapping[str, nn.Module], optimisers: Mapping[str, Stateful]) -> Progress:
    """Load the state (checkpoint) in ``folder`` into networks and optimisers, and return the progress of the run.

    Networks and optimisers are changed only after all files of the state have been read and checked.

    Args:
        folder: folder of the state.
        networks, optimisers: the objects into which the state is loaded, by name.

    Raises:
        Damaged: a file is missing or corrupt, or does not fit the networks.
        InputError: the state belongs to a training with other optimisers.
    """
    file = folder / "hashes.json"
    try:
        if file.exists():  # earlier versions wrote no hashes
            for name, expected in json.loads(file.read_bytes()).items():
                file = folder / name
                if sha256(file) != expected:
                    raise ValueError("its hash is wrong")
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
    except Exception as error:  # the errors of safetensors, torch and zip files have no common base class
        raise Damaged(f"{file}: damaged ({' '.join(str(error).split())[:120] or type(error).__name__})") from error
    if found != expected:
        raise InputError(
            file,
            expected=f"a training with {expected}",
            found=f"one with {found}",
            hint=f"another version wrote it: start a new run with --start-from {folder.parent.parent}",
        )
    try:
        for name, optimiser in optimisers.items():
            optimiser.load_state_dict(states[name])
    except Exception as error:
        raise Damaged(f"{file}: damaged ({' '.join(str(error).split())[:120]})") from error
    for name, network in networks.items():
        network.load_state_dict(tensors[name])
    return progress


def _progress(values: Any, step: int) -> Progress:
    """Convert the content of progress.json to `Progress`.

    Args:
        values: the content of the file.
        step: the step of the state to which the file belongs.

    Raises:
        ValueError: the content is not the progress of the step ``step``.
    """
    progress = Progress(**values)
    values_by_name = (progress.sums, progress.validation, progress.best)
    numbers = [progress.window, *(number for values in values_by_name for number in (values or {}).values())]
    if progress.step != step or not all(isinstance(number, int | float) for number in numbers):
        raise ValueError("no progress of this step")
    return progress


def discard(folder: Path) -> None:
    """Remove a state folder if it exists.

    The folder is renamed before its files are removed, so that an incomplete folder never has a state's name.
    """
    if folder.exists():
        hidden = folder.with_name(f".{folder.name}-old")
        shutil.rmtree(hidden, ignore_errors=True)
        folder.rename(hidden)
        shutil.rmtree(hidden)


def step_of(folder: Path) -> int:
    """Return the step in the name of a state folder, e.g. 250 for ``step-000250``."""
    return int(folder.name.removeprefix("step-"))
