"""Export of networks to ONNX. Each file contains a description of its network.

Inputs and outputs by kind of network, for a batch size N and the network's image size S. All masks are class ids
(N, S, S) uint8, and all images (N, 3, S, S) float32 in [-1, 1].

Dense Mapping Network: ``mask``, ``style_mask``, ``style_image`` -> ``image``.
Pix2PixHD-m: the same names as the Dense Mapping Network, but ``style_mask`` is not used.
SPADE: ``mask``, ``style_image`` -> ``image``. The style is the mean of the distribution that the encoder predicts.
SEAN: ``mask``, ``style_mask``, ``style_image``, ``own_mask``, ``own_image``, ``share`` -> ``image``. ``share`` (N, 19)
float32 in [0, 1] mixes two styles for each class: 0 is the style of ``own_image``, 1 is the style of ``style_image``.
SEAN cannot be exported to ONNX; its PyTorch module has these inputs.
StarGAN: ``image``, ``label`` -> ``changed`` (an image). ``label`` (N, attributes) float32 is 1 for each attribute that
the result should have, else 0.
ELEGANT: ``image``, ``exemplar``, ``strength`` -> ``changed`` (an image). ``strength`` (N, attributes) float32 in [0, 1]
is the share of each attribute that is taken from the exemplar.
Face parser: ``image`` -> ``logits`` (N, 19, S, S) float32.
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
from maskgan_cli.files import atomic, sha256
from maskgan_cli.labels import NUM_CLASSES
from maskgan_cli.models.baselines.elegant import Elegant
from maskgan_cli.models.baselines.sean import SEAN, mixed_codes
from maskgan_cli.models.baselines.spade import SPADE
from maskgan_cli.models.dmn import DenseMappingNetwork, parameter_count
from maskgan_cli.networks import KINDS, exported, resolve
from maskgan_cli.weights.card import check_output, write_card
from maskgan_cli.weights.format import Weights, kind_of, load

TOLERANCE = 4e-3  # largest allowed difference between the outputs of onnxruntime and PyTorch: half a level of 255
_INSTALL = 'pip install "maskgan[onnx]"'


class _FromLabelMaps(nn.Module):
    """Base class of modules that wrap a network and convert input label maps to the network's one-hot masks."""

    ids: Tensor

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("ids", torch.arange(NUM_CLASSES, dtype=torch.uint8).view(1, -1, 1, 1), persistent=False)

    def _one_hot(self, labels: Tensor) -> Tensor:
        """Convert label maps (N, S, S) ``uint8`` to one-hot masks (N, 19, S, S) ``float32``."""
        return (labels.unsqueeze(1) == self.ids).float()


class DMNFromLabelMaps(_FromLabelMaps):
    """Wrapper of a Dense Mapping Network whose inputs are label maps instead of one-hot masks."""

    network: DenseMappingNetwork

    def forward(self, mask: Tensor, style_mask: Tensor, style_image: Tensor) -> Tensor:
        """Generate a face (N, 3, S, S) in [-1, 1] with the shape of ``mask`` and the style of ``style_image``.

        Args:
            mask, style_mask: label maps (N, S, S) ``uint8`` of the new face and of the style image.
            style_image: (N, 3, S, S) in [-1, 1].
        """
        masks = [mask, style_mask]
        # On the CPU, the network also accepts label maps, which is faster; this is not possible during compilation.
        if torch.compiler.is_compiling() or mask.device.type != "cpu":
            masks = [self._one_hot(labels) for labels in masks]
        image: Tensor = self.network(*masks, style_image)
        return image


class SPADEFromLabelMaps(_FromLabelMaps):
    """Wrapper of SPADE whose mask input is a label map instead of a one-hot mask."""

    network: SPADE

    def forward(self, mask: Tensor, style_image: Tensor) -> Tensor:
        """Generate a face (N, 3, S, S) in [-1, 1] with the shape of ``mask`` and the style of ``style_image``.

        Args:
            mask: label map (N, S, S) ``uint8`` of the new face.
            style_image: (N, 3, S, S) in [-1, 1].
        """
        image: Tensor = self.network(self._one_hot(mask), style_image)
        return image


