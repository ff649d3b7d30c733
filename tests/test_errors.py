"""Tests that every error message is one line of limited length."""

from __future__ import annotations

from maskgan_cli.errors import InputError


def test_message_is_one_line_of_limited_length() -> None:
    line = str(InputError("a\nb", expected="a name", found="x" * 5000, hint="choose a shorter one"))
    assert line.startswith(r"a\nb: expected a name, found xxx")
    assert line.endswith("xxx; choose a shorter one")
    assert " [...] " in line
    assert len(line) < 820
    assert str(InputError("a", found="x" * 700)).endswith("x" * 700)
