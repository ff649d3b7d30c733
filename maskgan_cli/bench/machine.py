"""What the figures were measured on, and with."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from pathlib import Path
from typing import Any, Final

from maskgan_cli import __version__

_PACKAGES: Final = ("torch", "numpy", "pillow", "onnxruntime")


def machine(device: str) -> dict[str, Any]:
    """Device, processor, threads and versions, as every report of figures carries them.

    Raises:
        InputError: no such device.
    """
    import torch

    from maskgan_cli.devices import pick_device

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


def processor() -> str:
    """The processor's name."""
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def cores() -> int:
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _versions() -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    return found
