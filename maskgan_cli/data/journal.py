"""The journal of a preparation: the samples that are finished, so that an interrupted run can be resumed.

The first line of the file has the settings, each further line a finished sample.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

from maskgan_cli.data.sources import problem_with_id
from maskgan_cli.files import disk_error, sha256

JOURNAL: Final = ".prepare.jsonl"


@dataclass(frozen=True)
class Outcome:
    """The outcome of the preparation of one sample.

    Attributes:
        id: the sample's id.
        image, mask: SHA-256 of the written files; empty for a rejected sample or a missing mask.
        reason: the reason of a rejection.
        remark: message about content of the files that was not read.
    """

    id: str
    image: str = ""
    mask: str = ""
    reason: str = ""
    remark: str = ""


def append(journal: Path, outcome: Outcome) -> None:
    """Append an outcome to the journal. The file is opened for each line, so that the line is written at once."""
    try:
        with journal.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line(outcome)) + "\n")
    except OSError as error:
        raise disk_error(journal, error) from error


def read_lines(path: Path) -> list[Any]:
    """The JSON documents of a file up to the first one that is incomplete or damaged."""
    documents = []
    for text in path.read_text("utf-8", errors="replace").splitlines():
        try:
            documents.append(json.loads(text))
        except (ValueError, RecursionError):
            break
    return documents


def line(outcome: Outcome) -> dict[str, str]:
    """An outcome as stored in the journal."""
    return {name: value for name, value in asdict(outcome).items() if name != "remark"}


def parse(document: Any) -> Outcome | None:
    """The outcome in a line of the journal; None if the line is not valid."""
    names = {field.name for field in fields(Outcome)} - {"remark"}
    if (
        isinstance(document, dict)
        and document.keys() == names
        and all(isinstance(value, str) for value in document.values())
    ):
        return Outcome(**document) if not document["reason"] else None  # rejected samples are not stored
    return None


def is_intact(out: Path, outcome: Outcome, settings: dict[str, Any]) -> bool:
    """Whether a sample's files exist and have the hashes of the journal."""
    files = {out / "images" / f"{outcome.id}.{settings['image_format']}": outcome.image}
    if outcome.mask:
        files[out / "masks" / f"{outcome.id}.png"] = outcome.mask
    return not problem_with_id(outcome.id) and all(f.is_file() and sha256(f) == digest for f, digest in files.items())
