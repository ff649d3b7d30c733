"""Losses of the paper (Sec. 3.3: L = L_adv + 10 L_feature_matching + 10 L_perceptual) and of the baselines.

All functions return a scalar tensor, unless stated otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

# A discriminator's features: for each scale, a list of the outputs of all layers; the last output is the scores.
Features = list[list[Tensor]]

_PERCEPTUAL_WEIGHTS: Final = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)


def least_squares(features: Features, *, real: bool) -> Tensor:
    """Return the least-squares GAN loss (Mao et al. 2017): the mean of (score - target)^2, summed over scales.

    Args:
        features: the discriminator's features of real or of generated pictures.
        real: if true, the target of the scores is 1, else 0.
    """
    target = 1.0 if real else 0.0
    return torch.stack([(scale[-1].float() - target).square().mean() for scale in features]).sum()


def feature_matching(fake: Features, real: Features) -> Tensor:
    """Return the L1 between the discriminator's features of generated and real pictures (pix2pixHD, Sec. 3.3).

    The scores (the last output of each scale) are left out. Each scale has the weight 1 / scales, and each layer has
    the weight 4 / (layers - 1).

    Args:
        fake, real: the discriminator's features of the generated and of the real pictures.
    """
    total = fake[0][0].new_zeros((), dtype=torch.float32)
    for fake_scale, real_scale in zip(fake, real, strict=True):
        weight = 4.0 / (len(fake_scale) - 1) / len(fake)
        for ours, theirs in zip(fake_scale[:-1], real_scale[:-1], strict=True):
            total = total + weight * F.l1_loss(ours.float(), theirs.detach().float())
    return total


def pixel(fake: Tensor, real: Tensor, class_weights: Tensor | None, labels: Tensor) -> Tensor:
    """Return the mean absolute difference (L1) between pictures; with ``class_weights``, a weighted mean over pixels.

    Args:
        fake, real: pictures (N, 3, H, W).
        class_weights: weight of the pixels of each class (19,); None for equal weights.
        labels: label maps (N, H, W), which give the class of each pixel.
    """
    if class_weights is None:
        return F.l1_loss(fake.float(), real)
    weight = class_weights[labels.long()].unsqueeze(1)
    return ((fake.float() - real).abs() * weight).mean() / weight.mean()


def class_colours(fake: Tensor, mask: Tensor, real: Tensor, style_mask: Tensor) -> Tensor:
    """Return the L1 between the mean colours of each class in the generated picture and in the style picture.

    The masks may differ, so this loss keeps the colours of skin, hair and lips when the shape of the face changes.
    Classes with fewer than 64 pixels in one of the two masks are left out.

    Args:
        fake: generated pictures (N, 3, H, W).
        mask: one-hot masks (N, classes, H, W) of the generated pictures.
        real: style pictures (N, 3, H, W).
        style_mask: one-hot masks (N, classes, H, W) of the style pictures.
    """
    (ours, count), (theirs, other) = (
        _mean_colours(picture.float(), classes) for picture, classes in ((fake, mask), (real, style_mask))
    )
    return _mean_over_classes(ours - theirs.detach(), count, other)


def texture(fake: Tensor, mask: Tensor, real: Tensor, style_mask: Tensor) -> Tensor:
    """Return the L1 between the logarithms of each class's roughness in the generated and in the style picture.

    Roughness is the mean absolute difference between neighbouring pixels, horizontally and vertically for each colour
    channel. The loss is a mean over full, half and quarter resolution. Classes with fewer than 64 pixels in one of the
    two masks are left out.

    Args:
        fake: generated pictures (N, 3, H, W).
        mask: one-hot masks (N, classes, H, W) of the generated pictures.
        real: style pictures (N, 3, H, W).
        style_mask: one-hot masks (N, classes, H, W) of the style pictures.
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
    """Return the mean of absolute differences over the classes that have at least 64 pixels in both pictures.

    Args:
        difference: differences (N, classes, C) between two pictures, for each class and channel.
        count, other: numbers of pixels (N, classes) of each class in the first and in the second picture.
    """
    both = ((count >= 64) & (other >= 64)).float()
    return (difference.abs().mean(2) * both).sum() / both.sum().clamp_min(1)


