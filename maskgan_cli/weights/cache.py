"""The user's cache folder: what was downloaded or imported once and is found again by every command."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from maskgan_cli.networks import KINDS, canonical


def cache_folder() -> Path:
    """``MASKGAN_CACHE`` if set, else the operating system's place for caches."""
    if named := os.environ.get("MASKGAN_CACHE"):
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("maskgan", appauthor=False))


def cached_weights(kind: str) -> Path:
    """Where the cache keeps the weights of a kind, e.g. ``dmn``; there may be none."""
    return cache_folder() / "weights" / f"{kind}.safetensors"


def in_cache(kind: str) -> Path | None:
    """The cache's weights of a kind, also under a name that the kind had before; None if there are none.

    Raises:
        OSError: the cache cannot be read.
    """
    entry = KINDS[canonical(kind)]
    for name in (entry.name, *entry.aliases):
        path = cached_weights(name)
        try:
            if stat.S_ISREG(path.stat().st_mode):
                path.open("rb").close()
                return path
        except (FileNotFoundError, NotADirectoryError):
            continue
    return None
