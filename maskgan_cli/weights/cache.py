"""The user's cache folder: what was downloaded or imported once and is found again by every command."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """``MASKGAN_CACHE`` if set, else the operating system's place for caches."""
    if named := os.environ.get("MASKGAN_CACHE"):
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("maskgan", appauthor=False))


def cached_weights(kind: str) -> Path:
    """Where the cache keeps the weights of a kind, e.g. ``dmn``; there may be none."""
    return cache_folder() / "weights" / f"{kind}.safetensors"
