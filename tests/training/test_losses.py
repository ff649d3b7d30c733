"""Losses with answers known in closed form."""

from __future__ import annotations

import math

import pytest
import torch

from maskgan_cli.training import losses


def _features(value: float, layers: int = 5, scales: int = 2) -> losses.Features:
    return [[torch.full((1, 2, 4, 4), value) for _ in range(layers)] for _ in range(scales)]


def test_least_squares_is_the_squared_distance_summed_over_scales() -> None:
    assert losses.least_squares(_features(1.0), real=True) == 0
    assert losses.least_squares(_features(0.0), real=False) == 0
    assert losses.least_squares(_features(3.0), real=True) == 2 * 4
    assert losses.least_squares(_features(3.0), real=False) == 2 * 9


def test_feature_matching_gives_each_of_four_layers_of_two_scales_weight_one_half() -> None:
    fake, real = _features(1.5), _features(1.0)
    fake[0][-1] += 100  # the score is left out
    assert losses.feature_matching(fake, real) == 2 * 4 * 0.5 * 0.5


def test_feature_matching_has_gradients_for_the_fake_only() -> None:
    fake = [[torch.ones(1, requires_grad=True), torch.ones(1)]]
    real = [[torch.zeros(1, requires_grad=True), torch.ones(1)]]
    losses.feature_matching(fake, real).backward()
    assert fake[0][0].grad is not None
    assert real[0][0].grad is None


def test_dice_is_the_mean_overlap_of_the_classes_that_are_there() -> None:
    labels = torch.tensor([[[0, 0, 1, 1]]])
    certain = 100 * torch.nn.functional.one_hot(torch.tensor([[[0, 1, 1, 1]]]), 3).permute(0, 3, 1, 2).float()
    # class 0: 2 * 1 / (1 + 2), class 1: 2 * 2 / (3 + 2); class 2 is absent
    assert losses.dice(certain, labels).item() == pytest.approx(1 - (2 / 3 + 4 / 5) / 2, abs=1e-5)
    small = torch.zeros(1, 3, 1, 4, requires_grad=True)
    losses.dice(small, labels).backward()
    assert small.grad is not None and small.grad[0, 1, 0, 3] < 0 < small.grad[0, 0, 0, 3]


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


def test_hinge_loss_is_zero_beyond_the_margin_and_averages_over_scales() -> None:
    for value, as_real, as_fake in ((3.0, 0.0, 4.0), (0.5, 0.5, 1.5), (-1.0, 2.0, 0.0), (-3.0, 4.0, 0.0)):
        features = _features(value)
        assert losses.hinge_discriminator_loss(features, real=True) == as_real
        assert losses.hinge_discriminator_loss(features, real=False) == as_fake
        assert losses.hinge_generator_loss(features) == -value
    mixed = [*_features(3.0, scales=1), *_features(-1.0, scales=1)]
    assert losses.hinge_discriminator_loss(mixed, real=True) == 1.0
    assert losses.hinge_generator_loss(mixed) == -1.0


def test_the_gradient_penalty_of_a_linear_critic_is_known() -> None:
    weight = torch.zeros(3, 4, 4)
    weight[0, 1, 2], weight[2, 3, 0] = 3.0, 4.0  # the gradient has norm 5 everywhere

    def linear(images: torch.Tensor) -> torch.Tensor:
        return (images * weight).sum((1, 2, 3))

    real, fake = torch.rand(2, 6, 3, 4, 4)
    torch.testing.assert_close(losses.gradient_penalty(linear, real, fake), torch.tensor(16.0))
    torch.testing.assert_close(losses.gradient_penalty(lambda x: linear(x) / 5, real, fake), torch.tensor(0.0))


def test_the_gradient_penalty_mixes_real_and_fake_with_one_number_for_each_picture() -> None:
    # The gradient of |x|^2 / 2 is x. For the mixture t * 2 of 0 and 2 its norm is 2t.
    fake = torch.zeros(4000, 1, 1, 1)
    real = fake + 2.0
    torch.manual_seed(0)
    penalty = losses.gradient_penalty(lambda x: x.square().sum((1, 2, 3)) / 2, real, fake)
    assert abs(penalty.item() - 1 / 3) < 0.02  # E (2t - 1)^2 for t uniform; one t for all pictures gives another value
    torch.manual_seed(0)
    share = torch.rand(4000, 1, 1, 1)
    torch.testing.assert_close(penalty, (2 * share - 1).square().mean())


