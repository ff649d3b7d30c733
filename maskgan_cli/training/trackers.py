"""Experiment trackers through Accelerate: TensorBoard, Weights & Biases and MLflow."""

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
PROJECT: Final = "maskgan"  # project of wandb, experiment of mlflow
RECORD: Final = "trackers.json"  # in the run folder: the ids of the run in the trackers
_MAX_LENGTH: Final = 500  # characters of a setting in MLflow


def check_trackers(names: Sequence[str]) -> tuple[str, ...]:
    """The given trackers; without any, TensorBoard if its package is installed.

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
    """The trackers of a run, in the main process.

    TensorBoard writes to the folder ``events`` of the run. On resume, the others continue the run with the stored id.

    Args:
        names: see `check_trackers`.
        run: the run folder.
        recipe: the resolved recipe, which Weights & Biases and MLflow display.
        first_step: the next step; TensorBoard's entries of this step and later ones are discarded.
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
        if hasattr(tracker, "start"):  # earlier versions of Accelerate start it when it is made
            tracker.start()
        self._trackers.append(tracker)
        return tracker

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Send the values of a step."""
        for tracker in self._trackers:
            tracker.log(dict(values), step=step)

    def close(self) -> None:
        """Send the buffered values and close the trackers."""
        for tracker in self._trackers:
            tracker.finish()


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = str(value)[:_MAX_LENGTH]
    return flat
