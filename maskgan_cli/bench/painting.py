"""Benchmark of inference with the Dense Mapping Network; input and output are ``uint8`` arrays in main memory."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from maskgan_cli.bench.figure import Case, Work
from maskgan_cli.bench.table import BenchOptions
from maskgan_cli.editing.painters import open_painter
from maskgan_cli.labels import NUM_CLASSES
from maskgan_cli.models.dmn import DenseMappingNetwork, DMNConfig
from maskgan_cli.weights.export import export_onnx
from maskgan_cli.weights.format import save_weights
from maskgan_cli.weights.lookup import find_weights

BATCHES = (1, 8)


def cases(options: BenchOptions) -> list[Case]:
    """Return the benchmark cases of the Dense Mapping Network, each with batch sizes 1 and 8.

    There are cases for the network in ``options.weights`` with PyTorch and, if the network can be exported, with ONNX.
    A thorough run also has cases for the paper's network at 512 px.
    """
    networks = {"": find_weights(options.weights, "dmn")}
    if options.thorough:
        networks["paper's network, "] = paper_network(options.folder)
    found: list[Case] = []
    for name, weights in networks.items():
        files = {"torch": weights}
        if weights.suffix != ".onnx" and options.device in ("auto", "cpu") and _can_export():
            files["ONNX"] = options.folder / f"{len(found)}.onnx"
            export_onnx(weights, files["ONNX"])
        if weights.suffix == ".onnx":
            files = {"ONNX": weights}
        for runtime, file in files.items():
            for batch in BATCHES:
                settings = {"weights": file, "batch": batch, "device": options.device}
                found.append(Case("painting", f"{name}{runtime}, batch {batch}", settings))
    return found


@contextlib.contextmanager
def work(weights: Path, batch: int, device: str) -> Iterator[Work]:
    """Context manager that loads the Dense Mapping Network, and yields the `Work` to time.

    Each call of `Work.once` generates one batch of pictures from random label maps and style pictures.

    Args:
        weights: weights file of the network, safetensors or ONNX.
        batch: pictures per batch.
        device: see `devices.pick_device`.
    """
    painter = open_painter("dmn", weights, device)
    size = int(painter.weights.config["image_size"])
    inputs = random_inputs(batch, size)
    yield Work(lambda: painter.paint(*inputs), batch, "picture", {"size": size, "batch": batch})


def random_inputs(batch: int, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return random inputs of the Dense Mapping Network: two batches of label maps and one batch of pictures.

    The seed is fixed. A label map consists of 16 x 16 squares, each of a random class.

    Args:
        batch: number N of label maps and pictures in a batch.
        size: side S of label maps and pictures in pixels.

    Returns:
        Label maps to paint (N, S, S), label maps of the style pictures (N, S, S), and style pictures (N, S, S, 3).
    """
    rng = np.random.default_rng(0)
    patches = rng.integers(0, NUM_CLASSES, (2, batch, 16, 16), np.uint8).repeat(size // 16, 2).repeat(size // 16, 3)
    return patches[0], patches[1], rng.integers(0, 256, (batch, size, size, 3), np.uint8)


def paper_network(folder: Path) -> Path:
    """Write a weights file of the paper's network (89.7 million parameters) to ``folder``, and return the file's path.

    The weights are random, because their values do not affect the time.
    """
    torch.manual_seed(0)
    config = DMNConfig()
    path = folder / "paper.safetensors"
    return save_weights(path, DenseMappingNetwork(config), kind="dmn", config=asdict(config), about={})


def _can_export() -> bool:
    """Return whether the packages for ONNX export are installed."""
    try:
        import onnx
        import onnxruntime
        import onnxscript
    except ImportError:
        return False
    return all((onnx, onnxruntime, onnxscript))
