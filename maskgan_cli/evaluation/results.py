"""A measured number and all it came from, as the JSON that every ``eval`` command prints."""

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
from maskgan_cli.evaluation.pictures import digest
from maskgan_cli.files import read_json, sha256
from maskgan_cli.weights.format import MODEL_FILE
from maskgan_cli.weights.lookup import recorded

T = TypeVar("T")

_WHAT: Final = "a result of `maskgan eval`"


@dataclass(frozen=True)
class Result:
    """One method measured by one metric.

    Attributes:
        metric: e.g. ``fid``; a Frechet distance over other features is ``frechet/NAME``.
        value: the headline number, infinite for the PSNR of equal pictures, None where there is none.
        n: how many pictures or pairs it is a mean over.
        method: the row of the table it belongs to.
        protocol, split, seed: of the pairs; empty or None where there are no pairs.
        size: side of the method's pictures.
        inputs: by role, ``{path, sha256, files}``.
        weights: by role, ``{sha256, ...}`` of every weights file that had a part in it.
        values: further numbers of the same measurement, by metric.
        details: what else was counted (a confusion matrix, a threshold); no table shows it.
        intervals: the 95 % interval of the shares and means among the numbers, over pairs or pictures.
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
        """Every number by its metric, the headline first."""
        return {self.metric: self.value, **self.values}

    def document(self) -> dict[str, Any]:
        """As JSON has it: numbers that JSON cannot hold become null; ``infinite`` names those without an end."""
        endless = [name for name, value in self.numbers().items() if value == math.inf]
        return {
            **asdict(self), "value": finite(self.value),
            "values": {name: finite(value) for name, value in self.values.items()},
            "intervals": {name: list(ends) for name, ends in self.intervals.items() if all(map(math.isfinite, ends))},
            "infinite": endless, "version": __version__,
        }  # fmt: skip


def finite(value: float | None) -> float | None:
    """The number itself, or None for NaN and infinity, which JSON does not know."""
    return value if value is not None and math.isfinite(value) else None


def trace(where: Path, files: Sequence[Path]) -> dict[str, Any]:
    """Where an input lies and the hash of its content: a file's own, or that of a list (see `digest`)."""
    content = sha256(where) if where.is_file() else digest(files)[0]
    return {"path": str(where), "sha256": content, "files": len(files)}


def weights_of(judge: Any, path: Path) -> dict[str, Any]:
    """The record of a judge's weights file, or that of its run folder."""
    path = path / MODEL_FILE if (path / MODEL_FILE).is_file() else path
    return {"name": judge.name, "path": recorded(path), "sha256": judge.sha256}


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
        raise InputError(path, expected=_WHAT, found=type(entry).__name__)
    found = {name: value for name, value in entry.items() if name not in ("version", "infinite")}
    result = checked(TypeAdapter(Result), found, path, _WHAT)
    for part in (result.inputs, result.weights):
        for role, traced in part.items():
            if not isinstance(traced.get("sha256"), str):
                raise InputError(path, expected=_WHAT, found=f"no sha256 of {role}")
    endless = entry.get("infinite", [])
    for name in endless if isinstance(endless, list) else []:
        if name == result.metric:
            result = replace(result, value=math.inf)
        elif isinstance(name, str) and name in result.values:
            result.values[name] = math.inf
    return result


def checked(kind: TypeAdapter[T], value: Any, path: Path, what: str) -> T:
    """A document as what it must be.

    Raises:
        InputError: names the first thing in it that is not.
    """
    try:
        # As JSON, in which a list may stand for a tuple; nothing else may differ.
        return kind.validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "its text"
        raise InputError(path, expected=what, found=f"{place}: {first['msg'].lower()}") from error