def test_the_gradient_penalty_has_gradients_for_the_critic() -> None:
    weight = torch.tensor(3.0, requires_grad=True)
    losses.gradient_penalty(
        lambda x: x.sum((1, 2, 3)) * weight, torch.ones(2, 1, 1, 1), torch.zeros(2, 1, 1, 1)
    ).backward()
    assert weight.grad is not None
    torch.testing.assert_close(weight.grad, torch.tensor(4.0))  # of (w - 1)^2


def test_r1_of_a_linear_critic_is_the_squared_norm_of_its_weight() -> None:
    weight = torch.zeros(3, 4, 4, requires_grad=True)
    with torch.no_grad():
        weight[0, 1, 2], weight[2, 3, 0] = 3.0, 4.0
    penalty = losses.r1_penalty(lambda faces: (faces * weight).sum((1, 2, 3)), torch.rand(6, 3, 4, 4))
    torch.testing.assert_close(penalty, torch.tensor(25.0))
    penalty.backward()
    assert weight.grad is not None
    torch.testing.assert_close(weight.grad, 2 * weight.detach())


def test_classification_is_summed_over_attributes_and_averaged_over_pictures() -> None:
    labels = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    torch.testing.assert_close(losses.classification(torch.zeros(2, 3), labels), torch.tensor(3 * math.log(2)))
    sure = (labels * 2 - 1) * 50
    assert losses.classification(sure, labels) < 1e-6
    one_wrong = sure.clone()
    one_wrong[0, 1] = 50.0
    torch.testing.assert_close(losses.classification(one_wrong, labels), torch.tensor(25.0))


def test_elegants_second_discriminator_has_weight_one_half() -> None:
    zero = [torch.zeros(4, 1), torch.zeros(4, 1)]
    for real in (True, False):
        torch.testing.assert_close(losses.elegant_adversarial(zero, real=real), torch.tensor(1.5 * math.log(2)))
    sure = [torch.full((4, 1), 100.0), torch.full((4, 1), -100.0)]
    torch.testing.assert_close(losses.elegant_adversarial(sure, real=True), torch.tensor(50.0))
    torch.testing.assert_close(losses.elegant_adversarial(sure, real=False), torch.tensor(100.0))


def test_class_colours_do_not_depend_on_the_position_of_a_class() -> None:
    mask = torch.zeros(1, 2, 8, 32)
    mask[:, 0, :, :16], mask[:, 1, :, 16:] = 1, 1
    turned = mask.flip(3)
    picture = torch.zeros(1, 3, 8, 32)
    picture[..., :16], picture[..., 16:] = 0.25, -0.5
    assert float(losses.class_colours(picture, mask, picture.flip(3), turned)) == 0
    lighter = picture + 0.1 * mask[:, :1]  # one class of two is off by 0.1
    assert float(losses.class_colours(lighter, mask, picture, mask)) == pytest.approx(0.05, abs=1e-6)


def test_a_class_that_is_missing_in_one_mask_is_left_out() -> None:
    mask, other = torch.zeros(1, 2, 8, 16), torch.zeros(1, 2, 8, 16)
    mask[:, 0] = other[:, 1] = 1
    fake = torch.rand(1, 3, 8, 16, requires_grad=True)
    loss = losses.class_colours(fake, mask, -torch.ones_like(fake), other)
    loss.backward()
    assert float(loss.detach()) == 0 and fake.grad is not None and not fake.grad.any()


def test_texture_is_the_log_ratio_of_roughness_by_class() -> None:
    torch.manual_seed(0)
    mask = torch.zeros(1, 2, 32, 64)
    mask[:, 0, :, :32], mask[:, 1, :, 32:] = 1, 1
    rough = torch.randn(1, 3, 32, 64)
    assert float(losses.texture(rough, mask, rough, mask)) == 0
    assert float(losses.texture(rough, mask, rough + 5, mask)) < 1e-4, "a constant offset does not change the texture"
    assert float(losses.texture(rough, mask, rough * 2, mask)) == pytest.approx(math.log(2), rel=0.05)
    half = torch.where(mask[:, :1] > 0, rough, 2 * rough)  # one class of two
    assert float(losses.texture(half, mask, rough, mask)) == pytest.approx(math.log(2) / 2, rel=0.15)
