"""The run folder: what a training run leaves behind, and how it goes on from there.

config.yaml            the resolved recipe
run.json               data, feature network, versions: what the run rests on
model.safetensors      weights with their description; the newest checkpoint's
model.md               their card: data, licence, recipe, metrics, hash
state/step-000250/     everything a bit-exact resume needs
metrics.jsonl          one line per log or validation
samples/step-000250.png
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
import yaml
from safetensors.torch import load_file, save_file
from torch import nn

from maskgan_cli.config import TrainingRecipe, dump_recipe
from maskgan_cli.errors import InputError
from maskgan_cli.files import read_json, write_bytes, write_json
from maskgan_cli.weights.card import card_path
from maskgan_cli.weights.format import MODEL_FILE

# What may differ between the start of a run and its continuation without changing what it computes.
_FREE_SETTINGS = ("schedule.steps", "schedule.decay_from", "schedule.log_every", "schedule.validate_every",
                  "schedule.sample_every", "schedule.checkpoint_every", "schedule.validation_samples",
                  "schedule.sheet_rows", "data.workers", "data.cache")  # fmt: skip
# What a run rests on, besides its recipe, and must rest on to its end.
_FOUNDATIONS = ("data", "perceptual", "dmn", "vae")
_KEPT_STATES = 2  # the newest, and one before it in case the newest was written by a failing disk


class Stateful(Protocol):
    """An optimiser, or whatever else keeps numbers between steps."""

    def state_dict(self) -> dict[str, Any]:
        """Everything to be kept."""

    def load_state_dict(self, state_dict: dict[str, Any], /) -> Any:
        """Take it back."""


@dataclass
class Progress:
    """Where a run stands: finished steps, the loss sums since the last log line, the last validation."""

    step: int = 0
    window: int = 0
    sums: dict[str, float] | None = None
    validation: dict[str, float] | None = None


class RunFolder:
    """One run's files."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.model = path / MODEL_FILE
        self.metrics = path / "metrics.jsonl"

    @property
    def states(self) -> list[Path]:
        """Complete state folders, oldest first."""
        found = (self.path / "state").glob("step-*") if (self.path / "state").is_dir() else []
        return sorted((p for p in found if re.fullmatch(r"step-\d+", p.name)), key=_step_of)

    def start(self, recipe: TrainingRecipe, about: Mapping[str, Any], *, resume: bool, overwrite: bool) -> None:
        """Make the folder ready for a new run, or check that it holds the beginning of this one.

        Args:
            recipe: the resolved recipe.
            about: what the run rests on; ``about["data"]["hash"]`` must not change on resume.
            resume: continue what is there.
            overwrite: throw away what is there.

        Raises:
            InputError: the folder holds another run, or one that must not be continued or replaced.
        """
        started = (self.path / "config.yaml").is_file()
        if started and overwrite:
            shutil.rmtree(self.path / "state", ignore_errors=True)
            shutil.rmtree(self.path / "samples", ignore_errors=True)
            for file in (self.model, card_path(self.model), self.metrics):
                file.unlink(missing_ok=True)
        elif started and not resume:
            raise InputError(
                self.path, found="a run that exists already",
                hint="choose another -o, or add --resume auto to continue or --overwrite to replace it",
            )  # fmt: skip
        elif started:
            self._check_same(recipe, about)
        elif self.path.is_dir() and any(self.path.iterdir()):
            raise InputError(self.path, expected="a new or empty folder, or a run", found="other files in it")
        write_bytes(self.path / "config.yaml", dump_recipe(recipe).encode())
        write_json(self.path / "run.json", dict(about))

    def save(self, progress: Progress, networks: Mapping[str, nn.Module], optimisers: Mapping[str, Stateful]) -> None:
        """Write a complete state folder; it appears under its name only when it is whole."""
        folder = self.path / "state" / f"step-{progress.step:06d}"
        partial = folder.with_name(f".{folder.name}")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for name, network in networks.items():
            tensors = {key: value.detach().cpu().contiguous() for key, value in network.state_dict().items()}
            save_file(tensors, partial / f"{name}.safetensors")
        torch.save(
            {name: optimiser.state_dict() for name, optimiser in optimisers.items()},
            partial / "optimisers.pt",
        )
        write_json(partial / "progress.json", vars(progress))
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
        for old in self.states[:-_KEPT_STATES]:
            shutil.rmtree(old)

    def restore(self, networks: Mapping[str, nn.Module], optimisers: Mapping[str, Stateful]) -> Progress:
        """Load the newest state into networks and optimisers; a fresh `Progress` if there is none.

        Raises:
            InputError: a file of the state is missing or damaged.
        """
        if not self.states:
            return Progress()
        folder = self.states[-1]
        try:
            for name, network in networks.items():
                network.load_state_dict(load_file(folder / f"{name}.safetensors"))
            states = torch.load(folder / "optimisers.pt", map_location="cpu", weights_only=True)
            for name, optimiser in optimisers.items():
                optimiser.load_state_dict(states[name])
            return Progress(**read_json(folder / "progress.json"))
        except Exception as error:
            raise InputError(
                folder, expected="a complete training state", found=" ".join(str(error).split())[:200],
                hint="delete this folder to resume from the one before it",
            ) from error  # fmt: skip

    def log(self, line: Mapping[str, Any]) -> None:
        """Append a line to metrics.jsonl."""
        with self.metrics.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def forget_metrics_after(self, step: int) -> None:
        """Drop lines of steps that will be done again, so that no step is logged twice."""
        if self.metrics.exists():
            lines = self.metrics.read_text("utf-8").splitlines(keepends=True)
            kept = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= step]
            write_bytes(self.metrics, "".join(kept).encode())

    def _check_same(self, recipe: TrainingRecipe, about: Mapping[str, Any]) -> None:
        before = _flat(yaml.safe_load((self.path / "config.yaml").read_text("utf-8")))
        now = _flat(recipe.model_dump(mode="json"))
        for name in sorted(before.keys() | now.keys()):
            if name not in _FREE_SETTINGS and before.get(name) != now.get(name):
                raise InputError(
                    self.path, expected=f"a run with {name}={now.get(name)}", found=f"{name}={before.get(name)}",
                    hint="resume with the same recipe, or choose another -o",
                )  # fmt: skip
        rests = read_json(self.path / "run.json")
        for what in _FOUNDATIONS:
            if rests.get(what) != about.get(what):
                raise InputError(
                    self.path, expected=f"a run on {what} {about.get(what)}", found=str(rests.get(what)),
                    hint="resume with what the run was started with, or choose another -o",
                )  # fmt: skip


def _step_of(folder: Path) -> int:
    return int(folder.name.removeprefix("step-"))


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat
