"""``doctor``: what is here of what the commands need."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import typer

from maskgan_cli import __version__
from maskgan_cli.cli.shell import Shell, emit, stage
from maskgan_cli.errors import InputError, WorkError, one_line
from maskgan_cli.networks import KINDS

_NEEDED: Final = ("torch", "torchvision", "numpy", "pillow", "scipy", "scikit-image", "safetensors", "facenet-pytorch")
_OPTIONAL: Final = {"onnx": "weights export", "onnxruntime": "render --onnx", "tensorboard": "a training's curves"}
_LITTLE: Final = 2.0  # GB: a prepared data set and a training want more


class Finding(NamedTuple):
    """One thing that was looked at."""

    what: str
    found: str
    trouble: str = ""


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    stage(app, "doctor", rich_help_panel="Start here")(doctor)


def doctor(shell: Shell) -> None:
    """Look whether everything is here: versions, devices, weights that the commands find, cache, free disk.

    Prints a line for each. Ends with exit code 1 if something is broken, and says what to do.
    """
    findings = [*_versions(), *_devices(), *_weights(), *_places()]
    if not shell.as_json:
        for one in findings:
            emit(one_line(f"{one.what}: {one.found}{f' - {one.trouble}' if one.trouble else ''}"))
    broken = [one for one in findings if one.trouble]
    document: dict[str, Any] = {"findings": [one._asdict() for one in findings], "healthy": not broken}
    shell.finish(document)
    if broken:
        raise WorkError(f"{broken[0].what}: {broken[0].trouble}")
    shell.say("everything is here")


def _versions() -> Iterator[Finding]:
    from importlib.metadata import PackageNotFoundError, version

    yield Finding("maskgan", __version__)
    yield Finding("python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    for name in (*_NEEDED, *_OPTIONAL):
        try:
            yield Finding(name, version(name))
        except PackageNotFoundError:
            missing = f"not installed (only for {_OPTIONAL[name]})" if name in _OPTIONAL else "not installed"
            yield Finding(name, missing, "" if name in _OPTIONAL else "install maskgan again with pip")


def _devices() -> Iterator[Finding]:
    import torch

    from maskgan_cli.workers import cores

    yield Finding("cpu", f"{cores()} cores for this process, {torch.get_num_threads()} threads")
    for i in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        about = torch.cuda.get_device_properties(i)
        yield Finding(f"cuda:{i}", f"{about.name}, {about.total_memory / 1e9:.0f} GB")
    if torch.backends.mps.is_available():
        yield Finding("mps", "here")


def _weights() -> Iterator[Finding]:
    from maskgan_cli.weights.format import read_weights
    from maskgan_cli.weights.lookup import find_weights, named_with_origin

    for name, kind in KINDS.items():
        if not (kind.trainings or kind.bundled):
            continue
        try:
            path = find_weights(None, name)
        except InputError as error:
            yield Finding(f"{name} weights", f"none ({error.hint})")
            continue
        try:
            found, trouble = f"{named_with_origin(path, name)}, {read_weights(path, name).sha256[:12]}", ""
        except InputError as error:
            found, trouble = str(path), str(error)
        yield Finding(f"{name} weights", found, trouble)


def _places() -> Iterator[Finding]:
    from maskgan_cli.weights.cache import NoCacheFolder, cache_folder

    try:
        cache = cache_folder()
    except NoCacheFolder as error:
        yield Finding("cache", "none", str(error))
        yield from _room(("free here", Path.cwd()))
        return
    there = next(folder for folder in (cache, *cache.absolute().parents) if folder.exists())
    files = [path for path in cache.rglob("*") if path.is_file()] if cache.is_dir() else []
    held = f"{sum(path.stat().st_size for path in files) / 1e6:.0f} MB in {len(files)} files" if files else "empty"
    writable = os.access(there, os.W_OK)
    yield Finding("cache", f"{cache}, {held}", "" if writable else "it cannot be written: set MASKGAN_CACHE")
    yield from _room(("free where the cache is", there), ("free here", Path.cwd()))


def _room(*places: tuple[str, Path]) -> Iterator[Finding]:
    for name, place in places:
        free = shutil.disk_usage(place).free / 1e9
        yield Finding(name, f"{free:.1f} GB", "" if free > _LITTLE else f"less than {_LITTLE:.0f} GB: make room")
