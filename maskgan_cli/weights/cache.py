"""The user's cache folder for downloaded and imported weights. All commands search for weights there."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from maskgan_cli.errors import InputError
from maskgan_cli.networks import KINDS, canonical


class NoCacheFolder(InputError):
    """Raised if the cache folder is unknown: the user has no home folder, and ``MASKGAN_CACHE`` is not set."""

    def __init__(self) -> None:
        super().__init__(
            "the cache folder",
            expected="a home folder that contains it",
            found="none for this user",
            hint="set MASKGAN_CACHE to a writable folder",
        )


def cache_folder() -> Path:
    """Return the path of the cache folder, which need not exist.

    This is the folder that the environment variable ``MASKGAN_CACHE`` names. If the variable is not set, this is the
    operating system's cache folder for this program.

    Raises:
        NoCacheFolder: the variable is not set, and the user has no home folder, as in some containers and clusters.
    """
    named = os.environ.get("MASKGAN_CACHE")
    try:
        if named:
            return Path(named).expanduser()
        import platformdirs

        folder = Path(platformdirs.user_cache_dir("maskgan", appauthor=False))
    except RuntimeError:  # pathlib's error for a user without a home folder
        raise NoCacheFolder from None
    if folder.parts[0].startswith("~"):  # os.path.expanduser leaves the ~ for a user without a home folder
        raise NoCacheFolder
    return folder


def cached_weights(kind: str) -> Path:
    """Return the path of the weights of a kind of network (e.g. ``dmn``) in the cache; the file need not exist."""
    return cache_folder() / "weights" / f"{kind}.safetensors"


def in_cache(kind: str) -> Path | None:
    """Return the path of the cached weights of a kind of network (e.g. ``dmn``); None if the cache has none.

    Weights that are stored under an old name of the kind are found too.

    Raises:
        OSError: the cache is not readable.
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
