"""What saved files are named after."""

from __future__ import annotations

from pathlib import PurePath
from typing import Final

from maskgan_cli.editor.session import Session

_ENDINGS: Final = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")


def stem(session: Session) -> str:
    """The name of the file that was opened, without its ending."""
    name = session.name
    return PurePath(name).stem if PurePath(name).suffix.lower() in _ENDINGS else name
