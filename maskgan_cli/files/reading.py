"""Reads JSON and CSV files and standard input, computes hashes, and creates errors for files that cannot be read."""

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
    """Return the InputError for a file that cannot be read; the caller raises it.

    Args:
        path: the file.
        error: the error that was raised while reading.
        expected: description of the expected file, e.g. ``a picture``.
    """
    if not path.exists():
        return InputError(path, expected=expected, found="no such file", hint="check the path")
    if path.is_dir():
        return InputError(path, expected=expected, found="a folder")
    if isinstance(error, RecursionError):
        reason = "a document that is nested too deeply"
    else:
        reason = ((error.strerror or str(error)) if isinstance(error, OSError) else str(error)).lower()
    return InputError(path, expected=expected, found=reason or type(error).__name__, hint="save or copy the file again")


def read_json(path: str | Path) -> Any:
    """Read a JSON file, with or without a byte-order mark, and return the parsed document.

    Raises:
        InputError: the file is missing, not readable or not JSON.
    """
    path = Path(path)
    try:
        return json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise unreadable(path, error, "a JSON file") from error


def read_csv(path: str | Path) -> list[dict[str, str]]:
    """Read a CSV file with a header, and return a list of its rows, each as a dict from column name to value.

    Encodings and delimiters of spreadsheet programs are supported, see `decoded` and `table_lines`. Missing values at
    the end of a row are empty strings.

    Raises:
        InputError: the file is missing, not readable or not text, or a row has more values than the header.
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
                    f"{path}, line {reader.line_num}",
                    expected=f"{count} values, as in the header",
                    found=str(count + len(row[None])),
                    hint='put values that contain a comma in "quotes"',
                )
            rows.append(row)
        return rows
    except (OSError, ValueError, csv.Error) as error:
        raise unreadable(path, error, "a CSV file") from error


def decoded(data: bytes) -> str:
    """Decode bytes to text, from UTF-8, or from UTF-16 with a byte-order mark (as Excel and PowerShell write it).

    Raises:
        UnicodeDecodeError: the text has another encoding.
    """
    return data.decode("utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig")


def read_stdin() -> str:
    """Read all text from standard input and decode it with `decoded`; return an empty string if the input is closed.

    If `decoded` fails, the terminal's encoding is used, and invalid bytes are kept as surrogate escapes, so that any
    file name can be read.
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
    """Split a CSV text into lines (with their line ends), and detect the delimiter of its columns.

    If the first line has the form ``sep=;``, it gives the delimiter and is removed. Otherwise the delimiter is a tab if
    the first line contains one, else a comma if it contains one, else a semicolon if it contains one, else a comma.

    Returns:
        The lines and the delimiter.
    """
    lines = text.splitlines(keepends=True)
    if lines and (named := re.fullmatch(r"sep=(.)\s*", lines[0], re.IGNORECASE)):
        return lines[1:], named[1]
    first = lines[0] if lines else ""
    return lines, next((mark for mark in ("\t", ",", ";") if mark in first), ",")


def sha256(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
