"""Describe the machine and the software versions, for benchmark reports."""

from __future__ import annotations

import importlib.metadata
import platform
from typing import Any, Final

from maskgan_cli import __version__
from maskgan_cli.workers import cores

_PACKAGES: Final = ("torch", "numpy", "pillow", "onnxruntime")


def machine(device: str) -> dict[str, Any]:
    """Return a dict that describes the machine: device, GPU, processor, cores, threads, system and software versions.

    Args:
        device: the requested device, see `devices.pick_device`.

    Raises:
        InputError: the device does not exist.
    """
    import torch

    from maskgan_cli.devices import pick_device, processor

    chosen = pick_device(device)
    return {
        "device": str(chosen),
        "gpu": torch.cuda.get_device_name(chosen) if chosen.type == "cuda" else None,
        "processor": processor(),
        "cores": cores(),
        "threads": torch.get_num_threads(),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {"maskgan": __version__, "python": platform.python_version(), **_versions()},
    }


def _versions() -> dict[str, str | None]:
    """Return a dict from each package that affects speed to its version; None if the package is not installed."""
    found: dict[str, str | None] = {}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    return found
