"""Every command's help ends with an example that the command understands."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from maskgan_cli.cli.app import app
from maskgan_cli.cli.help_examples import EXAMPLES


def _commands(command: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "commands"):
        yield name, command
        return
    for part, inner in command.commands.items():
        yield from _commands(inner, f"{name} {part}".strip())


COMMANDS = dict(_commands(typer.main.get_command(app)))


def test_every_command_has_an_example() -> None:
    assert set(EXAMPLES) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_example_parses(name: str) -> None:
    command = COMMANDS[name]
    for rest in EXAMPLES[name]:
        assert command.epilog is not None and f"maskgan {name} {rest}".rstrip() in command.epilog
        # resilient: files of the example need not be there; unknown options and surplus arguments still fail
        context = command.context_class(command, info_name=name, resilient_parsing=True)
        _, left, order = command.make_parser(context).parse_args(shlex.split(rest))
        assert not left, f"{name} {rest}"
        given = {parameter.name for parameter in order}
        missing = [p.name for p in command.params if p.required and p.name not in given]
        assert not missing, f"{name} {rest} lacks {missing}"
