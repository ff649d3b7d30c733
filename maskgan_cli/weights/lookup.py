"""Which weights file a command takes: the one named, the environment's, the cache's, or the bundled one."""

from __future__ import annotations

import os
from pathlib import Path

from maskgan_cli.errors import InputError
from maskgan_cli.networks import KINDS, canonical
from maskgan_cli.weights.cache import NoCacheFolder, cache_folder, in_cache


def bundled(kind: str) -> Path | None:
    """The weights of a kind that come with the package, if any do."""
    path = Path(__file__).parents[1] / "assets" / f"{kind}.safetensors"
    return path if KINDS[canonical(kind)].bundled and path.is_file() else None


def recorded(path: Path) -> str:
    """How records name a weights file: bundled ones as they lie in the package, wherever that is installed."""
    package = Path(__file__).parents[1]
    return path.relative_to(package.parent).as_posix() if path.is_relative_to(package) else str(path)


def find_weights(given: Path | None, kind: str, option: str = "--weights") -> Path:
    """``--weights`` if given, else the environment's, else those in the cache, else the bundled ones.

    A cache that cannot be read is passed over; `named_with_origin` says so.

    Args:
        given: what the user named, by option or environment.
        kind: e.g. ``dmn``.
        option: the option's name, for the error message.

    Raises:
        InputError: none anywhere.
    """
    kind = canonical(kind)
    if given is not None:
        return given
    if (variable := _variable_set(kind)) is not None:
        return Path(os.environ[variable])
    try:
        trouble, path = "", in_cache(kind)
    except (OSError, NoCacheFolder) as error:
        trouble, path = _trouble(error), None
    path = path or bundled(kind)
    if path is None:
        raise InputError(
            option, expected="a run folder or a .safetensors file", found=trouble or "none", hint=_how_to_get(kind)
        )
    return path


def named_with_origin(path: Path, kind: str) -> str:
    """A weights file and where it was found, for people: ``PATH (the cache)``."""
    kind = canonical(kind)
    variable = _variable_set(kind)
    if variable is not None and path == Path(os.environ[variable]):
        return f"{path} ({variable})"
    try:
        trouble, cached = "", in_cache(kind)
    except NoCacheFolder:
        trouble, cached = "", None
    except OSError as error:
        trouble, cached = f"; {_trouble(error)}", None
    origins = {bundled(kind): f"bundled with the package{trouble}", cached: "the cache"}
    return f"{path} ({origins.get(path, 'as asked for')})"


def _variable_set(kind: str) -> str | None:
    """The environment variable that names weights of a kind, if one does."""
    return next((name for name in KINDS[kind].variables if os.environ.get(name)), None)


def _how_to_get(kind: str) -> str:
    entry = KINDS[kind]
    if entry.trainings:
        name = entry.trainings[0].name
        return f"train one with `maskgan train {name} DATA -o runs/{name}`"
    by_hand = f"`maskgan weights import {kind} FILE`"
    pulled = entry.published is not None and entry.published.urls
    return f"get it with `maskgan weights pull {kind}`, or {by_hand}" if pulled else f"get it with {by_hand}"


def _trouble(error: OSError | NoCacheFolder) -> str:
    if isinstance(error, NoCacheFolder):
        return "none, and no cache folder (this user has no home; MASKGAN_CACHE names one)"
    return f"the cache {cache_folder()} cannot be read: {(error.strerror or str(error)).lower()}"
