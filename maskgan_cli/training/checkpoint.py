"""The run folder of a training: writing its files, and resuming a run from them.

config.yaml            the resolved recipe
run.json               dependencies (data, feature network, start weights, each with its hash) and versions
model.safetensors      weights of the newest checkpoint, with their description
model.md               model card of these weights: data, licence, recipe, metrics, hash
best/model.safetensors weights of the step with the best validation result, if schedule.best names a metric
state/step-000250/     a state, i.e. a checkpoint: all files that a bit-exact resume needs, and their hashes
metrics.jsonl          one line for each log entry or validation
samples/step-000250.png  sample grid of a step
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

# Settings that may change on resume.
_FREE_SETTINGS = (
    *(f"schedule.{name}" for name in ("steps", "decay_from", "validation_samples", "sheet_rows", "best")),
    *(f"validation.{name}" for name in ("every", "parser", "inception")),
    *(f"schedule.{name}_every" for name in ("log", "validate", "sample", "checkpoint")),
    "data.workers",
    "data.cache",
)
_DEPENDENCIES = ("data", "perceptual", "dmn", "vae", "edits", "start")  # records in run.json that must match on resume
_KEPT_STATES = 2  # the newest state, and the previous one in case a failing disk damaged the newest


class RunFolder:
    """The folder with the files of one run. A process that writes to the folder must hold its lock (`locks.locked`)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.model = path / MODEL_FILE
        self.metrics = path / "metrics.jsonl"

    @property
    def states(self) -> list[Path]:
        """Paths of the folders of all complete checkpoints (states), oldest first."""
        found = (self.path / "state").glob("step-*") if (self.path / "state").is_dir() else []
        return sorted((p for p in found if re.fullmatch(r"step-\d+", p.name)), key=step_of)

    def start(
        self, recipe: TrainingRecipe, about: Mapping[str, Any], *, resume: bool, overwrite: bool
    ) -> dict[str, Any]:
        """Prepare the folder for a new run, or check that the existing run can be resumed; write and return ``about``.

        Args:
            recipe: the resolved recipe.
            about: content of ``run.json``: the dependencies (data and weights that the run uses, with their hashes) and
                the versions of the software. On resume, the dependencies must be the same as before, except that
                ``start`` (the hash of the weights that the run started from) may be missing.
            resume: continue an existing run.
            overwrite: delete an existing run.

        Returns:
            ``about``; for a resumed run, with the entry ``start`` that the run recorded.

        Raises:
            InputError: the folder contains a run, and neither ``resume`` nor ``overwrite`` is true; the run to resume
                has another recipe or other dependencies; or the folder contains other files.
        """
        self._remove_partial_files()
        started = (self.path / "config.yaml").is_file()
        about = dict(about)
        if started and overwrite:
            self._clear()
        elif started and not resume:
            raise InputError(
                self.path,
                found="a run that exists already",
                hint="choose another -o, or add --resume auto to continue or --overwrite to replace it",
            )
        elif started:
            about = self._check_resume(recipe, about)
        elif self.path.is_dir() and any(p.name not in ("run.json", ".lock") for p in self.path.iterdir()):
            raise InputError(self.path, expected="a new or empty folder, or a run", found="other files in it")
        write_json(self.path / "run.json", about)
        write_bytes(self.path / "config.yaml", dump_recipe(recipe).encode())  # last: it makes the folder a run
        return about

    def _remove_partial_files(self) -> None:
        """Remove files that a killed process left incomplete."""
        remove_leftovers(self.path, self.path / "samples", self.path / "state")
        for partial in (self.path / "state").glob(".step-*"):
            shutil.rmtree(partial)

    def _clear(self) -> None:
        """Remove the files of the run, except for its recipe, which the next run replaces."""
        for name in ("state", "samples", "events", "best"):
            shutil.rmtree(self.path / name, ignore_errors=True)
        for weights in self.path.glob("*.safetensors"):  # EBST's blender lies beside the model
            card_path(weights).unlink(missing_ok=True)
            weights.unlink()
        self.metrics.unlink(missing_ok=True)
        (self.path / "trackers.json").unlink(missing_ok=True)

    def save(self, progress: Progress, networks: Mapping[str, nn.Module], optimisers: Mapping[str, Stateful]) -> None:
        """Write a state (checkpoint) of the run, and delete all states except the newest two.

        The state's folder gets its final name only when it is complete.

        Args:
            progress: number of finished steps, losses and results so far.
            networks, optimisers: the objects whose tensors and values are saved, by name.

        Raises:
            WorkError: the disk is full or fails.
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
        """Load the newest intact state (checkpoint) into networks and optimisers, and return its progress.

        If a state is corrupt, its corrupt file is reported and the previous state is used.

        Args:
            networks, optimisers: the objects into which the state is loaded, by name.
            say: receives messages about corrupt states.

        Returns:
            The progress of the run when the state was saved; a new `Progress` if there are no states.

        Raises:
            InputError: every state is corrupt, or the states belong to a training with other optimisers.
        """
        damaged: list[str] = []
        for folder in reversed(self.states):
            try:
                progress = read_state(folder, networks, optimisers)
            except Damaged as error:
                damaged.append(str(error))
                continue
            for problem in damaged:
                say(f"{problem}: using {folder.name} instead")
            return progress
        if damaged:
            raise InputError(
                damaged[0],
                hint="no intact state is left; start again with --overwrite, or start a new run (another -o) from this "
                "run's weights with --start-from",
            )
        return Progress()

    def model_is_behind(self, step: int) -> bool:
        """Return whether the model file or its model card is missing, corrupt, or from a step before ``step``."""
        try:
            with safe_open(self.model, framework="pt") as file:
                reached = json.loads(file.metadata()["maskgan"])["step"]
            return bool(reached < step or sha256(self.model) not in card_path(self.model).read_text("utf-8"))
        except (OSError, SafetensorError, ValueError, KeyError, TypeError):
            return True

    def log(self, line: Mapping[str, Any]) -> None:
        """Append ``line`` to metrics.jsonl, as one line of JSON.

        Raises:
            WorkError: the disk is full or fails.
        """
        try:
            with self.metrics.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        except OSError as error:
            raise disk_error(self.metrics, error) from error

    def forget_metrics_after(self, step: int) -> None:
        """Remove from metrics.jsonl all corrupt lines and all lines of steps after ``step``.

        A run that resumes after ``step`` then logs no step twice.
        """

        def kept(line: bytes) -> bool:
            try:
                return line.endswith(b"\n") and bool(json.loads(line)["step"] <= step)
            except (ValueError, KeyError, TypeError, RecursionError):
                return False

        if self.metrics.exists():
            lines = self.metrics.read_bytes().splitlines(keepends=True)
            write_bytes(self.metrics, b"".join(line for line in lines if kept(line)))

    def _check_resume(self, recipe: TrainingRecipe, about: dict[str, Any]) -> dict[str, Any]:
        """Check that a resumed run has the same recipe and the same dependencies as the run in the folder.

        Args:
            recipe: the recipe of the resumed run.
            about: the dependencies and versions of the resumed run, see `start`.

        Returns:
            ``about``. If ``about`` has no entry ``start``, the entry that the run in the folder recorded is added.

        Raises:
            InputError: a setting that must not change or a dependency differs, or the learning rate would rise.
        """
        before = self._recipe(type(recipe))
        old, new = _flat(before), _flat(recipe.model_dump(mode="json"))
        for name in sorted(old.keys() | new.keys()):
            if name not in _FREE_SETTINGS and old.get(name) != new.get(name):
                raise InputError(
                    self.path,
                    expected=f"a run with {name}={new.get(name)}",
                    found=f"{name}={old.get(name)}",
                    hint="resume with the same recipe, or choose another -o",
                )
        recorded = read_json(self.path / "run.json")
        if not isinstance(recorded, dict):
            raise InputError(
                self.path / "run.json", expected="the run's dependencies by name", found=type(recorded).__name__
            )
        about = {**({"start": recorded["start"]} if "start" in recorded else {}), **about}
        for name in _DEPENDENCIES:
            if recorded.get(name) != about.get(name):
                raise InputError(
                    self.path,
                    expected=f"a run with {name} {about.get(name)}",
                    found=str(recorded.get(name)),
                    hint=f"resume with the same {name}, or choose another -o",
                )
        if self.states:
            try:
                schedule = ScheduleSettings.model_validate(before["schedule"])
            except (KeyError, ValidationError):  # an earlier version wrote the schedule, and it is not valid any more
                return about
            check_rate(self.path, schedule, recipe.schedule, step_of(self.states[-1]))
        return about

    def _recipe(self, kind: type[TrainingRecipe]) -> dict[str, Any]:
        """Read the recipe that the run was started with, and return it as a dictionary with a key for each setting.

        Settings that did not exist in the version that wrote the recipe get their defaults. A recipe that is not valid
        any more is returned unchanged.

        Args:
            kind: the recipe's class, which validates the recipe.

        Raises:
            InputError: config.yaml cannot be read.
        """
        path = self.path / "config.yaml"
        try:
            values = yaml.safe_load(path.read_text("utf-8"))
            if not isinstance(values, dict):
                raise ValueError("no names and values")
        except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
            raise InputError(
                path,
                expected="the recipe that the run was started with",
                found=" ".join(str(error).split())[:200],
                hint="restore the file, or start again with --overwrite",
            ) from error
        try:
            return kind.model_validate(values).model_dump(mode="json")
        except ValidationError:
            return values


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested mappings as one dict: ``{"a": {"b": 1}}`` becomes ``{"a.b": 1}``.

    Args:
        values: the nested mappings.
        prefix: text that is put before each key of the dict.
    """
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat
