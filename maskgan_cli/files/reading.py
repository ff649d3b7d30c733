"""JSON, CSV and hashes of files, and what is said of a file that cannot be read."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

from maskgan_cli.errors import InputError


def unreadable(path: Path, error: Exception, expected: str) -> InputError:
    """The InputError for a file that could not be read as what it should be."""
    if not path.exists():
        return InputError(path, expected=expected, found="no such file", hint="check the path")
    if path.is_dir():
        return InputError(path, expected=expected, found="a folder")
    if isinstance(error, RecursionError):
        reason = "one nested too deep"
    else:
        reason = ((error.strerror or str(error)) if isinstance(error, OSError) else str(error)).lower()
    return InputError(path, expected=expected, found=reason or type(error).__name__, hint="save or copy the file again")


def read_json(path: str | Path) -> Any:
    """Read a JSON document; a byte-order mark before it does not matter.

    Raises:
        InputError: missing, unreadable or not JSON.
    """
    path = Path(path)
    try:
        return json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise unreadable(path, error, "a JSON file") from error


def read_csv(path: str | Path) -> list[dict[str, str]]:
    """Read a CSV file with a header row; a byte-order mark before it does not matter.

    A row that ends early is filled with empty values.

    Raises:
        InputError: missing, unreadable, not text, or a row with more values than the header has names.
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="")
            rows = []
            for row in reader:
                if None in row:
                    count = len(reader.fieldnames or ())
                    raise InputError(
                        f"{path}, line {reader.line_num}", expected=f"{count} values as the header has names",
                        found=str(count + len(row[None])),
                        hint='write values that hold a comma in "quotes"',
                    )  # fmt: skip
                rows.append(row)
            return rows
    except (OSError, ValueError, csv.Error) as error:
        raise unreadable(path, error, "a CSV file") from error


def sha256(path: str | Path) -> str:
    """SHA-256 of a file's bytes, as hexadecimal digits."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
