"""Tests of StarGAN: target labels, image sizes, and instance norm."""

from __future__ import annotations

import pytest
import torch

from maskgan_cli.models.baselines.stargan import (
    StarGANConfig,
    StarGANDiscriminator,
    StarGANDiscriminatorConfig,
    StarGANGenerator,
    asked_labels,
)

NAMES = ("Black_Hair", "Smiling", "Blond_Hair")


def test_setting_a_hair_colour_clears_only_the_other_hair_colours() -> None:
    now = torch.tensor([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]])
    assert asked_labels(NAMES, now, "Blond_Hair", True).tolist() == [[0, 0, 1], [0, 1, 1]]
    assert asked_labels(NAMES, now, "Black_Hair", False).tolist() == [[0, 0, 0], [0, 1, 0]]
    assert asked_labels(NAMES, now, "Smiling", True).tolist() == [[1, 1, 0], [1, 1, 0]]
    assert asked_labels(NAMES, now, "Smiling", False).tolist() == [[1, 0, 0], [1, 0, 0]]
    assert now.tolist() == [[1, 0, 0], [1, 1, 0]], "the argument must not change"


def test_output_has_the_size_of_the_input_and_lies_in_range() -> None:
    network = StarGANGenerator(StarGANConfig(64, NAMES, 4, 1))
    for side in (32, 64):
        image = torch.rand(2, 3, side, side) * 2 - 1
        changed = network(image, torch.zeros(2, 3))
        assert changed.shape == image.shape
        assert changed.abs().max() <= 1


def test_faces_of_a_batch_are_independent_in_training_and_evaluation() -> None:
    network = StarGANGenerator(StarGANConfig(32, NAMES, 4, 1))
    images, labels = torch.rand(2, 3, 32, 32), torch.eye(3)[:2]
    for training in (True, False):
        network.train(training)
        alone = torch.cat([network(images[[i]], labels[[i]]) for i in range(2)])
        torch.testing.assert_close(network(images, labels), alone)
    assert set(network.state_dict()["main.1.running_mean"].tolist()) == {0.0}


@pytest.mark.parametrize(("size", "layers", "patches"), [(64, 4, 4), (256, 6, 4), (64, 6, 1)])
def test_classification_kernel_covers_the_last_feature_map(size: int, layers: int, patches: int) -> None:
    network = StarGANDiscriminator(StarGANDiscriminatorConfig(size, 3, 2, layers))
    scores, logits = network(torch.rand(2, 3, size, size))
    assert (scores.shape, logits.shape) == ((2, 1, patches, patches), (2, 3))


@pytest.mark.parametrize(
    "settings", [{"attributes": ()}, {"attributes": ("a", "a")}, {"image_size": 30}, {"blocks": 0}]
)
def test_invalid_settings_are_rejected(settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"attributes|image_size|blocks"):
        StarGANConfig(**settings)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="image_size"):
        StarGANDiscriminatorConfig(image_size=32)
