"""Mouths as photographs show them and rendered faces do not: thinner, wider, lit from above, drawn with their edges.

A rendered upper lip is as bright as the lower one, and thicker by a quarter than in photographs.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from maskgan_cli.labels import ID
from maskgan_cli.training.augment import between, resampled

_MOUTH: Final = tuple(ID[name] for name in ("mouth", "u_lip", "l_lip"))
_SHADOW: Final = 18  # the longest shadow of a lip is this part of the side


def reshape_mouths(images: Tensor, labels: Tensor, strength: float) -> tuple[Tensor, Tensor]:
    """Mouths of other proportions, with labels to match: more often thinner than thicker, wider than narrower.

    Args:
        images: (N, C, S, S).
        labels: (N, S, S) label maps.
        strength: by up to 1.6 times this power of e.
    """
    n, device, side = len(images), images.device, images.shape[-1]
    axis = (torch.arange(side, device=device) + 0.5) * (2 / side) - 1  # as grid_sample counts
    y, x = axis.view(1, -1, 1).expand(n, side, side), axis.view(1, 1, -1).expand(n, side, side)
    mouth = _is_mouth(labels)
    count = mouth.sum((1, 2), keepdim=True)
    down, right = ((where * mouth).sum((1, 2), keepdim=True) / count.clamp_min(1) for where in (y, x))
    near = torch.exp(-(((y - down) / 0.2) ** 2) - ((x - right) / 0.32) ** 2) * (count > 0)
    # By more than 1 a pixel looks farther from the middle, so that the mouth shrinks.
    tall = torch.exp(strength * (between((n, 1, 1), device) + 0.6))
    wide = torch.exp(strength * (between((n, 1, 1), device) - 0.6) / 2)
    looks = [right + (x - right) * (1 + near * (wide - 1)), down + (y - down) * (1 + near * (tall - 1))]
    moved, changed = resampled(images, labels, torch.stack(looks, -1), outside="border")
    assert changed is not None
    return moved, changed


def light_from_above(images: Tensor, labels: Tensor, strength: float) -> Tensor:
    """Mouths as light from above shows them: a dark upper lip, a bright lower one, a shadow under that.

    Args:
        images: (N, 3, S, S) in [-1, 1].
        labels: (N, S, S) label maps, unchanged: lips end where they end, whatever shadow they throw.
        strength: of the light, as a power of e.
    """
    n, device, side = len(images), images.device, images.shape[-1]
    mouth = _is_mouth(labels).unsqueeze(1).float()
    reach = 1 + int(torch.randint(0, max(1, side // _SHADOW), ()))
    shadow = F.pad(mouth, (0, 0, reach, 0))[:, :, :side] * (1 - mouth)
    upper, lower = ((labels == ID[name]).unsqueeze(1) for name in ("u_lip", "l_lip"))
    light = torch.zeros_like(mouth)
    for region, darkest, lightest in ((upper, -1.0, 0.2), (lower, -0.3, 0.6), (shadow, -1.0, 0.1)):
        light = light + region * (torch.rand((n, 1, 1, 1), device=device) * (lightest - darkest) + darkest)
    soft = F.avg_pool2d(light, 3, 1, 1)
    return images.add(1.0).mul(torch.exp(strength * soft)).sub(1.0).clamp(-1.0, 1.0)


def outlined(labels: Tensor, share: float) -> Tensor:
    """Label maps (N, S, S); in a ``share`` of them lips are a pixel larger, over the skin alone."""
    chosen = torch.rand((len(labels), 1, 1), device=labels.device) < share
    for name in ("u_lip", "l_lip"):
        larger = F.max_pool2d((labels == ID[name]).float().unsqueeze(1), 3, 1, 1).squeeze(1) > 0
        labels = torch.where(chosen & larger & (labels == ID["skin"]), ID[name], labels)
    return labels


def _is_mouth(labels: Tensor) -> Tensor:
    return torch.isin(labels, torch.tensor(_MOUTH, device=labels.device, dtype=labels.dtype))