class SEANFromLabelMaps(_FromLabelMaps):
    """Wrapper of SEAN that mixes the styles of two faces. Its inputs are label maps instead of one-hot masks."""

    network: SEAN

    def forward(
        self, mask: Tensor, style_mask: Tensor, style_image: Tensor, own_mask: Tensor, own_image: Tensor, share: Tensor
    ) -> Tensor:
        """Generate a face (N, 3, S, S) in [-1, 1] with the shape of ``mask`` and a mixture of two styles.

        Args:
            mask, style_mask, own_mask: label maps (N, S, S) ``uint8`` of the new face and of the two style images.
            style_image, own_image: (N, 3, S, S) in [-1, 1].
            share: (N, 19) in [0, 1], the share of the style of ``style_image`` in each class; see `mixed_codes`.
        """
        style, own = (
            self.network.encode_style(self._one_hot(labels), image)
            for labels, image in ((style_mask, style_image), (own_mask, own_image))
        )
        image: Tensor = self.network.generator(self._one_hot(mask), mixed_codes(own, style, share))
        return image


class ElegantWithStrength(nn.Module):
    """Wrapper of ELEGANT that transfers one or several attributes, each with its own strength."""

    channels: Tensor

    def __init__(self, network: Elegant) -> None:
        super().__init__()
        self.network = network
        channels = torch.zeros(len(network.config.attributes), network.config.channels[-1])
        for attribute in range(len(channels)):
            channels[attribute, network.slice_of(attribute)] = 1.0
        self.register_buffer("channels", channels, persistent=False)  # 1 for the channels that encode an attribute

    def forward(self, image: Tensor, exemplar: Tensor, strength: Tensor) -> Tensor:
        """Transfer attributes from ``exemplar`` to ``image``, and return the changed image (N, 3, S, S).

        Args:
            image, exemplar: (N, 3, S, S) in [-1, 1].
            strength: (N, attributes) in [0, 1]; 0 keeps an attribute of ``image``, 1 takes it from ``exemplar``.
        """
        encoded = self.network.encoder(image)
        step = self.network.encoder(exemplar)[0] - encoded[0]
        share = (strength @ self.channels)[:, :, None, None]
        return self.network.decode(image, encoded[0] + share * step, encoded)


@dataclass(frozen=True)
class Portable:
    """Description of the ONNX export of one kind of network.

    Attributes:
        wrap: function that receives the network and returns the module to export. The inputs of this module are label
            maps, pictures and numbers.
        inputs, output: names of the module's inputs and of its output.
        obstacle: the reason why the network cannot be exported; empty if it can be exported.
    """

    wrap: Callable[[Any], nn.Module]
    inputs: tuple[str, ...]
    output: str
    obstacle: str = ""


DMN = Portable(DMNFromLabelMaps, ("mask", "style_mask", "style_image"), "image")
SPADE_GENERATOR = Portable(SPADEFromLabelMaps, ("mask", "style_image"), "image")
SEAN_GENERATOR = Portable(
    SEANFromLabelMaps,
    ("mask", "style_mask", "style_image", "own_mask", "own_image", "share"),
    "image",
    "the exporter does not accept its noise inputs",
)
STARGAN = Portable(lambda network: network, ("image", "label"), "changed")
ELEGANT = Portable(ElegantWithStrength, ("image", "exemplar", "strength"), "changed")
PARSER = Portable(lambda network: network, ("image",), "logits")


