"""Losses of the paper (Sec. 3.3: L = L_adv + 10 L_feature_matching + 10 L_perceptual) and of the baselines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

Features = list[list[Tensor]]  # layer outputs of each scale of a discriminator; the last output is the score

_PERCEPTUAL_WEIGHTS: Final = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)


def least_squares(features: Features, *, real: bool) -> Tensor:
    """LSGAN (Mao et al. 2017): mean squared distance of the scores from 1 (real) or 0, summed over scales."""
    target = 1.0 if real else 0.0
    return torch.stack([(scale[-1].float() - target).square().mean() for scale in features]).sum()


def feature_matching(fake: Features, real: Features) -> Tensor:
    """L1 between discriminator features of fake and real pictures, without the scores (pix2pixHD, Sec. 3.3).

    Each scale has weight 1 / scales and each layer 4 / (layers - 1).
    """
    total = fake[0][0].new_zeros((), dtype=torch.float32)
    for fake_scale, real_scale in zip(fake, real, strict=True):
        weight = 4.0 / (len(fake_scale) - 1) / len(fake)
        for ours, theirs in zip(fake_scale[:-1], real_scale[:-1], strict=True):
            total = total + weight * F.l1_loss(ours.float(), theirs.detach().float())
    return total


def pixel(fake: Tensor, real: Tensor, class_weights: Tensor | None, labels: Tensor) -> Tensor:
    """L1 between pictures; with ``class_weights`` a mean weighted by each pixel's class.

    Args:
        fake, real: pictures (N, 3, H, W).
        class_weights: (classes,), or None.
        labels: label maps (N, H, W).
    """
    if class_weights is None:
        return F.l1_loss(fake.float(), real)
    weight = class_weights[labels.long()].unsqueeze(1)
    return ((fake.float() - real).abs() * weight).mean() / weight.mean()


def class_colours(fake: Tensor, mask: Tensor, real: Tensor, style_mask: Tensor) -> Tensor:
    """L1 between the mean colours of each class in the generated picture and in the style picture.

    The masks may differ, so a face in another shape keeps the colours of skin, hair and lips. Classes with fewer than
    64 pixels in either mask are left out.

    Args:
        fake, real: generated picture and style picture (N, 3, H, W).
        mask, style_mask: their one-hot masks (N, classes, H, W).
    """
    (ours, count), (theirs, other) = (
        _mean_colours(picture.float(), classes) for picture, classes in ((fake, mask), (real, style_mask))
    )
    return _mean_over_classes(ours - theirs.detach(), count, other)


def texture(fake: Tensor, mask: Tensor, real: Tensor, style_mask: Tensor) -> Tensor:
    """L1 between the log roughness of each class in the generated picture and in the style picture.

    Roughness is the mean absolute difference between neighbouring pixels of a channel, horizontally and vertically.
    The loss is the mean over the full, half and quarter resolution. Classes and arguments: see `class_colours`.
    """
    terms = []
    for _ in range(3):
        (ours, count), (theirs, other) = (
            _roughness(picture.float(), classes) for picture, classes in ((fake, mask), (real, style_mask))
        )
        terms.append(_mean_over_classes(ours.add(0.01).log() - theirs.detach().add(0.01).log(), count, other))
        fake, mask, real, style_mask = (F.avg_pool2d(planes, 2) for planes in (fake, mask, real, style_mask))
    return torch.stack(terms).mean()


def _mean_over_classes(difference: Tensor, count: Tensor, other: Tensor) -> Tensor:
    """Mean of |difference| (N, classes, C) over the classes that have 64 pixels or more in both counts (N, classes)."""
    both = ((count >= 64) & (other >= 64)).float()
    return (difference.abs().mean(2) * both).sum() / both.sum().clamp_min(1)


def _roughness(picture: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Roughness (N, classes, 6), horizontal and vertical, and number of pixels (N, classes)."""
    across = F.pad((picture[..., 1:] - picture[..., :-1]).abs(), (0, 1))
    down = F.pad((picture[..., 1:, :] - picture[..., :-1, :]).abs(), (0, 0, 0, 1))
    return _mean_colours(torch.cat([across, down], 1), mask)


