"""The user's cache folder: what was downloaded or imported once and is found again by every command."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from maskgan_cli.errors import InputError
from maskgan_cli.networks import KINDS, canonical


class NoCacheFolder(InputError):
    """This user has no home folder, and no variable names a cache."""

    def __init__(self) -> None:
        super().__init__(
            "the cache folder", expected="a home folder to keep it in", found="none for this user",
            hint="set MASKGAN_CACHE to a folder that can be written",
        )  # fmt: skip


def cache_folder() -> Path:
    """``MASKGAN_CACHE`` if set, else the operating system's place for caches.

    Raises:
        NoCacheFolder: neither; containers and clusters run programs under user ids without a home folder.
    """
    named = os.environ.get("MASKGAN_CACHE")
    try:
        if named:
            return Path(named).expanduser()
        import platformdirs

        folder = Path(platformdirs.user_cache_dir("maskgan", appauthor=False))
    except RuntimeError:  # what pathlib raises for a user without a home folder
        raise NoCacheFolder from None
    if folder.parts[0].startswith("~"):  # what os.path.expanduser returns for such a user
        raise NoCacheFolder
    return folder


def cached_weights(kind: str) -> Path:
    """Where the cache keeps the weights of a kind, e.g. ``dmn``; there may be none."""
    return cache_folder() / "weights" / f"{kind}.safetensors"


def in_cache(kind: str) -> Path | None:
    """The cache's weights of a kind, also under a name that the kind had before; None if there are none.

    Raises:
        OSError: the cache cannot be read.
        NoCacheFolder: see `cache_folder`.
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
