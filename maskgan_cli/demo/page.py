"""A page of pictures and numbers: plain HTML that any browser opens from disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from maskgan_cli.files import write_bytes
from maskgan_cli.pages import render


class Page:
    """Sections of text, pictures and tables, written as one file beside the pictures it shows.

    Args:
        title: its heading.
        width: of the text at most, in CSS's units.
    """

    def __init__(self, title: str, *, width: str = "60rem") -> None:
        self._title, self._width = title, width
        self._parts: list[tuple[str, Any]] = []  # the kind of part, and what the template shows of it

    def section(self, title: str, text: str) -> None:
        """Start a section with a heading and a paragraph."""
        self._parts.append(("section", (title, text)))

    def commands(self, lines: Sequence[str]) -> None:
        """Show commands as they would be typed."""
        self._parts.append(("commands", "\n".join(lines)))

    def row(self, pictures: Sequence[tuple[str, str]]) -> None:
        """Pictures side by side: (path relative to the page, caption)."""
        self._parts.append(("row", pictures))

    def picture(self, path: str, caption: str) -> None:
        """One wide picture."""
        self._parts.append(("picture", (path, caption)))

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table; numbers come formatted."""
        self._parts.append(("table", (header, rows)))

    def write(self, path: Path) -> Path:
        """Write the page atomically."""
        text = render("page.html", title=self._title, width=self._width, parts=self._parts)
        return write_bytes(path, text.encode())
