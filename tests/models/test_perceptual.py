"""Tests of the VGG features: torchvision's names, five feature maps, and reproducible random weights."""

from __future__ import annotations

import torch

from maskgan_cli.models.perceptual import VGG19Features


def test_names_and_shapes_equal_torchvisions() -> None:
    shapes = {name: tuple(p.shape) for name, p in VGG19Features().state_dict().items()}
    convolutions = [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28]
    assert list(shapes) == [f"features.{i}.{kind}" for i in convolutions for kind in ("weight", "bias")]
    assert shapes["features.0.weight"] == (64, 3, 3, 3)
    assert shapes["features.28.weight"] == (512, 512, 3, 3)


def test_five_feature_maps_each_at_half_the_previous_resolution() -> None:
    features = VGG19Features.random(4)(torch.rand(1, 3, 64, 64))
    assert [tuple(f.shape[1:]) for f in features] == [(4, 64, 64), (8, 32, 32), (16, 16, 16), (32, 8, 8), (32, 4, 4)]
    assert all(f.min() >= 0 for f in features), "features are taken after the ReLU"


def test_random_features_are_reproducible_and_do_not_vanish() -> None:
    torch.manual_seed(1)
    a = VGG19Features.random(16)
    torch.manual_seed(2)
    b = VGG19Features.random(16)
    x = torch.rand(1, 3, 64, 64)
    assert all(torch.equal(p, q) for p, q in zip(a(x), b(x), strict=True))
    assert all(0.05 < float(f.std()) < 5 for f in a(torch.randn(1, 3, 64, 64)))
    assert not any(p.requires_grad for p in a.parameters())


def test_normalise_applies_imagenets_mean_and_deviation() -> None:
    plain, normal = VGG19Features.random(4), VGG19Features(4, normalise=True)
    normal.load_state_dict(plain.state_dict())
    x = torch.rand(1, 3, 32, 32) * 2 - 1
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    torch.testing.assert_close(normal(x)[0], plain(((x + 1) / 2 - mean) / std)[0])
