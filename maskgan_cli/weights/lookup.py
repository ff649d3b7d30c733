"""Finds the weights that a command should use.

They come from an option of the command, an environment variable, the cache, or the weights bundled with the package.
"""

from __future__ import annotations

import os
from pathlib import Path

from maskgan_cli.errors import InputError
from maskgan_cli.networks import KINDS, canonical
from maskgan_cli.weights.cache import NoCacheFolder, cache_folder, in_cache


def bundled(kind: str) -> Path | None:
    """Return the path of the package's bundled weights of a kind of network, e.g. ``dmn``; None if there are none."""
    path = Path(__file__).parents[1] / "assets" / f"{kind}.safetensors"
    return path if KINDS[canonical(kind)].bundled and path.is_file() else None


def bundled_pair(path: Path) -> Path | None:
    """Return the path of the second bundled face parser if ``path`` is the first bundled face parser; otherwise None.

    The first parser has 128 px and was trained on rendered faces. The second parser has 256 px and was also trained on
    photographs. On photographs the two parsers make different mistakes, so the mean of their probabilities is better
    than the prediction of one parser.
    """
    second = Path(__file__).parents[1] / "assets" / "parser-256.safetensors"
    return second if path == bundled("parser") and second.is_file() else None


def recorded(path: Path) -> str:
    """Return the path of a weights file as text, to be recorded in results.

    The path of bundled weights is relative to the folder that contains the package.
    """
    package = Path(__file__).parents[1]
    return path.relative_to(package.parent).as_posix() if path.is_relative_to(package) else str(path)


def find_weights(given: Path | None, kind: str, option: str = "--weights") -> Path:
    """Return the path of the weights that a command should use.

    The first of these that is set or found is used: ``given``, the path in an environment variable of the kind, the
    weights in the cache, the bundled weights. A cache that is not readable is skipped; `named_with_origin` mentions it.

    Args:
        given: the path that the user gave with the option; None if the user gave no path.
        kind: the kind of network, e.g. ``dmn``.
        option: name of the option, for the error message.

    Raises:
        InputError: there are no weights of this kind.
    """
    kind = canonical(kind)
    if given is not None:
        return given
    if (variable := _variable_set(kind)) is not None:
        return Path(os.environ[variable])
    try:
        problem, path = "", in_cache(kind)
    except (OSError, NoCacheFolder) as error:
        problem, path = _problem(error), None
    path = path or bundled(kind)
    if path is None:
        raise InputError(
            option, expected="a run folder or a .safetensors file", found=problem or "none", hint=_how_to_get(kind)
        )
    return path


def named_with_origin(path: Path, kind: str) -> str:
    """Return a text for messages with the path and the origin of a weights file, e.g. ``PATH (the cache)``.

    Args:
        path: the file, as returned by `find_weights`.
        kind: the kind of network, e.g. ``dmn``.
    """
    kind = canonical(kind)
    variable = _variable_set(kind)
    if variable is not None and path == Path(os.environ[variable]):
        return f"{path} ({variable})"
    try:
        problem, cached = "", in_cache(kind)
    except NoCacheFolder:
        problem, cached = "", None
    except OSError as error:
        problem, cached = f"; {_problem(error)}", None
    origins = {bundled(kind): f"bundled with the package{problem}", cached: "the cache"}
    return f"{path} ({origins.get(path, 'given by option')})"


def _variable_set(kind: str) -> str | None:
    """Return the name of the environment variable that contains the path of a kind's weights; None if none is set."""
    return next((name for name in KINDS[kind].variables if os.environ.get(name)), None)


def _how_to_get(kind: str) -> str:
    """Return a hint for the user: the command that trains, downloads or imports weights of a kind of network."""
    entry = KINDS[kind]
    if entry.trainings:
        name = entry.trainings[0].name
        return f"train one with `maskgan train {name} DATA -o runs/{name}`"
    by_hand = f"`maskgan weights import {kind} FILE`"
    pulled = entry.published is not None and entry.published.urls
    return f"get it with `maskgan weights pull {kind}`, or {by_hand}" if pulled else f"get it with {by_hand}"


def _problem(error: OSError | NoCacheFolder) -> str:
    """Return a text for messages that says why no weights can be read from the cache."""
    if isinstance(error, NoCacheFolder):
        return "none, and no cache folder (this user has no home folder; MASKGAN_CACHE sets another one)"
    return f"the cache {cache_folder()} cannot be read: {(error.strerror or str(error)).lower()}"
