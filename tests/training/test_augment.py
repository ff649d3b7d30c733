"""Augmentation: reported rotations are correct, masks move with their faces, equal seeds give equal results."""

from __future__ import annotations

import math

import torch

from maskgan_cli.training.augment import AugmentSettings, PairAugment, PairAugmentSettings, move, recolour

STILL = AugmentSettings(rotate=0, zoom=0, shift=0, light=0, tint=0, blur=0, noise=0)


def _arrow(size: int = 65) -> torch.Tensor:
    """One black picture with a white dot right of the middle."""
    image = torch.full((1, 3, size, size), -1.0)
    image[..., size // 2 - 1 : size // 2 + 2, size // 2 + 19 : size // 2 + 22] = 1.0
    return image


def _dot(image: torch.Tensor) -> tuple[float, float]:
    """Position of the dot relative to the middle: to the right, and up."""
    weight = image[0, 0] + 1
    side = image.shape[-1]
    at = torch.arange(side) - side // 2
    return float((weight.sum(0) * at).sum() / weight.sum()), float(-(weight.sum(1) * at).sum() / weight.sum())


def test_zero_settings_change_nothing() -> None:
    images = torch.rand(2, 3, 16, 16) * 2 - 1
    moved, _, degrees = move(images, None, STILL)
    assert torch.equal(moved, images)
    assert not degrees.any()
    assert torch.allclose(recolour(images, STILL), images, atol=1e-6)


def test_the_reported_degrees_are_the_counter_clockwise_rotation() -> None:
    for seed in range(4):
        torch.manual_seed(seed)
        moved, _, degrees = move(_arrow(), None, STILL.model_copy(update={"rotate": 40.0}))
        right, up = _dot(moved)
        assert abs(math.degrees(math.atan2(up, right)) - float(degrees)) < 1.5
        assert abs(math.hypot(right, up) - 20) < 0.5


def test_masks_move_with_their_faces() -> None:
    torch.manual_seed(0)
    labels = torch.randint(0, 19, (3, 8, 8), dtype=torch.uint8).repeat_interleave(8, 1).repeat_interleave(8, 2)
    images = (labels.float() / 9 - 1).unsqueeze(1).expand(-1, 3, -1, -1)
    moved, turned, _ = move(images, labels, AugmentSettings(rotate=20, zoom=0.3, shift=0.1))
    assert turned is not None
    assert turned.dtype == torch.uint8
    nearest = ((moved[:, 0] + 1) * 9).round().to(torch.uint8)
    assert (nearest == turned).float().mean() > 0.75  # they differ only where bilinear sampling mixes neighbours


def test_colours_stay_in_range_differ_between_faces_and_repeat_with_the_seed() -> None:
    images = torch.rand(1, 3, 16, 16).repeat(4, 1, 1, 1) * 2 - 1
    strong = AugmentSettings(light=0.8, tint=0.8, blur=0.8, noise=0.3)
    torch.manual_seed(1)
    first = recolour(images, strong)
    assert float(first.abs().max()) <= 1.0
    assert all(not torch.equal(first[0], first[i]) for i in range(1, 4))
    torch.manual_seed(1)
    assert torch.equal(recolour(images, strong), first)


def test_a_pair_augmentation_changes_pictures_and_masks_in_the_same_way() -> None:
    torch.manual_seed(0)
    mask = torch.rand(3, 19, 32, 32)
    picture = torch.rand(3, 3, 32, 32)
    view = PairAugment(PairAugmentSettings(shift=0.2, cutout=0.4), picture.shape, picture.device)
    seen_mask, seen = view(mask, picture)
    _, second = view(mask, picture)
    assert torch.equal(seen, second), "an object has one draw for all pictures"
    assert torch.equal((seen_mask == 0).all(1), (seen == 0).all(1)), "mask and picture have the same zeros"
    holes = (seen == 0).all(1).float().mean((1, 2))
    assert ((holes >= 0.15) & (holes < 0.6)).all()
    for one, whole in zip(seen, picture, strict=True):
        assert set(one.flatten().tolist()) - {0.0} <= set(whole.flatten().tolist()), "pixels move and keep their values"


def test_a_pair_augmentation_with_zero_settings_is_the_identity_and_light_is_differentiable() -> None:
    mask, picture = torch.rand(2, 19, 16, 16), torch.rand(2, 3, 16, 16, requires_grad=True)
    same_mask, same = PairAugment(PairAugmentSettings(), picture.shape, picture.device)(mask, picture)
    assert same_mask is mask and same is picture
    lit = PairAugment(PairAugmentSettings(light=0.3), picture.shape, picture.device)(mask, picture)[1]
    lit.sum().backward()
    assert picture.grad is not None and float(picture.grad.abs().min()) > 0
