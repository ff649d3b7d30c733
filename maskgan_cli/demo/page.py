"""A page of pictures and numbers: plain HTML that any browser opens from disk."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

from maskgan_cli.files import write_bytes

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fafafa; max-width: 60rem;
       margin: 2rem auto; padding: 0 1rem }
h1, h2 { font-weight: 600 } h2 { margin-top: 2.5rem }
figure { display: inline-block; margin: 0 .4rem .8rem 0; text-align: center; font-size: .85rem; color: #666 }
figure img { display: block; width: 9rem; height: 9rem; border-radius: .3rem }
img.wide { max-width: 100%; border-radius: .3rem }
table { border-collapse: collapse; margin: 1rem 0 }
td, th { padding: .3rem .9rem; border-bottom: 1px solid #ddd; text-align: right }
td:first-child, th:first-child { text-align: left }
pre { background: #eee; padding: .7rem 1rem; border-radius: .3rem; overflow-x: auto }
"""


class Page:
    """Sections of text, pictures and tables, written as one file beside the pictures it shows."""

    def __init__(self, title: str) -> None:
        self._title = html.escape(title)
        self._parts = [f"<h1>{self._title}</h1>"]

    def section(self, title: str, text: str) -> None:
        """Start a section with a heading and a paragraph."""
        self._parts.append(f"<h2>{html.escape(title)}</h2>\n<p>{html.escape(text)}</p>")

    def commands(self, lines: Sequence[str]) -> None:
        """Show commands as they would be typed."""
        self._parts.append(f"<pre>{html.escape(chr(10).join(lines))}</pre>")

    def row(self, pictures: Sequence[tuple[str, str]]) -> None:
        """Pictures side by side: (path relative to the page, caption)."""
        figures = "".join(
            f'<figure><img src="{html.escape(path)}" alt="{html.escape(caption)}">{html.escape(caption)}</figure>'
            for path, caption in pictures
        )
        self._parts.append(f"<div>{figures}</div>")

    def picture(self, path: str, caption: str) -> None:
        """One wide picture."""
        self._parts.append(f'<p><img class="wide" src="{html.escape(path)}" alt="{html.escape(caption)}"></p>')

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table; numbers come formatted."""
        head = "".join(f"<th>{html.escape(cell)}</th>" for cell in header)
        body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
        self._parts.append(f"<table><tr>{head}</tr>{body}</table>")

    def write(self, path: Path) -> Path:
        """Write the page atomically."""
        text = (
            f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{self._title}</title>'
            f"<style>{_STYLE}</style></head>\n<body>\n" + "\n".join(self._parts) + "\n</body></html>\n"
        )
        return write_bytes(path, text.encode())
