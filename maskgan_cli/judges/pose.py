"""HopeNet as an evaluation network ("judge"), which predicts yaw, pitch and roll of the head in a picture."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from maskgan_cli.judges import prepare
from maskgan_cli.models.hopenet import HopeNet, expected_angles
from maskgan_cli.weights.format import Weights
from maskgan_cli.weights.published import load_any


class PoseJudge:
    """HopeNet, with the interface `maskgan_cli.judges.Judge`.

    Args:
        network: HopeNet, in evaluation mode, on the device where it will run.
        weights: the weights file from which the network was loaded.
    """

    name = "pose"

    def __init__(self, network: HopeNet, weights: Weights) -> None:
        self.network, self.sha256, self.size = network, weights.sha256, network.config.image_size
        self.device = next(network.parameters()).device

    @torch.inference_mode()
    def __call__(self, images: Tensor) -> Tensor:
        """Predict yaw, pitch and roll (N, 3) in degrees for N pictures; for their signs see `data.head_pose`.

        Args:
            images: (N, 3, S, S) ``uint8``.
        """
        return expected_angles(self.network(prepare(images, self.size, self.device)))

    @torch.inference_mode()
    def features(self, images: Tensor) -> Tensor:
        """Return the input of the network's three heads (N, features) for pictures (N, 3, S, S) ``uint8``."""
        return self.network.pooled(prepare(images, self.size, self.device)).float()


def load_pose(where: str | Path, device: torch.device) -> PoseJudge:
    """Load HopeNet from a weights file, a run folder of ``maskgan train pose`` or a published checkpoint.

    Raises:
        InputError: the weights do not exist, or have another kind or shape.
    """
    network, weights = load_any("pose", where, device)
    return PoseJudge(network, weights)
