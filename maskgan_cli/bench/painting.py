"""Painting: the network that edits run, from label maps and a picture to a picture, all bytes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from maskgan_cli.bench.figure import Case, Work
from maskgan_cli.bench.table import Wish
from maskgan_cli.editing.painters import open_painter
from maskgan_cli.labels import NUM_CLASSES
from maskgan_cli.models.dmn import DenseMappingNetwork, DMNConfig
from maskgan_cli.weights.export import export_onnx
from maskgan_cli.weights.format import save_weights
from maskgan_cli.weights.lookup import find_weights

BATCHES = (1, 8)


def cases(wish: Wish) -> list[Case]:
    """The user's network at batch 1 and 8, in PyTorch and as ONNX; thorough: the paper's at 512 px too."""
    networks = {"": find_weights(wish.weights, "dmn")}
    if wish.thorough:
        networks["paper's network, "] = paper_network(wish.folder)
    found: list[Case] = []
    for name, weights in networks.items():
        files = {"torch": weights}
        if weights.suffix != ".onnx" and wish.device in ("auto", "cpu") and _can_export():
            files["ONNX"] = wish.folder / f"{len(found)}.onnx"
            export_onnx(weights, files["ONNX"])
        if weights.suffix == ".onnx":
            files = {"ONNX": weights}
        for runtime, file in files.items():
            for batch in BATCHES:
                settings = {"weights": file, "batch": batch, "device": wish.device}
                found.append(Case("painting", f"{name}{runtime}, batch {batch}", settings))
    return found


@contextlib.contextmanager
def work(weights: Path, batch: int, device: str) -> Iterator[Work]:
    """One round paints a batch of random label maps and pictures."""
    painter = open_painter("dmn", weights, device)
    size = int(painter.weights.config["image_size"])
    inputs = random_inputs(batch, size)
    yield Work(lambda: painter.paint(*inputs), batch, "picture", {"size": size, "batch": batch})


def random_inputs(batch: int, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Label maps (N, S, S) of patches a sixteenth of the side, twice, and pictures (N, S, S, 3); always the same."""
    rng = np.random.default_rng(0)
    patches = rng.integers(0, NUM_CLASSES, (2, batch, 16, 16), np.uint8).repeat(size // 16, 2).repeat(size // 16, 3)
    return patches[0], patches[1], rng.integers(0, 256, (batch, size, size, 3), np.uint8)


def paper_network(folder: Path) -> Path:
    """The paper's network with random weights, as a file: 89.7 million parameters take their time whatever they are."""
    torch.manual_seed(0)
    config = DMNConfig()
    path = folder / "paper.safetensors"
    return save_weights(path, DenseMappingNetwork(config), kind="dmn", config=asdict(config), about={})


def _can_export() -> bool:
    try:
        import onnx
        import onnxruntime
        import onnxscript
    except ImportError:
        return False
    return all((onnx, onnxruntime, onnxscript))
