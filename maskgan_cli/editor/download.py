"""Names of downloaded files."""

from __future__ import annotations

from pathlib import PurePath
from typing import Final

from maskgan_cli.editor.session import Session

_SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")


def stem(session: Session) -> str:
    """Return the name of the opened picture without its file suffix, for the names of downloads."""
    name = session.name
    return PurePath(name).stem if PurePath(name).suffix.lower() in _SUFFIXES else name
