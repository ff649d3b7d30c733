"""Benchmark of ``eval fid``: the time to compute Inception features of pictures.

The weights are random, because their values do not affect the time.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn

from maskgan_cli.bench.figure import Case, Work
from maskgan_cli.bench.table import BenchOptions
from maskgan_cli.devices import pick_device
from maskgan_cli.evaluation.fid import measure
from maskgan_cli.files import write_image
from maskgan_cli.judges.inception import Inception
from maskgan_cli.models.inception import FIDInception


def cases(options: BenchOptions) -> list[Case]:
    """Return the benchmark cases of ``eval fid``: a single case, with pictures of 64 px.

    The size of the pictures hardly matters, because the network resizes all pictures.
    """
    return [Case("fid", "batch 16", {"count": 128 if options.thorough else 16, "batch": 16, "device": options.device})]


@contextlib.contextmanager
def work(count: int, batch: int, device: str, size: int = 64) -> Iterator[Work]:
    """Context manager that writes ``count`` pictures and loads the network, and yields the `Work` to time.

    Each call of `Work.once` reads the pictures and computes the statistics of their Inception features.

    Args:
        count: number of pictures.
        batch: pictures per batch.
        device: see `devices.pick_device`.
        size: side of the pictures in pixels.
    """
    with tempfile.TemporaryDirectory() as name:
        network = Inception(random_inception(Path(name) / "inception.pth"), pick_device(device))
        paths = noise(Path(name) / "pictures", count, size, 0)

        def once() -> None:
            measure(paths, network, batch_size=batch, cache=None, watch=lambda batches, _: iter(batches))

        yield Work(once, count, "picture", {"size": size, "batch": batch})


def random_inception(path: Path) -> Path:
    """Write random Inception weights in pytorch-fid's format to the file ``path``, and return ``path``.

    He initialisation keeps the activations in a normal range.
    """
    torch.manual_seed(0)
    network = FIDInception()
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict() | {"fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)}, path)
    return path


def noise(folder: Path, count: int, size: int, seed: int) -> list[Path]:
    """Write ``count`` pictures of random coloured blocks to a folder, and return their paths.

    Args:
        folder: the folder.
        count: number of pictures.
        size: side of the pictures in pixels.
        seed: determines the colours, and the number of blocks along each side, 4 + 4 * seed.
    """
    rng, paths = np.random.default_rng(seed), []
    for i in range(count):
        coarse = rng.integers(0, 255, (4 + 4 * seed, 4 + 4 * seed, 3), np.uint8)
        side = np.arange(size) * len(coarse) // size
        paths.append(write_image(folder / f"{i:05d}.png", coarse[side][:, side]))
    return paths
