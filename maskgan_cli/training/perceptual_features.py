"""The frozen network whose features the perceptual loss compares (paper, Sec. 3.3)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import model_validator

from maskgan_cli.config import Positive, Section
from maskgan_cli.errors import InputError
from maskgan_cli.files import sha256
from maskgan_cli.models.parser import FaceParser
from maskgan_cli.models.perceptual import VGG19Features
from maskgan_cli.weights.foreign import load_vgg19
from maskgan_cli.weights.format import load
from maskgan_cli.weights.lookup import find_weights

FeatureNetwork = VGG19Features | FaceParser


class PerceptualSettings(Section):
    """Settings of the network that the perceptual loss uses.

    Attributes:
        network: ``vgg19``: pretrained VGG-19; ``random``: the same architecture with seeded random weights;
            ``parser``: a face parser of this project, whose features depend on the regions of a face; ``none``: no
            perceptual loss.
        weights: for ``vgg19``, a file in torchvision's layout; if null, the file in the cache (``maskgan weights pull
            vgg19``). For ``parser``, weights of a face parser; if null, the weights that all commands find by default.
        width: channels of the first layer of ``random``.
        normalise: normalise the inputs of ``vgg19`` by ImageNet's mean and standard deviation; if false, the inputs are
            in [-1, 1].
    """

    network: Literal["vgg19", "random", "parser", "none"] = "vgg19"
    weights: Path | None = None
    width: Positive = 64
    normalise: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> PerceptualSettings:
        """Check that ``width`` is only set for the network ``random``."""
        if self.network != "random" and self.width != 64:
            raise ValueError("width can only be set with network=random; VGG-19 has 64")
        return self


def feature_network(settings: PerceptualSettings) -> tuple[FeatureNetwork | None, dict[str, Any]]:
    """Load the frozen network of the perceptual loss.

    Returns:
        The network on the CPU, or None if the perceptual loss is switched off; and a dict for ``run.json``, with the
        key ``network`` (name of the network) and, if the weights come from a file, the key ``sha256`` (their hash).

    Raises:
        InputError: the network's weights cannot be found or do not fit.
    """
    if settings.network == "none":
        return None, {"network": "none"}
    if settings.network == "parser":
        where = find_weights(settings.weights, "parser", "perceptual.weights")
        parser, weights = load("parser", where, torch.device("cpu"))
        return parser, {"network": "face parser", "sha256": weights.sha256}
    if settings.network == "random":
        network = VGG19Features.random(settings.width)
        return network, {"network": f"untrained VGG-19 of width {settings.width}, seed 0"}
    try:
        path = find_weights(settings.weights, "vgg19", "perceptual.weights")
    except InputError as error:
        raise InputError(
            "perceptual.weights",
            expected="a VGG-19 file in torchvision's layout",
            found="none",
            hint="run `maskgan weights pull vgg19`, or add --set perceptual.weights=vgg19.pth, or --set "
            "perceptual.network=random --set perceptual.width=32",
        ) from error
    return load_vgg19(path, normalise=settings.normalise), {"network": "VGG-19", "sha256": sha256(path)}
