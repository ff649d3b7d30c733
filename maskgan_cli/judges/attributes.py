"""The attribute classifier as an evaluation network ("judge"), which predicts the probability of face attributes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from maskgan_cli.errors import InputError
from maskgan_cli.judges import prepare
from maskgan_cli.models.attributes import AttributeNet
from maskgan_cli.models.layers import imagenet
from maskgan_cli.weights.format import MODEL_FILE, Weights, load


class AttributeJudge:
    """The attribute classifier, with the interface `maskgan_cli.judges.Judge`.

    Args:
        network: the classifier, in evaluation mode, on the device where it will run.
        weights: the weights file from which the network was loaded.

    Attributes:
        names: names of the attributes, in the order of the returned columns.
    """

    name = "attributes"

    def __init__(self, network: AttributeNet, weights: Weights) -> None:
        self.network, self.sha256 = network, weights.sha256
        self.size, self.names = network.config.image_size, list(network.config.names)
        self.device = next(network.parameters()).device

    @torch.inference_mode()
    def __call__(self, images: Tensor) -> Tensor:
        """Return the probability of each attribute (N, attributes), in the order of ``names``.

        Args:
            images: (N, 3, S, S) ``uint8``.
        """
        logits: Tensor = self.network(prepare(images, self.size, self.device))
        return logits.float().sigmoid()

    @torch.inference_mode()
    def features(self, images: Tensor) -> Tensor:
        """Return the input of the classifier's last layer (N, 8 * width) for pictures (N, 3, S, S) ``uint8``."""
        features: Tensor = self.network.trunk(imagenet(prepare(images, self.size, self.device)))
        return features.float()


class SeparateAttributes:
    """Several attribute classifiers, used together as one judge. (The paper has one network per attribute.)

    Args:
        judges: the classifiers. Two classifiers must not predict the same attribute.

    Attributes:
        names: names of the attributes, in the order of the returned columns.
        sha256: SHA-256 of the concatenated weights hashes of all classifiers.
    """

    name = "attributes"

    def __init__(self, judges: Sequence[AttributeJudge]) -> None:
        self._judges = list(judges)
        self.size = max(judge.size for judge in judges)
        self.names = [name for judge in judges for name in judge.names]
        self.sha256 = hashlib.sha256("".join(judge.sha256 for judge in judges).encode()).hexdigest()

    def __call__(self, images: Tensor) -> Tensor:
        """Return the probability of each attribute (N, attributes), in the order of ``names``.

        Args:
            images: (N, 3, S, S) ``uint8``.
        """
        return torch.cat([judge(images) for judge in self._judges], 1)

    def features(self, images: Tensor) -> Tensor:
        """Return the concatenated features (N, D) of all classifiers for pictures (N, 3, S, S) ``uint8``."""
        return torch.cat([judge.features(images) for judge in self._judges], 1)


def load_attributes(where: str | Path, device: torch.device) -> AttributeJudge | SeparateAttributes:
    """Load the attribute classifier from a weights file or a run folder of ``maskgan train attributes``.

    If ``where`` is a folder that contains such run folders, the classifiers of all these runs are loaded and used as
    one judge: see `SeparateAttributes`.

    Raises:
        InputError: the weights do not exist or have another kind or shape, or two classifiers share an attribute.
    """
    runs = sorted(path.parent for path in Path(where).glob(f"*/{MODEL_FILE}"))
    if runs and not (Path(where) / MODEL_FILE).is_file():
        judges = [_load(run, device) for run in runs]
        names = [name for judge in judges for name in judge.names]
        if twice := [name for name in names if names.count(name) > 1]:
            raise InputError(where, expected="every attribute once", found=f"two classifiers of {twice[0]}")
        return SeparateAttributes(judges)
    return _load(where, device)


def _load(where: str | Path, device: torch.device) -> AttributeJudge:
    """Load a single attribute classifier from a weights file or run folder."""
    network, weights = load("attributes", where, device)
    return AttributeJudge(network, weights)
