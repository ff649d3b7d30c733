"""The command lines that the documentation shows."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import typer

from maskgan_cli.cli.app import app

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / ".github").rglob("*.md"))
    if path.name != "CHANGELOG.md"  # it speaks of commands as they were
)
_FENCE = re.compile(r"^\s*(```+|~~~+)")
_TORCHRUN = re.compile(r"\b(?:torchrun|accelerate launch)\b.*?-m maskgan_cli\b|\bpython3? -m maskgan_cli\b")
_KEYWORDS = {"do", "then", "else", "time", "exec", "$"}


class Line(NamedTuple):
    """One `maskgan` command of a page."""

    page: Path
    number: int
    words: list[str]

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.number}: maskgan {' '.join(self.words)}"


def shown(page: Path) -> Iterator[Line]:
    """Every command in the page's blocks of code, fenced or indented."""
    for number, text in _logical(list(_code(page.read_text("utf-8")))):
        for words in _commands(text):
            yield Line(page, number, words)


def mentioned(page: Path) -> Iterator[Line]:
    """Every command in the running text, between backticks; it may leave out what the text is not about."""
    for number, text in enumerate(page.read_text("utf-8").splitlines(), start=1):
        for span in re.findall(r"`maskgan ([^`]+)`", text):
            yield Line(page, number, span.replace("\\|", "|").split())


def _code(text: str) -> Iterator[tuple[int, str]]:
    fence, before = "", ""
    for number, line in enumerate(text.splitlines(), start=1):
        if found := _FENCE.match(line):
            fence = "" if fence and found[1].startswith(fence) else fence or found[1]
        elif fence or (line.startswith("    ") and (not before.strip() or before.startswith("    "))):
            yield number, line.strip()
        before = line


def _logical(lines: list[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Lines with those joined to them that go on after a ``\\`` or a ``|``."""
    held, start = "", 0
    for number, line in lines:
        start = start or number
        text = re.sub(r"\s#.*$", "", f" {line}").strip()
        held += text.removesuffix("\\") + " "
        if not text.endswith(("\\", "|")):
            yield start, held
            held, start = "", 0


def _commands(text: str) -> Iterator[list[str]]:
    if "maskgan" not in text:
        return
    text = _TORCHRUN.sub("maskgan", text)
    lexer = shlex.shlex(text, posix=True, punctuation_chars=";|&()<>")
    lexer.whitespace_split, lexer.commenters = True, ""
    try:
        tokens = list(lexer)
    except ValueError:  # no shell: Python, YAML
        return
    words: list[str] = []
    for token in [*tokens, ";"]:
        if set(token) <= set(";|&()<>"):
            while words and (words[0] in _KEYWORDS or re.match(r"\w+=", words[0])):
                words.pop(0)
            if words[:1] == ["maskgan"]:
                yield [plain for word in words[1:] if (plain := word.strip("[]")) not in ("", "...")]
            words = []
        else:
            words.append(token)


def why_not(words: list[str]) -> str:
    """What Typer says against a command line, or nothing; nothing is run."""
    command: Any = typer.main.get_command(app)
    try:
        context = command.make_context("maskgan", list(words))
        while hasattr(command, "commands"):
            rest = [*getattr(context, "_protected_args", ()), *context.args]
            name, command, rest = command.resolve_command(context, rest)
            context = command.make_context(name, rest, parent=context)
    except Exception as error:
        said = error.format_message() if hasattr(error, "format_message") else str(error)
        return said or "it names no command"
    return ""


def unknown(words: list[str]) -> str:
    """The first word of a mentioned command that the command line does not know, or nothing."""
    command: Any = typer.main.get_command(app)
    typed = list(words)
    while hasattr(command, "commands") and typed and typed[0] in command.commands:
        command = command.commands[typed.pop(0)]
    if hasattr(command, "commands") and typed and re.fullmatch(r"[a-z][a-z-]+", typed[0]):
        return typed[0]
    among = command.commands.values() if hasattr(command, "commands") else [command]  # KIND may be any of them
    known = {name for one in among for p in one.params for name in (*p.opts, *p.secondary_opts)}
    options = [word.partition("=")[0] for word in typed if re.match(r"--?[a-z]", word)]
    return next((option for option in options if option not in known | {"--help", "-h", "--version"}), "")
