"""The journal of a preparation: a file that lists the finished samples, so that an interrupted run can be resumed.

Each line is a JSON document. The first line contains the settings, and each further line one finished sample.
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
    """The result of preparing one sample.

    Attributes:
        id: the sample's id.
        image, mask: SHA-256 of the written files; empty for a rejected sample or a missing mask.
        reason: why the sample was rejected; empty if it was prepared.
        remark: message about parts of the files that were not read, e.g. later frames; empty if there is none.
    """

    id: str
    image: str = ""
    mask: str = ""
    reason: str = ""
    remark: str = ""


def append(journal: Path, outcome: Outcome) -> None:
    """Append the outcome of one sample to the journal, the file at the path ``journal``.

    The file is opened and closed for each line, so that the line is written at once.

    Raises:
        DiskError: the file cannot be written.
    """
    try:
        with journal.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line(outcome)) + "\n")
    except OSError as error:
        raise disk_error(journal, error) from error


def read_lines(path: Path) -> list[Any]:
    """Return a list of the JSON documents in a journal's lines, up to the first incomplete or damaged line."""
    documents = []
    for text in path.read_text("utf-8", errors="replace").splitlines():
        try:
            documents.append(json.loads(text))
        except (ValueError, RecursionError):
            break
    return documents


def line(outcome: Outcome) -> dict[str, str]:
    """Return the dict (field name -> value) that the journal stores for an outcome. The remark is not stored."""
    return {name: value for name, value in asdict(outcome).items() if name != "remark"}


def parse(document: Any) -> Outcome | None:
    """Convert a JSON document of the journal to an outcome, the inverse of `line`.

    Return None if the document is not valid or describes a rejected sample.
    """
    names = {field.name for field in fields(Outcome)} - {"remark"}
    if (
        isinstance(document, dict)
        and document.keys() == names
        and all(isinstance(value, str) for value in document.values())
    ):
        return Outcome(**document) if not document["reason"] else None  # rejected samples are not stored
    return None


def is_intact(out: Path, outcome: Outcome, settings: dict[str, Any]) -> bool:
    """Return whether the written files of a sample exist and still have the hashes that the journal records.

    Args:
        out: folder of the prepared data set.
        outcome: the sample's entry in the journal.
        settings: settings of the preparation, of which ``image_format`` is used.
    """
    files = {out / "images" / f"{outcome.id}.{settings['image_format']}": outcome.image}
    if outcome.mask:
        files[out / "masks" / f"{outcome.id}.png"] = outcome.mask
    return not problem_with_id(outcome.id) and all(f.is_file() and sha256(f) == digest for f, digest in files.items())
