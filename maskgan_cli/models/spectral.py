"""Spectral normalisation (Miyato et al. 2018), with the tensor names of published PyTorch checkpoints.

`torch.nn.utils.parametrizations.spectral_norm` uses other tensor names, and its power iteration runs in half
precision under autocast.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class SpectralConv2d(nn.Module):
    """A convolution whose weight, as a matrix (outputs, inputs * kernel^2), is divided by its largest singular value.

    ``weight_u`` and ``weight_v`` are estimates of the left and right singular vectors of this value. Each forward pass
    in training mode improves the estimates by one power iteration; in evaluation mode they do not change.
    """

    weight_u: Tensor
    weight_v: Tensor

    def __init__(
        self, inputs: int, outputs: int, kernel: int, *, stride: int = 1, padding: int = 0, bias: bool = True
    ) -> None:
        super().__init__()
        conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=bias)  # for its initialisation
        self.stride, self.padding = stride, padding
        self.weight_orig, self.bias = conv.weight, conv.bias
        self.register_buffer("weight_u", F.normalize(torch.randn(outputs), dim=0))
        self.register_buffer("weight_v", F.normalize(torch.randn(inputs * kernel**2), dim=0))

    def weight(self) -> Tensor:
        """Return the weight divided by its largest singular value u' W v; in training mode, first update u and v."""
        flat = self.weight_orig.flatten(1)
        u, v = self.weight_u, self.weight_v
        # Sums of products instead of matrix products, because autocast would run the latter in half precision.
        if self.training:
            with torch.no_grad():
                v = F.normalize((flat * u[:, None]).sum(0), dim=0)
                u = F.normalize((flat * v).sum(1), dim=0)
                self.weight_u.copy_(u)
                self.weight_v.copy_(v)
        return self.weight_orig / (flat * (u[:, None] * v)).sum()

    def forward(self, features: Tensor) -> Tensor:
        """Convolve features (N, inputs, H, W) with the normalised weight; return features (N, outputs, h, w)."""
        return F.conv2d(features, self.weight(), self.bias, self.stride, self.padding)


def xavier(network: nn.Module) -> None:
    """Initialise convolutions and linear layers as SPADE does: weights Xavier normal with gain 0.02, biases 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear | SpectralConv2d):
            weight = module.weight_orig if isinstance(module, SpectralConv2d) else module.weight
            nn.init.xavier_normal_(weight, gain=0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
