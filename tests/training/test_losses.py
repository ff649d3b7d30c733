"""Losses with answers known in closed form."""

from __future__ import annotations

import math

import torch

from maskgan_cli.training import losses


def _features(value: float, layers: int = 5, scales: int = 2) -> losses.Features:
    return [[torch.full((1, 2, 4, 4), value) for _ in range(layers)] for _ in range(scales)]


def test_least_squares_is_the_squared_distance_summed_over_scales() -> None:
    assert losses.least_squares(_features(1.0), real=True) == 0
    assert losses.least_squares(_features(0.0), real=False) == 0
    assert losses.least_squares(_features(3.0), real=True) == 2 * 4
    assert losses.least_squares(_features(3.0), real=False) == 2 * 9


def test_feature_matching_weighs_four_layers_of_two_scales_with_one_half_each() -> None:
    fake, real = _features(1.5), _features(1.0)
    fake[0][-1] += 100  # the verdict takes no part
    assert losses.feature_matching(fake, real) == 2 * 4 * 0.5 * 0.5


def test_feature_matching_pulls_only_the_fake() -> None:
    fake = [[torch.ones(1, requires_grad=True), torch.ones(1)]]
    real = [[torch.zeros(1, requires_grad=True), torch.ones(1)]]
    losses.feature_matching(fake, real).backward()
    assert fake[0][0].grad is not None
    assert real[0][0].grad is None


def test_perceptual_weights_are_the_papers() -> None:
    for depth, weight in enumerate((1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)):
        fake = [torch.zeros(1, 1, 2, 2) for _ in range(5)]
        fake[depth] += 2.0
        assert losses.perceptual(fake, [torch.zeros(1, 1, 2, 2)] * 5) == 2.0 * weight


def test_kl_of_normals_is_the_closed_form_summed_over_the_code() -> None:
    zero = torch.zeros(3, 5)
    assert losses.kl_divergence(zero, zero) == 0
    torch.testing.assert_close(losses.kl_divergence(zero + 2.0, zero), torch.tensor(5 * 2.0))  # mean^2 / 2 each
    narrow = losses.kl_divergence(zero, zero + math.log(0.25))
    torch.testing.assert_close(narrow, torch.tensor(5 * 0.5 * (0.25 - 1 - math.log(0.25))))


def test_kl_agrees_with_torchs_distributions() -> None:
    mean, log_variance = torch.randn(4, 6), torch.randn(4, 6)
    normal = torch.distributions.Normal
    theirs = torch.distributions.kl_divergence(normal(mean, (0.5 * log_variance).exp()), normal(0.0, 1.0))
    torch.testing.assert_close(losses.kl_divergence(mean, log_variance), theirs.sum(1).mean())