def _roughness(picture: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return the roughness (N, classes, 6) and the number of pixels (N, classes) of each class; see `texture`.

    The six values are the horizontal roughness of the three colour channels, then their vertical roughness.

    Args:
        picture: pictures (N, 3, H, W).
        mask: one-hot masks (N, classes, H, W) of the pictures.
    """
    across = F.pad((picture[..., 1:] - picture[..., :-1]).abs(), (0, 1))
    down = F.pad((picture[..., 1:, :] - picture[..., :-1, :]).abs(), (0, 0, 0, 1))
    return _mean_colours(torch.cat([across, down], 1), mask)


def _mean_colours(picture: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean colour (N, classes, C) and the number of pixels (N, classes) of each class.

    Args:
        picture: pictures (N, C, H, W).
        mask: one-hot masks (N, classes, H, W) of the pictures.
    """
    classes, pixels = mask.float().flatten(2), picture.flatten(2).transpose(1, 2)
    count = classes.sum(2)
    return (classes / count.clamp_min(1).unsqueeze(2)) @ pixels, count


def perceptual(fake: list[Tensor], real: list[Tensor]) -> Tensor:
    """Return the perceptual loss (Johnson et al. 2016): the L1 between features of generated and real pictures.

    The loss is a weighted sum over five feature maps of a frozen network; the weights rise from 1/32 for the first to 1
    for the deepest feature map.

    Args:
        fake, real: lists of the five feature maps of the generated and of the real pictures.
    """
    terms = [
        weight * F.l1_loss(ours.float(), theirs.detach().float())
        for weight, ours, theirs in zip(_PERCEPTUAL_WEIGHTS, fake, real, strict=True)
    ]
    return torch.stack(terms).sum()


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return the KL divergence of N(mean, variance) from N(0, 1) in nats (Kingma and Welling 2014, Appendix B).

    Args:
        mean, log_variance: mean and log variance of each latent code's normal distribution, (N, latent) each.

    Returns:
        The divergence, summed over the dimensions of a code and averaged over the batch.
    """
    terms = mean.square() + log_variance.exp() - 1.0 - log_variance
    return 0.5 * terms.sum(dim=1).mean()


def hinge_discriminator_loss(features: Features, *, real: bool) -> Tensor:
    """Return the discriminator's hinge loss of real or of generated pictures (Lim and Ye 2017), averaged over scales.

    The loss is the mean of max(0, 1 - score) for real pictures, and of max(0, 1 + score) for generated pictures.

    Args:
        features: the discriminator's features of real or of generated pictures.
        real: whether the pictures are real.
    """
    sign = -1.0 if real else 1.0
    return torch.stack([F.relu(1.0 + sign * scale[-1].float()).mean() for scale in features]).mean()


def hinge_generator_loss(features: Features) -> Tensor:
    """Return the generator's hinge loss: minus the mean score of the generated pictures, averaged over scales.

    Args:
        features: the discriminator's features of the generated pictures.
    """
    return -torch.stack([scale[-1].float().mean() for scale in features]).mean()


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    """Return the gradient penalty of WGAN-GP (Gulrajani et al. 2017): the mean over pictures of (norm - 1)^2.

    ``norm`` is the norm of the gradient of a picture's score with respect to the picture's pixels. If the critic
    returns several scores of a picture, the sum of these scores is used. The pictures are mixtures of a real and a
    generated picture, with a random share for each pair.

    Args:
        critic: the discriminator: a function from pictures (N, 3, H, W) to scores (N, ...).
        real, fake: real and generated pictures (N, 3, H, W); both are detached.
    """
    share = torch.rand((len(real), 1, 1, 1), device=real.device)
    mixed = (share * real.detach() + (1 - share) * fake.detach()).requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(mixed).sum(), mixed, create_graph=True)
    norms = gradient.flatten(1).square().sum(1).add(1e-12).sqrt()  # the square root has no gradient at 0
    return (norms - 1).square().mean()


def r1_penalty(critic: Callable[[Tensor], Tensor], real: Tensor) -> Tensor:
    """Return the R1 penalty (Mescheder et al. 2018): the mean over real pictures of the squared gradient norm.

    The gradient is that of a picture's score with respect to the picture's pixels.

    Args:
        critic: the discriminator: a function from pictures (N, 3, H, W) to scores (N,).
        real: real pictures (N, 3, H, W); they are detached.
    """
    real = real.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(real).sum(), real, create_graph=True)
    return gradient.flatten(1).square().sum(1).mean()


def dice(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the Dice loss: one minus the Dice coefficient 2 |A and B| / (|A| + |B|) of prediction and ground truth.

    The coefficient is averaged over the classes that occur in ``labels``.

    Args:
        logits: predicted logits (N, C, H, W) of C classes.
        labels: ground-truth class ids (N, H, W), 0 to C - 1.
    """
    probabilities = logits.softmax(1)
    truth = F.one_hot(labels.long(), logits.shape[1]).permute(0, 3, 1, 2)
    common, predicted, sizes = (x.sum((0, 2, 3)) for x in (probabilities * truth, probabilities, truth))
    coefficient = 2 * common / (predicted + sizes).clamp_min(1)
    return (1 - coefficient)[sizes > 0].mean()


def classification(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the binary cross-entropy of predicted attributes, summed over attributes and averaged over pictures.

    Args:
        logits: predicted logits (N, attributes).
        labels: ground truth (N, attributes), 0.0 or 1.0.
    """
    return F.binary_cross_entropy_with_logits(logits.float(), labels, reduction="sum") / len(labels)


def elegant_adversarial(logits: list[Tensor], *, real: bool) -> Tensor:
    """Return ELEGANT's adversarial loss: the cross-entropy of D1's logits, plus half the cross-entropy of D2's logits.

    Args:
        logits: list of the logits of D1 (full resolution) and of D2 (half resolution).
        real: if true, the target of the logits is 1 (real), else 0 (generated).
    """
    target = 1.0 if real else 0.0
    full, half = (
        F.binary_cross_entropy_with_logits(scale.float(), torch.full_like(scale, target, dtype=torch.float32))
        for scale in logits
    )
    return full + 0.5 * half
