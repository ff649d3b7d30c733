"""Writes the figures of the last `make test-hard` to docs/reliability.json and docs/reliability.md."""

from __future__ import annotations

import json
import os
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from maskgan_cli import __version__
from maskgan_cli.devices import processor
from maskgan_cli.files import write_bytes, write_json
from maskgan_cli.workers import cores

DOCS = Path(__file__).parents[2] / "docs"
_HEAD = """# Reliability

After this page you know how maskgan {version} was tested against broken files, kills, full disks and unusual machines.
Measured on {machine}, Linux. `make test-hard` repeats the tests with the same seeds (about an hour, alone on the
machine) and writes this page and [reliability.json](reliability.json). Every failure that was found was fixed and has a
quick test. What has no row was not tested for this page.

"""
_INPUTS = """## Hostile inputs

Valid files are damaged: truncated, bits flipped, spliced, sizes and types in headers changed, values exchanged, nested
without end; archives are renamed, duplicated and compressed a thousandfold; weights hold NaN; the editor gets requests
that its page never sends.

Each input must be read, or rejected in one line that names the problem: no traceback, no "unexpected", no partial file,
nothing outside the output, within 20 s of processor time (two minutes of wall time) and 2 GB for the whole process
(PyTorch included).

"""
_DISTURBED = """## Kills, signals, other processes, full disks

Each command is disturbed and then run again.

- *fine*: the second run succeeds with the same bits as an undisturbed run, and leaves no partial files.
- *hit*: the command was still running at the kill or signal. With two processes at one output: one stopped and named
  the lock holder; otherwise it found the work done, or started later. With a full disk: the command ended with the line
  that names the file.

A kill is SIGKILL to the whole process group. `maskgan reproduce` is the fusion table of ten faces, fourteen commands
with networks of two steps; its kill stops the command that runs the chain and the one that runs at that moment. The
commands are forked, because starting Python and PyTorch fourteen times takes longer than their work.

"""
_MEMORY = """## Memory over many pictures

Peak memory of the process after a tenth of the work and at its end.

"""
_SURROUNDINGS = """## Surroundings

What a command does on unusual machines and with unusual files. Quick tests check it.

"""
_SHARED, _AROUND = "`tests/data/test_shared_memory.py`", "`tests/cli/test_surroundings.py`"
_COLOURS = "`tests/test_colours.py`"
_ROWS: list[tuple[str, ...]] = [
    (
        "shared memory too small for the batches (Docker gives 64 MB)",
        "trains without loader processes and names `--shm-size`", _SHARED,
    ),
    ("shared memory full in the middle of a training", "one line names `--shm-size` and `--workers 0`", _SHARED),
    ("a loader process that hangs", "ends five seconds after the first SIGINT or SIGTERM", _SHARED),
    (
        "no home folder, a user id without a name",
        "uses bundled weights; else one line that names `MASKGAN_CACHE`", _AROUND,
    ),
    ("stdout that is not UTF-8 (cp1252, ASCII)", "prints escapes of the characters that the encoding lacks", _AROUND),
    ("an error handler in `PYTHONIOENCODING`", "keeps it", _AROUND),
    ("stdout or stderr closed", "works as usual", _AROUND),
    ("working directory deleted", "one line", _AROUND),
    ("a photo of wide gamut (Display P3)", "the result keeps its colours, within rounding of its format", _COLOURS),
    ("a grey or CMYK photo with a profile", "converts it to sRGB and says so", _COLOURS),
    ("a TIFF with tags of its own", "keeps what describes the photo: EXIF, profile, resolution", _COLOURS),
    (
        "a photo with more EXIF data than a JPEG holds",
        "drops the maker's notes first, then the rest if needed, and says so", _COLOURS,
    ),
    ("a photo with transparency", "keeps it in PNG, WebP and TIFF; else white", _COLOURS),
    ("a mask with erased parts", "reads them as background", _COLOURS),
    ("frames after the first, files of unsupported formats", "reports them", "`tests/test_partly_read.py`"),
    ("lists in UTF-16, in files and on stdin", "reads them", "`tests/data/test_layouts_of_others.py`"),
    ("`-o -`, `-o /dev/stdout`, stdout redirected or not", "one line", _AROUND),
]  # fmt: skip


def document(figures: list[dict[str, Any]]) -> dict[str, Any]:
    """The content of docs/reliability.json."""
    for entry in figures:
        for reader in entry.get("readers", {}).values():
            reader["other"] = len(reader.pop("findings"))
    return {"version": __version__, "processor": processor(), "cores": cores(), "figures": figures}


def page(made: dict[str, Any]) -> str:
    """The page of a document, as Markdown."""
    figures: list[dict[str, Any]] = made["figures"]
    by_what: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in figures:
        by_what[entry["what"]].append(entry)
    machine = f"{made['cores']} core{'s' if made['cores'] > 1 else ''} of an {made['processor']}"
    text = _HEAD.format(version=made["version"], machine=machine)
    for entry in by_what.pop("hostile inputs", []):
        if entry["readers"]:
            text += _INPUTS + (f"{entry['note']}\n\n" if "note" in entry else "") + _inputs(entry)
    memory = by_what.pop("memory over many pictures", [])
    if by_what:
        text += _DISTURBED
    for what, entries in sorted(by_what.items()):
        rows = [(e["of"], e["tries"], e["hit"], f"{e['fine']} of {e['tries']}") for e in entries]
        text += f"### {what[0].upper()}{what[1:]}\n\n" + _table(("command", "tries", "hit", "fine"), rows)
    if memory:
        rows = [(e["of"], f"{e['pictures']:,}", _mb(e["early"]), _mb(e["most"])) for e in memory]
        text += _MEMORY + _table(("command", "pictures", "at a tenth", "at the end"), rows)
    text += _SURROUNDINGS + _table(("surrounding", "what a command does", "test"), _ROWS, "---")
    return text.rstrip("\n") + "\n"


def _inputs(entry: dict[str, Any]) -> str:
    readers = entry["readers"]
    rows: list[Any] = [
        (name, r["inputs"], r["fine"], r["refused"], r["other"], f"{r['slowest']:.1f} s", _mb(r["most_memory"]))
        for name, r in readers.items()
    ]
    total = [sum(row[i] for row in rows) for i in range(1, 5)]
    rows.append((
        "**all**", *total, f"{max(r['slowest'] for r in readers.values()):.1f} s",
        _mb(max(r["most_memory"] for r in readers.values())),
    ))  # fmt: skip
    table = _table(("reader", "inputs", "read", "rejected in one line", "anything else", "slowest", "memory"), rows)
    return f"{table}`HARD_INPUTS` sets the number of inputs (10,000); an interrupted run has fewer of each.\n\n"


def _mb(count: int) -> str:
    return f"{count / 1e6:.0f} MB"


def _table(head: tuple[str, ...], rows: list[tuple[Any, ...]], rest: str = "---:") -> str:
    lines = [head, ("---", *[rest] * (len(head) - 1)), *rows]
    return (
        "\n".join("| " + " | ".join(f"{c:,}" if isinstance(c, int) else c for c in line) + " |" for line in lines)
        + "\n\n"
    )


if __name__ == "__main__":
    folder = Path(os.environ.get("HARD_FIGURES", ".cache/hard"))
    found = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    if not found:
        sys.exit(f"{folder}: no figures; run `make test-hard`")
    made = document(found)
    write_json(DOCS / "reliability.json", made)
    write_bytes(DOCS / "reliability.md", page(made).encode())