def _mean_colours(picture: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Mean colour (N, classes, 3) and number of pixels (N, classes) of each class."""
    classes, pixels = mask.float().flatten(2), picture.flatten(2).transpose(1, 2)
    count = classes.sum(2)
    return (classes / count.clamp_min(1).unsqueeze(2)) @ pixels, count


def perceptual(fake: list[Tensor], real: list[Tensor]) -> Tensor:
    """Weighted L1 between five feature maps of a fixed network; deeper maps weigh more (Johnson et al. 2016)."""
    terms = [
        weight * F.l1_loss(ours.float(), theirs.detach().float())
        for weight, ours, theirs in zip(_PERCEPTUAL_WEIGHTS, fake, real, strict=True)
    ]
    return torch.stack(terms).sum()


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL divergence of N(mean, variance) from N(0, 1) in nats (Kingma and Welling 2014, Appendix B).

    Args:
        mean, log_variance: (N, latent).

    Returns:
        A scalar: summed over the code, averaged over the batch.
    """
    terms = mean.square() + log_variance.exp() - 1.0 - log_variance
    return 0.5 * terms.sum(dim=1).mean()


def hinge_discriminator_loss(features: Features, *, real: bool) -> Tensor:
    """The discriminator's hinge loss (Lim and Ye 2017), averaged over scales.

    It is the mean of max(0, 1 - score) for real pictures and of max(0, 1 + score) for generated ones.
    """
    sign = -1.0 if real else 1.0
    return torch.stack([F.relu(1.0 + sign * scale[-1].float()).mean() for scale in features]).mean()


def hinge_generator_loss(features: Features) -> Tensor:
    """The generator's hinge loss: minus the mean score, averaged over scales."""
    return -torch.stack([scale[-1].float().mean() for scale in features]).mean()


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    """WGAN-GP (Gulrajani et al. 2017): mean over pictures of (n - 1)^2, where n is the norm of the critic's gradient.

    The gradient is that of the sum of a picture's scores, at a random mixture of real and fake: one uniform number for
    each picture, from torch's generator.

    Args:
        critic: pictures (N, ...) -> scores (N, ...).
        real, fake: (N, 3, H, W); both are detached.
    """
    share = torch.rand((len(real), 1, 1, 1), device=real.device)
    mixed = (share * real.detach() + (1 - share) * fake.detach()).requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(mixed).sum(), mixed, create_graph=True)
    norms = gradient.flatten(1).square().sum(1).add(1e-12).sqrt()  # the square root has no gradient at 0
    return (norms - 1).square().mean()


def r1_penalty(critic: Callable[[Tensor], Tensor], real: Tensor) -> Tensor:
    """R1 (Mescheder et al. 2018): mean over real pictures of the squared norm of the critic's gradient.

    Args:
        critic: pictures (N, ...) -> scores (N,).
        real: (N, 3, H, W); it is detached.
    """
    real = real.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(real).sum(), real, create_graph=True)
    return gradient.flatten(1).square().sum(1).mean()


def dice(logits: Tensor, labels: Tensor) -> Tensor:
    """One minus the Dice coefficient 2 |A and B| / (|A| + |B|), as a mean over the classes that the batch shows.

    Args:
        logits: (N, C, H, W).
        labels: class ids (N, H, W) below C.
    """
    probabilities = logits.softmax(1)
    truth = F.one_hot(labels.long(), logits.shape[1]).permute(0, 3, 1, 2)
    common, predicted, sizes = (x.sum((0, 2, 3)) for x in (probabilities * truth, probabilities, truth))
    coefficient = 2 * common / (predicted + sizes).clamp_min(1)
    return (1 - coefficient)[sizes > 0].mean()


def classification(logits: Tensor, labels: Tensor) -> Tensor:
    """Binary cross-entropy of attributes: summed over attributes, averaged over pictures.

    Args:
        logits, labels: (N, attributes); labels are 0.0 or 1.0.
    """
    return F.binary_cross_entropy_with_logits(logits.float(), labels, reduction="sum") / len(labels)


def elegant_adversarial(logits: list[Tensor], *, real: bool) -> Tensor:
    """ELEGANT's adversarial loss: cross-entropy of D1's logits with real or fake, plus half that of D2's."""
    target = 1.0 if real else 0.0
    full, half = (
        F.binary_cross_entropy_with_logits(scale.float(), torch.full_like(scale, target, dtype=torch.float32))
        for scale in logits
    )
    return full + 0.5 * half
