"""Measure the sharpness of pictures: the mean absolute Laplacian of their grey values."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

_LUMA = (0.299, 0.587, 0.114)
_LAPLACIAN = ((0.0, 1.0, 0.0), (1.0, -4.0, 1.0), (0.0, 1.0, 0.0))


def sharpness(images: Tensor) -> Tensor:
    """Return the sharpness (N,) of pictures (N, 3, H, W) ``uint8``, in grey levels per square pixel.

    Sharpness is 0 for pictures of one colour or a linear gradient. For all other pictures it is proportional to their
    contrast.
    """
    weights = torch.tensor(_LUMA, device=images.device).view(1, 3, 1, 1)
    grey = (images.float() * weights).sum(1, keepdim=True)
    kernel = torch.tensor(_LAPLACIAN, device=images.device).view(1, 1, 3, 3)
    return F.conv2d(grey, kernel).abs().mean((1, 2, 3))
