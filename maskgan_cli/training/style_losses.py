"""Loss terms that compare a generated face with its style picture; the masks of the two pictures may differ."""

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
    """Computes the loss terms ``colours``, ``texture`` and ``identity`` of `LossSettings`, if their weight is not 0.

    Args:
        weights: weights of the loss terms.
        identity_weights: weights file of the identity network; None: the file that all commands find by default.
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
        """Return a dict from the names of the losses to their values (scalars), not multiplied by their weights.

        Losses with the weight 0 are left out.

        Args:
            fake: generated faces (N, 3, H, W) in [-1, 1].
            mask: one-hot masks (N, 19, H, W) of the generated faces.
            style: style pictures (N, 3, H, W) in [-1, 1].
            style_mask: one-hot masks (N, 19, H, W) of the style pictures.
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
        """Return the identity network's embeddings (N, D) of faces, normalised to length 1.

        The faces are first aligned by the positions of eyes, nose and mouth in their masks.

        Args:
            pictures: faces (N, 3, H, W) in [-1, 1].
            mask: one-hot masks (N, 19, H, W) of the faces.
        """
        assert self._identity is not None
        points = batch_points(mask.argmax(1).to(torch.uint8), pictures.shape[-1])
        faces = aligned(pictures, points, self._identity.config.image_size)
        return F.normalize(self._identity(faces).float())
