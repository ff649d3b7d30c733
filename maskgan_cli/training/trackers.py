"""Experiment trackers that receive the metrics of a run: TensorBoard, Weights & Biases and MLflow."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from accelerate.tracking import LOGGER_TYPE_TO_CLASS

from maskgan_cli.errors import InputError
from maskgan_cli.files import read_json, write_json

TRACKERS: Final = ("tensorboard", "wandb", "mlflow")
PROJECT: Final = "maskgan"  # name of the project in wandb, and of the experiment in mlflow
RECORD: Final = "trackers.json"  # file in the run folder with the run's id in each tracker
_MAX_LENGTH: Final = 500  # largest number of characters of a setting, a limit of MLflow


def check_trackers(names: Sequence[str]) -> tuple[str, ...]:
    """Check the names of trackers, and return the names without duplicates.

    If ``names`` is empty, the result is ``("tensorboard",)`` if its package is installed, and otherwise empty.

    Raises:
        InputError: a tracker is unknown, or its package is not installed.
    """
    if not names:
        return ("tensorboard",) if find_spec("tensorboard") else ()
    for name in names:
        if name not in TRACKERS:
            raise InputError("--track", expected=f"one of {', '.join(TRACKERS)}", found=name)
        if find_spec(name) is None:
            raise InputError("--track", expected=f"the package {name}", found="none", hint=f"pip install {name}")
    return tuple(dict.fromkeys(names))


class Trackers:
    """Sends the metrics of a run to experiment trackers; used in the main process only.

    TensorBoard writes to the folder ``events`` of the run. When a run resumes, Weights & Biases and MLflow continue the
    run whose id is stored in the run folder.

    Args:
        names: names of the trackers, checked with `check_trackers`.
        run: the run folder.
        recipe: the resolved recipe, which Weights & Biases and MLflow display.
        first_step: first step that will be logged; TensorBoard discards entries of this and later steps that an
            earlier process wrote.
    """

    def __init__(self, names: Sequence[str], run: Path, recipe: Mapping[str, Any], first_step: int) -> None:
        path = run / RECORD
        known: dict[str, str] = read_json(path) if path.is_file() else {}
        found: dict[str, str] = {}
        self._trackers: list[Any] = []
        for name in names:
            kind = LOGGER_TYPE_TO_CLASS[name]
            if name == "tensorboard":
                self._start(kind("events", str(run), purge_step=first_step))
                continue
            if name == "wandb":
                found[name] = known.get(name) or uuid.uuid4().hex
                tracker = self._start(kind(PROJECT, dir=str(run), name=run.name, id=found[name], resume="allow"))
            else:
                tracker = self._start(kind(PROJECT, run_name=run.name, run_id=known.get(name)))
                found[name] = tracker.tracker.info.run_id
            if name not in known:
                tracker.store_init_configuration(_flat(recipe))
        if found:
            write_json(path, {**known, **found})

    def _start(self, tracker: Any) -> Any:
        """Start a tracker of Accelerate, add the tracker to ``self._trackers``, and return the tracker."""
        if hasattr(tracker, "start"):  # earlier versions of Accelerate start a tracker when it is created
            tracker.start()
        self._trackers.append(tracker)
        return tracker

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Send the metrics of a step to all trackers."""
        for tracker in self._trackers:
            tracker.log(dict(values), step=step)

    def close(self) -> None:
        """Send the values that are still buffered, and close all trackers."""
        for tracker in self._trackers:
            tracker.finish()


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return nested mappings as one dict of strings: ``{"a": {"b": 1}}`` becomes ``{"a.b": "1"}``.

    Args:
        values: the nested mappings.
        prefix: text that is put before each key of the dict.

    Returns:
        A dict from keys to values, each cut to 500 characters.
    """
    flat: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = str(value)[:_MAX_LENGTH]
    return flat
