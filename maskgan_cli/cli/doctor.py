"""``doctor``: checks the installation."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from maskgan_cli import __version__
from maskgan_cli.cli.shell import Shell, emit
from maskgan_cli.errors import InputError, WorkError, one_line
from maskgan_cli.networks import KINDS

_NEEDED: Final = ("torch", "torchvision", "numpy", "pillow", "scipy", "scikit-image", "safetensors", "facenet-pytorch")
_OPTIONAL: Final = {"onnx": "weights export", "onnxruntime": "render --onnx", "tensorboard": "training curves"}
_LEAST_FREE: Final = 2.0  # GB; a prepared data set and a training need more


class Finding(NamedTuple):
    """The result of one check.

    Attributes:
        what: name of the checked item, e.g. ``torch`` or ``free in this folder``.
        found: state of the item, e.g. its version.
        trouble: description of the problem; "" if the check passed.
    """

    what: str
    found: str
    trouble: str = ""


def doctor(shell: Shell) -> None:
    """Check the installation: package versions, devices, weights, cache folder and free disk space.

    Prints one line per check. If a check fails, the command says what to do and ends with exit code 1.
    """
    findings = [*_versions(), *_devices(), *_weights(), *_folders()]
    if not shell.as_json:
        for finding in findings:
            emit(one_line(f"{finding.what}: {finding.found}{f' - {finding.trouble}' if finding.trouble else ''}"))
    failed = [finding for finding in findings if finding.trouble]
    document: dict[str, Any] = {"findings": [finding._asdict() for finding in findings], "healthy": not failed}
    shell.finish(document)
    if failed:
        raise WorkError(f"{failed[0].what}: {failed[0].trouble}")
    shell.say("all checks passed")


def _versions() -> Iterator[Finding]:
    """Yield a finding with the version of maskgan, of Python, and of each package that maskgan uses."""
    from importlib.metadata import PackageNotFoundError, version

    yield Finding("maskgan", __version__)
    yield Finding("python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    for name in (*_NEEDED, *_OPTIONAL):
        try:
            yield Finding(name, version(name))
        except PackageNotFoundError:
            missing = f"not installed (only for {_OPTIONAL[name]})" if name in _OPTIONAL else "not installed"
            yield Finding(name, missing, "" if name in _OPTIONAL else "reinstall maskgan with pip")


def _devices() -> Iterator[Finding]:
    """Yield a finding for the processor, and for each GPU on which PyTorch can run."""
    import torch

    from maskgan_cli.workers import cores

    yield Finding("cpu", f"{cores()} cores for this process, {torch.get_num_threads()} threads")
    for i in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        gpu = torch.cuda.get_device_properties(i)
        yield Finding(f"cuda:{i}", f"{gpu.name}, {gpu.total_memory / 1e9:.0f} GB")
    if torch.backends.mps.is_available():
        yield Finding("mps", "available")


def _weights() -> Iterator[Finding]:
    """Yield a finding for each kind of network, with the weights file that commands use by default."""
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


def _folders() -> Iterator[Finding]:
    """Yield findings about the cache folder and the free disk space."""
    from maskgan_cli.weights.cache import NoCacheFolder, cache_folder

    try:
        cache = cache_folder()
    except NoCacheFolder as error:
        yield Finding("cache", "none", str(error))
        yield from _free_space(("free in this folder", Path.cwd()))
        return
    existing = next(folder for folder in (cache, *cache.absolute().parents) if folder.exists())
    files = [path for path in cache.rglob("*") if path.is_file()] if cache.is_dir() else []
    content = f"{sum(path.stat().st_size for path in files) / 1e6:.0f} MB in {len(files)} files" if files else "empty"
    writable = os.access(existing, os.W_OK)
    yield Finding("cache", f"{cache}, {content}", "" if writable else "not writable: set MASKGAN_CACHE")
    yield from _free_space(("free in the cache folder", existing), ("free in this folder", Path.cwd()))


def _free_space(*folders: tuple[str, Path]) -> Iterator[Finding]:
    for name, folder in folders:
        free = shutil.disk_usage(folder).free / 1e9
        trouble = "" if free > _LEAST_FREE else f"less than {_LEAST_FREE:.0f} GB: delete some files"
        yield Finding(name, f"{free:.1f} GB", trouble)
