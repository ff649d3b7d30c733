"""Keeps coined words and inverted sentences out of the files that have been rewritten in plain language.

To extend the check, add a finished file or folder to `FINISHED`. To ban a phrase, add it to `PHRASES` with the plain
wording that replaces it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]

# Files and folders (with all their Python and Markdown files) that are in plain language.
FINISHED: Final = (
    "README.md",
    "CONTRIBUTING.md",
    "docs",
    "benchmarks/painting.py",
    "benchmarks/preparation.py",
    "benchmarks/runtimes.py",
    "benchmarks/synth.py",
    "maskgan_cli/__init__.py",
    "maskgan_cli/__main__.py",
    "maskgan_cli/personalise.py",
    "tests/docs",
    "tests/conftest.py",
    "tests/drawn_faces.py",
    "maskgan_cli/bench",
    "maskgan_cli/cli",
    "maskgan_cli/data",
    "maskgan_cli/demo",
    "maskgan_cli/editing",
    "maskgan_cli/editor",
    "maskgan_cli/evaluation",
    "maskgan_cli/files",
    "maskgan_cli/judges",
    "maskgan_cli/metrics",
    "maskgan_cli/models",
    "maskgan_cli/reproduce",
    "maskgan_cli/synth",
    "maskgan_cli/training",
    "maskgan_cli/weights",
    "maskgan_cli/config.py",
    "maskgan_cli/devices.py",
    "maskgan_cli/errors.py",
    "maskgan_cli/kinds.py",
    "maskgan_cli/labels.py",
    "maskgan_cli/locks.py",
    "maskgan_cli/networks.py",
    "maskgan_cli/pages.py",
    "maskgan_cli/workers.py",
    "tests/bench",
    "tests/cli",
    "tests/data",
    "tests/editing",
    "tests/editor",
    "tests/evaluation",
    "tests/judges",
    "tests/metrics",
    "tests/models",
    "tests/reproduce",
    "tests/synth",
    "tests/training",
    "tests/weights",
    "tests/test_colours.py",
    "tests/test_files.py",
    "tests/test_partly_read.py",
    "tests/test_config.py",
    "tests/test_demo.py",
    "tests/test_errors.py",
    "tests/test_labels.py",
    "tests/test_locks.py",
    "tests/test_networks.py",
    "tests/test_workers.py",
)

# Banned phrase (a regular expression, case-insensitive) -> what to write instead.
PHRASES: Final[dict[str, str]] = {
    r"what decides (the|its) \w+'s shape": "settings of the architecture",
    r"(a|the|its|each|another|every) verdicts?": "score, logit or output",
    r"wish(es)?": "options or request",
    r"(is|are|was|were) told": "gets an error, receives, or is notified",
    r"whoever|nobody|somebody": "name the actor: the caller, another process, the user",
    r"at it[;,.)]": "holds the lock, or is writing to it",
    r"true answers?": "ground truth",
    r"the manners": "CLI runtime: streams, signals, exit codes",
    r"(is|are) looked at": "is read, or is used",
    r"go(es)? on (where|with)": "resumes, or continues",
    r"(is|are|be) refused": "is rejected, or raises an error",
    r"what (was|is|were) (asked|said|done|found|left|there)": "name the thing",
    r"what (they|it) (says|say|said|lacks|holds)": "name the thing",
    r"as (it|they) (comes?|is|are)\b(?= *[,;.\"])": "unchanged",
    r"the look of|(a|its|their|one|whose|another) looks?": "the style",
    r"lends? (it|its|a)": "the reference",
    r"shall": "must, or should",
    r"where (there is|there are|it has) (none|no)": "if there is no ...",
    r"^\W*(?-i:Of|From) (a|an|the) [^.:>-]*, ": "start with the subject",
    r"pictures? in, ": "predicts ... of pictures",
    r"(on|behind) our (back|own)": "name the process",
    r"take (it )?away": "remove",
    r"(do|does|did) no harm|does not matter": "has no effect",
    r"in turns": "alternately",
}


def _files() -> list[Path]:
    found: list[Path] = []
    for name in FINISHED:
        path = ROOT / name
        found += sorted([*path.rglob("*.py"), *path.rglob("*.md")]) if path.is_dir() else [path]
    return found


def problems(text: str) -> list[str]:
    """Lines with a banned phrase, as ``NUMBER: "PHRASE": write REPLACEMENT``."""
    found = []
    for number, line in enumerate(text.replace("_", " ").splitlines(), 1):  # also checks names
        for phrase, instead in PHRASES.items():
            if match := re.search(rf"(?<![\w])(?:{phrase})(?!\w)" if phrase[0] != "^" else phrase, line, re.IGNORECASE):
                found.append(f'{number}: "{match[0].strip()}": write {instead}')
    return found


@pytest.mark.parametrize("path", _files(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_finished_files_have_no_coined_words_or_inversions(path: Path) -> None:
    found = problems(path.read_text("utf-8"))
    assert not found, "\n".join([f"{path.relative_to(ROOT)} (see tests/test_language.py)", *found])


@pytest.mark.parametrize(
    ("line", "replacement"),
    [
        ('"""What decides the network\'s shape."""', "settings of the architecture"),
        ("# a second one is told who holds it", "gets an error"),
        ("Of a state that is damaged, the file is named.", "start with the subject"),
        ('raise InputError("other users", found="maskgan train at it; wait")', "holds the lock"),
    ],
)
def test_banned_phrases_are_reported_with_their_replacement(line: str, replacement: str) -> None:
    (found,) = problems(line)
    assert replacement in found


def test_plain_sentences_are_not_reported() -> None:
    assert problems("If a checkpoint is corrupt, its file is reported and the previous one is used.") == []
