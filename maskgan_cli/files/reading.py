"""JSON, CSV and hashes of files, and what is said of a file that cannot be read."""

from __future__ import annotations

import codecs
import csv
import hashlib
import json
import re
import sys
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
    """Read a CSV file with a header row, as spreadsheets write it: see `table_lines`.

    A row that ends early is filled with empty values.

    Raises:
        InputError: missing, unreadable, not text, or a row with more values than the header has names.
    """
    path = Path(path)
    try:
        lines, delimiter = table_lines(decoded(path.read_bytes()))
        reader = csv.DictReader(lines, restval="", delimiter=delimiter)
        rows = []
        for row in reader:
            if None in row:
                count = len(reader.fieldnames or ())
                raise InputError(
                    f"{path}, line {reader.line_num}", expected=f"{count} values as the header has names",
                    found=str(count + len(row[None])), hint='write values that hold a comma in "quotes"',
                )  # fmt: skip
            rows.append(row)
        return rows
    except (OSError, ValueError, csv.Error) as error:
        raise unreadable(path, error, "a CSV file") from error


def decoded(data: bytes) -> str:
    """The text of a file in UTF-8, or in UTF-16 with a byte-order mark, as Excel and PowerShell write it.

    Raises:
        UnicodeDecodeError: in neither.
    """
    return data.decode("utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig")


def read_stdin() -> str:
    """The text on standard input, decoded as a file's; "" if it is closed.

    Names of files that are in neither encoding keep their bytes, in the terminal's encoding.
    """
    if sys.stdin is None:
        return ""
    if not hasattr(sys.stdin, "buffer"):
        return sys.stdin.read()
    data = sys.stdin.buffer.read()
    try:
        return decoded(data)
    except UnicodeDecodeError:
        return data.decode(sys.stdin.encoding, "surrogateescape")


def table_lines(text: str) -> tuple[list[str], str]:
    """The lines of a table with their ends, and what separates its columns.

    That is what a first line ``sep=;`` names, which is left out; else a tab or a comma that the first line holds; else
    a semicolon, if it holds one.
    """
    lines = text.splitlines(keepends=True)
    if lines and (named := re.fullmatch(r"sep=(.)\s*", lines[0], re.IGNORECASE)):
        return lines[1:], named[1]
    first = lines[0] if lines else ""
    return lines, next((mark for mark in ("\t", ",", ";") if mark in first), ",")


def sha256(path: str | Path) -> str:
    """SHA-256 of a file's bytes, as hexadecimal digits."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
