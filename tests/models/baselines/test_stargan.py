"""StarGAN: what a label does, and which labels can be asked for."""

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


def test_a_hair_colour_clears_the_others_and_nothing_else_does() -> None:
    now = torch.tensor([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]])
    assert asked_labels(NAMES, now, "Blond_Hair", True).tolist() == [[0, 0, 1], [0, 1, 1]]
    assert asked_labels(NAMES, now, "Black_Hair", False).tolist() == [[0, 0, 0], [0, 1, 0]]
    assert asked_labels(NAMES, now, "Smiling", True).tolist() == [[1, 1, 0], [1, 1, 0]]
    assert asked_labels(NAMES, now, "Smiling", False).tolist() == [[1, 0, 0], [1, 0, 0]]
    assert now.tolist() == [[1, 0, 0], [1, 1, 0]], "what was given stays"


def test_a_picture_of_the_same_size_in_range_at_any_size() -> None:
    network = StarGANGenerator(StarGANConfig(64, NAMES, 4, 1))
    for side in (32, 64):
        image = torch.rand(2, 3, side, side) * 2 - 1
        changed = network(image, torch.zeros(2, 3))
        assert changed.shape == image.shape
        assert changed.abs().max() <= 1


def test_one_face_does_not_touch_the_other_in_training_or_out_of_it() -> None:
    network = StarGANGenerator(StarGANConfig(32, NAMES, 4, 1))
    images, labels = torch.rand(2, 3, 32, 32), torch.eye(3)[:2]
    for training in (True, False):
        network.train(training)
        alone = torch.cat([network(images[[i]], labels[[i]]) for i in range(2)])
        torch.testing.assert_close(network(images, labels), alone)
    assert set(network.state_dict()["main.1.running_mean"].tolist()) == {0.0}


@pytest.mark.parametrize(("size", "layers", "patches"), [(64, 4, 4), (256, 6, 4), (64, 6, 1)])
def test_the_classifying_convolution_covers_the_whole_last_map(size: int, layers: int, patches: int) -> None:
    network = StarGANDiscriminator(StarGANDiscriminatorConfig(size, 3, 2, layers))
    scores, logits = network(torch.rand(2, 3, size, size))
    assert (scores.shape, logits.shape) == ((2, 1, patches, patches), (2, 3))


@pytest.mark.parametrize(
    "settings", [{"attributes": ()}, {"attributes": ("a", "a")}, {"image_size": 30}, {"blocks": 0}]
)
def test_impossible_settings_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"attributes|image_size|blocks"):
        StarGANConfig(**settings)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="image_size"):
        StarGANDiscriminatorConfig(image_size=32)
