"""Perceptual distance of two pictures: LPIPS (Zhang et al. 2018) without its learnt weights per channel.

The features are those of the published VGG-19 or, if no weights are given, of an untrained network.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from maskgan_cli.files import Picture, sha256
from maskgan_cli.models.layers import to_unit
from maskgan_cli.models.perceptual import VGG19Features
from maskgan_cli.weights.foreign import load_vgg19

_WIDTH: Final = 16  # width of the untrained network


class FeatureDistance:
    """Computes the perceptual distance between two pictures at each pixel.

    Args:
        weights: a VGG-19 file in torchvision's layout; None for an untrained network (seed 0).
        device: device of the network.

    Attributes:
        name: name of the network, ``vgg19`` or ``untrained-vgg19``.
        sha256: hash of the weights file; empty for the untrained network.

    Raises:
        InputError: the weights are missing or do not fit.
    """

    def __init__(self, weights: Path | None, device: torch.device) -> None:
        self.name = "untrained-vgg19" if weights is None else "vgg19"
        self.sha256 = "" if weights is None else sha256(weights)
        network = VGG19Features.random(_WIDTH) if weights is None else load_vgg19(weights, normalise=True)
        self._network, self._device = network.to(device).eval(), device

    @torch.inference_mode()
    def __call__(self, a: Picture, b: Picture) -> npt.NDArray[np.float64]:
        """Return the distance (S, S), from 0 to 4, at each pixel of two pictures (S, S, 3).

        At each pixel, the feature vectors of both pictures are normalised to length 1. The distance is the squared
        length of their difference, averaged over five layers.
        """
        pair = torch.from_numpy(np.stack([a, b])).to(self._device).permute(0, 3, 1, 2)
        total = torch.zeros(a.shape[:2], device=self._device)
        layers = self._network(to_unit(pair))
        for features in layers:
            unit = _unit_length(features)
            step = (unit[:1] - unit[1:]).square().sum(1, keepdim=True)
            total += F.interpolate(step, a.shape[:2], mode="bilinear", align_corners=False)[0, 0]
        return (total / len(layers)).double().cpu().numpy()


def _unit_length(features: Tensor) -> Tensor:
    """Return features (N, C, H, W) whose vector at each pixel is normalised to length 1; zero vectors stay zero."""
    lengths: Tensor = features.norm(dim=1, keepdim=True)
    return features / lengths.clamp_min(1e-10)
