"""Which weights file a command takes: the one named, the environment's, the cache's, or the bundled one."""

from __future__ import annotations

import os
from pathlib import Path

from maskgan_cli.errors import InputError
from maskgan_cli.weights.cache import cached_weights

_TASKS = {"hopenet": "pose", "arcface": "identity"}  # where a kind's training command has another name
_PULLED = ("vgg19", "resnet18", "inception")  # kinds that nobody trains here


def bundled(kind: str) -> Path | None:
    """The weights of a kind that come with the package, if any do."""
    path = Path(__file__).parents[1] / "assets" / f"{kind}.safetensors"
    return path if path.is_file() else None


def find_weights(given: Path | None, kind: str, option: str = "--weights") -> Path:
    """``--weights`` if given, else the environment's, else those in the cache, else the bundled ones.

    Args:
        given: what the user named, by option or environment.
        kind: e.g. ``dmn``.
        option: the option's name, for the error message.

    Raises:
        InputError: none anywhere.
    """
    named, cached = os.environ.get(weights_variable(kind)), cached_weights(kind)
    path = given or (Path(named) if named else cached if cached.is_file() else bundled(kind))
    if path is None:
        get = f"train one with `maskgan train {_TASKS.get(kind, kind)} DATA -o runs/{_TASKS.get(kind, kind)}`"
        if kind in _PULLED:
            get = f"get it with `maskgan weights pull {kind}`, or `maskgan weights import {kind} FILE`"
        raise InputError(option, expected="a run folder or a .safetensors file", found="none", hint=get)
    return path


def named_with_origin(path: Path, kind: str) -> str:
    """A weights file and where it was found, for people: ``PATH (the cache)``."""
    variable = weights_variable(kind)
    origins = {
        bundled(kind): "bundled with the package",
        cached_weights(kind): "the cache",
        Path(os.environ.get(variable, "")): variable,
    }
    return f"{path} ({origins.get(path, 'as asked for')})"


def weights_variable(kind: str) -> str:
    """The environment variable that names weights of a kind, e.g. ``MASKGAN_VAE_WEIGHTS``."""
    return "MASKGAN_WEIGHTS" if kind == "dmn" else f"MASKGAN_{kind.upper()}_WEIGHTS"
