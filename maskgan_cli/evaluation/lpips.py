"""LPIPS (a perceptual distance) between results and reference pictures: source, target or ground truth."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional as F

from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.method_results import MethodResults
from maskgan_cli.evaluation.picture_set import batches
from maskgan_cli.evaluation.results import MetricResult, trace
from maskgan_cli.files import sha256
from maskgan_cli.metrics.intervals import of_mean
from maskgan_cli.models.layers import to_unit
from maskgan_cli.models.lpips import LPIPS, TRUNKS
from maskgan_cli.weights.foreign import load_foreign
from maskgan_cli.weights.format import load_strictly
from maskgan_cli.weights.lookup import recorded

_HEAD: Final = re.compile(r"lin(\d)\.model\.1\.weight")


def load_lpips(trunk: Path, heads: Path, device: torch.device) -> LPIPS:
    """Load an LPIPS network from two published files.

    Args:
        trunk: weights of AlexNet or VGG-16 in torchvision's layout; the shapes of the tensors tell the two apart.
        heads: learnt weights of LPIPS in the authors' layout: ``lin0.model.1.weight`` (1, channels, 1, 1) to ``lin4``.
        device: device of the network.

    Raises:
        InputError: a file cannot be read, or has other tensors.
    """
    expected = "AlexNet or VGG-16 in torchvision's layout"
    tensors = {n: t for n, t in load_foreign(trunk, expected).items() if n.startswith("features.")}
    weights = load_foreign(heads, "the learnt weights of LPIPS")
    layers = {
        f"heads.{found[1]}": t.flatten() for name, t in weights.items() if (found := _HEAD.fullmatch(name)) is not None
    }
    for kind in TRUNKS:
        network = LPIPS(kind)
        if {n: t.shape for n, t in network.features.state_dict(prefix="features.").items()} == {
            n: t.shape for n, t in tensors.items()
        }:
            widths = tuple(len(layers.get(f"heads.{i}", ())) for i in range(len(kind.channels)))
            if widths != kind.channels:
                raise InputError(
                    heads, expected=f"LPIPS weights for {kind.name}: {kind.channels} channels", found=f"{widths}"
                )
            return load_strictly(network, {**tensors, **layers}, heads).eval().to(device)
    raise InputError(trunk, expected=expected, found="tensors of other names or shapes")


class PerceptualSimilarity:
    """Measures the mean LPIPS between results and their reference pictures; implements `method_results.ResultMetric`.

    Args:
        network: see `load_lpips`.
        references: the reference picture of each result, in the same order.
        role: kind of the references: source, target or truth (the ground truth).
        files: the weights files of trunk and heads (see `load_lpips`), whose hashes are stored with the result.
        batch_size: number of references that are read at a time; `update` must receive the same number of results.
    """

    def __init__(
        self, network: LPIPS, references: Sequence[Path], role: str, files: tuple[Path, Path], *, batch_size: int
    ) -> None:
        self._network, self._references, self._role, self._files = network, list(references), role, files
        self._batches = batches(self._references, batch_size)
        self._device = next(network.parameters()).device
        self._found: list[float] = []

    def update(self, images: Tensor) -> None:
        """Add the next batch of results (N, 3, S, S) ``uint8``; the references are resized to the results' size."""
        ours, theirs = (to_unit(pictures.to(self._device)) for pictures in (images, next(self._batches)))
        if theirs.shape != ours.shape:
            theirs = F.interpolate(theirs, ours.shape[-2:], mode="bilinear", antialias=True).clamp(-1, 1)
        self._found += self._network(ours, theirs).double().tolist()

    def compute(self, results: MethodResults) -> MetricResult:
        """Return the mean LPIPS over all results added so far, as the metric ``lpips/ROLE``; lower is better."""
        record: dict[str, dict[str, Any]] = {
            role: {"name": f"lpips/{self._network.trunk.name}", "path": recorded(path), "sha256": sha256(path)}
            for role, path in zip(("trunk", "heads"), self._files, strict=True)
        }
        value, name = sum(self._found) / len(self._found), f"lpips/{self._role}"
        return results.result(
            name,
            value,
            record,
            intervals={name: of_mean(self._found)},
            inputs={f"{self._role}s": trace(self._references[0].parent, self._references)},
        )
