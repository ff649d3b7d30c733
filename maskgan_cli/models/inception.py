"""The Inception-v3 network that the FID uses (Szegedy et al. 2016, as in TensorFlow's 2015 release).

The blocks come from the package pytorch-fid. Its own constructor downloads weights. This module therefore builds the
network itself, and the caller loads the weights from a file. The tensor names are those of pytorch-fid's file, without
the classifier.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

SIDE: Final = 299  # input side in pixels


class FIDInception(nn.Sequential):
    """Computes the 2048 pooled features per picture that the Frechet Inception Distance compares."""

    def __init__(self) -> None:
        from pytorch_fid import inception as fid  # torchvision takes seconds to import
        from torchvision.models import inception_v3

        network = inception_v3(weights=None, num_classes=1008, aux_logits=False, init_weights=False)
        # As in TensorFlow's release, average pooling ignores the padding, and the last block uses max pooling.
        replaced: dict[str, nn.Module] = {
            "Mixed_5b": fid.FIDInceptionA(192, pool_features=32),
            "Mixed_5c": fid.FIDInceptionA(256, pool_features=64),
            "Mixed_5d": fid.FIDInceptionA(288, pool_features=64),
            "Mixed_6b": fid.FIDInceptionC(768, channels_7x7=128),
            "Mixed_6c": fid.FIDInceptionC(768, channels_7x7=160),
            "Mixed_6d": fid.FIDInceptionC(768, channels_7x7=160),
            "Mixed_6e": fid.FIDInceptionC(768, channels_7x7=192),
            "Mixed_7b": fid.FIDInceptionE_1(1280),
            "Mixed_7c": fid.FIDInceptionE_2(2048),
        }
        blocks = {name: replaced.get(name, block) for name, block in network.named_children()}
        super().__init__(OrderedDict((name, blocks[name]) for name in blocks if name not in ("dropout", "fc")))

    def forward(self, images: Tensor) -> Tensor:
        """Return features (N, 2048) of images (N, 3, H, W) in [0, 1].

        Images are resized to 299 px without antialiasing, as published.
        """
        x = F.interpolate(images, size=(SIDE, SIDE), mode="bilinear", align_corners=False) * 2 - 1
        for block in self:
            x = block(x)
        return x.flatten(1)


@torch.no_grad()
def fold_norms(network: nn.Module) -> None:
    """Fuse each batch norm of a network into the preceding convolution, in place; this saves a third of the time.

    Args:
        network: a network of torchvision's ``BasicConv2d`` blocks, in evaluation mode.
    """
    for block in network.modules():
        convolution, norm = getattr(block, "conv", None), getattr(block, "bn", None)
        if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            block.conv, block.bn = fuse_conv_bn_eval(convolution, norm), nn.Identity()
