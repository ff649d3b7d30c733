"""The figures of the last `make test-hard` as docs/reliability.json, and that as docs/reliability.md."""

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

What was done to maskgan {version} to break it, and what came of it. `make test-hard` repeats all of it with the
same seeds (Linux, about an hour, alone on the machine) and writes this page. These figures are of {machine}.
Everything that did not hold was mended and has a test of its own among the quick ones. What has no row here was not
run for this page. The figures as JSON: [reliability.json](reliability.json).

"""
_INPUTS = """## Hostile inputs

Valid files spoiled: cut short, bits flipped, spliced, sizes and types in headers changed, values exchanged, nested
without end, archives renamed, doubled and packed a thousandfold, NaN among weights, requests no page would send. Each
input must end well or with one line that names what is wrong: no traceback, no "unexpected", no half file, nothing
outside the output, within 20 s of processor time (two minutes of the clock) and 2 GB for the whole process (PyTorch
included).

"""
_DISTURBED = """## Kills, signals, rivals, full disks

Each command is disturbed and then run again. It is *fine* if the second run ends well, in the very bits of a run that
nobody disturbed, and nothing half is left. A kill is SIGKILL to the whole process group; *hit* says how often the
command was still at work, with two at one output how often the other was told who holds it (else it found the work
done, or came when it was), and with a full disk how often the command ended with the one line that names the file.

`maskgan reproduce` is the fusion table of ten faces here, fourteen commands long, with networks of two steps; its kill
is of what runs the chain, and the command that runs at that moment dies with it. The commands are forked here, since
starting Python and PyTorch fourteen times takes longer than their work.

"""
_MEMORY = """## Memory over many pictures

The most memory that the process ever had, at a tenth of the work and at its end.

"""
_SURROUNDINGS = """## Surroundings

What a command does where a machine lacks something that most have, or a file holds what few do. Quick tests check it.

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
        "no home folder, a user id that nobody knows",
        "uses bundled weights; else one line that names `MASKGAN_CACHE`", _AROUND,
    ),
    ("stdout that is not UTF-8 (cp1252, ASCII)", "prints escapes of the characters that the encoding lacks", _AROUND),
    ("an error handler in `PYTHONIOENCODING`", "keeps it", _AROUND),
    ("stdout or stderr closed", "works as ever", _AROUND),
    ("working directory deleted", "one line", _AROUND),
    ("a photo of wide gamut (Display P3)", "the result has its colours, within rounding of its format", _COLOURS),
    ("a grey or CMYK photo with a profile", "converts it to sRGB and says so", _COLOURS),
    ("a TIFF with tags of its own", "keeps what describes the photo: EXIF, profile, resolution", _COLOURS),
    (
        "a photo with more EXIF data than a JPEG holds",
        "drops the maker's notes first, the rest where that is not enough, and says so", _COLOURS,
    ),
    ("a photo with transparency", "keeps it in PNG, WebP and TIFF; else white", _COLOURS),
    ("a mask with erased parts", "takes them for background", _COLOURS),
    ("frames after the first, files of formats that are not read", "names them", "`tests/test_partly_read.py`"),
    ("lists in UTF-16, in files and on stdin", "reads them", "`tests/data/test_layouts_of_others.py`"),
    ("`-o -`, `-o /dev/stdout`, stdout redirected or not", "one line", _AROUND),
]  # fmt: skip


def document(figures: list[dict[str, Any]]) -> dict[str, Any]:
    """Figures -> what is kept of them, and what they were measured on."""
    for entry in figures:
        for reader in entry.get("readers", {}).values():
            reader["other"] = len(reader.pop("findings"))
    return {"version": __version__, "processor": processor(), "cores": cores(), "figures": figures}


def page(made: dict[str, Any]) -> str:
    """The document -> the page, as Markdown."""
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
    table = _table(("reader", "inputs", "read", "refused in one line", "anything else", "slowest", "memory"), rows)
    return f"{table}A run that is cut short has fewer of each. `HARD_INPUTS` sets how many (10,000).\n\n"


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
