"""The run folder: what a training run leaves behind, and how it goes on from there.

config.yaml            the resolved recipe
run.json               data, feature network, start, versions: what the run rests on
model.safetensors      weights with their description; the newest checkpoint's
model.md               their card: data, licence, recipe, metrics, hash
best/model.safetensors the weights of the best validation, if schedule.best names a measure
state/step-000250/     everything a bit-exact resume needs, and the hashes of its files
metrics.jsonl          one line per log or validation
samples/step-000250.png
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from torch import nn

from maskgan_cli.config import ScheduleSettings, TrainingRecipe, dump_recipe
from maskgan_cli.errors import InputError, WorkError
from maskgan_cli.files import disk_error, read_json, remove_leftovers, sha256, write_bytes, write_json
from maskgan_cli.training.schedule import check_rate
from maskgan_cli.training.state import Damaged, Progress, Stateful, Unwritten, discard, read_state, step_of, write_state
from maskgan_cli.weights.card import card_path
from maskgan_cli.weights.format import MODEL_FILE

# What may differ between the start of a run and its continuation without changing what it computes.
_FREE_SETTINGS = ("schedule.steps", "schedule.decay_from", "schedule.log_every", "schedule.validate_every",
                  "schedule.sample_every", "schedule.checkpoint_every", "schedule.validation_samples",
                  "schedule.sheet_rows", "schedule.best", "data.workers", "data.cache", "validation.every",
                  "validation.parser", "validation.inception")  # fmt: skip
# What a run rests on, besides its recipe, and must rest on to its end.
_FOUNDATIONS = ("data", "perceptual", "dmn", "vae", "start")
_KEPT_STATES = 2  # the newest, and one before it in case the newest was written by a failing disk


class RunFolder:
    """One run's files. Whoever writes to them holds the folder's lock (`locks.locked`)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.model = path / MODEL_FILE
        self.metrics = path / "metrics.jsonl"

    @property
    def states(self) -> list[Path]:
        """Complete state folders, oldest first."""
        found = (self.path / "state").glob("step-*") if (self.path / "state").is_dir() else []
        return sorted((p for p in found if re.fullmatch(r"step-\d+", p.name)), key=step_of)

    def start(
        self, recipe: TrainingRecipe, about: Mapping[str, Any], *, resume: bool, overwrite: bool
    ) -> dict[str, Any]:
        """Make the folder ready for a new run, or check that it holds the beginning of this one.

        Args:
            recipe: the resolved recipe.
            about: what the run rests on; its foundations must not change on resume, except that a run
                that goes on need not be told again what it started from.
            resume: continue what is there.
            overwrite: throw away what is there.

        Returns:
            What the run rests on, with what it started from.

        Raises:
            InputError: the folder holds another run, or one that must not be continued or replaced.
        """
        self._tidy()
        started = (self.path / "config.yaml").is_file()
        about = dict(about)
        if started and overwrite:
            self._clear()
        elif started and not resume:
            raise InputError(
                self.path, found="a run that exists already",
                hint="choose another -o, or add --resume auto to continue or --overwrite to replace it",
            )  # fmt: skip
        elif started:
            about = self._check_same(recipe, about)
        elif self.path.is_dir() and any(p.name not in ("run.json", ".lock") for p in self.path.iterdir()):
            raise InputError(self.path, expected="a new or empty folder, or a run", found="other files in it")
        write_json(self.path / "run.json", about)
        write_bytes(self.path / "config.yaml", dump_recipe(recipe).encode())  # last: it makes the folder a run
        return about

    def _tidy(self) -> None:
        """Take away what killed processes left half written."""
        remove_leftovers(self.path, self.path / "samples", self.path / "state")
        for partial in (self.path / "state").glob(".step-*"):
            shutil.rmtree(partial)

    def _clear(self) -> None:
        """Throw the run away; its recipe stays until another takes its place."""
        for name in ("state", "samples", "events", "best"):
            shutil.rmtree(self.path / name, ignore_errors=True)
        for weights in self.path.glob("*.safetensors"):  # EBST's blender lies beside the model
            card_path(weights).unlink(missing_ok=True)
            weights.unlink()
        self.metrics.unlink(missing_ok=True)
        (self.path / "trackers.json").unlink(missing_ok=True)

    def save(self, progress: Progress, networks: Mapping[str, nn.Module], optimisers: Mapping[str, Stateful]) -> None:
        """Write a complete state folder; it appears under its name only when it is whole.

        Raises:
            WorkError: the disk is full, or failed otherwise.
        """
        folder = self.path / "state" / f"step-{progress.step:06d}"
        partial = folder.with_name(f".{folder.name}")
        try:
            write_state(partial, progress, networks, optimisers)
        except Unwritten as error:
            last = f"the last state is {self.states[-1]}" if self.states else "no state had been written yet"
            raise WorkError(
                f"{folder / error.name}: could not be written: {error}; {last}; "
                "make room on the disk and run the same command again"
            ) from error
        discard(folder)
        partial.rename(folder)
        for old in self.states[:-_KEPT_STATES]:
            discard(old)

    def restore(
        self, networks: Mapping[str, nn.Module], optimisers: Mapping[str, Stateful], say: Callable[[str], None]
    ) -> Progress:
        """Load the newest state that is whole into networks and optimisers; a fresh `Progress` if there is none at all.

        Raises:
            InputError: there are states and every one is damaged, or they are of a training that was done otherwise.
        """
        damaged: list[str] = []
        for folder in reversed(self.states):
            try:
                progress = read_state(folder, networks, optimisers)
            except Damaged as error:
                damaged.append(str(error))
                continue
            for problem in damaged:
                say(f"{problem}: going on from {folder.name} instead")
            return progress
        if damaged:
            raise InputError(
                damaged[0], hint="no other state is whole; --overwrite begins anew, --start-from this run "
                "with another -o begins with the weights it reached",
            )  # fmt: skip
        return Progress()

    def model_is_behind(self, step: int) -> bool:
        """Whether the weights that users load, or their card, are missing, damaged or older than ``step``."""
        try:
            with safe_open(self.model, framework="pt") as file:
                reached = json.loads(file.metadata()["maskgan"])["step"]
            return bool(reached < step or sha256(self.model) not in card_path(self.model).read_text("utf-8"))
        except (OSError, SafetensorError, ValueError, KeyError, TypeError):
            return True

    def log(self, line: Mapping[str, Any]) -> None:
        """Append a line to metrics.jsonl.

        Raises:
            WorkError: the disk is full, or failed otherwise.
        """
        try:
            with self.metrics.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        except OSError as error:
            raise disk_error(self.metrics, error) from error

    def forget_metrics_after(self, step: int) -> None:
        """Drop damaged lines and those of steps that will be done again, so that no step is logged twice."""

        def kept(line: bytes) -> bool:
            try:
                return line.endswith(b"\n") and bool(json.loads(line)["step"] <= step)
            except (ValueError, KeyError, TypeError, RecursionError):
                return False

        if self.metrics.exists():
            lines = self.metrics.read_bytes().splitlines(keepends=True)
            write_bytes(self.metrics, b"".join(line for line in lines if kept(line)))

    def _check_same(self, recipe: TrainingRecipe, about: dict[str, Any]) -> dict[str, Any]:
        """Insist that the run that is here is this one; returns ``about`` with what it started from."""
        before = self._recipe(type(recipe))
        old, new = _flat(before), _flat(recipe.model_dump(mode="json"))
        for name in sorted(old.keys() | new.keys()):
            if name not in _FREE_SETTINGS and old.get(name) != new.get(name):
                raise InputError(
                    self.path, expected=f"a run with {name}={new.get(name)}", found=f"{name}={old.get(name)}",
                    hint="resume with the same recipe, or choose another -o",
                )  # fmt: skip
        rests = read_json(self.path / "run.json")
        if not isinstance(rests, dict):
            raise InputError(
                self.path / "run.json", expected="what the run rests on, by name", found="another document"
            )
        about = {**({"start": rests["start"]} if "start" in rests else {}), **about}
        for what in _FOUNDATIONS:
            if rests.get(what) != about.get(what):
                raise InputError(
                    self.path, expected=f"a run on {what} {about.get(what)}", found=str(rests.get(what)),
                    hint="resume with what the run was started with, or choose another -o",
                )  # fmt: skip
        if self.states:
            try:
                schedule = ScheduleSettings.model_validate(before["schedule"])
            except (KeyError, ValidationError):  # one that is refused today
                return about
            check_rate(self.path, schedule, recipe.schedule, step_of(self.states[-1]))
        return about

    def _recipe(self, kind: type[TrainingRecipe]) -> dict[str, Any]:
        """The recipe the run was started with; what was no setting then has its default."""
        path = self.path / "config.yaml"
        try:
            values = yaml.safe_load(path.read_text("utf-8"))
            if not isinstance(values, dict):
                raise ValueError("no names and values")
        except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
            raise InputError(
                path, expected="the recipe that the run was started with", found=" ".join(str(error).split())[:200],
                hint="write it there again, or begin anew with --overwrite",
            ) from error  # fmt: skip
        try:
            return kind.model_validate(values).model_dump(mode="json")
        except ValidationError:
            return values


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat
