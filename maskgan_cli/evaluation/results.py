"""A measurement with its inputs and weights, and the JSON that every ``eval`` command prints."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Final, TypeVar

from PIL import Image
from pydantic import ConfigDict, TypeAdapter, ValidationError

from maskgan_cli import __version__
from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.picture_set import digest
from maskgan_cli.files import read_json, sha256
from maskgan_cli.weights.format import MODEL_FILE
from maskgan_cli.weights.lookup import recorded

T = TypeVar("T")

_EXPECTED: Final = "a result of `maskgan eval`"


@dataclass(frozen=True)
class MetricResult:
    """One metric of one method.

    Attributes:
        metric: e.g. ``fid``; a Fréchet distance with other features is ``frechet/NAME``.
        value: the main number; infinite for the PSNR of equal pictures; None if there is none.
        n: number of pictures or pairs.
        method: name of the method's row in tables.
        protocol, split, seed: of the pairs; empty or None without pairs.
        size: side of the method's pictures in pixels.
        inputs: records ``{path, sha256, files}`` of the inputs, by role.
        weights: records ``{sha256, ...}`` of all weights files used, by role.
        values: further numbers of the same measurement, by metric.
        details: further data (a confusion matrix, a threshold) that tables do not show.
        intervals: 95 % intervals of shares and means, over pairs or pictures, by metric.
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
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    def numbers(self) -> dict[str, float | None]:
        """All numbers by metric, the main one first."""
        return {self.metric: self.value, **self.values}

    def document(self) -> dict[str, Any]:
        """The result for JSON. NaN and infinity become null; ``infinite`` lists the infinite metrics."""
        return {
            **asdict(self),
            "value": finite(self.value),
            "values": {name: finite(value) for name, value in self.values.items()},
            "intervals": {name: list(ends) for name, ends in self.intervals.items() if all(map(math.isfinite, ends))},
            "infinite": [name for name, value in self.numbers().items() if value == math.inf],
            "version": __version__,
        }


def finite(value: float | None) -> float | None:
    """The number, or None for NaN and infinity, which JSON does not have."""
    return value if value is not None and math.isfinite(value) else None


def trace(where: Path, files: Sequence[Path]) -> dict[str, Any]:
    """The record of an input: path and hash of a file, or of a list of files (see `digest`)."""
    content = sha256(where) if where.is_file() else digest(files)[0]
    return {"path": str(where), "sha256": content, "files": len(files)}


def weights_of(judge: Any, path: Path) -> dict[str, Any]:
    """The record of a judge's weights: ``path`` is a weights file or a run folder."""
    path = path / MODEL_FILE if (path / MODEL_FILE).is_file() else path
    return {"name": judge.name, "path": recorded(path), "sha256": judge.sha256}


def generator_of(results: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """The record of the generator's weights (``generator``), from the records inside the pictures; may be empty.

    Raises:
        InputError: the pictures were made with different weights.
    """
    found: dict[str, Path] = {}
    for path in results:
        try:
            with Image.open(path) as image:
                record = json.loads(str(image.info.get("maskgan", "{}")))
        except (OSError, ValueError):
            record = {}
        found.setdefault(str(record.get("weights", "")), path)
    if len(found) > 1:
        (_, a), (_, b) = list(found.items())[:2]
        raise InputError(b, expected=f"a picture made with the same weights as {a.name}", found="other weights")
    weights = next(iter(found), "")
    return {"generator": {"sha256": weights}} if weights else {}


def read_results(path: Path) -> list[MetricResult]:
    """Read a JSON file with a result or a list of results.

    Raises:
        InputError: the file cannot be read, or is not the output of an ``eval`` command.
    """
    loaded = read_json(path)
    return [_result(path, entry) for entry in (loaded if isinstance(loaded, list) else [loaded])]


def _result(path: Path, entry: Any) -> MetricResult:
    if not isinstance(entry, Mapping):
        raise InputError(path, expected=_EXPECTED, found=type(entry).__name__)
    found = {name: value for name, value in entry.items() if name not in ("version", "infinite")}
    result = checked(TypeAdapter(MetricResult), found, path, _EXPECTED)
    for part in (result.inputs, result.weights):
        for role, traced in part.items():
            if not isinstance(traced.get("sha256"), str):
                raise InputError(path, expected=_EXPECTED, found=f"no sha256 of {role}")
    infinite = entry.get("infinite", [])
    for name in infinite if isinstance(infinite, list) else []:
        if name == result.metric:
            result = replace(result, value=math.inf)
        elif isinstance(name, str) and name in result.values:
            result.values[name] = math.inf
    return result


def checked(kind: TypeAdapter[T], value: Any, path: Path, expected: str) -> T:
    """Validate a JSON document against a type.

    Args:
        kind: the type.
        value: the document.
        path: its file, for the error.
        expected: description of the type, for the error.

    Raises:
        InputError: the document is not valid; it names the first problem.
    """
    try:
        # Strict validation as JSON accepts a list for a tuple, and no other conversions.
        return kind.validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "its text"
        raise InputError(path, expected=expected, found=f"{place}: {first['msg'].lower()}") from error