def export_onnx(where: str | Path, out: Path, *, overwrite: bool = False) -> float:
    """Export a network to an ONNX file with a model card, if onnxruntime's output agrees with PyTorch's.

    Args:
        where: a weights file or run folder of a kind that can be exported.
        out: the ``.onnx`` file to write.
        overwrite: replace an existing file.

    Returns:
        The largest absolute difference between the outputs of onnxruntime and PyTorch, for batches of one and three
        random inputs.

    Raises:
        InputError: the weights are missing or of another kind, ``out`` exists, or a package is missing.
        WorkError: the outputs differ by more than `TOLERANCE`; nothing is written.
    """
    check_output(out, ".onnx", overwrite=overwrite)
    kind = kind_of(where)
    if kind not in exported():
        raise InputError(
            where, expected=f"weights of one of the kinds {', '.join(exported())}", found=f"{kind} weights"
        )
    portable: Portable = resolve(KINDS[kind].onnx)
    if portable.obstacle:
        raise InputError(where, expected="weights that can be exported", found=f"{kind} weights: {portable.obstacle}")
    network, weights = load(kind, where, torch.device("cpu"))
    # load() returns channels-last tensors; the exporter needs contiguous ones.
    wrapped = portable.wrap(network.to(memory_format=torch.contiguous_format)).eval()
    description = {
        "kind": kind,
        "config": weights.config,
        "version": __version__,
        "weights": weights.sha256,
        **{name: value for name, value in weights.about.items() if name != "version"},
    }
    with atomic(out, overwrite=overwrite) as temporary:
        _write(portable, wrapped, weights, temporary, description)
        difference = max(_difference(portable, wrapped, weights, temporary, count) for count in (1, 3))
        if not difference <= TOLERANCE:
            raise WorkError(f"{out}: onnxruntime's output differs from PyTorch's by {difference:.3g}; nothing written")
    write_card(out, description, sha256=sha256(out), count=parameter_count(network))
    return difference


def _write(portable: Portable, network: nn.Module, weights: Weights, path: Path, description: dict[str, Any]) -> None:
    """Export a module to an ONNX file with a variable batch size, and store ``description`` in the file.

    Args:
        portable: names of the inputs and of the output.
        network: the module to export.
        weights: the content of the weights file; its settings give the sizes of the inputs.
        path: the ONNX file to write.
        description: kind, settings and provenance of the network.

    Raises:
        InputError: the package onnx or onnxscript is missing.
    """
    try:
        import onnx
        import onnxscript  # noqa: F401 (PyTorch's exporter needs it)
    except ImportError as error:
        raise InputError(
            "weights export", expected="the packages onnx and onnxscript", found="none", hint=_INSTALL
        ) from error
    with torch.inference_mode():
        network(*_example(portable, weights, 1))  # noise inputs draw their fixed noise, which ONNX cannot draw
    batch = torch.export.Dim("batch", min=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecation warnings of the exporter's own code
        program = torch.onnx.export(
            network,
            _example(portable, weights, 2),
            input_names=list(portable.inputs),
            output_names=[portable.output],
            dynamic_shapes=tuple({0: batch} for _ in portable.inputs),
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    onnx.helper.set_model_props(model, {"maskgan": json.dumps(description, sort_keys=True)})
    onnx.save(model, path)


def _difference(portable: Portable, network: nn.Module, weights: Weights, path: Path, count: int) -> float:
    """Return the largest absolute difference between the outputs of PyTorch and onnxruntime for random inputs.

    Args:
        portable: names of the inputs and of the output.
        network: the exported module.
        weights: the content of the weights file; its settings give the sizes of the inputs.
        path: the ONNX file.
        count: batch size.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise InputError("weights export", expected="the package onnxruntime", found="none", hint=_INSTALL) from error
    inputs = _example(portable, weights, count)
    with torch.inference_mode():
        expected = network(*inputs).numpy()
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    named = {name: tensor.numpy() for name, tensor in zip(portable.inputs, inputs, strict=True)}
    (output,) = session.run([portable.output], named)
    return float(np.abs(output - expected).max())


def _example(portable: Portable, weights: Weights, count: int) -> tuple[Tensor, ...]:
    """Return random inputs of a network: a tensor of batch size ``count`` for each of ``portable.inputs``.

    Every call with the same ``count`` returns the same values. The settings in ``weights`` give the image size and the
    number of attributes.
    """
    size, generator = weights.config["image_size"], torch.Generator().manual_seed(count)

    def draw(name: str) -> Tensor:
        if name.endswith("mask"):
            return torch.randint(0, NUM_CLASSES, (count, size, size), generator=generator, dtype=torch.uint8)
        if name == "share":
            return torch.rand(count, NUM_CLASSES, generator=generator)
        if name in ("label", "strength"):
            return torch.randint(0, 2, (count, len(weights.config["attributes"])), generator=generator).float()
        return torch.rand(count, 3, size, size, generator=generator) * 2 - 1

    return tuple(draw(name) for name in portable.inputs)
