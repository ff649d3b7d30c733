"""ONNX of a Dense Mapping Network or a face parser, with what it is written inside it.

Dense Mapping Network: ``mask`` and ``style_mask`` (N, S, S) uint8 class ids, ``style_image`` (N, 3, S, S)
float32 in [-1, 1] -> ``image`` (N, 3, S, S) float32 in [-1, 1].
Face parser: ``image`` (N, 3, S, S) float32 in [-1, 1] -> ``logits`` (N, 19, S, S) float32.
N is free, S the network's own.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from maskgan_cli import __version__
from maskgan_cli.errors import InputError, WorkError
from maskgan_cli.files import atomic, refuse_existing, sha256
from maskgan_cli.labels import NUM_CLASSES
from maskgan_cli.models.dmn import DenseMappingNetwork, parameter_count
from maskgan_cli.networks import KINDS, exported, resolve
from maskgan_cli.weights.card import card_path, write_card
from maskgan_cli.weights.format import Weights, kind_of, load

TOLERANCE = 1e-3  # how far onnxruntime's answer may be from PyTorch's, in the output's own units
_INSTALL = 'pip install "maskgan[onnx]"'


class PaintFromIds(nn.Module):
    """A Dense Mapping Network that takes label maps as they lie on disk: one byte a pixel."""

    ids: Tensor

    def __init__(self, network: DenseMappingNetwork) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("ids", torch.arange(NUM_CLASSES, dtype=torch.uint8).view(1, -1, 1, 1), persistent=False)

    def forward(self, mask: Tensor, style_mask: Tensor, style_image: Tensor) -> Tensor:
        """Label maps (N, S, S) uint8 twice, image (N, 3, S, S) in [-1, 1] -> image of the same shape."""
        masks = [(labels.unsqueeze(1) == self.ids).float() for labels in (mask, style_mask)]
        image: Tensor = self.network(*masks, style_image)
        return image


@dataclass(frozen=True)
class Portable:
    """How a kind of network is exported: what is put around it, and what goes in and out by which names."""

    wrap: Callable[[Any], nn.Module]
    inputs: tuple[str, ...]
    output: str


PAINTER = Portable(PaintFromIds, ("mask", "style_mask", "style_image"), "image")
PARSER = Portable(lambda network: network, ("image",), "logits")


def export_onnx(where: str | Path, out: Path, *, overwrite: bool = False) -> float:
    """Write a network as one ONNX file with a model card beside it, if onnxruntime answers as PyTorch does.

    Args:
        where: a weights file or run folder of a kind that can be exported.
        out: the ``.onnx`` file.
        overwrite: replace it.

    Returns:
        The largest difference between the two answers, over batches of one and three.

    Raises:
        InputError: no such weights, another kind, an ``out`` that exists, a package that is missing.
        WorkError: the answers differ by more than `TOLERANCE`; nothing is written.
    """
    if out.suffix != ".onnx":
        raise InputError(out, expected="a name ending in .onnx", found=repr(out.suffix))
    if not overwrite:
        refuse_existing(out)
        refuse_existing(card_path(out))
    kind = kind_of(where)
    if kind not in exported():
        raise InputError(where, expected=f"weights of kind {' or '.join(exported())}", found=f"{kind} weights")
    portable: Portable = resolve(KINDS[kind].onnx)
    network, weights = load(kind, where, torch.device("cpu"))
    # Channels-last memory is for training and PyTorch's inference; the file keeps plain tensors.
    wrapped = portable.wrap(network.to(memory_format=torch.contiguous_format)).eval()
    description = {
        "kind": kind, "config": weights.config, "version": __version__, "weights": weights.sha256,
        **{name: value for name, value in weights.about.items() if name != "version"},
    }  # fmt: skip
    with atomic(out, overwrite=overwrite) as temporary:
        _write(portable, wrapped, weights, temporary, description)
        difference = max(_difference(portable, wrapped, weights, temporary, count) for count in (1, 3))
        if not difference <= TOLERANCE:
            raise WorkError(f"{out}: onnxruntime's answer differs from PyTorch's by {difference:.3g}; nothing written")
    write_card(out, description, sha256=sha256(out), count=parameter_count(network))
    return difference


def _write(portable: Portable, network: nn.Module, weights: Weights, path: Path, description: dict[str, Any]) -> None:
    try:
        import onnx
        import onnxscript  # noqa: F401 (PyTorch's exporter needs it)
    except ImportError as error:
        raise InputError(
            "weights export", expected="the packages onnx and onnxscript", found="none", hint=_INSTALL
        ) from error
    batch = torch.export.Dim("batch", min=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own doings
        program = torch.onnx.export(
            network, _example(portable, weights, 2), input_names=list(portable.inputs),
            output_names=[portable.output], dynamic_shapes=tuple({0: batch} for _ in portable.inputs),
            dynamo=True, verbose=False,
        )  # fmt: skip
    assert program is not None
    model = program.model_proto
    onnx.helper.set_model_props(model, {"maskgan": json.dumps(description, sort_keys=True)})
    onnx.save(model, path)


def _difference(portable: Portable, network: nn.Module, weights: Weights, path: Path, count: int) -> float:
    """The largest difference between PyTorch's and onnxruntime's answers to ``count`` random inputs."""
    try:
        import onnxruntime
    except ImportError as error:
        raise InputError("weights export", expected="the package onnxruntime", found="none", hint=_INSTALL) from error
    inputs = _example(portable, weights, count)
    with torch.inference_mode():
        expected = network(*inputs).numpy()
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    named = {name: tensor.numpy() for name, tensor in zip(portable.inputs, inputs, strict=True)}
    (answer,) = session.run([portable.output], named)
    return float(np.abs(answer - expected).max())


def _example(portable: Portable, weights: Weights, count: int) -> tuple[Tensor, ...]:
    """Random inputs, the same for the same count."""
    size, generator = weights.config["image_size"], torch.Generator().manual_seed(count)
    return tuple(
        torch.randint(0, NUM_CLASSES, (count, size, size), generator=generator, dtype=torch.uint8)
        if name.endswith("mask")
        else torch.rand(count, 3, size, size, generator=generator) * 2 - 1
        for name in portable.inputs
    )
