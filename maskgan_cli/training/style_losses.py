"""Loss terms that compare a generated face with a style picture of another shape."""

from __future__ import annotations

from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor
from torch.nn import functional as F

from maskgan_cli.data.alignment import aligned, batch_points
from maskgan_cli.models.arcface import IResNet
from maskgan_cli.training import losses
from maskgan_cli.training.gan_recipe import LossSettings
from maskgan_cli.weights.format import load
from maskgan_cli.weights.lookup import find_weights


class StyleLosses:
    """The terms ``colours``, ``texture`` and ``identity``; those with weight 0 are not computed.

    Args:
        weights: weights of the loss terms.
        identity_weights: weights of the identity network; None: those that commands find.
        accelerator: device and precision.

    Raises:
        InputError: ``weights.identity`` is not 0 and the identity network cannot be loaded.
    """

    def __init__(self, weights: LossSettings, identity_weights: Path | None, accelerator: Accelerator) -> None:
        self._weights, self._accelerator = weights, accelerator
        self._identity: IResNet | None = None
        if weights.identity:
            path = find_weights(identity_weights, "identity", "identity.weights")
            network, _ = load("identity", path, accelerator.device)
            self._identity = network.eval().requires_grad_(False)

    def terms(self, fake: Tensor, mask: Tensor, style: Tensor, style_mask: Tensor) -> dict[str, Tensor]:
        """Losses by name, not weighted.

        Args:
            fake, style: pictures (N, 3, H, W) in [-1, 1].
            mask, style_mask: their one-hot masks (N, 19, H, W).
        """
        terms = {}
        if self._weights.colours:
            terms["colours"] = losses.class_colours(fake, mask, style, style_mask)
        if self._weights.texture:
            terms["texture"] = losses.texture(fake, mask, style, style_mask)
        if self._identity is not None:
            with torch.no_grad(), self._accelerator.autocast():
                target = self.embed(style, style_mask)
            with self._accelerator.autocast():
                terms["identity"] = 1 - (self.embed(fake.float(), mask) * target).sum(1).mean()
        return terms

    def embed(self, pictures: Tensor, mask: Tensor) -> Tensor:
        """Faces (N, 3, H, W) in [-1, 1] and their one-hot masks -> unit embeddings (N, D)."""
        assert self._identity is not None
        points = batch_points(mask.argmax(1).to(torch.uint8), pictures.shape[-1])
        faces = aligned(pictures, points, self._identity.config.image_size)
        return F.normalize(self._identity(faces).float())
