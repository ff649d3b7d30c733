"""Every command that the documentation shows is one that the command line takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.commands import PAGES, ROOT, mentioned, shown, unknown, why_not


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_are_taken(page: Path) -> None:
    wrong = [f"{line}: {reason}" for line in shown(page) if (reason := why_not(line.words))]
    wrong += [f"{line}: no such command or option: {word}" for line in mentioned(page) if (word := unknown(line.words))]
    assert not wrong, "\n".join(["", *wrong])


def test_commands_are_found_at_all() -> None:
    assert len([line for page in PAGES for line in shown(page)]) > 60
    readme = [" ".join(line.words) for line in shown(ROOT / "README.md")]
    assert any(line.startswith("swap-mouth ") for line in readme)


def test_blocks_pipes_and_continuations_are_read(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "Text, `maskgan swap --parts hair` and `maskgan frob`.\n\n"
        "    A=1 maskgan synth raw -n 2 | maskgan parse - \\\n        --parser-size 64   # a remark | maskgan no\n\n"
        "```sh\nfor i in 1 2; do maskgan align $i.jpg -o faces; done > log\n```\n"
        "not code: maskgan nothing\n"
        "\n    torchrun --nproc-per-node 2 -m maskgan_cli train dmn DATA [--seed 1] ...\n"
    )
    assert [" ".join(line.words) for line in shown(page)] == [
        "synth raw -n 2",
        "parse - --parser-size 64",
        "align $i.jpg -o faces",
        "train dmn DATA --seed 1",
    ]
    assert [unknown(line.words) for line in mentioned(page)] == ["", "frob"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("swap a.png b.png --part hair", "--part"),
        ("eval report", "Missing argument"),
        ("prep-data only-one", "Missing argument"),
        ("synth raw -n many", "integer"),
        ("frob", "frob"),
        ("train", "no command"),
        ("synth raw -n 2", ""),
    ],
)
def test_what_the_command_line_refuses_is_seen(words: str, reason: str) -> None:
    found = why_not(words.split())
    assert reason in found if reason else not found
