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
The figures were measured on {machine}, with Linux. `make test-hard` repeats the tests with the same
random seeds, and writes this page and [reliability.json](reliability.json). It takes about an hour if nothing else runs
on the machine.

Every failure that was found is fixed and has a quick test. Things that have no row here were not tested for this page.

"""
_INPUTS = """## Hostile inputs

The test damages valid files. It truncates them, flips bits, joins parts of different files, changes sizes and types in
headers, replaces values, and nests values very deeply. In archives it renames and duplicates files, and adds files that
are compressed a thousandfold. It writes NaN into weights. The editor receives requests that its page never sends.

The program must read each input, or reject it with one line that names the problem. It must not print a traceback or
report an "unexpected" error. It must not leave partial files or write outside the output folder. It may use at most
20 s of processor time (two minutes of wall time), and 2 GB of memory for the whole process, including PyTorch.

"""
_DISTURBED = """## Kills, signals, other processes, full disks

Each command is disturbed and then run again.

- *fine* counts the tries that end well: after the second run, the output is bit-identical to that of an undisturbed
  run, and no partial files are left. With two processes, the command is not run again.
- *hit* counts the tries in which the disturbance had an effect:
    - Kill or signal: the command was still running.
    - Two processes with one output: one process stopped and named the process that holds the lock. If the
      second process started too late to meet the first one, or found that the work was done, the try is not a hit.
    - Full disk: the command stopped with one line that names the file.

A kill is SIGKILL to the whole process group. For `maskgan reproduce`, the test makes the table `fusion` with ten faces.
This table compares three style encoders of the generator, which differ in whether and how they use the mask. It takes
fourteen commands, and each network is trained for two steps. A kill ends `reproduce` and the command that is running.
To save time, each command runs in a forked copy of a process that has already loaded PyTorch, not in a new Python.

"""
_MEMORY = """## Memory over many pictures

The table shows the peak memory of the process after a tenth of the pictures, and after all of them.

"""
_SURROUNDINGS = """## Surroundings

The table shows what a command does on unusual machines and with unusual files. Quick tests check this.

"""
_SHARED, _AROUND = "`tests/data/test_shared_memory.py`", "`tests/cli/test_surroundings.py`"
_COLOURS = "`tests/test_colours.py`"
_ROWS: list[tuple[str, ...]] = [
    (
        "shared memory too small for the batches (Docker gives 64 MB)",
        "trains without loader processes, and prints a line that names `--shm-size`",
        _SHARED,
    ),
    (
        "shared memory full in the middle of a training",
        "stops with one line that names `--shm-size` and `--workers 0`",
        _SHARED,
    ),
    ("a loader process that hangs", "stops five seconds after the first SIGINT or SIGTERM", _SHARED),
    (
        "no home folder, a user id without a name",
        "uses bundled weights; if it needs the cache folder, stops with one line that names `MASKGAN_CACHE`",
        _AROUND,
    ),
    (
        "stdout that is not UTF-8 (cp1252, ASCII)",
        "prints characters that the encoding lacks as escape sequences",
        _AROUND,
    ),
    ("an error handler in `PYTHONIOENCODING`", "uses this error handler", _AROUND),
    ("stdout or stderr closed", "works as usual", _AROUND),
    ("working directory deleted", "stops with one line", _AROUND),
    ("a photo of wide gamut (Display P3)", "keeps its colours, up to the rounding of the file format", _COLOURS),
    ("a grey or CMYK photo with a profile", "converts it to sRGB, and reports this", _COLOURS),
    ("a TIFF with private tags", "keeps only the tags that describe the photo: EXIF, profile, resolution", _COLOURS),
    (
        "a photo with more EXIF data than a JPEG holds",
        "drops the maker's notes first, then other EXIF data if needed, and reports this",
        _COLOURS,
    ),
    (
        "a photo with transparency",
        "keeps the transparency in PNG, WebP and TIFF; in other formats, these pixels are white",
        _COLOURS,
    ),
    ("a mask with transparent pixels", "reads them as background", _COLOURS),
    (
        "pictures with several frames, files of unsupported formats",
        "reports what it does not read",
        "`tests/test_partly_read.py`",
    ),
    ("lists in UTF-16 (files and stdin)", "reads them", "`tests/data/test_layouts_of_others.py`"),
    ("`-o -` or `-o /dev/stdout`, stdout redirected or not", "stops with one line", _AROUND),
]


def document(figures: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the content of docs/reliability.json; ``figures``: the results that the hard tests wrote, one for each."""
    for entry in figures:
        for reader in entry.get("readers", {}).values():
            reader["other"] = len(reader.pop("findings"))
    return {"version": __version__, "processor": processor(), "cores": cores(), "figures": figures}


def page(made: dict[str, Any]) -> str:
    """Return the page as Markdown; ``made``: the content of docs/reliability.json."""
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
    rows.append(
        (
            "**all**",
            *total,
            f"{max(r['slowest'] for r in readers.values()):.1f} s",
            _mb(max(r["most_memory"] for r in readers.values())),
        )
    )
    table = _table(("reader", "inputs", "read", "rejected in one line", "anything else", "slowest", "memory"), rows)
    return f"{table}`HARD_INPUTS` sets the number of inputs (default 10,000). An interrupted run has fewer.\n\n"


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
