"""The editor's token and port, kept for the next start: an open tab then finds its session again."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from maskgan_cli.editor.guard import new_token
from maskgan_cli.errors import InputError
from maskgan_cli.files import read_json, write_json

_FILE: Final = "address.json"
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{22}")
_LASTS: Final = 30 * 24 * 3600.0  # seconds that a token is used again after its last start


@dataclass(frozen=True)
class Address:
    """Where the page is.

    Attributes:
        token: the secret in its path.
        port: the port of last time, or None.
    """

    token: str
    port: int | None = None


def last_address(folder: Path) -> Address:
    """The address of the last start, or one with a new token."""
    try:
        kept = read_json(folder / _FILE)
        token, port, when = kept["token"], kept["port"], kept["used"]
        if _TOKEN.fullmatch(token) and type(port) is int and 0 < port < 65536 and abs(time.time() - when) < _LASTS:
            return Address(token, port)
    except (InputError, KeyError, TypeError):
        pass
    return Address(new_token())


def keep_address(folder: Path, address: Address) -> None:
    """Write the address down, readable by its owner only."""
    path = folder / _FILE
    write_json(path, {"token": address.token, "port": address.port, "used": time.time()})
    path.chmod(0o600)
