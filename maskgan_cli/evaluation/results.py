"""The results of measurements, and the JSON documents in which the ``eval`` commands store them.

A result contains the value and records (paths and hashes) of all inputs and weights.
"""

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
    """The value of one metric for one method, with records of all inputs and weights.

    Attributes:
        metric: name of the metric, e.g. ``fid``; a Fréchet distance with other features is ``frechet/NAME``.
        value: the main number; infinite for the PSNR of equal pictures; None if there is no value.
        n: number of pictures or pairs.
        method: name of the method's row in tables.
        protocol, split, seed: settings by which the pairs were chosen; without pairs: protocol "" and seed None.
        size: side of the method's pictures in pixels.
        inputs: dict from the role of each input (e.g. ``pairs``) to its record ``{path, sha256, files}``.
        weights: dict from the role of each network (e.g. ``parser``) to the record ``{sha256, ...}`` of its weights.
        values: further numbers of the same measurement: dict from the name of a metric to its value.
        details: further data (a confusion matrix, a threshold) that tables do not show.
        intervals: dict from the name of a metric to its 95 % interval (low, high), if the metric is a mean or a
            proportion of pairs or pictures.
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
        """Return a dict from the name of each metric to its number; the main number comes first."""
        return {self.metric: self.value, **self.values}

    def document(self) -> dict[str, Any]:
        """Return the result as a JSON document.

        NaN and infinite numbers become null; the entry ``infinite`` lists the metrics that are infinite.
        """
        return {
            **asdict(self),
            "value": finite(self.value),
            "values": {name: finite(value) for name, value in self.values.items()},
            "intervals": {name: list(ends) for name, ends in self.intervals.items() if all(map(math.isfinite, ends))},
            "infinite": [name for name, value in self.numbers().items() if value == math.inf],
            "version": __version__,
        }


def finite(value: float | None) -> float | None:
    """Return the number, or None for NaN and infinity, which JSON cannot represent."""
    return value if value is not None and math.isfinite(value) else None


def trace(where: Path, files: Sequence[Path]) -> dict[str, Any]:
    """Create the record ``{path, sha256, files}`` of an input; ``files`` is the number of its files.

    Args:
        where: the input: a file, or the folder of the files.
        files: the files of the input. If ``where`` is a folder, the record's hash is computed from these files (see
            `digest`).
    """
    content = sha256(where) if where.is_file() else digest(files)[0]
    return {"path": str(where), "sha256": content, "files": len(files)}


def weights_of(judge: Any, path: Path) -> dict[str, Any]:
    """Create the record ``{name, path, sha256}`` of a judge's weights; ``path`` is a weights file or a run folder."""
    path = path / MODEL_FILE if (path / MODEL_FILE).is_file() else path
    return {"name": judge.name, "path": recorded(path), "sha256": judge.sha256}


def generator_of(results: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """Read from the metadata of pictures the hash of the generator's weights with which they were made.

    Returns:
        ``{"generator": {"sha256": ...}}``, or an empty dictionary if the pictures do not record any weights.

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
    """Convert a JSON document back to a result: the inverse of `MetricResult.document`.

    Raises:
        InputError: the document is not valid; the error names its file ``path``.
    """
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
    """Validate a JSON document against a type, and return it as an object of this type.

    Args:
        kind: the type, as a pydantic adapter.
        value: the document.
        path: the document's file, for the error.
        expected: description of the type, for the error.

    Raises:
        InputError: the document is not valid; the error names the first problem.
    """
    try:
        # Strict validation of JSON text accepts a list for a tuple; otherwise it converts no types.
        return kind.validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "its text"
        raise InputError(path, expected=expected, found=f"{place}: {first['msg'].lower()}") from error
