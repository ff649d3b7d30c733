"""Augmentation of mouths for the face parser: other proportions, light from above, larger lip labels.

This augmentation makes rendered faces more like photographs. In photographs, the upper lip is darker than the lower
lip, and a quarter thinner than in rendered faces. Annotators of photographs include the vermilion border in the lips.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from maskgan_cli.labels import ID
from maskgan_cli.training.augment import between, resampled

_MOUTH: Final = tuple(ID[name] for name in ("mouth", "u_lip", "l_lip"))
_SHADOW: Final = 18  # the longest shadow below a lip is 1/18 of the picture's side


def reshape_mouths(images: Tensor, labels: Tensor, strength: float) -> tuple[Tensor, Tensor]:
    """Change width and height of mouths at random; return the changed pictures and label maps.

    Mouths become thinner more often than thicker, and wider more often than narrower.

    Args:
        images: pictures (N, C, S, S).
        labels: label maps (N, S, S) of the pictures.
        strength: 0 for no change; the height of mouths is divided by up to exp(1.6 * strength).
    """
    n, device, side = len(images), images.device, images.shape[-1]
    axis = (torch.arange(side, device=device) + 0.5) * (2 / side) - 1  # coordinates of grid_sample
    y, x = axis.view(1, -1, 1).expand(n, side, side), axis.view(1, 1, -1).expand(n, side, side)
    mouth = _is_mouth(labels)
    count = mouth.sum((1, 2), keepdim=True)
    down, right = ((where * mouth).sum((1, 2), keepdim=True) / count.clamp_min(1) for where in (y, x))
    near = torch.exp(-(((y - down) / 0.2) ** 2) - ((x - right) / 0.32) ** 2) * (count > 0)
    # Factors of the sampling grid: above 1, pixels are sampled farther from the middle, so the mouth shrinks.
    tall = torch.exp(strength * (between((n, 1, 1), device) + 0.6))
    wide = torch.exp(strength * (between((n, 1, 1), device) - 0.6) / 2)
    grid = [right + (x - right) * (1 + near * (wide - 1)), down + (y - down) * (1 + near * (tall - 1))]
    moved, changed = resampled(images, labels, torch.stack(grid, -1), outside="border")
    assert changed is not None
    return moved, changed


def light_from_above(images: Tensor, labels: Tensor, strength: float) -> Tensor:
    """Simulate light from above on mouths: mostly a darker upper lip, a brighter lower lip and a shadow below the lips.

    Args:
        images: pictures (N, 3, S, S) in [-1, 1].
        labels: label maps (N, S, S) of the pictures.
        strength: 0 for no change; brightness changes by a factor from exp(-strength) to exp(0.6 * strength).

    Returns:
        The changed pictures (N, 3, S, S) in [-1, 1].
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


def enlarge_lips(labels: Tensor, share: float) -> Tensor:
    """Return label maps in some of which the lips are enlarged by one pixel; only skin pixels become lip pixels.

    Args:
        labels: label maps (N, S, S).
        share: share of the label maps that are changed, in [0, 1].
    """
    chosen = torch.rand((len(labels), 1, 1), device=labels.device) < share
    for name in ("u_lip", "l_lip"):
        larger = F.max_pool2d((labels == ID[name]).float().unsqueeze(1), 3, 1, 1).squeeze(1) > 0
        labels = torch.where(chosen & larger & (labels == ID["skin"]), ID[name], labels)
    return labels


def _is_mouth(labels: Tensor) -> Tensor:
    """Return a boolean mask (N, S, S) of label maps (N, S, S): True for pixels of the lips and the inner mouth."""
    return torch.isin(labels, torch.tensor(_MOUTH, device=labels.device, dtype=labels.dtype))
