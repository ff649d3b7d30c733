"""Selects the torch device for the option ``--device``, and finds the name of the CPU."""

from __future__ import annotations

import platform
import re
from pathlib import Path

import torch

from maskgan_cli.errors import InputError


def pick_device(name: str = "auto") -> torch.device:
    """Return the torch device for a value of ``--device``: ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.

    ``auto`` selects CUDA if available, else MPS, else the CPU.

    Raises:
        InputError: the name is unknown to torch, or the machine has no such device.
    """
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if name == "auto":
        return torch.device("cuda" if cuda else "mps" if mps else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise InputError("--device", expected="auto, cpu, cuda, cuda:N or mps", found=name) from None
    count = {"cpu": 1, "cuda": torch.cuda.device_count() if cuda else 0, "mps": int(mps)}.get(device.type, 0)
    if (device.index or 0) >= count:
        here = ", ".join(
            ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count() if cuda else 0))] + ["mps"] * mps
        )
        raise InputError("--device", expected=f"one of {here}", found=name, hint="use --device auto")
    return device


def processor() -> str:
    """Return the name of the CPU as reported by the operating system, e.g. ``Intel(R) Xeon(R) Gold 6248``."""
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1].strip() if found else platform.processor() or platform.machine()
