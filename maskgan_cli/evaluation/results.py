"""A measured number and all it came from, as the JSON that every ``eval`` command prints."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from maskgan_cli import __version__
from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.pictures import digest
from maskgan_cli.files import read_json, sha256
from maskgan_cli.weights.format import MODEL_FILE

_REQUIRED = {"metric": str, "method": str, "n": int, "protocol": str, "inputs": dict, "weights": dict}


@dataclass(frozen=True)
class Result:
    """One method measured by one metric.

    Attributes:
        metric: e.g. ``fid``; a Frechet distance over other features is ``frechet/NAME``.
        value: the headline number, None where there is none (an infinite PSNR).
        n: how many pictures or pairs it is a mean over.
        method: the row of the table it belongs to.
        protocol, split, seed: of the pairs; empty or None where there are no pairs.
        size: side of the method's pictures.
        inputs: by role, ``{path, sha256, files}``.
        weights: by role, ``{sha256, ...}`` of every weights file that had a part in it.
        values: further numbers of the same measurement, by metric.
        details: what else was counted (a confusion matrix, a threshold); no table shows it.
    """

    metric: str
    value: float | None
    n: int
    method: str
    protocol: str
    split: str
    size: int
    seed: int | None
    inputs: dict[str, dict[str, Any]]
    weights: dict[str, dict[str, Any]]
    values: dict[str, float | None] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """As JSON has it: numbers that JSON cannot hold become null."""
        numbers = {name: finite(value) for name, value in self.values.items()}
        return {**asdict(self), "value": finite(self.value), "values": numbers, "version": __version__}


def finite(value: float | None) -> float | None:
    """The number itself, or None for NaN and infinity, which JSON does not know."""
    return value if value is not None and math.isfinite(value) else None


def trace(where: Path, files: Sequence[Path]) -> dict[str, Any]:
    """Where an input lies and the hash of its content: a file's own, or that of a list (see `digest`)."""
    content = sha256(where) if where.is_file() else digest(files)[0]
    return {"path": str(where), "sha256": content, "files": len(files)}


def weights_of(judge: Any, path: Path) -> dict[str, Any]:
    """The record of a judge's weights file, or that of its run folder."""
    path = path / MODEL_FILE if path.is_dir() else path
    return {"name": judge.name, "path": str(path), "sha256": judge.sha256}


def painted_by(results: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """The weights that the pictures themselves name as their painter's, as ``generator``.

    Raises:
        InputError: some of the pictures were painted by other weights than the rest.
    """
    found: dict[str, Path] = {}
    for path in results:
        try:
            with Image.open(path) as image:
                note = json.loads(str(image.info.get("maskgan", "{}")))
        except (OSError, ValueError):
            note = {}
        found.setdefault(str(note.get("weights", "")), path)
    if len(found) > 1:
        (_, a), (_, b) = list(found.items())[:2]
        raise InputError(b, expected=f"a picture painted by the same weights as {a.name}", found="another painter")
    painter = next(iter(found), "")
    return {"generator": {"sha256": painter}} if painter else {}


def read_results(path: Path) -> list[Result]:
    """The result, or list of results, of a JSON file.

    Raises:
        InputError: unreadable, or not what an ``eval`` command writes.
    """
    loaded = read_json(path)
    return [_result(path, entry) for entry in (loaded if isinstance(loaded, list) else [loaded])]


def _result(path: Path, entry: Any) -> Result:
    if not isinstance(entry, Mapping):
        raise InputError(path, expected="a result of `maskgan eval`", found=type(entry).__name__)
    for name, kind in _REQUIRED.items():
        if not isinstance(entry.get(name), kind):
            raise InputError(path, expected="a result of `maskgan eval`", found=f"no {name} in it")
    try:
        return Result(**{name: value for name, value in entry.items() if name != "version"})
    except TypeError as error:
        raise InputError(path, expected="a result of `maskgan eval`", found=str(error)) from error
