"""Saves the address of the editor's page (port, and the secret token in the URL) for the next start.

So open tabs and bookmarks still work after a restart.
"""

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
_LIFETIME: Final = 30 * 24 * 3600.0  # seconds after its last use; an older token is replaced


@dataclass(frozen=True)
class Address:
    """The address of the page.

    Attributes:
        token: the secret in the URL's path.
        port: the port of the last start; None for a new address.
    """

    token: str
    port: int | None = None


def last_address(folder: Path) -> Address:
    """Return the address of the last start, which `keep_address` saved in ``folder``.

    If no valid address is saved there, or if the saved one was last used more than 30 days ago, return an address with
    a new token and without a port.
    """
    try:
        kept = read_json(folder / _FILE)
        token, port, when = kept["token"], kept["port"], kept["used"]
        if _TOKEN.fullmatch(token) and type(port) is int and 0 < port < 65536 and abs(time.time() - when) < _LIFETIME:
            return Address(token, port)
    except (InputError, KeyError, TypeError):
        pass
    return Address(new_token())


def keep_address(folder: Path, address: Address) -> None:
    """Save the address in ``folder``, in a file that only its owner can read."""
    path = folder / _FILE
    write_json(path, {"token": address.token, "port": address.port, "used": time.time()})
    path.chmod(0o600)
