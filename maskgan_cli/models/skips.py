"""Skip connections from the style encoder to the decoder, and how a style map is fitted to another mask."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from maskgan_cli.models.layers import one_hot

_FEW: Final = 5e-4  # a class with a smaller share of the picture gets a part of its style from the whole picture


class SkipFusion(nn.Module):
    """Adds features of the style picture to the decoder's features of the same resolution.

    Two 3 x 3 convolutions compute what is added from both.

    Args:
        channels: number of channels of the decoder's features.
        details: number of channels of the style picture's features.
    """

    def __init__(self, channels: int, details: int) -> None:
        super().__init__()
        hidden = channels // 2
        self.conv1 = nn.Conv2d(channels + details, hidden, 3, padding=1)
        self.conv2 = nn.Conv2d(hidden, channels, 3, padding=1)

    def start_as_identity(self) -> None:
        """Reinitialise the layer so that it returns the decoder's features unchanged."""
        nn.init.kaiming_normal_(self.conv1.weight)
        nn.init.zeros_(self.conv2.weight)
        if self.conv2.bias is not None:
            nn.init.zeros_(self.conv2.bias)

    def forward(self, features: Tensor, details: Tensor) -> Tensor:
        """Add the style picture's features (N, K, H, W) to the decoder's (N, C, H, W); return (N, C, H, W)."""
        added: Tensor = self.conv2(F.relu(self.conv1(torch.cat([features, details], 1))))
        return features + added


def class_shares(mask: Tensor) -> Tensor:
    """Return the share of each class in each block of 4 x 4 pixels of masks, (N, 19, H/4, W/4).

    Args:
        mask: one-hot masks (N, 19, H, W) or label maps (N, H, W).
    """
    return F.avg_pool2d(mask if mask.ndim == 4 else one_hot(mask), 4)


def folded(coarse: Tensor, *planes: Tensor) -> Tensor:
    """Concatenate planes of several resolutions: pixels of the finer ones are moved to channels of the coarse one.

    Args:
        coarse: (N, C, h, w).
        *planes: (N, K, f h, f w) each, with any integer factor f.

    Returns:
        (N, C + the sum of K f^2, h, w); see `torch.nn.functional.pixel_unshuffle`.
    """
    return torch.cat([coarse, *(F.pixel_unshuffle(plane, plane.shape[-1] // coarse.shape[-1]) for plane in planes)], 1)


def unfolded(planes: Tensor, channels: int, side: int) -> tuple[Tensor, Tensor]:
    """Take channels off planes from `folded`, and move the pixels that are in channels back to their places.

    Args:
        planes: (N, K, h, w), without the channels of the coarse planes.
        channels: number C of channels to take, before folding; C f^2 of the K channels hold them.
        side: width of the unfolded planes, f w.

    Returns:
        The unfolded planes (N, C, f h, f w), and the other channels of ``planes``.
    """
    factor = side // planes.shape[-1]
    own = channels * factor**2
    return F.pixel_shuffle(planes[:, :own], factor), planes[:, own:]


def filled(planes: Tensor, wanted: Tensor, shown: Tensor) -> Tensor:
    """Replace features of a picture by the mean of another class where another class is to be generated.

    Args:
        planes: features (N, C, h, w) of the picture.
        wanted, shown: shares of the classes in the mask to generate and in the picture's mask, (N, 19, H, W) each; they
            are averaged or repeated to h x w.

    Returns:
        Features (N, C, h, w). Where both masks have the same classes, they are unchanged. Elsewhere they are the mean
        over all places of the picture with the class to generate; if the picture hardly has this class, the mean over
        all places.
    """
    place = (planes.shape[2], planes.shape[3])
    if place[0] < wanted.shape[2]:
        wanted, shown = (F.adaptive_avg_pool2d(shares, place) for shares in (wanted, shown))
    elif place[0] > wanted.shape[2]:
        wanted, shown = (F.interpolate(shares, place) for shares in (wanted, shown))
    same = torch.minimum(wanted, shown).sum(1).flatten(1).unsqueeze(2)  # (N, h w, 1), 1 where the masks agree
    local, wanted, shown = (x.flatten(2).transpose(1, 2) for x in (planes, wanted, shown))  # (N, h w, C or 19)
    size = shown.sum(1).unsqueeze(2)  # (N, 19, 1), in pixels
    few = _FEW * place[0] * place[1]
    means = (shown.transpose(1, 2) @ local) / size.clamp_min(few)  # (N, 19, C)
    means = means + (1 - (size / few).clamp(max=1)) * local.mean(1, keepdim=True)
    return torch.lerp(wanted @ means, local, same).transpose(1, 2).reshape(planes.shape)
